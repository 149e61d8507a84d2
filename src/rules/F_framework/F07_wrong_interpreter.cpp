// Another environment on this machine has a TensorFlow that can use the GPU; the one that runs has
// not. Truth: the environments that were found, and VIRTUAL_ENV and CONDA_PREFIX, which say which
// one is meant.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/place_words.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 8> kExplains = {"E08", "F01", "F02", "F08",
                                                       "F10", "F12", "F13", "F14"};

constexpr std::string_view kShell = "this shell";

const Framework* gpu_framework(const PythonEnvironment& python, std::string_view name) {
  for (const auto& framework : python.frameworks) {
    if (framework.name != name) continue;
    const auto* build = framework.build.get();
    const bool good = build != nullptr && build->cuda.value_or(false) && framework.broken.empty();
    return good ? &framework : nullptr; // an import takes the first
  }
  return nullptr;
}

/// The shell's own goes before any other, then the one that the user means.
const PythonEnvironment* better_environment(const Case& c, std::string& meant_by) {
  const PythonEnvironment* first = nullptr;
  const auto* shell = c.facts.place.shell.get();
  for (const auto& python : c.facts.pythons) {
    const bool of_shell = shell != nullptr && python.interpreter == shell->interpreter;
    if (of_shell && python.interpreter != c.python->interpreter &&
        gpu_framework(python, c.kind()) != nullptr) {
      meant_by = kShell;
      return &python;
    }
  }
  for (const auto& python : c.facts.pythons) {
    if (&python == c.python || python.interpreter == c.python->interpreter) continue;
    if (gpu_framework(python, c.kind()) == nullptr) continue;
    for (const std::string_view name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
      const auto* variable = c.facts.environment.find(name);
      const bool meant = variable != nullptr && !variable->value.empty() &&
                         normalize_path(variable->value) == normalize_path(python.prefix);
      if (!meant) continue;
      meant_by = name;
      return &python;
    }
    if (first == nullptr) first = &python;
  }
  return first;
}

Edit run_there(const Case& c, const PythonEnvironment& other) {
  Edit edit;
  edit.words = "run the program with " + other.interpreter;
  const auto& place = c.facts.place;
  if (place.kind == "kernel") {
    edit.words = "make " + place_text(c.facts) + " start " + other.interpreter;
    edit.commands = {shell_word(other.interpreter) + " -m ipykernel install --user --name " +
                     shell_word(place.name)};
  } else if (place.kind == "service") {
    edit.words = "name " + other.interpreter + " in ExecStart= of " + place.name;
    edit.commands = change_commands(c.facts);
  } else if (other.kind == "conda") {
    edit.commands = {"conda activate " + shell_word(other.prefix)};
  } else if (other.kind == "venv" || other.kind == "virtualenv" || other.kind == "uv") {
    edit.commands = {". " + shell_word(other.prefix + "/bin/activate")};
  } else {
    edit.commands = {shell_word(other.interpreter) + " PROGRAM.py"};
  }
  // The command that ran the one environment runs the other from now on.
  edit.apply = [from = c.python->interpreter, to = other.interpreter](Facts& facts) {
    const auto* good = same_python(facts, to);
    auto* used = same_python(facts, from);
    if (good == nullptr || used == nullptr) return;
    const bool selected = used->selected;
    *used = *good;
    used->interpreter = from;
    used->selected = selected;
  };
  return edit;
}

Outcome check(const Case& c) {
  if (c.python == nullptr || !c.python->selected) return Outcome::not_applicable();
  if (c.python->chosen_by == "--python") return Outcome::not_applicable(); // asked for by name
  if (c.framework == nullptr && !c.python->problem.empty()) {
    return Outcome::unknown("what is installed for " + c.python->interpreter + ": " +
                            c.python->problem);
  }
  if (c.framework != nullptr) {
    const auto* build = c.build();
    if (build == nullptr && c.framework->build.open())
      return Outcome::not_applicable(); // F02 says what is missing
    if (build != nullptr && (build->cuda.open() || build->cuda.value_or(false))) {
      return Outcome::clear(c.python->interpreter + " has a " + name_text(c) + " of its own");
    }
  }
  std::string meant_by;
  const auto* other = better_environment(c, meant_by);
  if (other == nullptr)
    return Outcome::clear("no other environment has a " + name_text(c) + " that can use a GPU");
  const auto version = gpu_framework(*other, c.kind())->version.value_or("");
  const std::string has = c.framework == nullptr ? "no " + name_text(c)
                                                 : "a " + name_text(c) + " that cannot use a GPU";
  auto outcome =
      Outcome::found(place_text(c.facts) + " runs with " + c.python->interpreter + ", which has " +
                     has + "; " + other->interpreter + " has " + name_text(c) + " " + version +
                     " for GPUs")
          .because(c.python->interpreter + " was taken because of " + c.python->chosen_by,
                   {c.python->interpreter, 0})
          .because(name_text(c) + " " + version + ", built with CUDA",
                   {gpu_framework(*other, c.kind())->directory, 0});
  if (meant_by == kShell) {
    outcome.evidence.push_back(
        {"this shell runs " + other->interpreter + " (" + other->chosen_by + ")", {}});
  } else if (!meant_by.empty()) {
    outcome.evidence.push_back(
        {meant_by + " says that " + other->prefix + " is active, but it is not what runs",
         {"$" + meant_by, 0}});
  }
  return std::move(outcome).mend(run_there(c, *other));
}

} // namespace

extern constexpr Rule F07{
    .id = "F07",
    .slug = "wrong-interpreter",
    .title = "The program does not run in the Python environment that has TensorFlow for GPUs",
    .since = "0.1",
    .gate = Gate::program,
    .explanation = R"(A machine has many Pythons, and each has its own packages. The one that
runs this program has no TensorFlow for GPUs, while another one has. It happens when an
environment was not activated, when `sudo`, cron, a service, a notebook kernel or an IDE starts a
Python of its own, or when a shell alias or `PATH` puts another `python` first.)",
    .fix = R"(Run the program with the interpreter of the prepared environment, by its full path
if need be: an environment does not have to be activated for that. For notebooks, install a
kernel from it: `PYTHON -m ipykernel install --user --name gpu`.)",
    .references =
        R"(- [venv: how virtual environments work](https://docs.python.org/3/library/venv.html)
- [Works in the terminal, not in Jupyter (tensorflow#56959)](https://github.com/tensorflow/tensorflow/issues/56959))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
