#include "collect/variable_origins.h"

#include "base/text.h"
#include "collect/python_environment.h"
#include "collect/python_literal.h"
#include "collect/shell_assignments.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestFile = 256U << 10U;
constexpr std::size_t kMostFiles = 200;
constexpr std::size_t kMostInFolder = 100;
constexpr std::size_t kMostOrigins = 20; // of one variable
constexpr std::size_t kLongestText = 200;
constexpr std::size_t kLongestValue = 64U << 10U;
constexpr int kDeepestSource = 3;
constexpr int kDeepestWord = 4;
constexpr std::size_t kMostParents = 64;

/// A value as far as it can be known: text, the variable's own earlier value, and what only a run
/// would tell.
struct Part {
  enum class Kind { text, itself, unknown };
  Kind kind = Kind::text;
  std::string text;
};
using Parts = std::vector<Part>;

void append_text(Parts& parts, std::string_view text) {
  if (parts.empty() || parts.back().kind != Part::Kind::text) parts.push_back({});
  auto& last = parts.back().text;
  if (last.size() + text.size() <= kLongestValue) last += text;
}

void append(Parts& parts, const Parts& more) {
  for (const auto& part : more) {
    if (part.kind == Part::Kind::text) {
      append_text(parts, part.text);
    } else if (parts.size() < 256) {
      parts.push_back(part);
    }
  }
}

/// What one file has set so far, over what the process has.
class Scope {
public:
  Scope(const Environment& environment, const std::string& home)
      : environment_(environment), home_(home) {}

  Parts expand(const ShellWord& word, std::string_view itself, int depth = 0) const {
    Parts parts;
    bool start = true;
    for (const auto& piece : word.pieces) {
      switch (piece.kind) {
      case ShellPiece::Kind::literal:
        append_text(parts, piece.quoted ? piece.text : with_home(piece.text, start));
        break;
      case ShellPiece::Kind::variable: append(parts, reference(piece, itself, depth)); break;
      case ShellPiece::Kind::unknown: parts.push_back({Part::Kind::unknown, {}}); break;
      }
      start = false;
    }
    return parts;
  }

  void set(const std::string& name, Parts value) {
    if (local_.size() < 1'000) local_[name] = std::move(value);
  }

private:
  Parts reference(const ShellPiece& piece, std::string_view itself, int depth) const {
    Parts parts;
    const bool own = piece.text == itself;
    const auto local = local_.find(piece.text);
    const auto outside = environment_.find(piece.text);
    const bool known = own || local != local_.end() || outside != environment_.end();
    const bool takes_word = piece.operation == '+' ? known : piece.operation == '-' && !known;
    if (takes_word && depth < kDeepestWord)
      return expand(parse_quoted(piece.word), itself, depth + 1);
    if (piece.operation == '+') return parts;
    if (own) {
      parts.push_back({Part::Kind::itself, {}});
    } else if (local != local_.end()) {
      return local->second;
    } else if (outside != environment_.end()) {
      append_text(parts, outside->second);
    } else {
      parts.push_back({Part::Kind::unknown, {}});
    }
    return parts;
  }

  /// "~/" at the start of a word and after each ":".
  std::string with_home(const std::string& text, bool start) const {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool begins = at == 0 ? start : text[at - 1] == ':';
      const bool ends = at + 1 >= text.size() || text[at + 1] == '/' || text[at + 1] == ':';
      if (text[at] == '~' && begins && ends) {
        result += home_;
      } else {
        result += text[at];
      }
    }
    return result;
  }

  const Environment& environment_;
  const std::string& home_;
  std::map<std::string, Parts, std::less<>> local_;
};

std::string_view without_slash(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

/// Elements that `parts` write out whole: what touches a part that is not text is not complete.
std::vector<std::string> elements_of(const Parts& parts) {
  std::vector<std::string> elements;
  for (std::size_t at = 0; at < parts.size(); ++at) {
    if (parts[at].kind != Part::Kind::text) continue;
    const auto pieces = split(parts[at].text, ':');
    for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
      const bool torn =
          (piece == 0 && at > 0) || (piece + 1 == pieces.size() && at + 1 < parts.size());
      if (!torn && !pieces[piece].empty()) elements.push_back(printable(pieces[piece]));
    }
  }
  return elements;
}

bool is_only_text(const Parts& parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [](const Part& part) { return part.kind == Part::Kind::text; });
}

std::string text_of(const Parts& parts) {
  std::string text;
  for (const auto& part : parts) text += part.text;
  return text;
}

bool accounts_for(const Parts& parts, const std::vector<std::string>& elements,
                  const Variable& variable) {
  if (is_only_text(parts) && text_of(parts) == variable.value) return true;
  if (is_list_variable(variable.name)) {
    const auto there = split(variable.value, ':');
    return !elements.empty() &&
           std::all_of(elements.begin(), elements.end(), [&](const std::string& element) {
             return std::any_of(there.begin(), there.end(), [&](std::string_view other) {
               return without_slash(element) == without_slash(other);
             });
           });
  }
  if (is_only_text(parts)) return false;
  bool any = false;
  for (const auto& part : parts) {
    if (part.kind == Part::Kind::unknown) return false;
    const auto text = trim(part.text);
    if (text.empty()) continue;
    if (!contains(variable.value, text)) return false;
    any = true;
  }
  return any;
}

class Search {
public:
  Search(System& system, std::vector<Variable>& variables)
      : system_(system), variables_(variables), home_(system.identity().home) {}

