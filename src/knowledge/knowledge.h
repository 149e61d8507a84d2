// What gpuwhy knows without looking: GPUs by PCI id, what CUDA needs of a driver, names of error
// codes, TensorFlow releases, sonames. The rows live in src/knowledge/*.tsv, each with its source.
//
//   if (const GpuProduct* gpu = find_gpu("2684")) gpu->product;      // "GeForce RTX 4090"
//   minimum_driver(*Version::parse("12.5"));                         // 525.60.13
//   soname("cudnn", *Version::parse("9.3"));                         // "libcudnn.so.9"
#pragma once

#include "base/version.h"
#include "facts/hardware.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct GpuProduct {
  std::string_view device_id; // "2684"
  std::string_view chip;
  std::string_view architecture;
  std::optional<ComputeCapability> compute_capability;
  std::string_view product;
  int last_driver_branch = 0; // newest driver branch that supports it; 0: the newest driver does
};

/// The product with this PCI device id (four hexadecimal digits, either case); nullptr if not
/// listed.
const GpuProduct* find_gpu(std::string_view device_id);
/// An id that no table lists belongs to a GPU of Turing or later, which the newest driver supports.
bool newer_than_table(std::string_view device_id);

/// The oldest Linux driver that runs programs of this CUDA release. A minor release that is not
/// listed takes the value of its major; nothing for a major that is not listed.
std::optional<Version> minimum_driver(const Version& cuda);
/// The CUDA version of this driver's API: by branch, a branch between two listed ones counts as the
/// earlier. Nothing for drivers older or newer than the table.
std::optional<Version> cuda_of_driver(const Version& driver);

/// "CUDA_ERROR_NO_DEVICE"; empty for a code that is not listed. `_text` is the driver's own
/// sentence.
std::string_view cuda_error_name(int code);
std::string_view cuda_error_text(int code);
std::string_view nvml_error_name(int code);
std::string_view nvml_error_text(int code);

/// A release of TensorFlow and its official GPU build.
struct TensorFlowRelease {
  std::string_view version;
  std::string_view released; // "2024-10"; empty: not known
  std::string_view python;   // "3.9-3.12"; several ranges are parted by blanks
  Version cuda;              // of the build
  Version cudnn;
  std::vector<std::string_view> capabilities;      // "sm_60", "compute_90", "7.0"; empty: not known
  std::optional<ComputeCapability> min_capability; // lowest that has code in the binary
  std::optional<ComputeCapability> newest_ptx;
  std::optional<ComputeCapability> registers_from; // below, TensorFlow refuses the device
  std::optional<Version> min_driver;               // Linux
  std::vector<std::string_view> gate_libraries;    // all must load: "cudart", "cudnn", ...
  std::vector<std::string_view> gpu_platforms;     // "linux-x86_64", "windows-x86_64"
  std::string_view gpu_distribution;               // "tensorflow" or "tensorflow-gpu"
  std::vector<std::string_view> pins;              // and-cuda extra: "nvidia-cudnn-cu12==9.3.0.75"
  std::string_view notes;
  std::string_view source;

  bool supports_python(const Version& python_version) const;
};

/// The release itself; else the newest listed of the same major.minor that is not newer, else the
/// oldest listed of that minor. nullptr if none of that minor is listed: nothing is known about it.
const TensorFlowRelease* find_tensorflow(const Version& version);
const TensorFlowRelease* find_tensorflow(std::string_view version);
/// All of them, oldest first.
const std::vector<TensorFlowRelease>& tensorflow_releases();

/// One build variant of a PyTorch release ("cu126" of 2.6) for Linux x86_64.
struct TorchBuild {
  std::string_view version;  // "2.6"
  std::string_view tag;      // "cu126"
  std::string_view released; // "2025-01"; empty: not known
  bool is_default = false;   // what `pip install torch` brings
  std::string_view python;   // "3.9-3.13", may be followed by a remark; empty: not known
  Version cuda;
  std::optional<Version> cudnn;
  std::vector<std::string_view> sass; // "9.0"
  std::vector<std::string_view> ptx;
  std::optional<Version> min_driver;
  std::string_view source;

  /// True where the table does not tell.
  bool supports_python(const Version& python_version) const;
};
/// Sorted by release, then by CUDA.
const std::vector<TorchBuild>& torch_builds();
/// The variant that `pip install torch==VERSION` brings; nullptr: not known.
const TorchBuild* default_torch(const Version& version);

/// A release of JAX whose CUDA support comes as a plug-in package.
struct JaxRelease {
  std::string_view version;
  std::string_view released;     // "2026-06-17"; empty: not known
  std::optional<Version> python; // the oldest
  struct Plugin {
    Version cuda;
    std::optional<Version> cudnn;
    std::vector<std::string_view> capabilities; // "sm_90", "compute_120"
  };
  std::optional<Plugin> cuda12;
  std::optional<Plugin> cuda13;
  bool preloads = false; // opens NVIDIA's wheels by full path before anything else

  const Plugin* plugin(int cuda_major) const;
};
/// Oldest first.
const std::vector<JaxRelease>& jax_releases();
/// The newest listed that is not newer than `version`; nullptr if all are newer.
const JaxRelease* find_jax(const Version& version);

/// A library that a TensorFlow build opens while it lists GPUs, in the order of opening.
struct WantedLibrary {
  std::string soname;       // "libcudnn.so.9"
  std::string_view product; // "cudnn"
  bool required = true;     // without it no GPU is listed
};
/// By the table where it knows the release, else by the newest release that it knows; the sonames
/// follow from the versions that the build states, else from the table's. Source:
/// docs/tensorflow_loading_observed.md.
std::vector<WantedLibrary> tensorflow_libraries(std::string_view version, std::string_view cuda,
                                                std::string_view cudnn);
/// Does it also open the driver's libnvidia-ml.so.1, and list no GPU if NVML does not start?
bool tensorflow_opens_nvml(std::string_view version);
/// Does it ask cuDNN for its version while it lists GPUs? cuDNN 9 then opens its part cudnn_graph,
/// and without it ends the process.
bool tensorflow_calls_cudnn(std::string_view version);

/// The soname of a CUDA product ("cudart", "cublasLt", "nvJitLink") in a CUDA release; of "cudnn"
/// and "nccl" in their own release. Empty where the release has no such library, or is not known.
std::string soname(std::string_view product, const Version& release);

struct ProductLibrary {
  std::string_view product;
  std::string_view soname;
};
/// What is in a CUDA release and this cuDNN, sorted by product; nothing for unknown releases.
std::vector<ProductLibrary> sonames_for(const Version& cuda, const Version& cudnn);

/// For the tests: "TABLE.tsv:LINE: what is wrong" for each row that does not parse or is out of
/// order.
std::vector<std::string> knowledge_problems();

} // namespace gpuwhy
