// A program read as a whole.
#include "lint/program.h"

#include "base/text.h"

namespace gpuwhy::lint {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string others_text(const std::vector<std::string>& others) {
  std::vector<std::string> named(
      others.begin(),
      others.begin() + static_cast<std::ptrdiff_t>(std::min(others.size(), kMostNamed)));
  auto text = join(named, ", ");
  if (others.size() > kMostNamed)
    text += " and " + std::to_string(others.size() - kMostNamed) + " more";
  return text;
}

/// A finding about a variable counts where the line decides the variable's value in the end.
bool decides(const ProgramFacts& facts, const CodeFinding& finding) {
  std::string name;
  for (const auto& variable : facts.variables) {
    if (variable.place == finding.place() && variable.too_late.empty()) name = variable.name;
  }
  if (name.empty()) return false;
  const ProgramVariable* last = nullptr;
  for (const auto& variable : facts.variables) {
    if (variable.name == name && variable.too_late.empty() && !variable.yields) last = &variable;
  }
  return last != nullptr && last->place == finding.place();
}

/// What another statement or another file takes the force of is a note.
void weigh(ProgramFacts& facts) {
  for (auto& finding : facts.findings) {
    if (finding.id == "P03" && !decides(facts, finding)) finding.bearing = Bearing::note;
    if (finding.id != "P02") continue;
    for (const auto& other : facts.findings) { // it raises, or the error is swallowed
      if (other.id == "P05" && other.place() == finding.place()) finding.bearing = Bearing::note;
    }
  }
}

} // namespace

ProgramFacts read_program(System& system, const std::string& path,
                          const program::Machine& machine) {
  ProgramFacts facts;
  facts.path = facts.entry = path;
  const auto status =
      system.status(normalize_path(join_path(system.identity().working_directory, path)));
  if (status && status->type == FileStatus::Type::directory) {
    const auto entry = find_entry(system, path);
    if (entry.path.empty()) {
      facts.problem = "no program was found in " + path + ": name the file that is run";
      return facts;
    }
    facts.entry = entry.path;
    if (!entry.others.empty())
      facts.notes.push_back("other programs here, not judged: " + others_text(entry.others));
  }
  auto project = program::read_project(system, facts.entry);
  if (!project) {
    facts.problem = facts.entry + ": " + project.error().message;
    return facts;
  }
  facts.frameworks = frameworks_of(*project);
  for (auto& unit : project->files) {
    unit->machine = machine;
    unit->of_program = !facts.frameworks.empty();
    facts.files.push_back(unit->path);
  }
  facts.notes.insert(facts.notes.end(), project->notes.begin(), project->notes.end());
  facts.variables = variables_of(*project);
  facts.findings = findings_of(*project);
  weigh(facts);
  return facts;
}

} // namespace gpuwhy::lint
