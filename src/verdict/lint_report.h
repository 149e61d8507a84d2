// What `gpuwhy lint` says: plain values for renderers.
#pragma once

#include "facts/code_finding.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gpuwhy {

/// A file that could not be judged, or only in part.
struct LintNote {
  std::string path;
  std::uint32_t line = 0; // 0: the whole file
  std::string text;
};

struct LintReport {
  std::vector<CodeFinding> findings; // by path, line, column, id
  std::vector<LintNote> notes;
  std::size_t files = 0; // looked at
};

} // namespace gpuwhy
