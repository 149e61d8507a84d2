// pip and uv, run for one environment: what they say they have, and the commands of a plan.
#pragma once

#include "base/result.h"
#include "mend/journal.h"
#include "system/system.h"

#include <string>
#include <vector>

namespace gpuwhy::mend {

/// The lines of `pip freeze --all`: "tensorflow==2.18.0".
Result<std::vector<std::string>> frozen(const Step& where, const Environment& environment);

/// What brings the packages back to `before`: commands as words, none if nothing differs. `lost`:
/// lines that no index can give again.
std::vector<std::vector<std::string>> way_back(const Step& where,
                                               const std::vector<std::string>& before,
                                               const std::vector<std::string>& now,
                                               std::vector<std::string>& lost);

/// Runs it with this terminal's output, nothing on its input; its exit status.
Result<int> run_command(const std::vector<std::string>& words, const Environment& environment);

} // namespace gpuwhy::mend
