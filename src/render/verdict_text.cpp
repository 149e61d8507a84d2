#include "render/verdict_text.h"

#include "base/text.h"
#include "render/page.h"
#include "render/wording.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

// What fits on one screen; -v shows the rest.
constexpr std::size_t kEvidence = 2;
constexpr std::size_t kEvidenceLines = 3; // of one piece of evidence
constexpr std::size_t kFollowers = 4;
constexpr std::size_t kAlternatives = 2;
constexpr std::size_t kUnknowns = 4;
constexpr std::size_t kOthers = 3;
constexpr std::size_t kNotes = 3; // of the program
constexpr std::size_t kNamed = 2; // environments of one line

struct Mark {
  std::string_view sign;
  Ink ink;
};

std::string plural(std::size_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

class Sheet {
public:
  Sheet(const Verdict& verdict, const Style& style, Detail detail)
      : verdict_(verdict), style_(style), full_(detail == Detail::full),
        page_(style, detail == Detail::full) {}

  std::string text() {
    if (verdict_.frameworks.empty()) {
      page_.headline(mark_open(style_), Ink::open, "no Python environment was judged");
    } else {
      selected(chosen());
    }
    if (full_) not_seen();
    return page_.take();
  }

private:
  const FrameworkVerdict& chosen() const {
    const auto& all = verdict_.frameworks;
    const auto found = std::find_if(all.begin(), all.end(),
                                    [](const FrameworkVerdict& each) { return each.selected; });
    return found == all.end() ? all.front() : *found;
  }

  Mark mark(Tone tone) const {
    switch (tone) {
    case Tone::good: return {mark_good(style_), Ink::good};
    case Tone::limited: return {"!", Ink::open};
    case Tone::bad: return {mark_bad(style_), Ink::bad};
    case Tone::open: break;
    }
    return {mark_open(style_), Ink::open};
  }

  void selected(const FrameworkVerdict& framework) {
    const auto [sign, ink] = mark(tone_of(framework));
    page_.headline(sign, ink, answer_words(framework));
    if (!full_) shorten_paths(framework);
    page_.blank();
    if (verdict_.place) place(*verdict_.place);
    if (!framework.causes.empty()) causes(framework);
    if (framework.answer == Usable::unknown) unknown(framework);
    notes(framework);
    if (framework.answer == Usable::unknown || !framework.causes.empty() || noted_) page_.blank();
    if (full_) {
      gates(framework);
      list("cleared", framework.ruled_out);
      if (framework.answer != Usable::unknown) list("unknown", framework.unknown);
      environment(framework);
    } else {
      ladder(framework);
    }
    gpus();
    others(framework);
    if (!full_ && !framework.causes.empty()) {
      page_.row("more", "'gpuwhy rule " + framework.causes.front().id +
                            "' explains the cause, 'gpuwhy -v' shows all that was seen");
    }
  }

  /// The first line has named the environment: "…/site-packages/nvidia/cudnn/lib" is enough below
  /// it.
  void shorten_paths(const FrameworkVerdict& framework) {
    const auto parts = split(framework.python_version, '.');
    if (framework.environment.size() < 2 || parts.size() < 2) return;
    const auto python = "/python" + std::string(parts[0]) + "." + std::string(parts[1]);
    for (const char* lib : {"/lib", "/lib64"}) {
      page_.call(framework.environment + lib + python, style_.unicode ? "…" : "...");
    }
  }

  // --- where it runs

  void place(const PlaceLine& line) {
    page_.row("place", place_words(line));
    if (const auto words = shell_words(line, chosen()); !words.empty())
      page_.under(words, Ink::faint);
    if (full_) {
      for (const auto& library : line.loaded) page_.under("loaded: " + library, Ink::faint);
    }
  }

  // --- causes and the plan
  // -------------------------------------------------------------------------------

  void causes(const FrameworkVerdict& framework) {
    const auto& all = framework.causes;
    const std::size_t most = full_ ? all.size() : std::min(all.size(), kFollowers + 1);
    const auto proof = proof_words(framework);
    bool simulated = true; // the fixes before this cause were, so that it is what comes next
    for (std::size_t index = 0; index < most; ++index) {
      const auto& cause = all[index];
      page_.row(index == 0  ? "cause"
                : simulated ? "next"
                            : "also",
                cause.summary, {cause.id + " " + cause.slug, cause.id});
      evidence(cause, index == 0 ? kEvidence : 0);
      if (cause.fix && needless(framework, *cause.fix)) {
        page_.row("fix", "none of its own: what mends the others mends this");
      } else if (cause.fix) {
        fix(*cause.fix, proof);
      }
      simulated = simulated && cause.fix && cause.fix->verified;
    }
    if (most < all.size())
      page_.under("and " + plural(all.size() - most, "more cause") + ": gpuwhy -v", Ink::faint);
    if (!all.front().fix) {
      page_.row("fix", no_fix_words(all.front()));
    } else {
      outcome(framework);
    }
    alternatives(framework);
  }

  /// The plan ends in gpu without this one.
  static bool needless(const FrameworkVerdict& framework, const Fix& fix) {
    return framework.plan_reaches_gpu && framework.plan.size() < framework.causes.size() &&
           std::none_of(framework.plan.begin(), framework.plan.end(), [&](const Fix& step) {
             return step.words == fix.words && step.commands == fix.commands;
           });
  }

  /// Other ways, each of which was simulated to its end.
  void alternatives(const FrameworkVerdict& framework) {
    const auto& all = framework.alternatives;
    const std::size_t most = full_ ? all.size() : std::min(all.size(), kAlternatives);
    for (std::size_t index = 0; index < most; ++index) {
      std::vector<std::string> words;
      for (const auto& step : all[index].steps) words.push_back(step.words);
      page_.row("or", join(words, "; and "), {full_ ? "verified" : "", {}, Ink::good});
      if (!full_) continue;
      for (const auto& step : all[index].steps) {
        for (const auto& each : step.commands) page_.command(each);
      }
    }
    if (!full_ && most > 0) page_.under("verified too; 'gpuwhy fix' has the commands", Ink::faint);
  }

  /// What the sentence above has said already comes last, and then only where it was seen.
  void evidence(const Cause& cause, std::size_t most) {
    std::vector<std::string> lines;
    std::vector<std::string> places;
    for (const auto& each : cause.evidence) {
      if (full_ || !contains(cause.summary, each.text)) {
        lines.push_back(evidence_words(each));
      } else if (!contains(cause.summary, each.source.where)) {
        places.push_back(source_words(each.source));
      }
    }
    lines.insert(lines.end(), places.begin(), places.end());
    if (!full_) lines.resize(std::min(lines.size(), most));
    for (const auto& line : lines) {
      if (full_) {
        page_.under(line, Ink::faint);
      } else {
        page_.under_at_most(kEvidenceLines, line, Ink::faint);
      }
    }
  }

  void fix(const Fix& step, std::string_view proof) {
    page_.row("fix", step.words, {std::string(proof), {}, Ink::good});
    for (const auto& each : step.commands) page_.command(each);
  }

  /// What is known of the time after the fixes.
  void outcome(const FrameworkVerdict& framework) {
    if (const auto words = limit_words(framework); !words.empty()) page_.row("limit", words);
    if (const auto words = outcome_words(framework); !words.empty()) page_.row("then", words);
  }

  // --- the program's notes
  // ---------------------------------------------------------------------------------

  /// Findings that did not decide the verdict, shortly; and what was odd about the program.
  void notes(const FrameworkVerdict& framework) {
    if (!verdict_.program) return;
    struct Line {
      std::string text;
      Note note = {};
    };
    std::vector<Line> lines;
    for (const auto& each : verdict_.program->notes) lines.push_back({each});
    for (const auto& finding : verdict_.findings) {
      if (finding.severity == Severity::info && !full_) continue;
      const auto told = [&](const Cause& cause) {
        return cause.id == finding.id && finding.bearing != Bearing::note;
      };
      if (std::any_of(framework.causes.begin(), framework.causes.end(), told)) continue;
      lines.push_back({finding.place() + ": " + finding.message,
                       {finding.id + " " + finding.slug, finding.id}});
    }
    const std::size_t most = full_ ? lines.size() : std::min(lines.size(), kNotes);
    for (std::size_t index = 0; index < most; ++index)
      page_.row("note", lines[index].text, lines[index].note);
    if (most < lines.size()) {
      page_.under("and " + std::to_string(lines.size() - most) + " more: gpuwhy lint " +
                      verdict_.program->path,
                  Ink::faint);
    }
    noted_ = !lines.empty();
  }

  // --- what is not known
  // ---------------------------------------------------------------------------------

  void unknown(const FrameworkVerdict& framework) {
    const auto& missing = framework.unknown.empty() ? verdict_.problems : framework.unknown;
    list("unknown", missing);
    if (const auto question = ask_framework(framework); !question.empty()) {
      page_.row("settle", "ask " + std::string(product_name(framework.framework)) +
                              " itself, which takes some seconds; [] means that it sees no GPU");
      page_.command(question);
    } else {
      page_.row("settle", "name the Python that runs your program");
      page_.command("gpuwhy --python PATH");
    }
  }

  void list(std::string_view label, const std::vector<std::string>& lines) {
    const std::size_t most = full_ ? lines.size() : std::min(lines.size(), kUnknowns);
    for (std::size_t index = 0; index < most; ++index) {
      if (index == 0) {
        page_.row(label, lines[index]);
      } else {
        page_.under(lines[index]);
      }
    }
    if (most < lines.size())
      page_.under("and " + std::to_string(lines.size() - most) + " more: gpuwhy -v", Ink::faint);
  }

  void not_seen() {
    if (verdict_.problems.empty()) return;
    list("unseen", verdict_.problems);
  }

  // --- the route
  // -----------------------------------------------------------------------------------------

  Mark mark(GateResult::State state) const {
    switch (state) {
    case GateResult::State::passed: return mark(Tone::good);
    case GateResult::State::failed: return mark(Tone::bad);
    case GateResult::State::unknown: break;
    }
    return mark(Tone::open);
  }

  void ladder(const FrameworkVerdict& framework) {
    std::vector<Page::Piece> pieces;
    for (const auto& gate : framework.route) {
      const auto [sign, ink] = mark(gate.state);
      pieces.push_back({std::string(name_of(gate.gate)), sign, ink});
    }
    if (!pieces.empty()) page_.pieces("route", pieces);
  }

  void gates(const FrameworkVerdict& framework) {
    bool first = true;
    for (const auto& gate : framework.route) {
      const auto [sign, ink] = mark(gate.state);
      const auto text = std::string(name_of(gate.gate)) + ": " +
                        std::string(kGates[static_cast<std::size_t>(gate.gate)].question);
      page_.item(first ? "route" : "", sign, ink, text);
      first = false;
      if (gate.state != GateResult::State::passed && !gate.reason.empty())
        page_.under(gate.reason, ink, 1);
      if (gate.state == GateResult::State::failed) continue; // told with its cause
      std::vector<std::string> told;
      for (const auto& each : gate.evidence) {
        auto words = evidence_words(each);
        if (std::find(told.begin(), told.end(), words) != told.end()) continue;
        page_.under(words, Ink::faint, 1);
        told.push_back(std::move(words));
      }
    }
  }

  void environment(const FrameworkVerdict& framework) {
    if (framework.interpreter.empty()) return;
    page_.row("python", framework.interpreter);
    if (!framework.environment.empty()) {
      page_.under(framework.environment_kind + (framework.environment_kind.empty() ? "" : " ") +
                  framework.environment);
    }
  }

  // --- the machine, and the other environments
  // -----------------------------------------------------------

  void gpus() {
    std::vector<std::pair<std::string, std::size_t>> lines; // alike cards are one line
    for (const auto& gpu : verdict_.gpus) {
      auto words = gpu_words(gpu);
      const auto same = std::find_if(lines.begin(), lines.end(),
                                     [&](const auto& line) { return line.first == words; });
      if (same != lines.end()) {
        ++same->second;
      } else {
        lines.emplace_back(std::move(words), 1);
      }
    }
    bool first = true;
    for (const auto& [words, count] : lines) {
      const auto text = count == 1 ? words : std::to_string(count) + " x " + words;
      if (first) {
        page_.row("GPU", text);
      } else {
        page_.under(text);
      }
      first = false;
    }
    if (lines.empty()) page_.row("GPU", "none that can be seen from here");
  }

  struct Group {
    const FrameworkVerdict* first;
    std::vector<std::string> places;
  };

  static std::string reason_words(const FrameworkVerdict& framework) {
    if (!framework.causes.empty())
      return framework.causes.front().id + " " + framework.causes.front().slug;
    return framework.answer == Usable::gpu ? "uses the GPU" : "could not tell";
  }

  static bool alike(const FrameworkVerdict& a, const FrameworkVerdict& b) {
    return a.framework == b.framework && a.version == b.version && a.answer == b.answer &&
           reason_words(a) == reason_words(b);
  }

  void others(const FrameworkVerdict& selected) {
    std::vector<Group> groups;
    for (const auto& each : verdict_.frameworks) {
      if (&each == &selected) continue;
      const auto same = std::find_if(groups.begin(), groups.end(),
                                     [&](const Group& group) { return alike(*group.first, each); });
      const auto place = each.environment.empty() ? each.interpreter : each.environment;
      if (same == groups.end() || full_) {
        groups.push_back({&each, {place}});
      } else {
        same->places.push_back(place);
      }
    }
    std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
      return tone_of(*a.first) < tone_of(*b.first); // those that work first
    });
    const std::size_t most = full_ ? groups.size() : std::min(groups.size(), kOthers);
    std::size_t hidden = 0;
    for (std::size_t index = 0; index < groups.size(); ++index) {
      if (index < most) {
        group(groups[index], index == 0);
      } else {
        hidden += groups[index].places.size();
      }
    }
    if (hidden > 0)
      page_.under("and " + plural(hidden, "more environment") + ": gpuwhy -v", Ink::faint);
  }

  void group(const Group& each, bool first) {
    auto text = framework_words(*each.first) + " in ";
    const auto count = each.places.size();
    std::vector<std::string> named(each.places.begin(),
                                   each.places.begin() +
                                       static_cast<std::ptrdiff_t>(std::min(count, kNamed)));
    text += join(named, ", ");
    if (count > kNamed) text += " and " + std::to_string(count - kNamed) + " more";
    text += ": " + reason_words(*each.first);
    const auto [sign, ink] = mark(tone_of(*each.first));
    page_.item(first ? "others" : "", sign, ink, text);
    if (full_ && !each.first->causes.empty())
      page_.under(each.first->causes.front().summary, Ink::faint, 1);
  }

  const Verdict& verdict_;
  const Style& style_;
  bool full_;
  bool noted_ = false;
  Page page_;
};

} // namespace

std::string verdict_text(const Verdict& verdict, const Style& style, Detail detail) {
  return Sheet(verdict, style, detail).text();
}

} // namespace gpuwhy
