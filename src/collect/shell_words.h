// Start-up files of shells, split into simple commands: enough of POSIX shell (2.2 quoting, 2.3
// tokens, 2.6 expansions) to see which variables they set, and nothing is ever run. csh and fish
// differ in words, not in how words are cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct ShellPiece {
  enum class Kind {
    literal,
    variable, // $NAME, and ${NAME:-word} and its kin; text is the name
    unknown,  // a command's output, arithmetic, a pattern: only running it would tell
  };
  Kind kind = Kind::literal;
  std::string text;
  /// Of ${NAME OPERATOR word}: '-' (default), '+' (alternative) or 0; and the word, unexpanded.
  char operation = 0;
  std::string word;
  bool quoted = false; // of a literal
};

struct ShellWord {
  std::vector<ShellPiece> pieces;
  std::string_view raw; // as written

  /// The whole word if it is unquoted and literal throughout; else empty.
  std::string plain() const;
};

struct ShellCommand {
  std::vector<ShellWord> words;
  std::string_view raw;
  int line = 0; // where it starts
};

/// All simple commands, in the order of the text, whether or not they would be run. Views point
/// into `text`. Comments and here-documents are left out.
std::vector<ShellCommand> split_commands(std::string_view text);
/// One word, as if it stood within double quotes.
ShellWord parse_quoted(std::string_view text);

} // namespace gpuwhy
