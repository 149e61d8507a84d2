// A run as JSON lines: the first line is its start, the last its end, what lies between are ticks.
// What
// --save writes and --from reads; a file whose end is missing (a machine that went down) is read as
// far as it goes.
#pragma once

#include "base/result.h"
#include "use/statistics.h"
#include "use/tick.h"

#include <functional>
#include <string>
#include <string_view>

namespace gpuwhy::use {

inline constexpr std::string_view kRunSchema = "gpuwhy.run/1";

/// Each is one line with its line break.
std::string write_start(const RunStart& start);
std::string write_tick(const Tick& tick);
std::string write_end(const RunEnd& end);

/// Thins what is saved of a long run: all ticks of the first five minutes, then ever fewer, so that
/// a run of days leaves some thousand lines more. Ticks that lie between are merged, not dropped.
class Thinner {
public:
  /// The tick to save now, if it is time for one.
  std::optional<Tick> add(const Tick& tick);
  /// What is still held back.
  std::optional<Tick> rest();

private:
  std::optional<Tick> pending_;
  std::vector<double> weights_; // of the GPUs in `pending_`
  double saved_ = -1;
};

/// Errors name the line. `tick` sees each tick as well, where it is given.
Result<RunStatistics> read_run(std::string_view text,
                               const std::function<void(const Tick&)>& tick = nullptr);

} // namespace gpuwhy::use
