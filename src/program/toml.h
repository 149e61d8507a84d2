// The one door to toml++.
#pragma once

#include "program/documents.h"

#include <map>

namespace gpuwhy::program {

/// The lists of strings in [tool.gpuwhy]; a value of another kind fails.
Result<std::map<std::string, std::vector<std::string>>> read_tool_lists(std::string_view text);

Result<Document> read_pyproject(std::string_view text);
/// uv.lock, poetry.lock: what is pinned.
Result<Document> read_lock(std::string_view text);

} // namespace gpuwhy::program
