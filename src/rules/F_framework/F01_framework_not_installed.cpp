// The interpreter that runs the program has no TensorFlow at all.
// Truth: the site directories of that interpreter. Metadata without a package is F10, a Python for
// which there is no TensorFlow is F08.
#include "base/text.h"
#include "rules/F_framework/installation.h"

namespace gpuwhy::rules {
namespace {

/// Debian and others refuse pip in the system's own Python (PEP 668): a virtual environment serves
/// everywhere.
Edit install(const Case& c) {
  const auto& python = *c.python;
  const auto version = release_for(python);
  Edit edit{"install TensorFlow with its CUDA libraries for this interpreter", {}, {}};
  if (version.empty()) return edit;
  const std::string requirement = "tensorflow[and-cuda]<=" + version;
  if (python.kind == "system") {
    edit.words = "make a virtual environment and install TensorFlow with its CUDA libraries there";
    edit.commands = {shell_word(python.interpreter) + " -m venv .venv",
                     ".venv/bin/python -m pip install " + shell_word(requirement)};
  } else {
    edit.commands = {install_command(c, {requirement})};
  }
  edit.apply = [interpreter = python.interpreter, version](Facts& facts) {
    put_gpu_framework(facts, interpreter, version);
  };
  return edit;
}

Outcome check(const Case& c) {
  if (c.keras != nullptr) return Outcome::not_applicable(); // F11: its backend may be missing
  if (c.framework != nullptr)
    return Outcome::clear(framework_text(c) + " is installed for " + c.python->interpreter);
  if (c.python == nullptr)
    return Outcome::unknown("which Python runs the program: no interpreter was found");
  const auto& python = *c.python;
  if (!python.problem.empty())
    return Outcome::unknown("what is installed for " + python.interpreter + ": " + python.problem);
  const auto leftovers = tensorflow_distributions(python);
  if (!leftovers.empty())
    return Outcome::clear(leftovers.front() + " is installed, at least on paper");
  auto outcome = Outcome::found("TensorFlow is not installed for " + python.interpreter)
                     .because("this interpreter was taken because of " + python.chosen_by,
                              {python.interpreter, 0});
  for (const auto& directory : python.site_directories) {
    outcome.evidence.push_back({"no tensorflow package in " + directory, {directory, 0}});
  }
  return std::move(outcome).mend(install(c));
}

} // namespace

extern constexpr Rule F01{
    .id = "F01",
    .slug = "framework-not-installed",
    .title = "TensorFlow is not installed for this Python",
    .since = "0.1",
    .gate = Gate::program,
    .explanation = R"(Packages belong to one Python environment. The interpreter that would run
the program has no TensorFlow in any of the directories that it searches.)",
    .fix = R"(Install it for exactly this interpreter: `PYTHON -m pip install
'tensorflow[and-cuda]'`, with the path of the interpreter for `PYTHON`. On a system that refuses
(`externally-managed-environment`), make a virtual environment first.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [PEP 668, externally managed environments](https://peps.python.org/pep-0668/))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
