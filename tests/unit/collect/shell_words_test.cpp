// Start-up files are cut as a shell would cut them, and nothing is run.
#include "collect/shell_assignments.h"
#include "collect/shell_words.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Kind = ShellPiece::Kind;

/// Words of all commands: literals as they are, $NAME for variables, ? for what only a run would
/// tell.
std::string words(std::string_view text) {
  std::string result;
  for (const auto& command : split_commands(text)) {
    result += std::to_string(command.line) + ":";
    for (const auto& word : command.words) {
      result += " [";
      for (const auto& piece : word.pieces) {
        result += piece.kind == Kind::literal   ? piece.text
                  : piece.kind == Kind::unknown ? "?"
                                                : "$" + piece.text;
        if (piece.operation != 0) result += std::string(1, piece.operation) + piece.word;
      }
      result += "]";
    }
    result += "\n";
  }
  return result;
}

TEST(ShellWords, cuts_and_quotes) {
  EXPECT_EQ(words("export A=b c\n"), "1: [export] [A=b] [c]\n");
  EXPECT_EQ(words("A='x y' B=\"z $C\"d\\ e"), "1: [A=x y] [B=z $Cd e]\n");
  EXPECT_EQ(words("a; b && c | d & (e)\n"), "1: [a]\n1: [b]\n1: [c]\n1: [d]\n1: [e]\n");
  EXPECT_EQ(words("# no\na # b\n\n  c\n"), "2: [a]\n4: [c]\n");
  EXPECT_EQ(words("a\\\nb c"), "1: [ab] [c]\n");
}

TEST(ShellWords, expansions) {
  EXPECT_EQ(words("A=${B}:${C:-d}:${E:+$E:}"), "1: [A=$B:$C-d:$E+$E:]\n");
  EXPECT_EQ(words("A=$(ls $(pwd))/`id`/$((1+1))/$1/${B%%x}"), "1: [A=?/?/?/?/?]\n");
  EXPECT_EQ(words("A=$ B='$C'"), "1: [A=$] [B=$C]\n");
}

TEST(ShellWords, redirections_and_here_documents_are_left_out) {
  EXPECT_EQ(words("a > /tmp/x 2>&1 b\n"), "1: [a] [b]\n");
  EXPECT_EQ(words("cat <<EOF\nexport NOT=1\nEOF\nexport A=1\n"), "1: [cat]\n4: [export] [A=1]\n");
  EXPECT_EQ(words("cat <<-'E'\n\tx\n\tE\na\n"), "1: [cat]\n4: [a]\n");
}

TEST(ShellWords, what_never_ends) {
  for (const auto* text :
       {"'", "\"", "$(", "${", "`", "\\", "a <<", "cat <<E\nx", "$", "\"$(", "${A:-"}) {
    EXPECT_LE(split_commands(text).size(), 2U) << text;
  }
  std::string deep(50'000, '(');
  split_commands("A=$" + deep);
  parse_quoted(std::string(50'000, '$'));
}

/// NAME=value of each, x for exported, + for appended.
std::string assignments(std::string_view text, ShellDialect dialect = ShellDialect::posix) {
  std::string result;
  for (const auto& each : read_assignments(text, dialect).assignments) {
    result += std::to_string(each.line) + (each.exported ? "x" : "") + " " + each.name +
              (each.append ? "+=" : "=");
    for (const auto& piece : each.value.pieces) {
      result += piece.kind == Kind::literal   ? piece.text
                : piece.kind == Kind::unknown ? "?"
                                              : "$" + piece.text;
    }
    result += "\n";
  }
  return result;
}

TEST(ShellAssignments, posix) {
  EXPECT_EQ(assignments("A=1\nexport B=2 C=\"3 4\"\n"), "1 A=1\n2x B=2\n2x C=3 4\n");
  EXPECT_EQ(assignments("A=1\nexport A\n"), "1x A=1\n");
  EXPECT_EQ(assignments("A+=:/x\n"), "1 A+=:/x\n");
  EXPECT_EQ(assignments("A=1 2>/dev/null\n"), "1 A=1\n");
  EXPECT_EQ(assignments("A=1 python train.py\n"), ""); // for that one command
  EXPECT_EQ(assignments("if [ -d /x ]; then export A=/x; fi\n"), "1x A=/x\n");
  EXPECT_EQ(assignments("declare -x A=1; typeset B=2; readonly C=3\n"), "1x A=1\n1 B=2\n1 C=3\n");
  EXPECT_EQ(assignments("set -a\nA=1\n"), "2x A=1\n");
  EXPECT_EQ(assignments("setenv A 'x y'\n"), "1x A=x y\n"); // csh
  EXPECT_EQ(assignments("export -n A=1\n1A=2\nA-B=3\n"), "");
}

TEST(ShellAssignments, sourced_files) {
  const auto file = read_assignments(". /etc/a\nsource \"$HOME/b\"\n", ShellDialect::posix);
  ASSERT_EQ(file.sourced.size(), 2U);
  EXPECT_EQ(file.sourced[0].plain(), "/etc/a");
}

TEST(ShellAssignments, fish) {
  EXPECT_EQ(assignments(
                "set -gx LD_LIBRARY_PATH /a /b\nset -x A 1\nset B 2\nset -e C\nset --export D 3\n",
                ShellDialect::fish),
            "1x LD_LIBRARY_PATH=/a:/b\n2x A=1\n3 B=2\n5x D=3\n");
  EXPECT_EQ(assignments("set -gx PATH /a $PATH\n", ShellDialect::fish), "1x PATH=/a:$PATH\n");
}

TEST(ShellAssignments, etc_environment_expands_nothing) {
  EXPECT_EQ(assignments("# c\nA=\"x $B\"\nexport C=d\n\nnonsense\n", ShellDialect::plain),
            "2x A=x $B\n3x C=d\n");
}

TEST(ShellAssignments, environment_d_and_pam) {
  EXPECT_EQ(assignments("A=/x:$A\nB DEFAULT=\"1 2\" OVERRIDE=3\nC DEFAULT=4\n",
                        ShellDialect::environment),
            "1x A=/x:$A\n2x B=3\n3x C=4\n");
}

TEST(ShellAssignments, the_text_holds_no_other_variable) {
  const auto file = read_assignments("export TOKEN=hunter2 PATH=/a:$PATH\n", ShellDialect::posix);
  ASSERT_EQ(file.assignments.size(), 2U);
  EXPECT_EQ(file.assignments[1].text, "export PATH=/a:$PATH");
}

} // namespace
} // namespace gpuwhy