  void run() {
    using enum ShellDialect;
    read("/etc/environment", plain);
    for (const auto* path : {"/etc/profile", "/etc/bash.bashrc", "/etc/bashrc"}) read(path, posix);
    read_folder("/etc/profile.d", ".sh", posix);
    for (const auto* path :
         {"/etc/zsh/zshenv", "/etc/zsh/zprofile", "/etc/zsh/zshrc", "/etc/zshenv", "/etc/zshrc"}) {
      read(path, posix);
    }
    if (!home_.empty()) {
      for (const auto* name :
           {".bash_profile", ".bash_login", ".profile", ".bashrc", ".bash_aliases", ".zshenv",
            ".zprofile", ".zshrc", ".cshrc", ".tcshrc"}) {
        read(join_path(home_, name), posix);
      }
      read(home_ + "/.config/fish/config.fish", fish);
      read_folder(home_ + "/.config/fish/conf.d", ".fish", fish);
      read(home_ + "/.pam_environment", environment);
      read_folder(home_ + "/.config/environment.d", ".conf", environment);
    }
    const auto conda = variable_value(system_, "CONDA_PREFIX");
    if (conda.starts_with('/')) {
      read_folder(conda + "/etc/conda/activate.d", ".sh", posix);
      read_conda_state(conda + "/conda-meta/state");
    }
    const auto virtual_environment = variable_value(system_, "VIRTUAL_ENV");
    if (virtual_environment.starts_with('/')) {
      read(virtual_environment + "/bin/activate", posix);
      read(virtual_environment + "/bin/postactivate", posix);
    }
    read_direnv();
    for (auto& variable : variables_) {
      std::stable_partition(variable.origins.begin(), variable.origins.end(),
                            [](const VariableOrigin& origin) { return origin.certain; });
    }
  }

private:
  void read_folder(const std::string& directory, std::string_view suffix, ShellDialect dialect) {
    const auto entries = system_.list(directory);
    if (!entries) return;
    std::size_t count = 0;
    for (const auto& entry : *entries) {
      if (!entry.name.ends_with(suffix)) continue;
      if (++count > kMostInFolder) return;
      read(join_path(directory, entry.name), dialect);
    }
  }

  void read(const std::string& path, ShellDialect dialect) {
    Scope scope(system_.environment(), home_);
    read(path, dialect, scope, 0);
  }

  void read(const std::string& path, ShellDialect dialect, Scope& scope, int depth) {
    if (files_.size() >= kMostFiles || !files_.insert(path).second) return;
    const auto text = system_.read(path, kLargestFile);
    if (!text) return;
    const auto file = read_assignments(*text, dialect);
    for (const auto& assignment : file.assignments) {
      auto parts = scope.expand(assignment.value, assignment.name);
      if (assignment.append) parts.insert(parts.begin(), Part{Part::Kind::itself, {}});
      note(path, assignment, parts);
      scope.set(assignment.name, std::move(parts));
    }
    if (depth >= kDeepestSource) return;
    for (const auto& sourced : file.sourced) {
      const auto target = scope.expand(sourced, {});
      if (!is_only_text(target)) continue;
      const auto name = text_of(target);
      if (name.starts_with('/')) read(normalize_path(name), dialect, scope, depth + 1);
    }
  }

  void note(const std::string& path, const ShellAssignment& assignment, const Parts& parts) {
    for (auto& variable : variables_) {
      if (variable.name != assignment.name || variable.origins.size() >= kMostOrigins) continue;
      VariableOrigin origin;
      if (is_list_variable(variable.name)) origin.elements = elements_of(parts);
      const bool adds =
          is_only_text(parts) || !origin.elements.empty() || !is_list_variable(variable.name);
      if (!adds) return; // PATH=$PATH
      origin.path = path;
      origin.line = assignment.line;
      origin.text = printable(assignment.text.substr(0, kLongestText));
      // A list is usually exported before a file adds to it, as PATH always is.
      const bool seen = assignment.exported || is_list_variable(variable.name);
      origin.certain = seen && accounts_for(parts, origin.elements, variable);
      variable.origins.push_back(std::move(origin));
    }
  }

  /// `conda env config vars set` keeps them in {"env_vars": {...}}.
  void read_conda_state(const std::string& path) {
    const auto text = system_.read(path, kLargestFile);
    if (!text) return;
    const auto state = parse_literal(*text);
    const auto* values = state ? state->find("env_vars") : nullptr;
    if (values == nullptr) return;
    for (const auto& variable : variables_) {
      const auto* value = values->find(variable.name);
      if (value == nullptr) continue;
      ShellAssignment assignment;
      assignment.name = variable.name;
      assignment.exported = true;
      const auto quoted = "\"" + variable.name + "\"";
      const auto before = std::string_view(*text).substr(0, text->find(quoted));
      assignment.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
      assignment.text = quoted + ": \"" + value->text + "\"";
      Parts parts;
      append_text(parts, value->text);
      note(path, assignment, parts);
    }
  }

  void read_direnv() {
    if (variable_value(system_, "DIRENV_DIR").empty()) return;
    std::string directory = system_.identity().working_directory;
    for (std::size_t step = 0; step < kMostParents && directory.starts_with('/'); ++step) {
      const auto path = join_path(directory, ".envrc");
      if (is_file(system_, path)) return read(path, ShellDialect::posix);
      if (directory == "/") return;
      directory = std::string(parent_path(directory));
    }
  }

  System& system_;
  std::vector<Variable>& variables_;
  const std::string home_;
  std::set<std::string> files_;
};

} // namespace

bool is_list_variable(std::string_view name) {
  return name == "PATH" || name == "LD_LIBRARY_PATH" || name == "PYTHONPATH" ||
         name == "LD_PRELOAD";
}

void find_origins(System& system, std::vector<Variable>& variables) {
  Search(system, variables).run();
}

} // namespace gpuwhy
