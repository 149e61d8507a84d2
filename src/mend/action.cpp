#include "mend/action.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::mend {
namespace {

bool is_variable_name(std::string_view text) {
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), [](char letter) {
           return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                  (letter >= '0' && letter <= '9') || letter == '_';
         });
}

Action by_hand(const std::string& command, std::string why) {
  Action action;
  action.command = command;
  action.why = std::move(why);
  return action;
}

bool read_variables(const std::vector<std::string>& words, Action& action) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    const bool set = words[0] == "export";
    const auto name = words[i].substr(0, set ? equals : std::string::npos);
    if (!is_variable_name(name) || (set && equals == std::string::npos)) return false;
    action.variables.push_back({name, set, set ? words[i].substr(equals + 1) : std::string()});
  }
  action.kind = Action::Kind::variable;
  return words.size() > 1;
}

/// s/"KEY": *"FROM"/"KEY": "TO"/
bool read_word(const std::vector<std::string>& words, Action& action) {
  if (words.size() != 4 || words[1] != "-i") return false;
  const auto parts = split(std::string_view(words[2]), '/');
  if (parts.size() != 4 || parts[0] != "s" || !parts[3].empty()) return false;
  const auto old_parts = split(parts[1], '"');
  const auto new_parts = split(parts[2], '"');
  if (old_parts.size() != 5 || new_parts.size() != 5 || old_parts[1] != new_parts[1]) return false;
  action.kind = Action::Kind::word;
  action.file = words[3];
  action.key = old_parts[1];
  action.from = old_parts[3];
  action.to = new_parts[3];
  return true;
}

bool read_packages(const std::vector<std::string>& words, Action& action) {
  const bool uv =
      words.size() > 5 && words[0] == "uv" && words[1] == "pip" && words[3] == "--python";
  const bool pip =
      words.size() > 4 && words[0].starts_with('/') && words[1] == "-m" && words[2] == "pip";
  if (!uv && !pip) return false;
  const auto& verb = words[uv ? 2 : 3];
  if (verb != "install" && verb != "uninstall") return false;
  action.kind = Action::Kind::packages;
  action.uv = uv;
  action.interpreter = uv ? words[4] : words[0];
  action.words = words;
  return action.interpreter.starts_with('/');
}

} // namespace

Action action_of(const std::string& command, const std::vector<std::string>& words, bool own) {
  if (words.empty()) return by_hand(command, "only a shell can run it");
  if (words[0] == "sudo") return by_hand(command, "it needs root");
  Action action;
  action.command = command;
  if (words[0] == "export" || words[0] == "unset")
    return read_variables(words, action) ? action : by_hand(command, "only a shell can run it");
  if (words[0] == "sed")
    return read_word(words, action) ? action : by_hand(command, "gpuwhy cannot undo it");
  if (read_packages(words, action)) {
    if (own) return action;
    return by_hand(command, "it changes the system's own Python");
  }
  return by_hand(command, "gpuwhy cannot undo it");
}

} // namespace gpuwhy::mend
