// For which GPUs does a framework build carry code, and which GPU would it run on? Pure.
// Truth: CUDA programming guide (binary and PTX compatibility), as in loader.md 2.6.
#pragma once

#include "knowledge/knowledge.h"
#include "rules/F_framework/releases.h"
#include "rules/rule.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

/// Code for one architecture: machine code (SASS), or PTX that the driver compiles when the program
/// starts.
struct Image {
  ComputeCapability target;
  char suffix = 0; // 'a': this GPU alone; 'f': this family from this minor number on
  bool ptx = false;

  /// Machine code runs on the same major number from its minor on; PTX on every later GPU.
  bool runs_on(const ComputeCapability& gpu) const;
  /// "sm_89", "PTX 9.0".
  std::string str() const;
};

/// What the binaries hold where they were read, else what the build states; empty: not known.
/// A stated "sm_60" is machine code, "compute_60" or a bare "6.0" is machine code and PTX.
std::vector<Image> code_of(const FrameworkBuild& build);
std::vector<Image> stated_code(const std::vector<std::string>& capabilities);
/// "sm_60, sm_70, PTX 9.0".
std::string code_text(const std::vector<Image>& images);

enum class Coverage { machine_code, ptx, none };
Coverage coverage(const std::vector<Image>& images, const ComputeCapability& gpu);
/// Older than everything there is code for.
bool older_than_all(const std::vector<Image>& images, const ComputeCapability& gpu);

struct Target {
  std::string name;
  ComputeCapability capability;
  Source source;
};
/// The GPUs that the program would meet.
struct Targets {
  std::vector<Target> gpus;
  bool ordered = false; // in CUDA's order: the first is the framework's GPU:0
  std::string missing;  // with no GPU: what would tell
};
Targets targets(const Facts& facts);
/// Compute capability from which on this TensorFlow takes a GPU at all.
ComputeCapability taken_from(const Case& c);
/// The GPU for which the question counts: GPU:0 where CUDA's order is known, else one that stands
/// for all, which needs every GPU to have the `fault`; nothing if the fault does not count.
std::optional<Target> counting_gpu(const Targets& all, const ComputeCapability& taken,
                                   bool (*fault)(const std::vector<Image>&,
                                                 const ComputeCapability&),
                                   const std::vector<Image>& images);
/// The CUDA version of the driver, as cuDriverGetVersion counts; nothing if not known.
std::optional<int> driver_cuda(const Facts& facts);

/// Installs the newest release of the framework for this Python that `fits`; advice alone if there
/// is none.
Edit install_newest(const Case& c, const std::string& purpose,
                    const std::function<bool(const Release&)>& fits);
/// The same, for a build that has code for this GPU.
Edit install_release_for(const Case& c, const Target& gpu);
/// The same with machine code, which no driver has to compile.
Edit install_machine_code_for(const Case& c, const Target& gpu);

} // namespace gpuwhy::rules
