// Tables that the program carries: every src/knowledge/*.tsv, byte for byte. The build writes the
// function that hands them out (cmake/embed.cmake). Lines that begin with '#' are comments, the
// first other line names the columns, cells are parted by tabs, and "-" is "no value".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// The whole text of src/knowledge/NAME.tsv; empty if the build carries no such table.
std::string_view knowledge_table(std::string_view name);

struct TableRow {
  int line = 0;                        // in the .tsv, 1 is the first
  std::vector<std::string_view> cells; // "-" has become ""
};

/// Rows with exactly the columns named; the others, and the names if they differ, go to `problems`.
std::vector<TableRow> table_rows(std::string_view text,
                                 const std::vector<std::string_view>& columns,
                                 std::vector<int>* problems = nullptr);

/// The sources that `cell` names, as the comments "# source: KEY = WORDS" of the table tell them,
/// in the cell's order; a cell that names none is told as it is.
std::string source_words(std::string_view table, std::string_view cell);

} // namespace gpuwhy
