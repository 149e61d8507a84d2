// Which files an import leads to, and in what order all of them run.
#include "program/project.h"

#include "base/text.h"

#include <algorithm>
#include <set>

namespace gpuwhy::program {
namespace {

constexpr std::size_t kMostFiles = 400;
constexpr std::size_t kLargestFile = std::size_t{4} << 20U;
constexpr std::size_t kMostBytes = std::size_t{64} << 20U; // of all files together
constexpr std::size_t kLongestOrder = 200'000;
constexpr int kDeepest = 60; // imports in imports, calls in calls
constexpr int kMostParents = 16;

bool is_import(Kind kind) {
  return kind == Kind::import_statement || kind == Kind::import_from_statement;
}

std::string without_blanks(std::string_view text) {
  std::string name;
  for (const char letter : text) {
    if (letter != ' ' && letter != '\t' && letter != '\n' && letter != '\r' && letter != '\\')
      name += letter;
  }
  return name;
}

/// A statement that only a type checker reads, or that never runs.
bool skipped(const Module& module, NodeId statement) {
  if (module.dead(statement)) return true;
  for (const auto& guard : module.guards(statement)) {
    if (guard.condition != kNoNode && contains(module.text(guard.condition), "TYPE_CHECKING"))
      return true;
  }
  return false;
}

class Reader {
public:
  Reader(System& system, Project& project) : system_(system), project_(project) {}

  Result<void> start(const std::string& path) {
    auto unit = read(path);
    if (!unit) return tl::unexpected(unit.error());
    roots_ = roots_of(path);
    const Unit* entry = add(std::move(*unit), package_of_entry(path));
    run(*entry, entry->module->traces().front(), true, 0);
    return {};
  }

private:
  std::string absolute(const std::string& path) const {
    return normalize_path(join_path(system_.identity().working_directory, path));
  }

  bool is(const std::string& path, FileStatus::Type type) {
    const auto status = system_.status(absolute(path));
    return status && status->type == type;
  }

  Result<std::unique_ptr<Unit>> read(const std::string& path) {
    auto bytes = system_.read(absolute(path), std::size_t{32} << 20U);
    if (!bytes) return fail(bytes.error().reason);
    if (!path.ends_with(".ipynb") && bytes->size() > kLargestFile) return fail("larger than 4 MiB");
    bytes_ += bytes->size();
    std::vector<ReadNote> notes;
    auto unit = read_python(path, std::move(*bytes), notes);
    for (const auto& each : notes) {
      project_.notes.push_back(path + (each.line == 0 ? "" : ":" + std::to_string(each.line)) +
                               ": " + each.text);
    }
    return unit;
  }

  const Unit* add(std::unique_ptr<Unit> unit, std::string package) {
    const Unit* added = unit.get();
    packages_[added] = std::move(package);
    loaded_[unit->path] = added;
    project_.files.push_back(std::move(unit));
    return added;
  }

  /// Where `python FILE` looks first; the folder above its packages, from which `python -m` runs
  /// it; the working directory; and what PYTHONPATH names.
  std::vector<std::string> roots_of(const std::string& path) {
    std::vector<std::string> roots = {std::string(parent_path(path))};
    std::string folder = roots.front();
    for (int level = 0; level < kMostParents; ++level) {
      if (!is(join_path(folder, "__init__.py"), FileStatus::Type::regular)) break;
      folder = folder == "." ? ".." : join_path(folder, "..");
    }
    if (folder != roots.front()) roots.push_back(normalize_path(folder));
    roots.emplace_back(".");
    const auto variable = system_.environment().find("PYTHONPATH");
    if (variable != system_.environment().end()) {
      for (const auto each : split(variable->second, ':')) {
        if (!each.empty()) roots.emplace_back(each);
      }
    }
    return roots;
  }

  /// The dotted package that a file of this path is in, when it is started by `-m`.
  std::string package_of_entry(const std::string& path) {
    std::string package;
    auto folder = absolute(std::string(parent_path(path)));
    for (int level = 0; level < kMostParents; ++level) {
      if (!is(folder + "/__init__.py", FileStatus::Type::regular)) break;
      package = std::string(base_name(folder)) + (package.empty() ? "" : "." + package);
      folder = std::string(parent_path(folder));
    }
    return package;
  }

