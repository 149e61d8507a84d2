// Bytes as they come (UTF-8, UTF-16 with a byte order mark, or no text at all) become UTF-8, chunk
// by chunk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpuwhy::explain {

class Decoder {
public:
  enum class Encoding { utf8, utf16_little, utf16_big };

  /// The decoded text of `bytes`: a view of `bytes` itself, or of a buffer that lives until the
  /// next call.
  std::string_view feed(std::string_view bytes);
  /// What a cut-off last character becomes.
  std::string_view finish();

  Encoding encoding() const { return encoding_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t nul_bytes() const { return nul_; }
  /// Bytes that belong to no well-formed character (UTF-8), or lone surrogates (UTF-16).
  std::uint64_t invalid() const { return invalid_; }
  /// More NUL bytes than any log has: a program, a picture, an archive.
  bool binary() const { return encoding_ == Encoding::utf8 && nul_ > 16 && nul_ * 200 > bytes_; }

private:
  std::string_view start(std::string_view bytes);
  std::string_view utf8(std::string_view bytes);
  std::string_view utf16(std::string_view bytes);
  void put(std::uint32_t code);

  Encoding encoding_ = Encoding::utf8;
  bool started_ = false;
  std::string head_; // the first bytes, until a mark can be told
  std::string buffer_;
  std::uint64_t bytes_ = 0;
  std::uint64_t nul_ = 0;
  std::uint64_t invalid_ = 0;
  // State between chunks.
  unsigned pending_ = 0;           // UTF-8: continuation bytes still to come
  std::uint32_t odd_byte_ = 0x100; // UTF-16: first half of a unit; 0x100: none
  std::uint32_t high_ = 0;         // UTF-16: a high surrogate that waits for its other half
};

} // namespace gpuwhy::explain
