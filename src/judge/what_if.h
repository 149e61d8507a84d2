// "What if I typed this?" The command becomes an edit of the facts, which are judged again. Pure.
//
//   const auto answer = what_if(facts, {"unset LD_LIBRARY_PATH", "driver 550"});
#pragma once

#include "base/result.h"
#include "facts/facts.h"
#include "verdict/what_if.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// For help and errors: the commands that can be supposed.
inline constexpr std::string_view kWhatIfForms =
    "'unset NAME', 'NAME=VALUE', 'pip install REQUIREMENT', 'pip uninstall NAME', 'driver VERSION'";

/// Makes the changes one after the other. An error names the change that is none.
Result<WhatIf> what_if(const Facts& facts, const std::vector<std::string>& changes);

/// The words of a simple command: quotes taken off, $NAME replaced by the variable's value. Fails
/// on what only a shell could do (pipes, substitutions).
Result<std::vector<std::string>> simple_words(const Facts& facts, std::string_view command);

} // namespace gpuwhy
