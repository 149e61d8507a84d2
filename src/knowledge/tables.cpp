// Takes the tables of tables.h apart.
#include "knowledge/tables.h"

#include "base/text.h"

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

} // namespace gpuwhy
