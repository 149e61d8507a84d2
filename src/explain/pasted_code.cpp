#include "explain/pasted_code.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

constexpr int kMostAside = 3;         // lines of something else within one piece of code
constexpr int kLongestAnswer = 400;   // of a prompt
constexpr std::size_t kMostRuns = 64; // that are kept
constexpr std::size_t kMostPrograms = 16;

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

bool is_blank(std::string_view line) {
  return trim(line).empty();
}

/// "ValueError: ...", "tensorflow.errors.NotFoundError: ...", "KeyboardInterrupt": a traceback's
/// end.
bool names_exception(std::string_view text) {
  const auto word = text.substr(0, text.find_first_of(": ("));
  return word.ends_with("Error") || word.ends_with("Exception") || word.ends_with("Interrupt") ||
         word.ends_with("Exit") || word.ends_with("Warning");
}

bool python_fence(std::string_view word) {
  return word.starts_with("py") || word.starts_with("ipython") || word.starts_with("{code");
}

/// Indentation that all of them have goes; lines that stand deeper than what follows, for want of
/// their beginning, lose theirs.
template <class Lines> void dedent(Lines begin, Lines end) {
  while (begin != end) {
    std::size_t least = std::string::npos;
    auto first = end;
    for (auto line = begin; line != end; ++line) {
      if (!is_blank(line->code) && indentation(line->code) < least) {
        least = indentation(line->code);
        first = line;
      }
    }
    if (first == end) return;
    for (auto line = first; line != end; ++line)
      line->code.erase(0, std::min(least, indentation(line->code)));
    end = first;
  }
}

/// Cheap: a log of many gigabytes is asked this.
bool begins_usually(std::string_view line) {
  constexpr auto kBeginnings = std::to_array<std::string_view>(
      {"import ", "from ", "os.", "tf.", "torch.", "jax.", "keras.", "with ", "def ", "class ",
       "```", "~~~", ">>> ", "In [", "%env", "Traceback "});
  while (line.starts_with(' ') || line.starts_with('\t') || line.starts_with("> "))
    line.remove_prefix(line.front() == '>' ? 2 : 1);
  if (line.empty() ||
      std::string_view("ifotjkwdc`~>I%T").find(line.front()) == std::string_view::npos)
    return false;
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view each) { return line.starts_with(each); });
}

/// What a finding is evidence of, in the terms of the table of messages.
const Message* message_of(const CodeFinding& finding) {
  const auto message = [](std::string_view framework) {
    Message made;
    made.name = made.signal = kPastedCode;
    made.framework = framework;
    return made;
  };
  static const std::array<Message, 4> kMessages = {message(""), message("tensorflow"),
                                                   message("torch"), message("jax")};
  const std::string_view framework =
      finding.framework == "keras" ? "tensorflow" : std::string_view(finding.framework);
  const auto found = std::find_if(kMessages.begin(), kMessages.end(),
                                  [&](const Message& each) { return each.framework == framework; });
  return found == kMessages.end() ? kMessages.data() : &*found;
}

} // namespace

ReadCode read_code(const std::vector<PastedProgram>& programs, const CodeJudge& judge) {
  ReadCode code;
  std::vector<std::string> texts;
  for (const auto& program : programs) texts.push_back(program.code);
  if (texts.empty()) return code;
  auto reports = judge(texts);
  for (std::size_t i = 0; i < std::min(reports.size(), programs.size()); ++i) {
    const auto& lines = programs[i].lines;
    // What was not looked at has nothing of a framework, if that is all of it.
    if (programs[i].whole() && (reports[i].files > 0 || programs[i].begins))
      code.lines.insert(code.lines.end(), lines.begin(), lines.end());
    for (auto& finding : reports[i].findings) {
      const auto line = lines[std::clamp<std::size_t>(finding.line, 1, lines.size()) - 1];
      Sighting seen{.message = message_of(finding), .first = line, .last = line, .count = 1};
      if (!finding.lines.empty()) seen.text = std::string(trim(finding.lines.front()));
      code.findings.push_back({std::move(finding), std::move(seen)});
    }
  }
  return code;
}

bool PastedCode::line(std::string_view text, std::uint64_t number, bool head) {
  if (bytes_ >= kMostBytes) return false;
  const bool idle = !run_.begun && !fence_ && !traceback_;
  if (idle && !head && !begins_usually(text)) return false;
  auto pasted = read_pasted(text);
  if (pasted.fence) {
    end_run();
    traceback_ = source_follows_ = false;
    fence_ = fence_ ? std::nullopt : pasted.fence;
    return fence_ && python_fence(*fence_);
  }
  if (!pasted.prompt && passed_over(text)) return false;
  if (pasted.prompt) traceback_ = source_follows_ = false;
  take(std::move(pasted), number);
  return run_.begun && run_.aside <= kMostAside;
}

