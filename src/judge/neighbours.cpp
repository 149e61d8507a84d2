#include "judge/neighbours.h"

#include "judge/judge.h"
#include "rules/F_framework/installation.h"

#include <algorithm>

namespace gpuwhy {
namespace {

/// What an import brings in: Keras its backend.
std::string brought_by(const Facts& facts, const PythonEnvironment& python,
                       const FrameworkImport& import) {
  if (import.name != "keras") return import.name;
  const auto* keras = imported(python, "keras");
  return keras == nullptr ? std::string() : keras_backend(facts, *keras);
}

} // namespace

const Framework* imported(const PythonEnvironment& python, std::string_view name) {
  for (const auto& framework : python.frameworks) {
    if (framework.name == name) return &framework;
  }
  return nullptr;
}

std::vector<Case> imported_with(const Case& subject) {
  const auto& program = subject.facts.program;
  if (subject.python == nullptr || !subject.python->selected) return {};
  std::vector<Case> cases;
  for (const auto& import : program.imports) {
    Case each{.facts = subject.facts};
    each.wanted = brought_by(subject.facts, *subject.python, import);
    each.python = subject.python;
    each.framework = imported(*subject.python, each.wanted);
    const bool known = std::any_of(cases.begin(), cases.end(), [&](const Case& other) {
      return other.framework == each.framework;
    });
    if (each.build() != nullptr && !known) cases.push_back(std::move(each));
  }
  const bool own = std::any_of(cases.begin(), cases.end(), [&](const Case& each) {
    return each.framework == subject.framework;
  });
  return own ? std::move(cases) : std::vector<Case>();
}

std::string importer_text(const Case& framework) {
  auto text = std::string(rules::display_name(framework.wanted)) + ", which the program imports";
  const auto& program = framework.facts.program;
  for (const auto& import : program.imports) {
    if (brought_by(framework.facts, *framework.python, import) == framework.wanted)
      return text + " (" + Source{program.entry, import.line}.str() + ")";
  }
  return text;
}

} // namespace gpuwhy
