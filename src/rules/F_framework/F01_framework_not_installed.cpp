// The interpreter that runs the program does not have its framework at all.
// Truth: the site directories of that interpreter. Metadata without a package is F10, a Python for
// which there is no TensorFlow is F08.
#include "base/text.h"
#include "rules/F_framework/installation.h"

namespace gpuwhy::rules {
namespace {

struct Packages {
  std::vector<std::string> requirements; // empty: not known for this Python
  std::function<void(Facts&)> put;       // empty: cannot be simulated
};

Packages packages_for(const Case& c) {
  const auto interpreter = c.python->interpreter;
  const auto* backend = c.facts.environment.find("KERAS_BACKEND");
  if (c.wanted == "keras" && backend != nullptr) {
    if (backend->value == "torch") return {{"keras", "torch"}, {}};
    if (backend->value == "jax")
      return {{"keras", "jax[cuda" + std::to_string(jax_cuda_for(c)) + "]"}, {}};
  }
  if (c.wanted == "jax") {
    const int cuda = jax_cuda_for(c);
    return {{"jax[cuda" + std::to_string(cuda) + "]"},
            [interpreter, cuda](Facts& facts) { put_jax(facts, interpreter, "", cuda); }};
  }
  if (c.wanted == "torch") {
    return {{"torch"}, [interpreter](Facts& facts) { put_torch(facts, interpreter, ""); }};
  }
  const auto version = release_for(*c.python);
  if (version.empty()) return {};
  const auto tensorflow = "tensorflow[and-cuda]<=" + version;
  if (c.wanted == "keras") return {{"keras", tensorflow}, {}};
  return {{tensorflow},
          [interpreter, version](Facts& facts) { put_gpu_framework(facts, interpreter, version); }};
}

/// Debian and others refuse pip in the system's own Python (PEP 668): a virtual environment serves
/// everywhere.
Edit install(const Case& c) {
  const auto& python = *c.python;
  const auto packages = packages_for(c);
  const auto what = name_text(c) + " with its CUDA libraries";
  Edit edit{"install " + what + " for this interpreter", {}, {}};
  if (packages.requirements.empty()) return edit;
  if (python.kind == "system") {
    edit.words = "make a virtual environment and install " + what + " there";
    std::string command = ".venv/bin/python -m pip install";
    for (const auto& each : packages.requirements) command += " " + shell_word(each);
    edit.commands = {shell_word(python.interpreter) + " -m venv .venv", command};
  } else {
    edit.commands = {install_command(c, packages.requirements)};
  }
  edit.apply = packages.put;
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
  if (c.wanted == "tensorflow" && !leftovers.empty())
    return Outcome::clear(leftovers.front() + " is installed, at least on paper");
  auto outcome = Outcome::found(name_text(c) + " is not installed for " + python.interpreter)
                     .because("this interpreter was taken because of " + python.chosen_by,
                              {python.interpreter, 0});
  if (c.facts.program.uses(c.wanted)) {
    outcome.evidence.push_back(
        {c.facts.program.entry + " imports " + c.wanted, {c.facts.program.entry, 0}});
  }
  for (const auto& directory : python.site_directories) {
    outcome.evidence.push_back({"no " + c.wanted + " package in " + directory, {directory, 0}});
  }
  return std::move(outcome).mend(install(c));
}

} // namespace

extern constexpr Rule F01{
    .id = "F01",
    .slug = "framework-not-installed",
    .title = "The framework is not installed for this Python",
    .since = "0.1",
    .gate = Gate::program,
    .explanation = R"(Packages belong to one Python environment. The interpreter that would run
the program has the framework that the program imports in none of the directories that it searches.)",
    .fix = R"(Install it for exactly this interpreter: `PYTHON -m pip install
'tensorflow[and-cuda]'`, with the path of the interpreter for `PYTHON`. On a system that refuses
(`externally-managed-environment`), make a virtual environment first.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [PEP 668, externally managed environments](https://peps.python.org/pep-0668/))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
