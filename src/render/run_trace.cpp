#include "render/run_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

/// Three digits behind the point are more than any gauge has.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * 1000) / 1000;
}

} // namespace

std::string run_trace(const RunVerdict& verdict, const use::RunStatistics& run) {
  Json events = Json::array();
  const auto microseconds = [](double seconds) { return std::round(seconds * 1e6); };
  const auto counter = [&](const std::string& name, double time, Json values) {
    events.push_back({{"name", name},
                      {"ph", "C"},
                      {"ts", microseconds(time)},
                      {"pid", 1},
                      {"args", std::move(values)}});
  };
  const auto phase = [&](const std::string& name, double from, double to, Json about) {
    if (to > from)
      events.push_back({{"name", name},
                        {"ph", "X"},
                        {"ts", microseconds(from)},
                        {"dur", microseconds(to - from)},
                        {"pid", 1},
                        {"tid", 1},
                        {"args", std::move(about)}});
  };
  events.push_back(
      {{"name", "process_name"},
       {"ph", "M"},
       {"pid", 1},
       {"args", {{"name", run.start.command.empty() ? "program" : run.start.command.front()}}}});
  Json causes = Json::array();
  for (const auto& cause : verdict.causes) causes.push_back(cause.id + " " + cause.summary);
  phase("run", 0, run.end.time, {{"verdict", verdict.sentence}, {"causes", causes}});
  if (run.opened) phase("before the steady phase", *run.opened, run.steady.from, Json::object());
  if (run.any_used()) phase("steady phase", run.steady.from, run.steady.to, Json::object());
  for (const auto& moment : run.moments) {
    for (std::size_t i = 0; i < moment.gpus.size(); ++i) {
      const auto& gpu = moment.gpus[i];
      const auto name = "GPU " + std::to_string(run.gpus[i].identity.index) + " ";
      if (gpu.busy.known())
        counter(
            name + "busy %", moment.start,
            {{"kernels", number(gpu.busy.value())}, {"multiprocessors", number(gpu.sm.value())}});
      if (gpu.power.known())
        counter(name + "watts", moment.start, {{"watts", number(gpu.power.value())}});
      if (gpu.memory > 0) counter(name + "memory", moment.start, {{"bytes", gpu.memory}});
    }
    if (moment.host.cores.known())
      counter("cores", moment.start, {{"cores", number(moment.host.cores.value())}});
    if (moment.cuda.window > 0) {
      counter(
          "CUDA launches/s", moment.start,
          {{"launches", number(static_cast<double>(moment.cuda.launches) / moment.cuda.window)}});
    }
  }
  const Json document{{"traceEvents", events}, {"displayTimeUnit", "ms"}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace gpuwhy
