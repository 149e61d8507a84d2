// gpuwhy completions SHELL: what a shell needs to complete our words, written from the tables of
// commands and options. Truth: bash(1) "Programmable Completion", zshcompsys(1), fish's
// complete(1).
#include "commands/table.h"

#include "base/text.h"
#include "commands/rule_texts.h"
#include "commands/schema.h"

#include <array>
#include <ostream>

namespace gpuwhy {
namespace {

/// What may stand for an option's value or a command's operand.
struct Values {
  bool files = false;
  std::vector<std::string> words;
};

/// "[PATH]", "FILE", "bash|zsh", "gpu": capitals name a kind, small letters are the word.
Values values_of(std::string_view argument) {
  Values values;
  const auto plain = replace_all(replace_all(std::string(argument), "[", ""), "]", "");
  for (const auto part : split(plain, '|')) {
    const auto name = part.ends_with("...") ? part.substr(0, part.size() - 3) : part;
    if (name == "PATH" || name == "FILE" || name == "DIR") {
      values.files = true;
    } else if (name == "ID") {
      for (const Rule* rule : all_rules()) values.words.emplace_back(rule->id);
    } else if (name == "SCHEMA") {
      for (auto& schema : schema_names()) values.words.push_back(std::move(schema));
    } else if (name == "COMMAND") {
      for (const auto* command : all_commands()) values.words.emplace_back(command->name);
    } else if (!name.empty() && name != "-" && lower(name) == name) {
      values.words.emplace_back(name);
    }
  }
  return values;
}

std::string quoted(std::string_view text) {
  return "'" + replace_all(std::string(text), "'", "'\\''") + "'";
}

std::string name_of(const Option& option) {
  return "--" + std::string(option.name);
}

// --- bash

std::string bash_offer(const Values& values) {
  std::string offer;
  if (!values.words.empty()) offer += " _gpuwhy_words " + quoted(join(values.words, " ")) + ";";
  if (values.files) offer += " _gpuwhy_files;";
  return offer.empty() ? " :;" : offer;
}

std::string bash() {
  std::string options;
  std::string arguments;
  std::string operands;
  std::vector<std::string> names;
  for (const auto* command : all_commands()) {
    const std::string name(command->name);
    names.push_back(name);
    std::vector<std::string> spelled{"--help"};
    for (const auto& option : command->options) {
      spelled.push_back(name_of(option));
      if (option.argument.empty()) continue;
      auto pattern = quoted(name + " " + name_of(option));
      if (option.letter != 0) pattern += "|" + quoted(name + " -" + std::string(1, option.letter));
      arguments += "    " + pattern + ")" + bash_offer(values_of(option.argument)) + " return ;;\n";
    }
    options += "    " + name + ") _gpuwhy_words " + quoted(join(spelled, " ")) + " ;;\n";
    operands += "    " + name + ")" + bash_offer(values_of(command->operands)) + ";\n";
  }
  const auto commands = quoted(join(names, " "));
  return R"(# bash completion for gpuwhy, written by 'gpuwhy completions bash'
_gpuwhy_words() {
  local each
  while IFS= read -r each; do COMPREPLY+=("$each"); done < <(compgen -W "$1" -- "$current")
}
_gpuwhy_files() {
  local each
  compopt -o filenames 2>/dev/null
  while IFS= read -r each; do COMPREPLY+=("$each"); done < <(compgen -f -- "$current")
}
_gpuwhy() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=check at
  COMPREPLY=()
  if [[ $current == '=' ]]; then current=; elif [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi
  for at in )" +
         join(names, " ") +
         R"(; do
    if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} == "$at" ]]; then command=$at; fi
  done
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ ${COMP_WORDS[at]} == -- ]] || continue
    if declare -F _command_offset >/dev/null; then _command_offset $((at + 1)); else _gpuwhy_files; fi
    return
  done
  case "$command $previous" in
)" + arguments +
         R"(  esac
  if [[ $current == -* ]]; then
    case $command in
)" + options +
         R"(    esac
    return
  fi
  if ((COMP_CWORD == 1)); then _gpuwhy_words )" +
         commands + R"(; fi
  case $command in
)" + replace_all(operands, ";;\n", " ;;\n") +
         R"(  esac
}
complete -F _gpuwhy gpuwhy
)";
}

// --- zsh

std::string zsh_text(std::string_view text) {
  auto safe = replace_all(std::string(text), "\\", "\\\\");
  safe = replace_all(replace_all(safe, "[", "\\["), "]", "\\]");
  return replace_all(safe, ":", "\\:");
}

std::string zsh_values(std::string_view argument) {
  const auto values = values_of(argument);
  if (values.files) return "_files";
  return values.words.empty() ? " " : "(" + join(values.words, " ") + ")";
}

