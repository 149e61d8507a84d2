// gpuwhy man: the manual page in man(7)'s macros, written from the tables of commands and options.
#include "commands/table.h"

#include "base/text.h"

#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::size_t kWidth = 72;
constexpr std::string_view kDate = "2026-11-26"; // of the manual's own words

/// Text of one input line: no macro, no escape, and every hyphen one that can be copied.
std::string plain(std::string_view text) {
  auto safe = replace_all(replace_all(std::string(text), "\\", "\\e"), "-", "\\-");
  if (safe.starts_with('.') || safe.starts_with('\'')) safe.insert(0, "\\&");
  return safe;
}

/// Lines of a source that is pleasant to read.
std::string prose(std::string_view text) {
  std::string result;
  for (const auto& line : wrap(text, kWidth)) result += plain(line) + "\n";
  return result;
}

std::string paragraphs(std::string_view text) {
  std::string result;
  for (const auto line : split_lines(text)) {
    if (line.empty()) continue;
    result +=
        line.starts_with(' ') ? ".PP\n.nf\n" + plain(line) + "\n.fi\n" : ".PP\n" + prose(line);
  }
  return result;
}

std::string option_text(const Option& option) {
  std::string text = ".TP\n";
  if (option.letter != 0) text += "\\fB\\-" + std::string(1, option.letter) + "\\fR, ";
  text += "\\fB\\-\\-" + plain(option.name) + "\\fR";
  if (!option.argument.empty()) text += " \\fI" + plain(option.argument) + "\\fR";
  return text + "\n" + prose(option.help);
}

std::string command_text(const Command& command) {
  std::string text = ".SS \"gpuwhy " + plain(command.name);
  if (!command.options.empty()) text += " [OPTION]...";
  if (!command.operands.empty()) text += " " + plain(command.operands);
  if (command.takes_program) text += " \\-\\- PROGRAM [ARGUMENT]...";
  text += "\"\n" + prose(command.summary) + paragraphs(command.details);
  for (const auto& option : command.options) text += option_text(option);
  return text;
}

Exit run(const Arguments&, Console& console) {
  console.out << ".TH GPUWHY 1 " << kDate << " \"gpuwhy " GPUWHY_VERSION "\" \"User Commands\"\n"
              << ".SH NAME\ngpuwhy \\- why does this Keras or TensorFlow program not use the GPU?\n"
              << ".SH SYNOPSIS\n.B gpuwhy\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR]... [\\fIPATH\\fR]\n"
              << ".SH DESCRIPTION\n"
              << prose(
                     "Tells whether a program with TensorFlow, Keras, JAX or PyTorch will use the "
                     "GPU, and if not, the one root cause and its fix. Without a command: "
                     "'gpuwhy check'.")
              << ".SH COMMANDS\n";
  for (const auto* command : all_commands()) console.out << command_text(*command);
  console.out << ".SH EXIT STATUS\n"
                 ".TP\n0\nthe GPU will be used; nothing was found\n"
                 ".TP\n1\nit will not, or something was found\n"
                 ".TP\n2\nwrong usage or unusable input\n"
                 ".TP\n3\ncould not tell\n"
                 ".SH ENVIRONMENT\n"
                 ".TP\n.B GPUWHY_PYTHON\n"
              << plain("the interpreter in question where --python names none")
              << "\n.TP\n.B NO_COLOR\n"
              << plain("if set and not empty, no colours") << "\n.TP\n.B COLUMNS\n"
              << plain("width of the text") << "\n";
  return Exit::gpu;
}

} // namespace

const Command kManCommand{
    .name = "man",
    .summary = "print the manual page",
    .details = "To read it: gpuwhy man | man -l -",
    .options = {},
    .run = run,
};

} // namespace gpuwhy
