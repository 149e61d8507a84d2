#include "render/prove_text.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr std::size_t kNameWidth = 10;
constexpr std::size_t kIndent = 2 + kNameWidth;

enum class Ink { good, bad, faint, strong };

std::string paint(const Style& style, Ink ink, std::string_view text) {
  if (!style.color) return std::string(text);
  constexpr std::string_view kCodes[] = {"32", "31", "2", "1"};
  return "\x1b[" + std::string(kCodes[static_cast<std::size_t>(ink)]) + "m" + std::string(text) + "\x1b[0m";
}

std::string mark(const Style& style, Rung::State state) {
  switch (state) {
  case Rung::State::passed: return paint(style, Ink::good, style.unicode ? "✓" : "+");
  case Rung::State::failed: return paint(style, Ink::bad, style.unicode ? "✗" : "x");
  case Rung::State::skipped: return paint(style, Ink::faint, style.unicode ? "·" : "-");
  case Rung::State::not_reached: return " ";
  }
  return " ";
}

/// Text folded to the width, every line but the first behind `indent` blanks.
std::string folded(const Style& style, std::string_view text, std::size_t indent) {
  const std::size_t width = style.width > indent + 20 ? style.width - indent : 20;
  std::string result;
  for (const auto& line : wrap(printable(text), width)) {
    if (!result.empty()) result += "\n" + std::string(indent, ' ');
    result += line;
  }
  return result;
}

std::string row(const Style& style, std::string_view name, std::string_view text) {
  std::string padded(name);
  padded.resize(std::max(padded.size() + 1, kNameWidth), ' ');
  return "  " + paint(style, Ink::strong, padded) + folded(style, text, kIndent) + "\n";
}

std::string rung_text(const Rung& rung, const Style& style, bool verbose) {
  std::string name(text_of(rung.layer).name);
  name.resize(kNameWidth, ' ');
  const bool faint = rung.state == Rung::State::skipped || rung.state == Rung::State::not_reached;
  const auto text = rung.state == Rung::State::not_reached ? std::string("not reached") : rung.summary;
  const auto body = folded(style, text, kIndent);
  auto lines = mark(style, rung.state) + " " + (faint ? paint(style, Ink::faint, name + body) : name + body) + "\n";
  auto below = rung.evidence;
  if (verbose && rung.state == Rung::State::passed) {
    below.emplace_back(std::string(text_of(rung.layer).does) + ", in " + time_words(rung.run.seconds));
    below.insert(below.end(), rung.files.begin(), rung.files.end());
  }
  for (const auto& line : below) {
    lines += std::string(kIndent, ' ') + paint(style, Ink::faint, folded(style, line, kIndent)) + "\n";
  }
  return lines;
}

std::string explanation_text(const Explanation& explanation, const Style& style) {
  const auto id = explanation.id + " " + explanation.slug;
  if (!explanation.found_by_check) {
    return row(style, "look at", explanation.title + " (" + id + "; 'gpuwhy rule " + explanation.id + "' tells more)");
  }
  auto text = row(style, "cause", explanation.summary + "  (" + id + ")");
  if (!explanation.fix) return text;
  text += row(style, "fix", explanation.fix->words + (explanation.fix->verified ? "; verified by simulation" : ""));
  for (const auto& command : explanation.fix->commands) text += std::string(kIndent, ' ') + printable(command) + "\n";
  return text;
}

} // namespace

std::string prove_text(const Proof& proof, const Style& style, bool verbose) {
  std::string text;
  for (const auto& rung : proof.rungs) text += rung_text(rung, style, verbose);
  text += "\n";
  if (proof.explanation) text += explanation_text(*proof.explanation, style);
  for (const auto& remark : proof.remarks) text += row(style, "note", remark);
  auto sentence = proof.conclusion;
  if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  const bool good = !proof.failed && proof.suspect == Suspect::nobody;
  const auto state = proof.failed ? Rung::State::failed : good ? Rung::State::passed : Rung::State::skipped;
  text += mark(style, state) + " " + folded(style, sentence, 2) + "\n";
  return text;
}

} // namespace gpuwhy
