// A command is one file of this folder: its options, its help and what it does. It wires
// collectors, judge and renderers together and holds no logic of theirs.
#pragma once

#include "base/result.h"
#include "render/style.h"

#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct Option {
  std::string_view name;     // "python", for --python
  char letter = 0;           // 'v', for -v; 0: none
  std::string_view argument; // "PATH"; empty: a switch
  std::string_view help;     // one line
};

/// What was typed after a command's name, checked against its options.
struct Arguments {
  std::map<std::string, std::vector<std::string>, std::less<>>
      options; // by name, in order; a switch has ""
  std::vector<std::string> operands;
  std::vector<std::string> program; // what follows "--"

  bool has(std::string_view name) const { return options.contains(name); }
  /// The last value given; empty if there is none.
  std::string value(std::string_view name) const {
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second.back();
  }
};

/// Where a command reads and writes.
struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& errors;
  Style style; // of `out`
};

/// Exit status of every command.
enum class Exit {
  gpu = 0,      // the GPU will be used; nothing was found
  findings = 1, // it will not be used; something was found
  usage = 2,    // wrong usage or unusable input
  unknown = 3,  // could not tell
};

struct Command {
  std::string_view name;
  std::string_view operands; // "[PATH]"; empty: none
  std::size_t most_operands = 0;
  bool takes_program = false; // words after "--" are a command line
  std::string_view summary;   // one line, lower case, no full stop
  std::string_view details;   // paragraphs for --help; may be empty
  std::span<const Option> options;
  Exit (*run)(const Arguments&, Console&);
};

/// In the order in which help shows them.
std::span<const Command* const> all_commands();
const Command* find_command(std::string_view name);

/// Errors name the word that is wrong, and the nearest that is right.
Result<Arguments> parse_arguments(const Command& command, const std::vector<std::string>& words);

std::string help(const Style& style);
std::string help_for(const Command& command, const Style& style);

/// Writes "gpuwhy: MESSAGE" and gives Exit::usage.
Exit wrong_usage(Console& console, std::string_view message);

/// The whole program: `words` are argv without the program's name.
Exit run_gpuwhy(const std::vector<std::string>& words, Console& console);

} // namespace gpuwhy
