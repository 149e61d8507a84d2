// JSON that somebody else wrote, read with bounds. Only the .cpp files of this room include it.
#pragma once

#include "system/system.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::places {

using Json = nlohmann::json;

/// Nothing for text that is no JSON, or nested deeper than any file of these formats.
std::optional<Json> parse_json(std::string_view text);
/// The member `name` of an object; nullptr for anything else.
const Json* member(const Json& object, std::string_view name);
/// A text member; empty if there is none.
std::string text_member(const Json& object, std::string_view name);
/// The texts of a list; others are left out.
std::vector<std::string> texts_of(const Json& list);
/// The line on which `"name"` stands first behind the position of `"after"`; 0: nowhere.
int line_of_key(std::string_view text, std::string_view after, std::string_view name);

} // namespace gpuwhy::places
