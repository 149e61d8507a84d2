// The texts of --help, made from the tables of commands and options.
#include "commands/command.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy {
namespace {

using Row = std::pair<std::string, std::string>;

std::string table(const std::vector<Row>& rows, const Style& style) {
  std::size_t left = 0;
  for (const auto& row : rows) left = std::max(left, row.first.size());
  const std::size_t indent = left + 4;
  const std::size_t right = style.width > indent + 20 ? style.width - indent : 20;
  std::string text;
  for (const auto& [name, prose] : rows) {
    text += "  " + name + std::string(indent - 2 - name.size(), ' ');
    bool first = true;
    for (const auto& line : wrap(prose, right)) {
      if (!first) text += std::string(indent, ' ');
      text += line + "\n";
      first = false;
    }
  }
  return text;
}

std::string paragraphs(std::string_view text, const Style& style) {
  std::string result;
  for (const auto line : split_lines(text)) {
    if (line.starts_with(' ')) { // as it stands
      result += std::string(line) + "\n";
      continue;
    }
    for (const auto& wrapped : wrap(line, style.width)) result += wrapped + "\n";
    if (line.empty()) result += "\n";
  }
  return result;
}

std::string usage(const Command& command) {
  std::string text = "gpuwhy " + std::string(command.name);
  if (!command.options.empty()) text += " [OPTION]...";
  if (!command.operands.empty()) text += " " + std::string(command.operands);
  if (command.takes_program) text += " -- PROGRAM [ARGUMENT]...";
  return text;
}

constexpr std::string_view kStatus = "Exit status: 0 the GPU will be used, 1 it will not (or "
                                     "something was found), 2 wrong usage or unusable "
                                     "input, 3 could not tell.";

} // namespace

std::string help(const Style& style) {
  std::vector<Row> rows;
  for (const auto* command : all_commands()) {
    auto left = std::string(command->name);
    if (!command->operands.empty()) left += " " + std::string(command->operands);
    if (command->takes_program) left += " -- PROGRAM...";
    rows.emplace_back(std::move(left), command->summary);
  }
  std::string text =
      "gpuwhy " GPUWHY_VERSION ": why does this Keras/TensorFlow program not use the GPU?\n\n"
      "Usage: gpuwhy [COMMAND] [OPTION]... [PATH]\n"
      "Without a command: 'gpuwhy check'.\n\nCommands:\n";
  text += table(rows, style);
  text += "\n'gpuwhy COMMAND --help' tells more of one.\n" + paragraphs(kStatus, style);
  return text;
}

std::string help_for(const Command& command, const Style& style) {
  std::vector<Row> rows;
  for (const auto& option : command.options) {
    std::string left = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
    left += "--" + std::string(option.name);
    if (!option.argument.empty()) left += " " + std::string(option.argument);
    rows.emplace_back(std::move(left), option.help);
  }
  rows.emplace_back("-h, --help", "show this text");
  std::string text = paragraphs(
      "gpuwhy " + std::string(command.name) + ": " + std::string(command.summary), style);
  text += "\nUsage: " + usage(command) + "\n";
  if (!command.details.empty()) text += "\n" + paragraphs(command.details, style);
  text += "\nOptions:\n" + table(rows, style);
  text += "\n" + paragraphs(kStatus, style);
  return text;
}

} // namespace gpuwhy
