// It works in the shell and not where the program runs: a variable, the interpreter, or the right
// to open the device differs. Truth: the judge, asked again with these differences put right and
// nothing else (judge/decisive.h).
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/place_words.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

using Kind = Difference::Kind;

/// All: with this put right and nothing else, none of them is there.
constexpr std::array<std::string_view, 1> kExplains{"*"};

const Variable* find(const std::vector<Variable>& variables, std::string_view name) {
  for (const auto& variable : variables) {
    if (variable.name == name) return &variable;
  }
  return nullptr;
}

bool is_list(std::string_view name) {
  return name == "LD_LIBRARY_PATH" || name == "PATH" || name == "PYTHONPATH";
}

std::string quoted(const std::string& value) {
  constexpr std::size_t kMost = 80;
  return "\"" + (value.size() > kMost ? value.substr(0, kMost) + "..." : value) + "\"";
}

/// Elements of `left` that `right` has not.
std::vector<std::string> more_of(const Variable& left, const Variable& right) {
  std::vector<std::string> more;
  const auto others = split(right.value, ':');
  for (const auto element : split(left.value, ':')) {
    if (!element.empty() && std::find(others.begin(), others.end(), element) == others.end())
      more.emplace_back(element);
  }
  return more;
}

std::string variable_words(const std::string& name, const Variable* there, const Variable* here) {
  if (there == nullptr) return name + " is not set there; here it is " + quoted(here->value);
  if (here == nullptr) return name + " is " + quoted(there->value) + " there and not set here";
  if (is_list(name)) {
    const auto lacking = more_of(*here, *there);
    const auto extra = more_of(*there, *here);
    if (!lacking.empty() && lacking.size() <= 3)
      return name + " lacks " + join(lacking, ", ") + " there";
    if (!extra.empty() && extra.size() <= 3)
      return name + " also has " + join(extra, ", ") + " there";
  }
  return name + " is " + quoted(there->value) + " there and " + quoted(here->value) + " here";
}

std::vector<DeviceNode> refused_nodes(const Access& access) {
  auto nodes = access.nodes.value_or({});
  std::erase_if(nodes, [](const DeviceNode& node) { return node.usable.value_or(true); });
  return nodes;
}

std::string access_words(const Facts& facts) {
  const auto refused = refused_nodes(facts.access);
  if (refused.empty()) return "the GPU's device files are not there";
  std::vector<std::string> paths;
  for (const auto& node : refused) paths.push_back(node.path);
  if (paths.size() > 3) paths.resize(3);
  return join(paths, ", ") + " may not be opened there (" + refused.front().problem + ")";
}

std::string difference_words(const Facts& facts, const Shell& shell, const Difference& difference) {
  switch (difference.kind) {
  case Kind::variable:
    return variable_words(difference.name, facts.environment.find(difference.name),
                          find(shell.variables, difference.name));
  case Kind::interpreter:
    return "it runs " + facts.pythons.front().interpreter + ", this shell " + shell.interpreter;
  case Kind::access: break;
  }
  return access_words(facts);
}

void add_origins(Outcome& outcome, const Variable* variable, const char* whose) {
  if (variable == nullptr) return;
  for (const auto& origin : variable->origins) {
    if (!origin.certain) continue;
    outcome.evidence.push_back(
        {std::string(whose) + ": " + std::string(trim(origin.text)), {origin.path, origin.line}});
    return;
  }
}

void add_evidence(Outcome& outcome, const Facts& facts, const Shell& shell,
                  const Difference& difference) {
  switch (difference.kind) {
  case Kind::variable:
    add_origins(outcome, facts.environment.find(difference.name), "there");
    add_origins(outcome, find(shell.variables, difference.name), "in this shell");
    return;
  case Kind::interpreter:
    outcome.evidence.push_back({"taken because of " + facts.pythons.front().chosen_by,
                                {facts.pythons.front().interpreter, 0}});
    return;
  case Kind::access: break;
  }
  const auto refused = refused_nodes(facts.access);
  outcome.evidence.push_back({access_words(facts), refused.empty()
                                                       ? facts.access.nodes.source()
                                                       : refused.front().usable.source()});
}

std::string variable_fix(const Facts& facts, const Shell& shell, const std::string& name) {
  const auto* there = facts.environment.find(name);
  const auto* here = find(shell.variables, name);
  std::string at;
  if (there != nullptr && !there->origins.empty()) {
    const auto& origin = there->origins.front();
    at = " (" + Source{origin.path, origin.line}.str() + ")";
  }
  if (here == nullptr) return "remove " + name + at;
  return (there == nullptr ? "set " : "change ") + name + at + " to " + quoted(here->value);
}

Edit put_right(const Case& c, const Shell& shell) {
  std::vector<std::string> steps;
  for (const auto& difference : c.decisive) {
    switch (difference.kind) {
    case Kind::variable: steps.push_back(variable_fix(c.facts, shell, difference.name)); break;
    case Kind::interpreter: steps.push_back("run it with " + shell.interpreter); break;
    case Kind::access: steps.push_back(access_fix(c.facts)); break;
    }
  }
  const auto& last = c.decisive.back();
  Edit edit;
  edit.words = join(steps, ", ") + change_words(c.facts, last.kind == Kind::variable);
  edit.commands = change_commands(c.facts);
  edit.apply = [decisive = c.decisive](Facts& facts) { take_from_shell(facts, decisive); };
  return edit;
}

Outcome check(const Case& c) {
  const auto* shell = c.facts.place.shell.get();
  if (shell == nullptr || c.decisive.empty()) return Outcome::not_applicable();
  std::vector<std::string> words;
  for (const auto& difference : c.decisive)
    words.push_back(difference_words(c.facts, *shell, difference));
  auto outcome = Outcome::found("this shell would use the GPU, " + place_text(c.facts) +
                                " does not: " + join(words, "; "));
  for (const auto& difference : c.decisive) add_evidence(outcome, c.facts, *shell, difference);
  return std::move(outcome).mend(put_right(c, *shell));
}

} // namespace

extern constexpr Rule E08{
    .id = "E08",
    .slug = "environment-differs",
    .title = "It works in the shell, but the program runs in another environment",
    .since = "0.1",
    .gate = Gate::program,
    .explanation = R"(A notebook, an IDE, a service or a cron job does not start from your shell.
Lines in `~/.bashrc`, `conda activate` and `module load` change the variables of one shell, and
what was started elsewhere never sees them; and a kernelspec or a unit file can set variables that
your shell has not.

gpuwhy names a difference only if it decides: with this one put right, and nothing else, the
program would use the GPU.)",
    .fix = R"(Put the variable where the program starts: into `"env"` of the kernelspec
(`jupyter kernelspec list` shows the folders), into `Environment=` of the unit (`systemctl edit
UNIT`), or into the environment itself (`conda env config vars set NAME=VALUE`). Then start the
kernel or the service again.)",
    .references =
        R"(- [Jupyter: kernel specs](https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs)
- [systemd.exec: environment](https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Environment)
- [Works in the terminal, not in Jupyter (tensorflow#56959)](https://github.com/tensorflow/tensorflow/issues/56959))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
