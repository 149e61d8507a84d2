// Every object of the report has one table of its fields (render/shapes.h).
#include "render/prove_text.h"

#include "render/report.h"
#include "render/verdict_shapes.h"

namespace gpuwhy {
namespace shapes {

template <> struct Words<Effort> {
  static constexpr std::string_view all[] = {"quick", "normal", "full"};
};
template <> struct Words<Suspect> {
  static constexpr std::string_view all[] = {"nobody", "machine", "libraries", "program",
                                             "unclear"};
};
template <> struct Words<Rung::State> {
  static constexpr std::string_view all[] = {"passed", "failed", "skipped", "not_reached"};
};
template <> struct Words<Layer> {
  static constexpr auto all = [] {
    std::array<std::string_view, kLayers.size()> names;
    for (std::size_t index = 0; index < names.size(); ++index) names[index] = kLayers[index].name;
    return names;
  }();
};

/// How a layer's run ended that did not pass.
enum class Ending { failed, timed_out, crashed, not_started };
template <> struct Words<Ending> {
  static constexpr std::string_view all[] = {"failed", "timed_out", "crashed", "not_started"};
};
inline Ending ending_of(LayerRun::State state) {
  switch (state) {
  case LayerRun::State::timed_out: return Ending::timed_out;
  case LayerRun::State::crashed: return Ending::crashed;
  case LayerRun::State::not_started: return Ending::not_started;
  case LayerRun::State::passed:
  case LayerRun::State::skipped:
  case LayerRun::State::failed: break;
  }
  return Ending::failed;
}

template <class T> Omitted<T> where(bool told, T value) {
  return {told ? std::optional<T>(std::move(value)) : std::nullopt};
}

template <> struct Shape<Measure> {
  static constexpr const char* name = "measure";
  template <class V> static void fields(V&& v) {
    v("name", &Measure::name, "What was measured");
    v("value", &Measure::value, "The value, in 'unit'");
    v("unit", &Measure::unit,
      "B/s bytes a second, FLOP/s operations a second, s seconds, B bytes; empty: a plain number");
    v(
        "limit", [](const Measure& each) { return Omitted<double>{each.limit}; },
        "What the link or chip can do, in 'unit'; absent: not known");
    v(
        "limit_of",
        [](const Measure& each) { return where(each.limit.has_value(), each.limit_of); },
        "What sets the limit");
    v(
        "fraction", [](const Measure& each) { return Omitted<double>{each.fraction()}; },
        "The value as a share of the limit: 1 is all of it");
  }
};

template <> struct Shape<LayerRun> {
  static constexpr const char* name = "failure";
  template <class V> static void fields(V&& v) {
    const auto of_code = [](auto member) {
      return [member](const LayerRun& run) { return where(!run.api.empty(), run.*member); };
    };
    v(
        "how", [](const LayerRun& run) { return ending_of(run.state); },
        "failed: a call failed or a result is wrong; timed_out: no answer within the deadline; "
        "crashed: a signal ended it; not_started: the child did not start");
    v("step", &LayerRun::step, "The call at which it ended; may be empty");
    v("api", of_code(&LayerRun::api), "Whose code it is, as in cuda or cudnn; absent: no code");
    v("code", of_code(&LayerRun::code), "The code that the call gave; absent: none");
    v("name", of_code(&LayerRun::code_name), "Name of the code; absent: no code");
    v("text", &LayerRun::text, "The library's words, or what came out wrong; may be empty");
    v(
        "ended_by", [](const LayerRun& run) { return where(!run.ended_by.empty(), run.ended_by); },
        "Name of the signal that ended it; absent: none did");
  }
};

template <> struct Shape<Rung> {
  static constexpr const char* name = "layer";
  template <class V> static void fields(V&& v) {
    v("layer", &Rung::layer, "Name of the layer");
    v("state", &Rung::state,
      "skipped: not asked for, or not here; not_reached: it rests on a layer that failed");
    v(
        "seconds", [](const Rung& rung) { return rung.run.seconds; }, "Seconds that it took");
    v("summary", &Rung::summary, "One line: figures, or what failed");
    v("measures", &Rung::measures, "What was measured");
    v("files", &Rung::files, "Library files that were opened for it");
    v("evidence", &Rung::evidence, "Of a failure: files, what a library printed");
    v(
        "failure",
        [](const Rung& rung) {
          const auto& run = rung.run;
          const bool ran =
              rung.state == Rung::State::failed && run.state != LayerRun::State::passed;
          return where(ran && !(run.step.empty() && run.text.empty() && run.ended_by.empty()), run);
        },
        "How it failed; absent: it did not, or nothing was told");
  }
};

template <> struct Shape<Explanation> {
  static constexpr const char* name = "explanation";
  template <class V> static void fields(V&& v) {
    v("id", &Explanation::id, "Id of the cause");
    v("slug", &Explanation::slug, "Name of the fault");
    v("title", &Explanation::title, "The cause in general");
    v("summary", &Explanation::summary, "The cause as it is here");
    v("found_by_check", &Explanation::found_by_check,
      "False: it goes with the failure's code, and is what to look at");
    v(
        "fix", [](const Explanation& each) { return Omitted<PlainFix>{plain(each.fix)}; },
        "How to mend it; absent: no fix is known");
  }
};

struct CheckSaid {
  const Proof* proof = nullptr;
};
template <> struct Shape<CheckSaid> {
  static constexpr const char* name = "check";
  template <class V> static void fields(V&& v) {
    constexpr auto of = &CheckSaid::proof;
    v("verdict", through<of>(&Proof::check), "As in check's report");
    v("causes", through<of>(&Proof::check_causes), "Its causes, one line each, the root first");
    v("unknown", through<of>(&Proof::check_unknown), "Facts that it lacked");
  }
};

template <> struct Shape<Proof> {
  static constexpr const char* name = "proof";
  template <class V> static void fields(V&& v) {
    v("effort", &Proof::effort, "How much was done: --quick, neither, or --full");
    v("framework", &Proof::framework,
      "Framework whose libraries were opened, and its version; empty: none");
    v("environment", &Proof::environment, "Its Python environment; may be empty");
    v(
        "passed", [](const Proof& proof) { return !proof.failed.has_value(); },
        "Every layer that was tried did its work");
    v("failed_layer", &Proof::failed, "The first that failed; null: none did");
    v("suspect", &Proof::suspect, "Where the fault lies");
    v("conclusion", &Proof::conclusion, "That in words");
    v("explanation", &Proof::explanation,
      "The cause of the first failure; null: nothing failed, or no cause is known");
    v(
        "check", [](const Proof& proof) { return CheckSaid{&proof}; },
        "What check says of the same machine");
    v("remarks", &Proof::remarks, "What works and could be better: slow links, missing lanes");
    v("layers", &Proof::rungs, "The layers, each resting on those before it");
  }
};

} // namespace shapes

std::string prove_json(const Proof& proof) {
  return report_text("prove", proof);
}

std::string prove_schema() {
  return report_schema_of<Proof>("prove", "gpuwhy prove: is it the machine or Python?");
}

} // namespace gpuwhy