  /// The file that the module `name` is ("a.b"); empty: none of this project.
  std::string find(const std::string& name, std::string& package) {
    const auto below = replace_all(name, ".", "/");
    for (const auto& root : roots_) {
      for (const auto& base : {root, join_path(root, "src")}) {
        const auto path = normalize_path(join_path(base, below));
        if (is(path + "/__init__.py", FileStatus::Type::regular)) {
          package = name;
          return path + "/__init__.py";
        }
        if (is(path + ".py", FileStatus::Type::regular)) {
          package = contains(name, ".") ? name.substr(0, name.rfind('.')) : std::string();
          return path + ".py";
        }
      }
    }
    return {};
  }

  /// "..model" in the package "a.b" is "a.model"; empty where there is no such package.
  std::string full_name(const std::string& name, const Unit& unit) const {
    const auto dots = std::min(name.find_first_not_of('.'), name.size());
    if (dots == 0) return name;
    std::string package = packages_.at(&unit);
    for (std::size_t level = 1; level < dots; ++level) {
      if (package.empty()) return {};
      package = contains(package, ".") ? package.substr(0, package.rfind('.')) : std::string();
    }
    const auto rest = name.substr(dots);
    return package.empty() ? rest : rest.empty() ? package : package + "." + rest;
  }

  const Unit* load(const std::string& name) {
    if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
    std::string package;
    const auto path = name.empty() ? std::string() : find(name, package);
    const Unit*& slot = by_name_[name];
    slot = nullptr;
    if (path.empty()) return nullptr;
    if (const auto loaded = loaded_.find(path); loaded != loaded_.end())
      return slot = loaded->second;
    if (project_.files.size() >= kMostFiles || bytes_ >= kMostBytes) {
      if (!full_) project_.notes.emplace_back("more files are imported than were read");
      full_ = true;
      return nullptr;
    }
    auto unit = read(path);
    if (!unit) {
      project_.notes.push_back(path + ": " + unit.error().message);
      return nullptr;
    }
    return slot = add(std::move(*unit), std::move(package));
  }

  void import(const Unit& unit, NodeId statement, bool certain, int depth) {
    if (skipped(*unit.module, statement)) return;
    for (const auto& written : modules_of_import(*unit.module, statement)) {
      const auto name = full_name(written, unit);
      const auto before = project_.files.size();
      const Unit* loaded = load(name);
      if (loaded == nullptr || project_.files.size() == before) continue;
      run(*loaded, loaded->module->traces().front(),
          certain && unit.module->guards(statement).empty(), depth + 1);
    }
  }

  /// The function of another file that a call runs.
  void open(const Unit& unit, NodeId call, bool certain, int depth) {
    const auto& module = *unit.module;
    if (module.called_function(call) != kNoNode) return; // in this file: its trace has it
    const auto& name = module.callee(call);
    const Unit* other = nullptr;
    std::string member;
    if (const auto dot = name.rfind('.'); dot != std::string::npos) {
      const auto found = by_name_.find(full_name(name.substr(0, dot), unit));
      if (found != by_name_.end()) other = found->second;
      member = name.substr(dot + 1);
    } else if (const auto* stars = module.bindings("*"); stars != nullptr && !name.empty()) {
      for (const auto& star : *stars) {
        const auto found = by_name_.find(full_name(star.target, unit));
        if (found == by_name_.end() || found->second == nullptr) continue;
        if (found->second->module->entry_of(name) != kNoNode) other = found->second;
      }
      member = name;
    }
    if (other == nullptr || other == &unit) return;
    const NodeId function = other->module->entry_of(member);
    if (function == kNoNode || !opened_.insert({other, function}).second) return;
    run(*other, other->module->trace_of(function), certain && module.certain(call), depth + 1);
  }

  void run(const Unit& unit, const std::vector<NodeId>& trace, bool certain, int depth) {
    if (depth > kDeepest) return;
    const auto& module = *unit.module;
    const bool imported = &unit != project_.files.front().get();
    for (const NodeId node : trace) {
      if (project_.order.size() >= kLongestOrder) return;
      if (imported && for_main_only(module, node)) continue;
      const Kind kind = module.tree().kind(node);
      if (is_import(kind)) import(unit, node, certain, depth);
      project_.order.push_back({&unit, node, certain});
      if (kind == Kind::call) {
        extend_path(module, node, unit);
        open(unit, node, certain, depth);
      }
    }
  }

