// The Python that stands in a text: runs of lines in a fence, at prompts, numbered, quoted,
// indented or bare, each with the line that it stands on. What merely looks like it (source lines
// of tracebacks and warnings, prose, logs) stays out. Bounded memory.
#pragma once

#include "explain/code_line.h"
#include "explain/reading.h"
#include "verdict/lint_report.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

/// A program, or a file of one, as far as it was pasted.
struct PastedProgram {
  std::string code;
  std::vector<std::uint64_t> lines; // of the text, for each line of `code`
  bool imports = false;             // a framework
  bool begins = false;              // it imports anything: its beginning is there
  bool prompted = false;            // typed at a prompt
  int statements = 0;

  /// Enough of it that what is not found in it is not there.
  bool whole() const { return imports || statements >= 4; }
};

/// Judges texts of Python, each a program or a file of one: a report for each, of no file where it
/// was not looked at. What knows Python stands outside of this room.
using CodeJudge = std::function<std::vector<LintReport>(const std::vector<std::string>&)>;

ReadCode read_code(const std::vector<PastedProgram>& programs, const CodeJudge& judge);

class PastedCode {
public:
  static constexpr std::size_t kMostBytes = std::size_t{64} * 1024;

  /// Lines come in their order, without escape sequences. Returns whether the next one may belong
  /// to it, whatever it says. `head`: people paste their code in a text's first lines; further down
  /// it must begin as code usually does.
  bool line(std::string_view text, std::uint64_t number, bool head = true);
  /// With a run that has not ended as if it ended here.
  std::vector<PastedProgram> programs() const;
  /// Changes whenever programs() does.
  std::uint64_t version() const { return version_; }

private:
  struct Line {
    std::string code;
    std::uint64_t number = 0;
  };
  struct Run {
    std::vector<Line> lines;
    OpenEnds open;
    bool python = false;   // said to be: by the fence, by prompts
    bool prompted = false; // then all else is what a prompt answered
    bool begun = false;    // with more than a comment
    int statements = 0;
    bool imports = false;
    bool begins = false;
    int aside = 0; // lines since the last one of code
    std::optional<int> number;

    bool taken() const { return imports || python || statements >= 2; }
  };

  bool passed_over(std::string_view text);
  bool of_listing(PastedLine& line);
  void take(PastedLine line, std::uint64_t number);
  void add(std::string code, std::uint64_t number);
  void end_run();

  std::vector<Run> runs_; // that ended
  Run run_;
  std::optional<std::string> fence_; // the word behind it
  bool traceback_ = false;
  bool source_follows_ = false; // of a traceback's frame or a warning
  std::size_t bytes_ = 0;
  std::uint64_t version_ = 0;
};

} // namespace gpuwhy::explain
