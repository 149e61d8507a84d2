// Files of the user, changed in one step each and only where nobody else has a hand in: no link is
// written through, no directory that others may write to is passed, mode and owner stay. See
// rename(2), fsync(2), open(2) O_NOFOLLOW.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace gpuwhy::mend {

inline constexpr std::size_t kLargestFile = 4U << 20U; // bytes

/// A file as it is; one that is not there is `existed` false and empty.
struct Original {
  bool existed = false;
  std::string bytes;
  std::uint32_t mode = 0644;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
};

Result<Original> read_original(const std::string& path);

/// Its content becomes `bytes`: wholly, or not at all, whenever the machine stops. Fails if it is
/// not, or no longer, as in `original`.
Result<void> replace(const std::string& path, const Original& original, std::string_view bytes);
/// It becomes `original` again, from `now`; one that did not exist is removed.
Result<void> restore(const std::string& path, const Original& now, const Original& original);

/// Makes a directory of this user's alone, and those above it.
Result<void> make_private_directory(const std::string& path);

} // namespace gpuwhy::mend
