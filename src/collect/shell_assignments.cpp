#include "collect/shell_assignments.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace gpuwhy {
namespace {

/// The length of NAME in "NAME=" and "NAME+=" at the start; 0 if none.
std::size_t assigned_name(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size()) {
    const char letter = text[length];
    const bool name = letter == '_' || (letter >= 'a' && letter <= 'z') ||
                      (letter >= 'A' && letter <= 'Z') ||
                      (length > 0 && letter >= '0' && letter <= '9');
    if (!name) break;
    ++length;
  }
  const auto rest = text.substr(length);
  return rest.starts_with('=') || rest.starts_with("+=") ? length : 0;
}

std::optional<ShellAssignment> as_assignment(const ShellWord& word, int line) {
  if (word.pieces.empty()) return std::nullopt;
  const auto& first = word.pieces.front();
  if (first.kind != ShellPiece::Kind::literal || first.quoted) return std::nullopt;
  const auto length = assigned_name(first.text);
  if (length == 0) return std::nullopt;
  ShellAssignment assignment;
  assignment.name = first.text.substr(0, length);
  assignment.append = first.text[length] == '+';
  assignment.value = word;
  assignment.value.pieces.front().text.erase(0, length + (assignment.append ? 2 : 1));
  if (assignment.value.pieces.front().text.empty())
    assignment.value.pieces.erase(assignment.value.pieces.begin());
  assignment.line = line;
  return assignment;
}

bool is_keyword(std::string_view word) {
  constexpr std::array<std::string_view, 10> kKeywords = {"then",  "do",    "else", "elif", "if",
                                                          "while", "until", "{",    "!",    "time"};
  return std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
}

class Posix {
public:
  ShellFile read(std::string_view text) {
    for (const auto& command : split_commands(text)) read_command(command);
    // `X=1` and, somewhere after it, `export X`.
    for (auto& assignment : file_.assignments) {
      if (all_exported_ || exported_.contains(assignment.name)) assignment.exported = true;
    }
    return std::move(file_);
  }

private:
  void read_command(const ShellCommand& command) {
    std::size_t at = 0;
    const auto& words = command.words;
    while (at < words.size() && is_keyword(words[at].plain())) ++at;
    std::vector<ShellAssignment> leading;
    for (; at < words.size(); ++at) {
      auto assignment = as_assignment(words[at], command.line);
      if (!assignment) break;
      assignment->text = std::string(words[at].raw);
      leading.push_back(std::move(*assignment));
    }
    if (at == words.size()) { // else they are for one command only
      for (auto& assignment : leading) file_.assignments.push_back(std::move(assignment));
      return;
    }
    const auto name = words[at].plain();
    const std::vector<ShellWord> arguments(words.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                           words.end());
    if (name == "export" || name == "declare" || name == "typeset" || name == "readonly") {
      read_declaration(command, name, arguments);
    } else if (name == "setenv" && !arguments.empty() && !arguments[0].plain().empty()) {
      ShellAssignment assignment;
      assignment.name = arguments[0].plain();
      if (arguments.size() > 1) assignment.value = arguments[1];
      assignment.exported = true;
      assignment.line = command.line;
      assignment.text = std::string(command.raw);
      file_.assignments.push_back(std::move(assignment));
    } else if ((name == "." || name == "source") && !arguments.empty()) {
      file_.sourced.push_back(arguments[0]);
    } else if (name == "set" && !arguments.empty() &&
               (arguments[0].plain() == "-a" || arguments[0].plain() == "-o")) {
      all_exported_ = all_exported_ || arguments[0].plain() == "-a" ||
                      (arguments.size() > 1 && arguments[1].plain() == "allexport");
    }
  }

  void read_declaration(const ShellCommand& command, const std::string& name,
                        const std::vector<ShellWord>& arguments) {
    bool exports = name == "export";
    const bool alone =
        std::count_if(arguments.begin(), arguments.end(), [&](const ShellWord& argument) {
          return as_assignment(argument, command.line).has_value();
        }) == 1;
    for (const auto& argument : arguments) {
      const auto word = argument.plain();
      if (word.starts_with('-')) {
        if (contains(word, "x")) exports = true;
        if (word == "-n") return; // takes the mark away
        continue;
      }
      auto assignment = as_assignment(argument, command.line);
      if (!assignment) {
        if (exports && !word.empty()) exported_.insert(word);
        continue;
      }
      assignment->exported = exports;
      assignment->text = std::string(alone ? command.raw : name + " " + std::string(argument.raw));
      file_.assignments.push_back(std::move(*assignment));
    }
  }

