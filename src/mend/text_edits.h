// What a step makes of a file's text. Pure.
#pragma once

#include "base/result.h"
#include "mend/action.h"

#include <string>
#include <string_view>

namespace gpuwhy::mend {

enum class Shell { posix, fish };

/// With the variables' lines in a block between two marks at the end; lines for the same variables
/// that an earlier block holds are replaced.
std::string with_block(std::string_view text, const std::vector<Action>& actions, Shell shell);

/// With the word in its place. Fails if the text has it not exactly once.
Result<std::string> with_word(std::string_view text, const Action& action);

/// A Jupyter kernel's description with the variables in its "env". Fails for a variable that can
/// only be removed where the kernel itself does not set it.
Result<std::string> with_kernel_variables(std::string_view text,
                                          const std::vector<Action>& actions);

/// "--- a", "+++ b", "@@ ...": the two texts as diff -u shows them, three lines of context.
std::string unified_diff(const std::string& path, std::string_view before, std::string_view after);

} // namespace gpuwhy::mend
