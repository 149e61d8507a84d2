// A snippet in, the findings out: "P01:3" for each.
#pragma once

#include "lint/lint.h"

#include <string>
#include <vector>

namespace gpuwhy {

inline LintReport judge_text(const std::string& text, const std::string& path = "train.py",
                             program::Machine machine = {}) {
  return lint::judge_file(path, text, {}, machine, false);
}

inline std::vector<std::string> found(const std::string& text, const std::string& path = "train.py",
                                      program::Machine machine = {}) {
  std::vector<std::string> places;
  for (const auto& finding : judge_text(text, path, machine).findings) {
    places.push_back(finding.id + ":" + std::to_string(finding.line));
  }
  return places;
}

using Places = std::vector<std::string>;

} // namespace gpuwhy
