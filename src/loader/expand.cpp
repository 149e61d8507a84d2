#include "base/text.h"
#include "loader/places.h"

#include <array>

namespace gpuwhy::loader {
namespace {

bool in_identifier(char letter) {
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
         (letter >= '0' && letter <= '9') || letter == '_';
}

/// Length of `name` or `{name}` at the start of `text`; 0 if it stands there not or goes on
/// ("ORIGINAL").
std::size_t token_length(std::string_view text, std::string_view name) {
  const bool braces = text.starts_with('{');
  if (braces) text.remove_prefix(1);
  if (!text.starts_with(name)) return 0;
  const char next = text.size() > name.size() ? text[name.size()] : '\0';
  if (braces) return next == '}' ? name.size() + 2 : 0;
  return in_identifier(next) ? 0 : name.size();
}

} // namespace

std::vector<std::string> split_library_path(std::string_view value) {
  std::vector<std::string> elements;
  if (value.empty()) return elements;
  for (const auto part : split(value, ':')) {
    for (const auto element : split(part, ';')) elements.emplace_back(element);
  }
  return elements;
}

std::string expand(std::string_view path, std::string_view origin, const Libraries& libraries) {
  struct Token {
    std::string_view name, value;
  };
  const std::array<Token, 3> tokens = {
      {{"ORIGIN", origin}, {"LIB", libraries.lib_token}, {"PLATFORM", libraries.platform_token}}};
  std::string expanded;
  while (!path.empty()) {
    const char letter = path.front();
    path.remove_prefix(1);
    std::size_t length = 0;
    for (const auto& token : tokens) {
      if (letter != '$' || token.value.empty() || length != 0) continue;
      length = token_length(path, token.name);
      if (length != 0) expanded += token.value;
    }
    if (length == 0) expanded += letter;
    path.remove_prefix(length);
  }
  return expanded;
}

std::string tidy_path(std::string_view path) {
  std::string tidy;
  for (const auto part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (!tidy.empty() || path.starts_with('/')) tidy += '/';
    tidy += part;
  }
  if (tidy.empty()) return path.starts_with('/') ? "/" : ".";
  return tidy;
}

std::string absolute_path(const Setting& setting, std::string_view path) {
  if (path.starts_with('/')) return tidy_path(path);
  return tidy_path(setting.working_directory + "/" + std::string(path));
}

} // namespace gpuwhy::loader
