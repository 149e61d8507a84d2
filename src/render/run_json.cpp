#include "render/run_json.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kRows = 240; // of the timeline

/// Three digits behind the point are more than any gauge has.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * 1000) / 1000;
}
template <class T> Json maybe(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_same_v<T, double>)
    return number(*value);
  else
    return *value;
}

Json cause_json(const Cause& cause) {
  static constexpr std::array kEffects{"hides", "breaks", "slows"};
  Json evidence = Json::array();
  for (const auto& each : cause.evidence) {
    evidence.push_back({{"text", each.text},
                        {"source", each.source.where.empty() ? Json() : Json(each.source.where)},
                        {"line", each.source.line > 0 ? Json(each.source.line) : Json()}});
  }
  Json fix;
  if (cause.fix)
    fix = {{"words", cause.fix->words},
           {"commands", cause.fix->commands},
           {"verified", cause.fix->verified}};
  return {{"id", cause.id},
          {"slug", cause.slug},
          {"gate", name_of(cause.gate)},
          {"effect", kEffects[static_cast<std::size_t>(cause.effect)]},
          {"title", cause.title},
          {"summary", cause.summary},
          {"evidence", evidence},
          {"fix", fix}};
}

Json gpu_json(const use::GpuUse& gpu) {
  Json steady;
  if (gpu.steady) steady = {number(gpu.steady->from), number(gpu.steady->to)};
  return {{"index", gpu.identity.index},
          {"name", gpu.identity.name},
          {"uuid", gpu.identity.uuid},
          {"used", gpu.used},
          {"held", gpu.held},
          {"steady", steady},
          {"busy", number(gpu.busy)},
          {"busy_whole_run", number(gpu.busy_whole)},
          {"multiprocessors_busy", maybe(gpu.sm)},
          {"power_watts", maybe(gpu.power)},
          {"sm_clock_mhz", maybe(gpu.sm_clock)},
          {"temperature_max", number(gpu.hottest)},
          {"pcie_to_gpu", gpu.pcie_rx ? number(*gpu.pcie_rx * 1024) : Json()},
          {"pcie_from_gpu", gpu.pcie_tx ? number(*gpu.pcie_tx * 1024) : Json()},
          {"memory",
           {{"total", maybe(gpu.identity.memory_total)},
            {"before", gpu.memory_before},
            {"peak", gpu.memory_peak},
            {"own_peak", gpu.own_peak},
            {"after", gpu.after_known ? Json(gpu.memory_after) : Json()}}}};
}

Json calls_json(const use::CallUse& calls) {
  if (!calls.known()) return nullptr;
  return {{"observed_seconds", number(calls.window)},
          {"launches_per_second", number(calls.per_second(calls.sums.launches))},
          {"graphs_per_second", number(calls.per_second(calls.sums.graphs))},
          {"to_gpu_bytes_per_second", number(calls.per_second(calls.sums.to_device_bytes))},
          {"from_gpu_bytes_per_second", number(calls.per_second(calls.sums.to_host_bytes))},
          {"syncs_per_second", number(calls.per_second(calls.sums.syncs))},
          {"loads_per_second", number(calls.per_second(calls.sums.loads))},
          {"shares",
           {{"pause", number(calls.pause)},
            {"copy", number(calls.copy)},
            {"sync", number(calls.sync)},
            {"load", number(calls.load)},
            {"issue", number(calls.issue)}}}};
}

Json libraries_json(const std::vector<use::LibrarySearch>& searches) {
  Json all = Json::array();
  for (const auto& search : searches) {
    Json tried = Json::array();
    for (const auto& each : search.tried)
      tried.push_back({{"path", each.path}, {"rule", each.rule}, {"present", each.present}});
    all.push_back({{"name", search.name},
                   {"pid", search.pid},
                   {"tried", tried},
                   {"took", search.took.empty() ? Json() : Json(search.took)}});
  }
  return all;
}

/// Every moment, or means of several where there are many.
Json timeline_json(const use::RunStatistics& run) {
  Json rows = Json::array();
  const std::size_t step = run.moments.size() / kRows + 1;
  for (std::size_t i = 0; i < run.moments.size(); i += step) {
    auto sum = run.moments[i];
    for (std::size_t j = i + 1; j < std::min(i + step, run.moments.size()); ++j)
      sum.add(run.moments[j]);
    Json gpus = Json::array();
    for (const auto& gpu : sum.gpus) {
      gpus.push_back({gpu.busy.known() ? number(gpu.busy.value()) : Json(),
                      gpu.sm.known() ? number(gpu.sm.value()) : Json(),
                      gpu.power.known() ? number(gpu.power.value()) : Json(), gpu.memory});
    }
    rows.push_back({number(sum.start),
                    sum.host.cores.known() ? number(sum.host.cores.value()) : Json(), gpus});
  }
  return {{"interval", number(run.moment_width * static_cast<double>(step))},
          {"columns", {"seconds", "cores", "gpus"}},
          {"gpu_columns", {"busy", "multiprocessors_busy", "power_watts", "memory"}},
          {"rows", rows}};
}

std::string text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace

std::string run_json(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const std::string& command) {
  static constexpr std::array kAnswers{"used", "poorly_used", "not_used", "unknown"};
  Json causes = Json::array();
  for (const auto& cause : verdict.causes) causes.push_back(cause_json(cause));
  Json gpus = Json::array();
  for (const auto& gpu : run.gpus) gpus.push_back(gpu_json(gpu));
  const Json program{
      {"command", run.start.command},
      {"seconds", number(run.end.time)},
      {"exit_status", maybe(run.end.exit_status)},
      {"signal", run.end.signal == 0 ? Json() : Json(run.end.signal)},
      {"last_words", run.end.last_words() != nullptr ? Json(run.end.last_words()->text) : Json()},
      {"frameworks", frameworks},
      {"cores", number(run.host.cores)},
      {"busiest_thread", number(run.host.busiest_thread)},
      {"io_wait", number(run.host.io_wait)},
      {"memory_peak", run.host.rss_peak},
      {"gpu_opened", maybe(run.opened)},
      {"first_kernel", maybe(run.first_use)},
      {"last_kernel", maybe(run.last_use)},
      {"left_behind", run.end.left_behind}};
  const auto source = [](const use::SourceState& state) {
    return Json{{"works", state.works},
                {"problem", state.problem.empty() ? Json() : Json(state.problem)}};
  };
  return text({{"schema", "gpuwhy.report/1"},
               {"command", command},
               {"verdict", kAnswers[static_cast<std::size_t>(verdict.answer)]},
               {"sentence", verdict.sentence},
               {"causes", causes},
               {"at_most_faster", maybe(verdict.at_most_faster)},
               {"gpus", gpus},
               {"program", program},
               {"calls", calls_json(run.calls)},
               {"sources",
                {{"nvml", source(run.end.nvml)},
                 {"cupti", source(run.end.cuda)},
                 {"loader", source(run.end.loader)}}},
               {"libraries", libraries_json(run.end.libraries)},
               {"unknown", verdict.unknown},
               {"ruled_out", verdict.ruled_out},
               {"notes", verdict.notes},
               {"loading", verdict.loading},
               {"timeline", timeline_json(run)}},
              2);
}

std::string on_one_line(const std::string& report) {
  const auto json = Json::parse(report, nullptr, false);
  return json.is_discarded() ? report : text(json, -1);
}

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
  return text({{"traceEvents", events}, {"displayTimeUnit", "ms"}}, -1);
}

} // namespace gpuwhy
