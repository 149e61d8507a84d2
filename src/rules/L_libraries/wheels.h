// NVIDIA's pip wheels: which one carries which CUDA library, where it puts it, and which versions a
// TensorFlow accepts. Truth: the wheels of CUDA 11 to 13 (nvidia/<folder>/lib) and the METADATA of
// tensorflow, torch and the CUDA plug-ins of JAX.
#pragma once

#include "rules/rule.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

struct Wheel {
  std::string_view product; // "cudart"
  std::string_view name;    // "nvidia-cuda-runtime"; the distribution adds "-cu12"
  std::string_view folder;  // "cuda_runtime"
  /// From CUDA 13 on, what is part of the toolkit goes without the suffix, all into the folder
  /// "cu13".
  bool toolkit = true;
};

/// nullptr for a product that no wheel carries.
const Wheel* find_wheel(std::string_view product);
/// "cudnn" for "libcudnn.so.9"; as in LibraryNeed::product.
std::string_view product_of(std::string_view soname);

/// Major CUDA version of the build; 0: not known.
int cuda_major(const Case& c);
/// "nvidia-cudnn-cu12"; empty where there is no such wheel (CUDA 10, or a product without one).
std::string wheel_distribution(const Case& c, std::string_view product);
/// The installed wheel of this product for the build's CUDA; nullptr: none.
const Distribution* installed_wheel(const Case& c, std::string_view product);
/// Requirements on NVIDIA's wheels that the framework's own metadata states; empty: it states none.
std::vector<std::string> metadata_pins(const Case& c);
/// "==9.3.0.75": what the framework's metadata, or else the table of releases, asks of the wheel.
std::string pin_of(const Case& c, std::string_view product);
/// "9.3.0.75" of "<10.0,>=9.3.0.75", in whatever order; empty: it names no lower end.
std::string lowest_version(std::string_view specifiers);
/// Does `version` satisfy ">=9.3.0.75,<10.0"? Nothing for what cannot be compared.
std::optional<bool> satisfies(std::string_view version, std::string_view specifiers);
/// "nvidia-cudnn-cu12==9.3.0.75"
std::string requirement_of(const Case& c, std::string_view product);

/// Was it found in the nvidia/ folder beside the framework?
bool in_own_wheel(const Case& c, std::string_view path);
/// Directory of a product's wheel beside the framework: ".../site-packages/nvidia/cudnn/lib".
std::string wheel_directory(const Case& c, std::string_view product);
/// Search path of a build that finds its wheels; `up` leads from the opener to site-packages.
std::vector<std::string> wheel_search_path(int cuda_major, std::string_view up);
/// May this build find wheels by itself? (the search path of its opener)
bool reaches_wheels(const Case& c);

/// Adds the wheels of these sonames (empty: all that the build opens) to the facts.
void put_wheels(Facts& facts, PythonEnvironment& python, const std::string& site,
                const FrameworkBuild& build, std::span<const std::string> pins,
                const std::vector<std::string>& sonames);
/// pip install of the wheels that carry `sonames`; LD_LIBRARY_PATH too where the build cannot reach
/// them.
Edit install_wheels(const Case& c, const std::vector<std::string>& sonames, bool again);
/// What brings all of them: `tensorflow[and-cuda]==2.18.0`, `jax[cuda12]==0.6.2`, `torch==2.6.0`,
/// or every wheel by name.
Edit install_all_wheels(const Case& c);

} // namespace gpuwhy::rules
