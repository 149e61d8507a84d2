// The live view as lines of text, and for programs.
#pragma once

#include "render/style.h"
#include "use/board.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// At most `height` lines, each at most style.width columns.
std::vector<std::string> board_lines(const use::Board& board, const use::BoardView& view,
                                     const Style& style, std::size_t height);
/// One JSON document on one line.
std::string board_json(const use::Board& board);
/// The JSON Schema (draft 2020-12) of what board_json() writes.
std::string board_schema();

} // namespace gpuwhy
