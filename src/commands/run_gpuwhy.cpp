// From the words that were typed to a command.
#include "commands/command.h"

#include "base/text.h"
#include "commands/table.h"

#include <array>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::array kCommands{&kCheckCommand,   &kFixCommand,    &kCompatCommand,   &kLintCommand,
                               &kExplainCommand, &kRunCommand,    &kPidCommand,      &kWatchCommand,
                               &kProveCommand,   &kPickCommand,   &kSnapshotCommand, &kRuleCommand,
                               &kRulesCommand,   &kSchemaCommand, &kMcpCommand};

/// Not in the list of commands: for packages.
constexpr std::array kQuietCommands{&kCompletionsCommand, &kManCommand};

/// A word that names no command may be a path: "gpuwhy train.py".
bool looks_like_path(std::string_view word) {
  return contains(word, "/") || contains(word, ".");
}

} // namespace

std::span<const Command* const> all_commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  for (const auto* command : kCommands) {
    if (command->name == name) return command;
  }
  for (const auto* command : kQuietCommands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

Exit wrong_usage(Console& console, std::string_view message) {
  console.errors << "gpuwhy: " << message << "\n";
  return Exit::usage;
}

Exit run_gpuwhy(const std::vector<std::string>& words, Console& console) {
  const auto first = words.empty() ? std::string_view() : std::string_view(words.front());
  if (first == "--help" || first == "-h" || first == "help") {
    const auto* command = first == "help" && words.size() > 1 ? find_command(words[1]) : nullptr;
    console.out << (command != nullptr ? help_for(*command, console.style) : help(console.style));
    return Exit::gpu;
  }
  if (first == "--version" || first == "-V") {
    console.out << "gpuwhy " GPUWHY_VERSION "\n";
    return Exit::gpu;
  }
  const auto* command = find_command(first);
  const bool named = command != nullptr;
  if (!named) {
    if (!first.empty() && first[0] != '-' && !looks_like_path(first)) {
      std::vector<std::string> names;
      for (const auto* each : kCommands) names.emplace_back(each->name);
      auto message = "unknown command '" + printable(first) + "'";
      const auto near = nearest(first, names);
      message += near ? ": did you mean '" + *near + "'?"
                      : ": see 'gpuwhy --help'; for a file write './" + printable(first) + "'";
      return wrong_usage(console, message);
    }
    command = &kCheckCommand;
  }
  const std::vector<std::string> rest(words.begin() + (named ? 1 : 0), words.end());
  const auto arguments = parse_arguments(*command, rest);
  if (!arguments) return wrong_usage(console, arguments.error().message);
  if (arguments->has("help")) {
    console.out << help_for(*command, console.style);
    return Exit::gpu;
  }
  return command->run(*arguments, console);
}

} // namespace gpuwhy
