// A log and the machine, judged together. Pure.
#pragma once

#include "verdict/explanation.h"
#include "verdict/log_report.h"
#include "verdict/verdict.h"

#include <string>

namespace gpuwhy {

LogReport compare_log(const std::string& path, const explain::Explanation& log,
                      const Verdict& verdict);

/// The log names a cause that nothing here speaks against: the GPU will not be used, whatever else
/// is in order.
bool log_decides(const LogReport& log);

} // namespace gpuwhy
