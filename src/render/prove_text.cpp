#include "render/prove_text.h"

#include "base/amount.h"
#include "base/text.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr std::size_t kNameWidth = 10;

/// Columns of a mark and the blank behind it; of all that stands before a row's text.
std::size_t mark_width(const Style& style) {
  return display_width(mark_good(style)) + 1;
}
std::size_t indent_of(const Style& style) {
  return mark_width(style) + kNameWidth;
}

std::string mark(const Style& style, Rung::State state) {
  switch (state) {
  case Rung::State::passed: return paint(style, Ink::good, mark_good(style));
  case Rung::State::failed: return paint(style, Ink::bad, mark_bad(style));
  default: return paint(style, Ink::faint, style.unicode ? "·" : "- ");
  }
}

/// Text folded to the width, every line but the first behind `indent` blanks.
std::string folded(const Style& style, std::string_view text, std::size_t indent) {
  const std::size_t width = style.width > indent + 20 ? style.width - indent : 20;
  std::string result;
  for (const auto& line : wrap(shown(style, text, 2 * width), width)) {
    if (!result.empty()) result += "\n" + std::string(indent, ' ');
    result += line;
  }
  return result;
}

std::string row(const Style& style, std::string_view name, std::string_view text) {
  std::string padded(name);
  padded.resize(std::max(padded.size() + 1, kNameWidth), ' ');
  return std::string(mark_width(style), ' ') + paint(style, Ink::strong, padded) +
         folded(style, text, indent_of(style)) + "\n";
}

std::string rung_text(const Rung& rung, const Style& style, bool verbose) {
  std::string name(text_of(rung.layer).name);
  name.resize(kNameWidth, ' ');
  const bool faint = rung.state == Rung::State::skipped;
  const auto body = folded(style, rung.summary, indent_of(style));
  auto lines = mark(style, rung.state) + " " +
               (faint ? paint(style, Ink::faint, name + body) : name + body) + "\n";
  auto below = rung.evidence;
  if (verbose && rung.state == Rung::State::passed) {
    below.emplace_back(std::string(text_of(rung.layer).does) + ", in " +
                       time_words(rung.run.seconds));
    below.insert(below.end(), rung.files.begin(), rung.files.end());
  }
  for (const auto& line : below) {
    const auto indent = indent_of(style);
    lines +=
        std::string(indent, ' ') + paint(style, Ink::faint, folded(style, line, indent)) + "\n";
  }
  return lines;
}

std::string explanation_text(const Explanation& explanation, const Style& style) {
  const auto id = explanation.id + " " + explanation.slug;
  if (!explanation.found_by_check) {
    return row(style, "look at",
               explanation.title + " (" + id + "; 'gpuwhy rule " + explanation.id +
                   "' tells more)");
  }
  auto text = row(style, "cause", explanation.summary + "  (" + id + ")");
  if (!explanation.fix) return text;
  text +=
      row(style, "fix",
          explanation.fix->words + (explanation.fix->verified ? "; verified by simulation" : ""));
  for (const auto& command : explanation.fix->commands)
    text += std::string(indent_of(style), ' ') + printable(command) + "\n";
  return text;
}

} // namespace

std::string prove_text(const Proof& proof, const Style& style, bool verbose) {
  std::string text;
  std::vector<std::string> not_reached;
  for (const auto& rung : proof.rungs) {
    if (rung.state == Rung::State::not_reached)
      not_reached.emplace_back(text_of(rung.layer).name);
    else
      text += rung_text(rung, style, verbose);
  }
  if (!not_reached.empty()) {
    const auto width = mark_width(style);
    text +=
        std::string(width, ' ') +
        paint(style, Ink::faint, folded(style, "not reached: " + join(not_reached, ", "), width)) +
        "\n";
  }
  text += "\n";
  if (proof.explanation) text += explanation_text(*proof.explanation, style);
  for (const auto& remark : proof.remarks) text += row(style, "note", remark);
  if (verbose && proof.check == Usable::unknown) {
    for (const auto& missing : proof.check_unknown) text += row(style, "unknown", missing);
  }
  auto sentence = proof.conclusion;
  if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z')
    sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  const auto open = paint(style, Ink::open, mark_open(style));
  const auto sign = proof.failed                       ? mark(style, Rung::State::failed)
                    : proof.suspect == Suspect::nobody ? mark(style, Rung::State::passed)
                                                       : open;
  text += sign + " " + folded(style, sentence, mark_width(style)) + "\n";
  return text;
}

} // namespace gpuwhy
