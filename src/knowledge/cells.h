// Reads the cells of a table row and keeps count of those that are not what they should be.
#pragma once

#include "base/text.h"
#include "base/version.h"
#include "facts/hardware.h"
#include "knowledge/tables.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// "8.9" or "12.1".
inline std::optional<ComputeCapability> cell_capability(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = to_number(text.substr(0, dot));
  const auto minor = to_number(text.substr(dot + 1));
  if (!major || !minor || *major > 99 || *minor > 9) return std::nullopt;
  return ComputeCapability{static_cast<int>(*major), static_cast<int>(*minor)};
}

/// Words parted by single blanks; none for an empty cell.
inline std::vector<std::string_view> cell_words(std::string_view cell) {
  return cell.empty() ? std::vector<std::string_view>() : split(cell, ' ');
}

/// One table while it is read: rows, and what was wrong with them.
struct TableReader {
  TableReader(std::string_view table, const std::vector<std::string_view>& columns) : name(table) {
    std::vector<int> bad;
    rows = table_rows(knowledge_table(table), columns, &bad);
    for (const int line : bad) complain(line, "other columns than expected");
    if (rows.empty()) complain(0, "no rows");
  }
  void complain(int line, std::string_view what) {
    problems.push_back(name + ".tsv:" + std::to_string(line) + ": " + std::string(what));
  }

  std::string name;
  std::vector<TableRow> rows;
  std::vector<std::string> problems;
};

/// Of the tables in tensorflow.cpp, sonames.cpp and frameworks.cpp.
const std::vector<std::string>& tensorflow_problems();
const std::vector<std::string>& soname_problems();
const std::vector<std::string>& framework_problems();

/// Is it in one of the ranges "2.7" or "3.9-3.12", parted by blanks? Other words are passed over.
bool in_python_ranges(std::string_view ranges, const Version& python);

} // namespace gpuwhy
