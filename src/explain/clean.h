// One line as it came: without terminal escapes, and without what wrapped it (quotes, container and
// CI prefixes, time stamps, the framework's own "file:line]"). What remains is the message; what
// was taken off is said.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy::explain {

/// `line` without ANSI/VT escape sequences (also such as lost their ESC byte on the way through a
/// clipboard), backspaces, NUL and other control bytes. Carriage returns stay: they part the states
/// of a progress bar.
std::string strip_escapes(std::string_view line);

struct Stripped {
  std::string_view body;   // a part of the line
  std::string_view rank;   // "3" of "[rank3]: ...", "worker-0" of "worker-0 | ..."; empty: none
  std::string_view source; // "tensorflow/tsl/cuda/cudart_stub.cc:28"; empty: not told
  std::optional<double> seconds; // of the day, where the framework wrote its own time stamp
};

Stripped strip_prefixes(std::string_view line);

} // namespace gpuwhy::explain
