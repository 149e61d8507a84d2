#include "render/prove_text.h"

#include "base/text.h"

#include <array>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

Json measure_json(const Measure& measure) {
  Json json{{"name", measure.name}, {"value", measure.value}, {"unit", measure.unit}};
  if (measure.limit) {
    json["limit"] = *measure.limit;
    json["limit_of"] = measure.limit_of;
    json["fraction"] = *measure.fraction();
  }
  return json;
}

Json failure_json(const LayerRun& run) {
  constexpr std::array kHow = {"", "failed", "", "timed_out", "crashed", "not_started"};
  Json json{{"how", kHow[static_cast<std::size_t>(run.state)]}, {"step", run.step}};
  if (!run.api.empty()) {
    json["api"] = run.api;
    json["code"] = run.code;
    json["name"] = run.code_name;
  }
  json["text"] = run.text;
  if (!run.ended_by.empty()) json["ended_by"] = run.ended_by;
  return json;
}

Json rung_json(const Rung& rung) {
  constexpr std::array kStates = {"passed", "failed", "skipped", "not_reached"};
  Json json{
      {"layer", text_of(rung.layer).name}, {"state", kStates[static_cast<std::size_t>(rung.state)]},
      {"seconds", rung.run.seconds},       {"summary", rung.summary},
      {"measures", Json::array()},         {"files", rung.files},
      {"evidence", rung.evidence}};
  for (const auto& measure : rung.measures) json["measures"].push_back(measure_json(measure));
  const bool ran = rung.state == Rung::State::failed && rung.run.state != LayerRun::State::passed;
  if (ran && !(rung.run.step.empty() && rung.run.text.empty() && rung.run.ended_by.empty())) {
    json["failure"] = failure_json(rung.run);
  }
  return json;
}

Json explanation_json(const Explanation& explanation) {
  Json json{{"id", explanation.id},
            {"slug", explanation.slug},
            {"title", explanation.title},
            {"summary", explanation.summary},
            {"found_by_check", explanation.found_by_check}};
  if (explanation.fix) {
    json["fix"] = {{"words", explanation.fix->words},
                   {"commands", explanation.fix->commands},
                   {"verified", explanation.fix->verified}};
  }
  return json;
}

} // namespace

std::string prove_json(const Proof& proof) {
  constexpr std::array kEfforts = {"quick", "normal", "full"};
  constexpr std::array kSuspects = {"nobody", "machine", "libraries", "program", "unclear"};
  constexpr std::array kAnswers = {"gpu", "no_gpu", "unknown"};
  Json report{
      {"schema", "gpuwhy.report/1"},
      {"command", "prove"},
      {"effort", kEfforts[static_cast<std::size_t>(proof.effort)]},
      {"framework", proof.framework},
      {"environment", proof.environment},
      {"passed", !proof.failed.has_value()},
      {"failed_layer", proof.failed ? Json(text_of(*proof.failed).name) : Json(nullptr)},
      {"suspect", kSuspects[static_cast<std::size_t>(proof.suspect)]},
      {"conclusion", proof.conclusion},
      {"explanation", proof.explanation ? explanation_json(*proof.explanation) : Json(nullptr)},
      {"check",
       {{"verdict", kAnswers[static_cast<std::size_t>(proof.check)]},
        {"causes", proof.check_causes},
        {"unknown", proof.check_unknown}}},
      {"remarks", proof.remarks},
      {"layers", Json::array()}};
  for (const auto& rung : proof.rungs) report["layers"].push_back(rung_json(rung));
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace gpuwhy
