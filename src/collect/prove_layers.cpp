#include "collect/prove_layers.h"

#include "base/text.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kSchema = "gpuwhy.probe.prove/1";
constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kMostValues = 64;
constexpr std::size_t kMostSaid = 2000; // bytes of standard error that are kept

milliseconds deadline_of(const LayerRequest& request) {
  if (request.deadline.count() > 0) return request.deadline;
  switch (request.effort) {
  case Effort::quick: return seconds(10);
  case Effort::normal: return seconds(40);
  case Effort::full: return seconds(110); // the probe ends itself after 120
  }
  return seconds(40);
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return printable(std::string_view(found->get_ref<const std::string&>()).substr(0, kLongestText));
}

std::optional<Layer> layer_named(std::string_view name) {
  for (const auto& each : kLayers) {
    if (each.name == name) return each.layer;
  }
  return std::nullopt;
}

std::string signal_words(int number) {
  switch (number) {
  case 4: return "SIGILL";
  case 6: return "SIGABRT";
  case 7: return "SIGBUS";
  case 8: return "SIGFPE";
  case 9: return "SIGKILL";
  case 11: return "SIGSEGV";
  case 31: return "SIGSYS";
  default: return "signal " + std::to_string(number);
  }
}

LayerRun read_run(const Json& object, Layer layer) {
  LayerRun run;
  run.layer = layer;
  const auto state = text_at(object, "state");
  run.state = state == "passed"    ? LayerRun::State::passed
              : state == "skipped" ? LayerRun::State::skipped
                                   : LayerRun::State::failed;
  run.text = text_at(object, "text");
  run.step = text_at(object, "step");
  run.api = text_at(object, "api");
  run.code_name = text_at(object, "name");
  if (const auto code = object.find("code"); code != object.end() && code->is_number_integer()) {
    const auto value = code->get<std::int64_t>();
    if (value >= -1'000'000 && value <= 1'000'000) run.code = static_cast<int>(value);
  }
  if (const auto taken = object.find("seconds"); taken != object.end() && taken->is_number()) {
    run.seconds = taken->get<double>();
  }
  if (const auto figures = object.find("figures");
      figures != object.end() && figures->is_object()) {
    for (const auto& [name, value] : figures->items()) {
      if (!value.is_number() || !std::isfinite(value.get<double>()) ||
          run.figures.size() >= kMostValues)
        continue;
      run.figures.emplace(printable(name.substr(0, kLongestText)), value.get<double>());
    }
  }
  if (const auto details = object.find("details"); details != object.end() && details->is_array()) {
    for (const auto& value : *details) {
      if (!value.is_string() || run.details.size() >= kMostValues) continue;
      run.details.push_back(
          printable(std::string_view(value.get_ref<const std::string&>()).substr(0, kLongestText)));
    }
  }
  return run;
}

/// A layer that was begun and never reported.
LayerRun broken_run(Layer layer, const ProcessResult& result, milliseconds deadline) {
  LayerRun run;
  run.layer = layer;
  if (result.timed_out) {
    run.state = LayerRun::State::timed_out;
    const auto limit = static_cast<double>(deadline.count()) / 1000;
    run.seconds = limit;
    auto words = std::to_string(limit);
    words.erase(words.find_last_not_of('0') + 1);
    if (words.ends_with('.')) words.pop_back();
    run.text = std::string(text_of(layer).title) + " did not come to an end within " + words +
               " s; the process was ended";
  } else {
    run.state = LayerRun::State::crashed;
    run.ended_by = result.signal != 0 ? signal_words(result.signal)
                                      : "status " + std::to_string(result.exit_status);
  }
  return run;
}

struct Errand {
  std::vector<Layer> layers; // of one process
};

std::vector<LayerRun> do_errand(System& system, const LayerRequest& request, const Errand& errand) {
  Environment environment = system.environment();
  std::vector<std::string> names;
  for (const auto layer : errand.layers) {
    names.emplace_back(text_of(layer).name);
    const auto library = request.libraries.find(layer);
    if (library == request.libraries.end()) continue;
    environment["GPUWHY_PROVE_" + std::string(text_of(layer).variable)] =
        join(library->second, "\n");
  }
  constexpr std::array kEfforts = {"quick", "normal", "full"};
  environment["GPUWHY_PROVE_LAYERS"] = join(names, ",");
  environment["GPUWHY_PROVE_EFFORT"] = kEfforts[static_cast<std::size_t>(request.effort)];
  environment["GPUWHY_PROVE_DEVICE"] = std::to_string(request.device);
  if (request.memory > 0) environment["GPUWHY_PROVE_MEMORY"] = std::to_string(request.memory);
  if (!request.libcuda.empty()) environment["GPUWHY_PROVE_LIBCUDA"] = request.libcuda;
  const auto deadline = deadline_of(request);
  const auto result = system.run_probe("prove", environment, deadline);
  if (!result) {
    LayerRun run;
    run.layer = errand.layers.front();
    run.text = result.error().reason;
    return {run};
  }
  return read_layer_runs(errand.layers, *result, deadline);
}

