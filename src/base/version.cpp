#include "base/version.h"

#include <algorithm>
#include <cctype>

namespace gpuwhy {

std::optional<Version> Version::parse(std::string_view text) {
  Version version;
  std::size_t at = 0;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
    int number = 0;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
      if (number > 100'000'000) return std::nullopt;
      number = number * 10 + (text[at++] - '0');
    }
    version.parts.push_back(number);
    if (at + 1 >= text.size() || text[at] != '.') break;
    ++at;
  }
  if (version.parts.empty()) return std::nullopt;
  return version;
}

std::string Version::str() const {
  std::string text;
  for (const int part : parts) {
    if (!text.empty()) text += '.';
    text += std::to_string(part);
  }
  return text;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  const std::size_t count = std::max(parts.size(), other.parts.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto order = part(i) <=> other.part(i); std::is_neq(order)) return order;
  }
  return std::strong_ordering::equal;
}

} // namespace gpuwhy
