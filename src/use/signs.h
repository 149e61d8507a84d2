// What a program's output, or the kernel's log, says of a fault on the GPU while it ran.
#pragma once

#include "use/tick.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::use {

/// Reads text as it comes and keeps the first lines that tell of a fault on the GPU, and the last
/// one that tells why a program died. Bounded in memory.
class SignReader {
public:
  explicit SignReader(std::string where) : where_(std::move(where)) {}
  void read(std::string_view bytes);
  /// The signs so far, a line that has no end yet included.
  std::vector<Sign> signs() const;

private:
  void end_line();
  void take(std::string_view line);
  void look_for_end(std::string_view line);
  Sign sign(Sign::Kind kind, std::string_view line) const;

  std::string where_;
  std::string line_;
  std::vector<Sign> signs_;
  std::optional<Sign> fatal_;
  std::optional<std::string> traceback_; // within one: what stands before each of its lines
};

} // namespace gpuwhy::use