std::string zsh_option(const Option& option) {
  auto rest = "[" + zsh_text(option.help) + "]";
  if (!option.argument.empty())
    rest += join({"", zsh_text(option.argument), zsh_values(option.argument)}, ":");
  const auto spelled = name_of(option);
  if (option.letter == 0) return quoted(spelled + rest);
  const std::string letter{'-', option.letter};
  return join({"'(", letter, " ", spelled, ")'{", letter, ",", spelled, "}", quoted(rest)}, "");
}

std::string zsh() {
  std::string described;
  std::string cases;
  for (const auto* command : all_commands()) {
    const std::string name(command->name);
    described += "    " + quoted(name + ":" + zsh_text(command->summary)) + "\n";
    cases += "    " + name + ")\n      _arguments -s -S \\\n";
    for (const auto& option : command->options) cases += "        " + zsh_option(option) + " \\\n";
    cases += "        '(-h --help)'{-h,--help}'[show this text]'";
    if (!command->operands.empty()) {
      const auto values = values_of(command->operands);
      const auto* repeat = command->most_operands > 1 ? "*" : "";
      cases += " \\\n        " + quoted(std::string(repeat) + ":" + zsh_text(command->operands) +
                                        ":" + zsh_values(command->operands));
    } else if (command->takes_program) {
      cases += " \\\n        '*::program: _normal'";
    }
    cases += " ;;\n";
  }
  return "#compdef gpuwhy\n# zsh completion for gpuwhy, written by 'gpuwhy completions zsh'\n"
         "_gpuwhy() {\n  local -a commands\n  commands=(\n" +
         described +
         "  )\n  local command=check\n"
         "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
         "    _describe -t commands command commands\n    _files\n    return\n  fi\n"
         "  if (( ${commands[(I)$words[2]:*]} )); then\n"
         "    command=$words[2]\n    shift words\n    (( CURRENT-- ))\n  fi\n"
         "  case $command in\n" +
         cases + "  esac\n}\n_gpuwhy \"$@\"\n";
}

// --- fish

std::string fish_values(std::string_view argument) {
  const auto values = values_of(argument);
  if (values.files) return " -r -F";
  return values.words.empty() ? " -x" : " -x -a " + quoted(join(values.words, " "));
}

std::string fish() {
  std::vector<std::string> names;
  for (const auto* command : all_commands()) names.emplace_back(command->name);
  const auto all = join(names, " ");
  std::string text = "# fish completion for gpuwhy, written by 'gpuwhy completions fish'\n";
  for (const auto* command : all_commands()) {
    const std::string name(command->name);
    text += join({"complete -c gpuwhy -n 'not __fish_seen_subcommand_from ", all, "' -a ", name,
                  " -d ", quoted(command->summary), "\n"},
                 "");
    const auto seen = name == "check"
                          ? "not __fish_seen_subcommand_from " +
                                join(std::vector<std::string>(names.begin() + 1, names.end()), " ")
                          : "__fish_seen_subcommand_from " + name;
    const auto start = "complete -c gpuwhy -n " + quoted(seen);
    for (const auto& option : command->options) {
      text += start + " -l " + std::string(option.name);
      if (option.letter != 0) text += " -s " + std::string(1, option.letter);
      if (!option.argument.empty()) text += fish_values(option.argument);
      text += " -d " + quoted(option.help) + "\n";
    }
    const auto operands = values_of(command->operands);
    if (!operands.files && name != "check") {
      text += start + " -f";
      if (!operands.words.empty()) text += " -a " + quoted(join(operands.words, " "));
      text += "\n";
    }
    if (command->takes_program)
      text += start + " -x -a '(__fish_complete_subcommand --fcs-skip=2)'\n";
  }
  return text + "complete -c gpuwhy -s h -l help -d 'show this text'\n";
}

Exit run(const Arguments& arguments, Console& console) {
  const auto shell = arguments.operands.empty() ? std::string() : arguments.operands.front();
  if (shell == "bash") {
    console.out << bash();
  } else if (shell == "zsh") {
    console.out << zsh();
  } else if (shell == "fish") {
    console.out << fish();
  } else {
    return wrong_usage(console, "which shell? bash, zsh or fish");
  }
  return Exit::gpu;
}

} // namespace

const Command kCompletionsCommand{
    .name = "completions",
    .operands = "bash|zsh|fish",
    .most_operands = 1,
    .summary = "print the completions for a shell",
    .details = "bash: source <(gpuwhy completions bash). 'make install' and the packages put them "
               "where the shells look.",
    .options = {},
    .run = run,
};

} // namespace gpuwhy
