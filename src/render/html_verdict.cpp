#include "render/html_verdict.h"

#include "base/text.h"
#include "render/html_lint.h"
#include "render/html_route.h"
#include "render/wording.h"

#include <algorithm>

namespace gpuwhy {
namespace {

const FrameworkVerdict& chosen(const Verdict& verdict) {
  const auto found = std::find_if(verdict.frameworks.begin(), verdict.frameworks.end(),
                                  [](const FrameworkVerdict& each) { return each.selected; });
  return found == verdict.frameworks.end() ? verdict.frameworks.front() : *found;
}

/// The sentence above has named the environment: "…/site-packages" is enough below it.
void shorten_paths(Html& html, const FrameworkVerdict& framework) {
  const auto parts = split(framework.python_version, '.');
  if (framework.environment.size() < 2 || parts.size() < 2) return;
  const auto python = "/python" + std::string(parts[0]) + "." + std::string(parts[1]);
  for (const char* lib : {"/lib", "/lib64"}) html.call(framework.environment + lib + python, "…");
}

void what_settles(Html& html, const FrameworkVerdict& framework, const Verdict& verdict) {
  const auto& missing = framework.unknown.empty() ? verdict.problems : framework.unknown;
  html.element("div", {{"class", "open-question"}}, [&] {
    html_row(html, "unknown", [&] {
      html.element("ul", {{"class", "plain"}}, [&] {
        for (const auto& each : missing) html.element("li", {}, each);
      });
    });
    html_row(html, "settle", [&] {
      const auto question = ask_framework(framework);
      if (question.empty()) {
        html.element("p", {}, "name the Python that runs your program");
        return html_commands(html, {"gpuwhy --python PATH"});
      }
      html.element("p", {},
                   "ask " + std::string(product_name(framework.framework)) +
                       " itself, which takes some seconds; [] means that it sees no GPU");
      html_commands(html, {question});
    });
  });
  html.line();
}

/// What software cannot mend, and the other ways that were simulated to their end.
void other_ways(Html& html, const FrameworkVerdict& framework) {
  if (const auto words = limit_words(framework); !words.empty())
    html_row(html, "limit", [&] { html.element("p", {}, words); });
  for (const auto& way : framework.alternatives) {
    html_row(html, "or", [&] {
      std::vector<std::string> words;
      std::vector<std::string> commands;
      for (const auto& step : way.steps) {
        words.push_back(step.words);
        commands.insert(commands.end(), step.commands.begin(), step.commands.end());
      }
      html.element("p", {}, join(words, "; and ") + " (verified too)");
      html_commands(html, commands);
    });
  }
}

void place(Html& html, const PlaceLine& line, const FrameworkVerdict& selected) {
  html.element("p", {{"class", "place"}}, [&] {
    html.words(place_words(line));
    if (const auto words = shell_words(line, selected); !words.empty()) html.words("; " + words);
  });
  html.line();
}

/// The program's notes, and its lines of code.
void program(Html& html, const Verdict& verdict) {
  if (!verdict.program) return;
  html_section(html, "How " + verdict.program->entry + " was read", verdict.program->notes);
  if (verdict.findings.empty()) return;
  html.element("section", {}, [&] {
    html.element("h2", {}, "In the code");
    std::string path;
    for (const auto& finding : verdict.findings) {
      if (finding.path != path) html.element("p", {{"class", "place"}}, finding.path);
      path = finding.path;
      render::html_finding(html, finding);
    }
  });
  html.line();
}

/// All of one framework in one environment, but for the sentence.
void about(Html& html, const FrameworkVerdict& framework, const Verdict& verdict,
           const std::string& prefix, std::string_view head) {
  const auto names = html.names();
  shorten_paths(html, framework);
  html_route(html, framework, prefix);
  html_causes(html, framework.causes,
              {.prefix = prefix,
               .proof = proof_words(framework),
               .outcome = outcome_words(framework),
               .head = head});
  other_ways(html, framework);
  if (framework.answer == Usable::unknown)
    what_settles(html, framework, verdict);
  else
    html_folded(html, "Not known", framework.unknown);
  html_folded(html, "Looked for and not there", framework.ruled_out);
  html.forget_names(names);
  if (framework.interpreter.empty()) return;
  html.element("p", {{"class", "place"}}, [&] {
    html.words(python_words(framework) + ": " + framework.interpreter);
    if (!framework.environment.empty())
      html.words(", " + framework.environment_kind +
                 (framework.environment_kind.empty() ? "" : " ") + framework.environment);
  });
  html.line();
}

void gpus(Html& html, const Verdict& verdict) {
  html.element("section", {}, [&] {
    html.element("h2", {}, "GPUs of this machine");
    if (verdict.gpus.empty()) {
      html.element("p", {}, "None that can be seen from here.");
      return;
    }
    html.element("ul", {{"class", "plain"}}, [&] {
      for (const auto& gpu : verdict.gpus) html.element("li", {}, gpu_words(gpu));
    });
  });
  html.line();
}

std::string reason_words(const FrameworkVerdict& framework) {
  if (!framework.causes.empty())
    return framework.causes.front().id + " " + framework.causes.front().slug;
  return framework.answer == Usable::gpu ? "uses the GPU" : "could not tell";
}

void others(Html& html, const Verdict& verdict, const FrameworkVerdict& selected) {
  std::vector<const FrameworkVerdict*> all;
  for (const auto& each : verdict.frameworks) {
    if (&each != &selected) all.push_back(&each);
  }
  if (all.empty()) return;
  std::stable_sort(all.begin(), all.end(), [](const auto* a, const auto* b) {
    return tone_of(*a) < tone_of(*b); // those that work first
  });
  html.element("section", {}, [&] {
    html.element("h2", {}, "Other frameworks and environments");
    std::size_t number = 1;
    for (const auto* each : all) {
      const auto prefix = "f" + std::to_string(++number) + "-";
      html.element("details", {{"class", "framework"}}, [&] {
        html.element("summary", {}, [&] {
          html_mark(html, tone_of(*each));
          html.element("span", {}, [&] {
            html.element("b", {}, framework_words(*each));
            html.words(" in " +
                       (each->environment.empty() ? each->interpreter : each->environment) + ": " +
                       reason_words(*each));
          });
        });
        html.element("p", {}, answer_words(*each));
        about(html, *each, verdict, prefix, "h3");
      });
      html.line();
    }
  });
  html.line();
}

} // namespace

std::string verdict_html(const Verdict& verdict, const PageContext& context) {
  if (verdict.frameworks.empty()) {
    const std::string nothing = "no Python environment was judged";
    return html_page(context, {.title = nothing}, [&](Html& html) {
      html_answer(html, "h1", "answer", Tone::open, nothing);
      gpus(html, verdict);
      html_section(html, "What could not be looked at", verdict.problems);
    });
  }
  const auto& selected = chosen(verdict);
  return html_page(context, {.title = answer_words(selected)}, [&](Html& html) {
    html_answer(html, "h1", "answer", tone_of(selected), answer_words(selected));
    if (verdict.place) place(html, *verdict.place, selected);
    about(html, selected, verdict, "f1-", "h2");
    program(html, verdict);
    gpus(html, verdict);
    others(html, verdict, selected);
    html_section(html, "What could not be looked at", verdict.problems);
  });
}

} // namespace gpuwhy
