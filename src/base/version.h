// Version numbers as NVIDIA, PyPI and the kernel write them: numeric components compared as
// numbers.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct Version {
  std::vector<int> parts;

  /// Leading dotted numbers of `text` ("580.159.04" -> {580,159,4}; "2.18.0rc1" -> {2,18,0});
  /// nothing if `text` does not start with a digit.
  static std::optional<Version> parse(std::string_view text);

  /// Component `index`, 0 where it is not given.
  int part(std::size_t index) const { return index < parts.size() ? parts[index] : 0; }
  int major() const { return part(0); }
  int minor() const { return part(1); }
  std::string str() const;

  /// 12.4 equals 12.4.0.
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return std::is_eq(*this <=> other); }
};

} // namespace gpuwhy
