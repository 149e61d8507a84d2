#include "places/json.h"

#include <algorithm>

namespace gpuwhy::places {
namespace {

constexpr int kDeepest = 64;

} // namespace

std::optional<Json> parse_json(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  bool too_deep = false;
  auto json = Json::parse(
      text,
      [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > kDeepest;
        return depth <= kDeepest;
      },
      false);
  if (json.is_discarded() || too_deep) return std::nullopt;
  return json;
}

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_member(const Json& object, std::string_view name) {
  const auto* found = member(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const auto& each : list) {
    if (each.is_string()) texts.push_back(each.get<std::string>());
  }
  return texts;
}

int line_of_key(std::string_view text, std::string_view after, std::string_view name) {
  const auto start = text.find("\"" + std::string(after) + "\"");
  if (start == std::string_view::npos) return 0;
  const auto at = text.find("\"" + std::string(name) + "\"", start);
  if (at == std::string_view::npos) return 0;
  return 1 + static_cast<int>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

} // namespace gpuwhy::places