/// Source lines that a traceback or a warning shows are not the writer's paste.
bool PastedCode::passed_over(std::string_view text) {
  const auto body = trim(text);
  if (body.empty()) return traceback_;
  if (contains(body, "Traceback (most recent call last)")) {
    traceback_ = true;
    return true;
  }
  if (body.starts_with("File \"") && contains(body, ", line ")) {
    source_follows_ = true;
    return true;
  }
  if (source_follows_ && !contains(body, "Warning: ")) {
    source_follows_ = false;
    if (indentation(text) > 0) return true;
  }
  if (contains(body, "Warning: ") && contains(body, ".py:")) {
    source_follows_ = true;
    return true;
  }
  if (!traceback_) return false;
  if (indentation(text) == 0 && names_exception(body)) traceback_ = false;
  return true;
}

/// A listing counts on from 1; a figure at the start of a line does not.
bool PastedCode::of_listing(PastedLine& line) {
  const bool goes_on = run_.number && line.number == *run_.number + 1;
  if (line.number && (goes_on || (*line.number == 1 && !run_.open.any()))) {
    if (!goes_on) end_run();
    run_.number = line.number;
    line.code.erase(0, line.after_number);
    return true;
  }
  return !run_.number || is_blank(line.code);
}

void PastedCode::take(PastedLine line, std::uint64_t number) {
  const bool answers = run_.prompted && !line.prompt && !line.goes_on;
  if (answers) {
    if (++run_.aside > kLongestAnswer) end_run();
    return;
  }
  if (line.prompt && !run_.prompted) {
    end_run();
    run_.prompted = true;
  }
  if (line.prompt) run_.open.clear();
  if (line.goes_on && !run_.prompted) return; // "... and so on"
  if (!line.prompt && !line.goes_on && !of_listing(line)) end_run();
  if (run_.open.in_string()) return add(std::move(line.code), number);
  const bool inside = run_.open.any();
  const bool continued = !run_.lines.empty() && run_.lines.back().code.ends_with('\\');
  const auto kind = kind_of_line(line.code, inside || continued);
  const bool sure = line.prompt || line.goes_on || line.cell;
  switch (kind) {
  case LineKind::blank:
    if (run_.begun) add(std::move(line.code), number);
    return;
  case LineKind::comment: // it may stand above the first statement
    add(std::move(line.code), number);
    return;
  case LineKind::other:
    if (sure) return;
    if (inside) { // unfinished
      run_.lines.back().code += run_.open.closers();
      run_.open.clear();
    }
    if (!run_.begun || ++run_.aside > kMostAside) end_run();
    return;
  case LineKind::part:
    if (!run_.begun && !sure) return;
    if (run_.aside > 0 && !sure) return;
    break;
  case LineKind::code: ++run_.statements; break;
  }
  if (!run_.begun) {
    run_.begun = true;
    run_.python = sure || (fence_ && python_fence(*fence_));
  }
  run_.aside = 0;
  run_.imports = run_.imports || imports_framework(line.code);
  const auto statement = trim(line.code);
  run_.begins = run_.begins || statement.starts_with("import ") || statement.starts_with("from ");
  add(std::move(line.code), number);
}

void PastedCode::add(std::string code, std::uint64_t number) {
  run_.open.line(code);
  bytes_ += code.size() + 1;
  ++version_;
  run_.lines.push_back({std::move(code), number});
}

void PastedCode::end_run() {
  if (run_.taken() && runs_.size() < kMostRuns) {
    runs_.push_back(std::move(run_));
  } else {
    for (const auto& line : run_.lines) bytes_ -= line.code.size() + 1;
    ++version_;
  }
  run_ = {};
}

std::vector<PastedProgram> PastedCode::programs() const {
  std::vector<PastedProgram> programs;
  auto runs = runs_;
  if (run_.taken()) runs.push_back(run_);
  for (auto& run : runs) {
    if (run.open.any()) run.lines.back().code += run.open.closers();
    dedent(run.lines.begin(), run.lines.end());
    // A block that imports the framework once more is another file, or another try; what was asked
    // at a prompt is not the script.
    if (programs.empty() || (run.imports && programs.back().imports) ||
        run.prompted != programs.back().prompted) {
      if (programs.size() == kMostPrograms) return programs;
      programs.emplace_back().prompted = run.prompted;
    }
    auto& program = programs.back();
    for (const auto& line : run.lines) {
      program.code += line.code + "\n";
      program.lines.push_back(line.number);
    }
    program.statements += run.statements;
    program.imports = program.imports || run.imports;
    program.begins = program.begins || run.begins;
  }
  return programs;
}

} // namespace gpuwhy::explain
