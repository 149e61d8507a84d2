#include "render/html_route.h"

#include "render/html_page.h"
#include "render/wording.h"

#include <algorithm>

namespace gpuwhy {
namespace {

Tone tone_of(GateResult::State state) {
  switch (state) {
  case GateResult::State::passed: return Tone::good;
  case GateResult::State::failed: return Tone::bad;
  case GateResult::State::unknown: break;
  }
  return Tone::open;
}

const char* words_of(GateResult::State state) {
  switch (state) {
  case GateResult::State::passed: return "passed";
  case GateResult::State::failed: return "in the way";
  case GateResult::State::unknown: break;
  }
  return "not known";
}

void causes_here(Html& html, const FrameworkVerdict& verdict, const GateResult& gate) {
  for (const auto& cause : verdict.causes) {
    if (cause.gate != gate.gate) continue;
    html.element("p", {{"class", "reason"}}, cause.id + " " + cause.slug + ": " + cause.summary);
  }
}

void evidence(Html& html, const GateResult& gate) {
  std::vector<std::string> told;
  for (const auto& each : gate.evidence) {
    auto words = evidence_words(each);
    if (std::find(told.begin(), told.end(), words) == told.end()) told.push_back(std::move(words));
  }
  if (told.empty()) return;
  html.element("ul", {}, [&] {
    for (const auto& each : told) html.element("li", {}, each);
  });
}

void gate(Html& html, const FrameworkVerdict& verdict, const GateResult& gate, bool reached,
          const std::string& prefix) {
  const std::string name(name_of(gate.gate));
  const auto tip = prefix + "gate-" + name;
  const bool failed = gate.state == GateResult::State::failed;
  std::string kind = failed                                     ? "failed"
                     : gate.state == GateResult::State::unknown ? "unknown"
                                                                : "passed";
  if (reached) kind += " reached";
  html.element("li", {{"class", kind}}, [&] {
    html.element("button", {{"type", "button"}, {"class", "gate"}, {"aria-describedby", tip}}, [&] {
      html_mark(html, tone_of(gate.state));
      html.element("span", {{"class", "name"}}, name);
      html.element("span", {{"class", "state"}}, words_of(gate.state));
    });
    html.element("div", {{"class", "tip"}, {"id", tip}, {"role", "tooltip"}}, [&] {
      html.element("p", {{"class", "question"}},
                   kGates[static_cast<std::size_t>(gate.gate)].question);
      causes_here(html, verdict, gate);
      if (gate.state == GateResult::State::unknown && !gate.reason.empty())
        html.element("p", {{"class", "reason"}}, gate.reason);
      if (!failed) evidence(html, gate); // else told with its cause
    });
  });
  html.line();
}

} // namespace

void html_route(Html& html, const FrameworkVerdict& verdict, const std::string& prefix) {
  if (verdict.route.empty()) return;
  html.element("ol", {{"class", "route"}, {"aria-label", "the route to the GPU"}}, [&] {
    bool open = true;    // so far nothing was in the way
    bool certain = true; // and the program gets as far for sure
    for (const auto& each : verdict.route) {
      gate(html, verdict, each, open && certain, prefix);
      open = open && each.state != GateResult::State::failed;
      certain =
          certain && (each.state != GateResult::State::unknown || verdict.answer == Usable::gpu);
    }
    const bool arrives = verdict.answer == Usable::gpu && open;
    html.element("li", {{"class", arrives ? "goal reached" : "goal"}}, [&] {
      html.element("span", {{"class", "gate"}}, [&] {
        html.element("svg", {{"class", "mark"}, {"aria-hidden", "true"}}, [&] {
          html.element("use", {{"href", "#mark-gpu"}}, "");
        });
        html.element("span", {{"class", "name"}}, "GPU");
        html.element("span", {{"class", "state"}},
                     arrives                             ? "reached"
                     : verdict.answer == Usable::unknown ? "not known"
                                                         : "not reached");
      });
    });
  });
  html.line();
}

} // namespace gpuwhy
