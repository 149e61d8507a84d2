// Takes the tables of tables.h apart.
#include "knowledge/tables.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy {

std::vector<TableRow> table_rows(std::string_view text,
                                 const std::vector<std::string_view>& columns,
                                 std::vector<int>* problems) {
  std::vector<TableRow> rows;
  bool named = false;
  int line = 0;
  for (const auto content : split_lines(text)) {
    ++line;
    if (content.empty() || content.starts_with('#')) continue;
    auto cells = split(content, '\t');
    const bool right = named ? cells.size() == columns.size() : cells == columns;
    if (!right && problems != nullptr) problems->push_back(line);
    if (named && right) {
      for (auto& cell : cells) {
        if (cell == "-") cell = {};
      }
      rows.push_back({line, std::move(cells)});
    }
    named = true;
  }
  return rows;
}

std::string source_words(std::string_view table, std::string_view cell) {
  constexpr std::string_view kMark = "# source: ";
  std::vector<std::string> told;
  const auto is_word = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
  };
  for (std::size_t at = 0; at < cell.size();) {
    auto end = at;
    while (end < cell.size() && is_word(cell[end])) ++end;
    const auto key = cell.substr(at, end - at);
    at = end + 1;
    if (key.empty()) continue;
    for (const auto line : split_lines(table)) {
      if (!line.starts_with(kMark) ||
          !line.substr(kMark.size()).starts_with(std::string(key) + " = "))
        continue;
      std::string words(line.substr(kMark.size() + key.size() + 3));
      if (std::find(told.begin(), told.end(), words) == told.end())
        told.push_back(std::move(words));
    }
  }
  return told.empty() ? std::string(cell) : join(told, "; ");
}

} // namespace gpuwhy