bool all_passed(const std::vector<LayerRun>& runs) {
  return std::all_of(runs.begin(), runs.end(),
                     [](const LayerRun& run) { return run.state == LayerRun::State::passed; });
}

void append(std::vector<LayerRun>& runs, std::vector<LayerRun> more) {
  runs.insert(runs.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

LayerRun left_out(Layer layer, const std::string& why) {
  LayerRun run;
  run.layer = layer;
  run.state = LayerRun::State::skipped;
  run.text = why;
  return run;
}

std::vector<LayerRun> do_in_turn(System& system, const LayerRequest& request,
                                 const std::vector<Layer>& layers) {
  std::vector<LayerRun> runs;
  for (const auto layer : layers) append(runs, do_errand(system, request, {{layer}}));
  return runs;
}

std::vector<LayerRun> do_at_once(System& system, const LayerRequest& request,
                                 const std::vector<Layer>& layers) {
  std::vector<std::future<std::vector<LayerRun>>> pending;
  for (const auto layer : layers) {
    // Deferred is for where no thread can be started: then it is done below, in turn.
    constexpr auto kIfPossible = std::launch::async | std::launch::deferred;
    pending.push_back(std::async(
        kIfPossible, [&system, &request, layer] { return do_errand(system, request, {{layer}}); }));
  }
  std::vector<LayerRun> runs;
  for (auto& each : pending) append(runs, each.get());
  return runs;
}

} // namespace

std::vector<LayerRun> read_layer_runs(const std::vector<Layer>& asked, const ProcessResult& result,
                                      milliseconds deadline) {
  std::vector<LayerRun> runs;
  bool open = false; // a layer was begun and not ended
  Layer begun{};
  for (const auto line : split_lines(result.output)) {
    const auto object = Json::parse(line, nullptr, false);
    if (!object.is_object() || text_at(object, "schema") != kSchema) continue;
    if (const auto layer = layer_named(text_at(object, "begin"))) {
      begun = *layer;
      open = true;
    }
    const auto layer = layer_named(text_at(object, "layer"));
    if (!layer || std::find(asked.begin(), asked.end(), *layer) == asked.end()) continue;
    runs.push_back(read_run(object, *layer));
    open = false;
  }
  const bool ended_well = !result.timed_out && result.signal == 0 && result.exit_status == 0;
  if (open) {
    runs.push_back(broken_run(begun, result, deadline));
  } else if (runs.empty() || (!ended_well && all_passed(runs) && runs.size() < asked.size())) {
    runs.push_back(broken_run(asked[std::min(runs.size(), asked.size() - 1)], result, deadline));
  }
  if (!all_passed(runs)) runs.back().said = result.errors.substr(0, kMostSaid);
  return runs;
}

std::vector<LayerRun> run_layers(System& system, const LayerRequest& request) {
  std::vector<Layer> foundation;
  std::vector<Layer> rest;
  for (const auto& each : kLayers) {
    if (is_foundation(each.layer))
      foundation.push_back(each.layer);
    else if (!is_library(each.layer) || request.libraries.contains(each.layer))
      rest.push_back(each.layer);
  }
  std::vector<LayerRun> runs;
  if (request.effort == Effort::quick)
    append(runs, do_errand(system, request, {foundation}));
  else {
    for (const auto layer : foundation) {
      append(runs, do_errand(system, request, {{layer}}));
      if (!all_passed(runs)) break;
    }
  }
  if (!all_passed(runs)) return runs;
  if (!request.alone.empty()) {
    for (const auto layer : {Layer::nccl, Layer::peer}) {
      if (std::erase(rest, layer) > 0) runs.push_back(left_out(layer, request.alone));
    }
  }
  if (request.effort == Effort::quick && std::erase(rest, Layer::nccl) > 0) {
    runs.push_back(
        left_out(Layer::nccl, "its start alone takes more than a quick run may")); // 1 to 3 s
  }
  append(runs,
         request.at_once ? do_at_once(system, request, rest) : do_in_turn(system, request, rest));
  return runs;
}

} // namespace gpuwhy
