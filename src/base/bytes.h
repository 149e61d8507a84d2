// Checked reads from untrusted bytes: no parser writes its own bounds test.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace gpuwhy {

/// The T that starts `offset` bytes into `bytes`, in this machine's byte order; nothing if it does
/// not fit.
template <class T>
std::optional<T> read_value(std::span<const std::byte> bytes, std::uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// The NUL-terminated string at `offset`; nothing if it starts or ends outside `bytes`.
inline std::optional<std::string_view> read_c_string(std::span<const std::byte> bytes,
                                                     std::uint64_t offset) {
  if (offset >= bytes.size()) return std::nullopt;
  const auto* start = reinterpret_cast<const char*>(bytes.data()) + offset;
  const auto* end = static_cast<const char*>(std::memchr(start, 0, bytes.size() - offset));
  if (end == nullptr) return std::nullopt;
  return std::string_view(start, static_cast<std::size_t>(end - start));
}

} // namespace gpuwhy
