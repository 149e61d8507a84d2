// Every object of the report has one table of its fields (render/shapes.h).
#include "render/mending_json.h"

#include "render/report.h"
#include "render/verdict_shapes.h"

namespace gpuwhy {
namespace shapes {

template <> struct Shape<MendStep> {
  static constexpr const char* name = "step";
  template <class V> static void fields(V&& v) {
    const auto in_fix = [](auto member) {
      return [member](const MendStep& step) { return step.fix.*member; };
    };
    v("words", in_fix(&Fix::words), "What to do, for a person");
    v("commands", in_fix(&Fix::commands), "Shell commands that do it, in order; may be empty");
    v("verified", in_fix(&Fix::verified), "The step was simulated and its cause was gone");
    v("by_hand", or_null(&MendStep::by_hand),
      "Why gpuwhy leaves it to a person; null: --apply does it");
  }
};

/// A step of another plan.
struct OtherStep {
  const Fix* fix = nullptr;
};
template <> struct Shape<OtherStep> {
  static constexpr const char* name = "other_step";
  template <class V> static void fields(V&& v) {
    constexpr auto of = &OtherStep::fix;
    v("words", through<of>(&Fix::words), "What to do, for a person");
    v("commands", through<of>(&Fix::commands), "Shell commands that do it, in order; may be empty");
  }
};

template <> struct Shape<Applied> {
  static constexpr const char* name = "applied";
  template <class V> static void fields(V&& v) {
    v("done", &Applied::done, "Every step that gpuwhy does was done");
    v(
        "gpu", [](const Applied& each) { return Omitted<bool>{each.gpu}; },
        "The machine was looked at again, and the GPU is used; absent: it was not done");
    v(
        "left_to_you", [](const Applied& each) { return Omitted<bool>{each.left_to_you}; },
        "Steps are left to a person; absent: it was not done");
    v(
        "problem", [](const Applied& each) { return Omitted<std::string>{each.problem}; },
        "What stopped it; absent: it was done");
  }
};

struct MendReport {
  const Mending* mending = nullptr;
  std::optional<Applied> applied;
};
template <> struct Shape<MendReport> {
  static constexpr const char* name = "fix";
  template <class V> static void fields(V&& v) {
    using F = FrameworkVerdict;
    const auto of = [](auto get) {
      return [get](const MendReport& each) { return std::invoke(get, each.mending->verdict); };
    };
    v("framework", of(&F::framework), "Package name of the framework in question");
    v("interpreter", of(&F::interpreter), "Its Python interpreter; empty: none was found");
    v("verdict", of(&F::answer), "As in check's report");
    v(
        "cause",
        [](const MendReport& each) {
          const auto& causes = each.mending->verdict.causes;
          return causes.empty() ? std::nullopt : std::optional(causes.front().id);
        },
        "Id of the root cause; null: none");
    v(
        "plan", [](const MendReport& each) { return each.mending->steps; },
        "The plan that was chosen (--plan): steps in order; none can be left out");
    v("plan_reaches_gpu", of(&F::plan_reaches_gpu),
      "The whole plan was simulated, and then the GPU is used");
    v(
        "alternatives",
        [](const MendReport& each) {
          std::vector<std::vector<OtherStep>> plans;
          for (const auto& plan : each.mending->verdict.alternatives) {
            auto& steps = plans.emplace_back();
            for (const auto& step : plan.steps) steps.push_back({&step});
          }
          return plans;
        },
        "Other plans, the one that reaches least first: what --plan 2 and up take");
    v("obstacle", of(or_null(&F::obstacle)),
      "What nothing that is typed on this machine mends; null: no such thing was found");
    v("file", through<&MendReport::mending>(or_null(&Mending::file)),
      "File in which variables would be set; null: no step sets one");
    v("applied", &MendReport::applied, "What --apply did; null: nothing was to be applied");
  }
};

} // namespace shapes

std::string mending_json(const Mending& mending, const std::optional<Applied>& applied) {
  return report_text("fix", shapes::MendReport{&mending, applied});
}

std::string fix_schema() {
  return report_schema_of<shapes::MendReport>("fix",
                                              "gpuwhy fix: the plan that makes the GPU be used");
}

} // namespace gpuwhy
