// The libraries that libcudnn.so.N is made of. It opens them by name when it is first used, so that
// a missing or foreign one does not hide the GPU: the first convolution dies. Truth: file lists of
// the cuDNN 8 and 9 packages; what cuDNN 9 prints when it fails (tensorflow_loading.md 7).
#pragma once

#include "rules/rule.h"

#include <string>
#include <vector>

namespace gpuwhy::rules {

/// Of cuDNN 8 and 9; nothing for others (cuDNN 7 is one file).
std::vector<std::string> cudnn_part_names(int major);

struct CudnnPart {
  enum class State { good, missing, bad, open };
  std::string soname;
  State state = State::open;
  std::string path; // of the file that would be opened
  std::string because;
  std::string detail;  // the loader's words for a bad one
  std::string version; // empty: not known
};

/// Where each part would come from. Empty if cuDNN itself is not found, or its directory's parts
/// were not read.
std::vector<CudnnPart> cudnn_parts(const Case& c);
/// Without this part the process dies while it lists GPUs; without the others at their first use.
bool needed_to_list(const Case& c, std::string_view part);

} // namespace gpuwhy::rules
