// Safe edits, applied to a file's bytes.
#include "lint/lint.h"

#include <algorithm>

namespace gpuwhy::lint {

std::string apply_edits(const std::string& bytes, const std::vector<CodeFinding>& findings) {
  std::vector<TextEdit> edits;
  for (const auto& finding : findings) {
    if (finding.edit && finding.edit->begin <= finding.edit->end &&
        finding.edit->end <= bytes.size()) {
      edits.push_back(*finding.edit);
    }
  }
  std::stable_sort(edits.begin(), edits.end(),
                   [](const TextEdit& a, const TextEdit& b) { return a.begin < b.begin; });
  std::string result;
  std::uint32_t at = 0;
  for (const auto& edit : edits) {
    if (edit.begin < at) continue;
    result.append(bytes, at, edit.begin - at);
    result += edit.replacement;
    at = edit.end;
  }
  result.append(bytes, at, std::string::npos);
  return result;
}

} // namespace gpuwhy::lint
