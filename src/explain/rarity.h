// How rare a byte is in logs, roughly: what is searched for is best begun at its rarest bytes,
// which are seldom met by chance.
#pragma once

#include <string_view>

namespace gpuwhy::explain {

/// 1 to 4; 4: in every line.
constexpr unsigned commonness(char c) {
  if (std::string_view(" etaoinsrl").find(c) != std::string_view::npos) return 4;
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == ':') return 3;
  return c == '/' || c == '_' || c == '-' ? 2 : 1;
}

} // namespace gpuwhy::explain
