// Where the text comes from and what stands there, as far as it tells: the context in which
// messages are judged.
#pragma once

#include "base/version.h"
#include "explain/reading.h"
#include "facts/hardware.h"
#include "knowledge/knowledge.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::explain {

struct Scene {
  explicit Scene(const View& view);

  View text;

  bool windows = false; // native
  bool wsl = false;
  bool macos = false;
  bool jetson = false;
  bool container = false;
  bool container_gets_gpu = false; // started with --gpus, --nv or the like
  bool slurm = false;
  bool slurm_asked = false; // the job asks for a GPU
  bool slurm_told = false;  // the text shows what the job asks for
  bool colab = false;
  bool kaggle = false;
  bool virtual_machine = false;
  bool mig = false;
  bool login_node = false;        // of a cluster: no GPU there
  bool virtual_display = false;   // lspci shows the display of a virtual machine and no other GPU
  bool aarch64 = false;           // an ARM server
  bool notebook = false;          // a notebook or an editor starts the program
  std::optional<bool> has_gpu;    // stated
  bool other_gpu_only = false;    // all GPUs that are named are of other makers
  bool smi_works = false;         // nvidia-smi shows a GPU
  std::size_t smi_gpus = 0;       // how many it lists; 0: not shown
  bool module_runs = false;       // a kernel module's version is shown
  bool works_with_wheels = false; // the writer says so, of another installation
  bool wheels = false;            // NVIDIA's CUDA wheels are installed, or the extra was asked for

  std::optional<Version> tensorflow;
  const TensorFlowRelease* release = nullptr; // what is known of that version
  int wanted_cuda = 0; // major version that the build opens, by release or source tree; 0: unknown
  std::optional<Version> cuda; // installed or stated; the driver's own number does not count
  std::optional<Version> cudnn;
  std::optional<ComputeCapability> capability; // of the GPU
  std::string gpu;                             // its name as written

  /// The last line that proves that this program, in its last run, got the GPU; nullptr if none
  /// does.
  const Sighting* in_use = nullptr;
  /// The same of any run: what was said before it kept nobody from the GPU.
  const Sighting* succeeded = nullptr;
  /// Something says that the framework shows no GPU, or fails for want of one.
  const Sighting* no_gpu = nullptr;
  /// Any positive sighting of this signal in a run other than `run`.
  bool worked_in_another_run(const Sighting& failing) const;
  /// The GPU was in use, and then, in this line, another user or a service does not get it.
  bool works_for_another(const Sighting& seen) const;
};

/// Compute capability of the GPU whose product name `name` holds ("NVIDIA GeForce RTX 3090 (24
/// GB)").
std::optional<ComputeCapability> capability_of_name(std::string_view name);

/// The CUDA that a PyTorch was built with: "11.7", or of its version, "2.1.0+cu118".
std::optional<Version> cuda_of_torch(const View& text);

/// The first version number in a text ("runtime 11.2, driver API 12.0" -> 11.2).
std::optional<Version> version_in(std::string_view text);

} // namespace gpuwhy::explain
