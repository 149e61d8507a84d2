#include "explain/decode.h"

#include <cstring>

namespace gpuwhy::explain {
namespace {

constexpr std::uint32_t kNoByte = 0x100;
constexpr std::uint32_t kReplacement = 0xfffd;

bool all_ascii(std::string_view bytes) {
  std::uint64_t any = 0;
  for (; bytes.size() >= sizeof(any); bytes.remove_prefix(sizeof(any))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    any |= word;
  }
  for (const char c : bytes) any |= static_cast<unsigned char>(c);
  return (any & 0x8080808080808080U) == 0;
}

std::uint64_t count_nul(std::string_view bytes) {
  std::uint64_t count = 0;
  for (auto at = bytes.find('\0'); at != std::string_view::npos; at = bytes.find('\0', at + 1))
    ++count;
  return count;
}

} // namespace

std::string_view Decoder::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  if (!started_) return start(bytes);
  return encoding_ == Encoding::utf8 ? utf8(bytes) : utf16(bytes);
}

std::string_view Decoder::start(std::string_view bytes) {
  head_ += bytes;
  if (head_.size() < 3) return {};
  started_ = true;
  std::string_view rest = head_;
  if (rest.starts_with("\xff\xfe")) {
    encoding_ = Encoding::utf16_little;
    return utf16(rest.substr(2));
  }
  if (rest.starts_with("\xfe\xff")) {
    encoding_ = Encoding::utf16_big;
    return utf16(rest.substr(2));
  }
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  return utf8(rest);
}

std::string_view Decoder::finish() {
  buffer_.clear();
  if (!started_) {
    started_ = true;
    return utf8(head_);
  }
  if (pending_ != 0 || odd_byte_ != kNoByte || high_ != 0) ++invalid_;
  pending_ = 0;
  return {};
}

/// Nothing is changed: what is invalid is only counted; printable() makes it safe where it is
/// shown.
std::string_view Decoder::utf8(std::string_view bytes) {
  nul_ += count_nul(bytes);
  if (pending_ == 0 && all_ascii(bytes)) return bytes;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (pending_ != 0) {
      if ((byte & 0xc0U) == 0x80U) {
        --pending_;
        continue;
      }
      pending_ = 0;
      ++invalid_;
    }
    if (byte < 0x80) continue;
    pending_ = byte >= 0xc2 && byte < 0xe0   ? 1
               : byte >= 0xe0 && byte < 0xf0 ? 2
               : byte >= 0xf0 && byte < 0xf5 ? 3
                                             : 0;
    if (pending_ == 0) ++invalid_;
  }
  return bytes;
}

void Decoder::put(std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { buffer_ += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6U);
    byte(0x80 | (code & 0x3fU));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12U);
    byte(0x80 | (code >> 6U & 0x3fU));
    byte(0x80 | (code & 0x3fU));
  } else {
    byte(0xf0 | code >> 18U);
    byte(0x80 | (code >> 12U & 0x3fU));
    byte(0x80 | (code >> 6U & 0x3fU));
    byte(0x80 | (code & 0x3fU));
  }
}

std::string_view Decoder::utf16(std::string_view bytes) {
  buffer_.clear();
  for (const char c : bytes) {
    const std::uint32_t byte = static_cast<unsigned char>(c);
    if (odd_byte_ == kNoByte) {
      odd_byte_ = byte;
      continue;
    }
    const auto unit =
        encoding_ == Encoding::utf16_little ? odd_byte_ | byte << 8U : odd_byte_ << 8U | byte;
    odd_byte_ = kNoByte;
    const bool low = unit >= 0xdc00 && unit < 0xe000;
    if (high_ != 0 && low) {
      put(0x10000 + ((high_ - 0xd800) << 10U) + (unit - 0xdc00));
      high_ = 0;
      continue;
    }
    if (high_ != 0 || low) {
      ++invalid_;
      put(kReplacement);
      high_ = 0;
      if (low) continue;
    }
    if (unit >= 0xd800 && unit < 0xdc00)
      high_ = unit;
    else
      put(unit);
  }
  return buffer_;
}

} // namespace gpuwhy::explain
