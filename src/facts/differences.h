// How the place of the program differs from the shell, one difference at a time. Pure.
#pragma once

#include "facts/facts.h"

#include <string>
#include <vector>

namespace gpuwhy {

struct Difference {
  enum class Kind {
    variable,    // `name` has another value, or is set in one of them only
    interpreter, // another Python runs
    access,      // another user, control group or set of device nodes
  };
  Kind kind = Kind::variable;
  std::string name = {}; // of the variable

  bool operator==(const Difference&) const = default;
};

/// All of them; none where there is no shell to compare with. The most invasive first: an
/// elimination that starts at the front keeps the smallest change.
std::vector<Difference> differences_from_shell(const Facts& facts);

/// The place, with these things as they are in the shell.
void take_from_shell(Facts& facts, const std::vector<Difference>& differences);

} // namespace gpuwhy
