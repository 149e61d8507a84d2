// The commands of a plan, sorted into what gpuwhy does itself and what it leaves to a person: it
// runs nothing that needs root, nothing that cannot be undone, and nothing that was not printed.
#pragma once

#include <string>
#include <vector>

namespace gpuwhy::mend {

struct Action {
  enum class Kind {
    variable, // a line for the shell's start-up file: `export ...`, `unset ...`
    word,     // one word of a JSON file: `sed -i 's/"backend": *"a"/"backend": "b"/' FILE`
    packages, // pip or uv on one environment
    by_hand,
  };
  Kind kind = Kind::by_hand;
  std::string command;
  std::string why; // of by_hand: why gpuwhy does not do it

  // Of a variable; several for `unset A B`.
  struct Variable {
    std::string name;
    bool set = false;
    std::string value;
  };
  std::vector<Variable> variables;
  // Of a word.
  std::string file, key, from, to;
  // Of packages.
  std::vector<std::string> words;
  std::string interpreter;
  bool uv = false;
};

/// `words` are the command's, as a shell would cut and expand them. `own`: the environment is the
/// user's own, not the system's.
Action action_of(const std::string& command, const std::vector<std::string>& words, bool own);

} // namespace gpuwhy::mend