  /// sys.path.append("../lib")
  void extend_path(const Module& module, NodeId call, const Unit& unit) {
    const auto& name = module.callee(call);
    const bool insert = name == "sys.path.insert";
    if (!insert && name != "sys.path.append") return;
    const auto folder = module.fold(module.argument(call, insert ? 1 : 0, {}));
    if (!folder.is_string() || folder.string.empty() || roots_.size() > 32) return;
    roots_.push_back(folder.string);
    roots_.push_back(join_path(std::string(parent_path(unit.path)), folder.string));
    std::erase_if(by_name_, [](const auto& known) { return known.second == nullptr; });
  }

  System& system_;
  Project& project_;
  std::vector<std::string> roots_;
  std::map<std::string, const Unit*, std::less<>> by_name_;
  std::map<std::string, const Unit*, std::less<>> loaded_; // by path
  std::map<const Unit*, std::string> packages_;
  std::set<std::pair<const Unit*, NodeId>> opened_;
  std::size_t bytes_ = 0;
  bool full_ = false;
};

} // namespace

bool for_main_only(const Module& module, NodeId id) {
  const auto& tree = module.tree();
  for (NodeId below = id, at = tree.parent(id); at != kNoNode; below = at, at = tree.parent(at)) {
    if (tree.kind(at) != Kind::if_statement || tree[below].field != Field::consequence) continue;
    const auto condition = module.text(tree.child(at, Field::condition));
    if (contains(condition, "__name__") && contains(condition, "__main__")) return true;
  }
  return false;
}

std::vector<std::string> modules_of_import(const Module& module, NodeId statement) {
  const auto& tree = module.tree();
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) { // a package comes before what is in it
    for (auto dot = name.find('.', name.find_first_not_of('.')); dot != std::string::npos;
         dot = name.find('.', dot + 1)) {
      names.push_back(name.substr(0, dot));
    }
    names.push_back(name);
  };
  const NodeId from = tree.child(statement, Field::module_name);
  const auto package = from == kNoNode ? std::string() : without_blanks(module.text(from));
  if (!package.empty()) add(package);
  for (const NodeId child : tree.children(statement)) {
    if (child == from) continue;
    NodeId name = child;
    if (tree.kind(child) == Kind::aliased_import) name = tree.child(child, Field::name);
    if (tree.kind(name) != Kind::dotted_name) continue;
    const auto written = without_blanks(module.text(name));
    if (package.empty()) {
      add(written);
    } else {
      names.push_back(package + (package.ends_with('.') ? "" : ".") + written);
    }
  }
  return names;
}

Result<std::unique_ptr<Unit>> read_python(const std::string& path, std::string bytes,
                                          std::vector<ReadNote>& notes) {
  auto source =
      lower(path).ends_with(".ipynb") ? read_notebook(bytes) : read_text(std::move(bytes));
  if (!source) return tl::unexpected(source.error());
  return read_source(path, std::move(*source), notes);
}

Result<std::unique_ptr<Unit>> read_source(const std::string& path, Source source,
                                          std::vector<ReadNote>& notes) {
  constexpr std::size_t kMostCalls = 20'000; // some rules compare calls with calls
  auto unit = std::make_unique<Unit>();
  unit->path = path;
  unit->source = std::move(source);
  for (const auto& odd : unit->source.notes) notes.push_back({0, odd});
  auto tree = Tree::parse(unit->source.text);
  if (const auto line = tree.first_error_line()) {
    const auto place = unit->source.place(*line);
    notes.push_back(
        {place.line, (place.cell == 0 ? "" : "cell " + std::to_string(place.cell) + ": ") +
                         "not all of it is Python 3 that can be read; the rest was judged"});
  }
  if (tree.too_deep()) notes.push_back({0, "nested too deep in places: those were left out"});
  if (tree.all(Kind::call).size() > kMostCalls) {
    return fail("more than " + std::to_string(kMostCalls) +
                " calls: written by a program, not judged");
  }
  unit->module = std::make_unique<Module>(std::move(tree));
  if (unit->source.shell.empty()) return unit;
  unit->document = std::make_unique<Document>();
  unit->document->kind = Document::Kind::shell_lines;
  for (const auto& line : unit->source.shell) {
    unit->document->commands.push_back({"", line.words, line.line});
    requirements_of_command(line.words, line.line, *unit->document);
  }
  return unit;
}

Result<Project> read_project(System& system, const std::string& entry) {
  Project project;
  Reader reader(system, project);
  if (auto started = reader.start(entry); !started) return tl::unexpected(started.error());
  return project;
}

} // namespace gpuwhy::program
