// Words of a command line, by the conventions of POSIX (12.2) and GNU: -v, --name VALUE,
// --name=VALUE, "--".
#include "commands/command.h"

#include "base/text.h"

namespace gpuwhy {
namespace {

constexpr Option kHelp{"help", 'h', "", "show this text"};

const Option* find_long(const Command& command, std::string_view name) {
  for (const auto& option : command.options) {
    if (option.name == name) return &option;
  }
  return name == kHelp.name ? &kHelp : nullptr;
}

const Option* find_short(const Command& command, char letter) {
  for (const auto& option : command.options) {
    if (option.letter == letter) return &option;
  }
  return letter == kHelp.letter ? &kHelp : nullptr;
}

std::string unknown_option(const Command& command, const std::string& word) {
  std::vector<std::string> known{"--help"};
  for (const auto& option : command.options) known.push_back("--" + std::string(option.name));
  auto message = "unknown option '" + printable(word) + "'";
  if (const auto near = nearest(word, known)) return message + ": did you mean '" + *near + "'?";
  return message + ": see 'gpuwhy " + std::string(command.name) + " --help'";
}

} // namespace

Result<Arguments> parse_arguments(const Command& command, const std::vector<std::string>& words) {
  Arguments arguments;
  const auto take = [&](const Option& option, std::string value) {
    arguments.options[std::string(option.name)].push_back(std::move(value));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--") {
      auto& rest = command.takes_program ? arguments.program : arguments.operands;
      rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      arguments.operands.push_back(word);
      continue;
    }
    const bool is_long = word.starts_with("--");
    const auto equals = is_long ? word.find('=') : std::string::npos;
    const auto name =
        is_long ? word.substr(2, equals == std::string::npos ? equals : equals - 2) : std::string();
    const Option* option = is_long ? find_long(command, name) : find_short(command, word[1]);
    if (option == nullptr) return fail(unknown_option(command, word.substr(0, equals)));
    const auto spelled = "--" + std::string(option->name);
    if (option->argument.empty()) {
      if (equals != std::string::npos) return fail("option '" + spelled + "' takes no value");
      take(*option, {});
      for (std::size_t at = 2; !is_long && at < word.size(); ++at) { // -vv, -hv
        const Option* more = find_short(command, word[at]);
        if (more == nullptr || !more->argument.empty()) return fail(unknown_option(command, word));
        take(*more, {});
      }
      continue;
    }
    if (equals != std::string::npos) {
      take(*option, word.substr(equals + 1));
    } else if (!is_long && word.size() > 2) {
      take(*option, word.substr(2));
    } else if (i + 1 < words.size()) {
      take(*option, words[++i]);
    } else {
      return fail("option '" + spelled + "' needs a value: " + spelled + " " +
                  std::string(option->argument));
    }
  }
  if (!arguments.has("help") && arguments.operands.size() > command.most_operands) {
    return fail("unexpected word '" + printable(arguments.operands[command.most_operands]) +
                "': see 'gpuwhy " + std::string(command.name) + " --help'");
  }
  return arguments;
}

} // namespace gpuwhy