  ShellFile file_;
  std::set<std::string> exported_;
  bool all_exported_ = false;
};

/// set -gx NAME value value: a list, which programs see joined by ":" in variables called ...PATH.
ShellFile read_fish(std::string_view text) {
  ShellFile file;
  for (const auto& command : split_commands(text)) {
    const auto& words = command.words;
    if (words.size() < 3) {
      if (words.size() == 2 && words[0].plain() == "source") file.sourced.push_back(words[1]);
      continue;
    }
    if (words[0].plain() != "set") continue;
    ShellAssignment assignment;
    std::size_t at = 1;
    for (; at < words.size() && words[at].plain().starts_with('-'); ++at) {
      const auto option = words[at].plain();
      const bool plain = !option.starts_with("--");
      if (option == "--export" || (plain && contains(option, "x"))) assignment.exported = true;
      if (option == "--erase" || (plain && contains(option, "e"))) at = words.size();
    }
    if (at + 1 >= words.size()) continue;
    assignment.name = words[at].plain();
    for (auto value = at + 1; value < words.size(); ++value) {
      if (value > at + 1) {
        ShellPiece separator;
        separator.text = assignment.name.ends_with("PATH") ? ":" : " ";
        assignment.value.pieces.push_back(separator);
      }
      const auto& pieces = words[value].pieces;
      assignment.value.pieces.insert(assignment.value.pieces.end(), pieces.begin(), pieces.end());
    }
    assignment.line = command.line;
    assignment.text = std::string(command.raw);
    if (!assignment.name.empty()) file.assignments.push_back(std::move(assignment));
  }
  return file;
}

std::string_view without_quotes(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

/// pam_env's own form: NAME DEFAULT=value OVERRIDE=value
std::string_view pam_value(std::string_view rest) {
  for (const std::string_view key : {"OVERRIDE=", "DEFAULT="}) {
    const auto at = rest.find(key);
    if (at == std::string_view::npos) continue;
    auto value = trim(rest.substr(at + key.size()));
    if (value.starts_with('"'))
      return value.substr(0, std::min(value.find('"', 1), value.size() - 1) + 1);
    return value.substr(0, value.find_first_of(" \t"));
  }
  return {};
}

ShellFile read_lines(std::string_view text, bool expands) {
  ShellFile file;
  int line = 0;
  for (auto row : split_lines(text)) {
    ++line;
    row = trim(row);
    const auto written = row;
    if (row.starts_with('#')) continue;
    if (row.starts_with("export ")) row = trim(row.substr(7));
    ShellAssignment assignment;
    std::string_view value;
    if (const auto length = assigned_name(row); length != 0 && row[length] == '=') {
      assignment.name = std::string(row.substr(0, length));
      value = trim(row.substr(length + 1));
    } else {
      const auto blank = std::min(row.find_first_of(" \t"), row.size());
      assignment.name = std::string(row.substr(0, blank));
      value = pam_value(row.substr(blank));
      if (!expands || value.empty()) continue;
    }
    value = without_quotes(value);
    if (expands) {
      assignment.value = parse_quoted(value);
    } else {
      ShellPiece piece;
      piece.text = std::string(value);
      piece.quoted = true;
      assignment.value.pieces.push_back(std::move(piece));
    }
    assignment.exported = true;
    assignment.line = line;
    assignment.text = std::string(written);
    file.assignments.push_back(std::move(assignment));
  }
  return file;
}

} // namespace

ShellFile read_assignments(std::string_view text, ShellDialect dialect) {
  switch (dialect) {
  case ShellDialect::posix: return Posix().read(text);
  case ShellDialect::fish: return read_fish(text);
  case ShellDialect::plain: return read_lines(text, false);
  case ShellDialect::environment: return read_lines(text, true);
  }
  return {};
}

} // namespace gpuwhy
