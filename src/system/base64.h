// Base64 with padding, RFC 4648 section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy {

std::string encode_base64(std::string_view bytes);
/// Nothing for text that encode_base64() could not have written.
std::optional<std::string> decode_base64(std::string_view text);

} // namespace gpuwhy
