#include "render/explanation.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr std::size_t kLabel = 12; // columns of "  harmless  "
constexpr std::size_t kMostHarmless = 4;
constexpr std::size_t kMostQuote = 200; // bytes of a quoted line
constexpr std::size_t kShortQuote = 64;

class Page {
public:
  explicit Page(const Style& style) : style_(style) {}

  std::string color(std::string_view code, std::string_view text) const {
    return style_.color ? "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m"
                        : std::string(text);
  }
  void line(std::string_view text) { text_ += std::string(text) + "\n"; }
  void gap() { text_ += '\n'; }
  /// "  fix       words, wrapped under themselves".
  void field(std::string_view label, std::string_view words) {
    const auto width = std::max<std::size_t>(style_.width, 40) - kLabel;
    std::string head = "  " + std::string(label);
    head.resize(std::max(kLabel, head.size() + 1), ' ');
    for (const auto& part : wrap(words, width)) {
      text_ += color("2", head) + part + "\n";
      head.assign(kLabel, ' ');
    }
  }
  /// A tick is for what is well, or is said to be by mistake; what the GPU is held back by is no
  /// tick.
  std::string mark(const explain::Judgement& judgement) const {
    const bool held_back =
        judgement.causes.empty() ? !judgement.needs.empty() : judgement.causes.front().id != "R10";
    switch (judgement.verdict) {
    case explain::Verdict::gpu:
      if (held_back) return color("33", "!");
      return color("32", style_.unicode ? "✓" : "ok");
    case explain::Verdict::no_gpu: return color("31", style_.unicode ? "✗" : "x");
    case explain::Verdict::cannot_tell: break;
    }
    return color("33", "?");
  }
  const std::string& text() const { return text_; }

private:
  const Style& style_;
  std::string text_;
};

std::string place(const explain::Quote& quote) {
  return "line " + std::to_string(quote.line) +
         (quote.count > 1 ? " (" + std::to_string(quote.count) + " times)" : "");
}

std::string cut(std::string_view text, std::size_t most = kMostQuote) {
  auto safe = printable(text);
  if (safe.size() <= most) return safe;
  // Not in the middle of a character.
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(safe[end]) & 0xc0U) == 0x80U) --end;
  return safe.substr(0, end) + "...";
}

std::string headline(const explain::Judgement& judgement) {
  if (!judgement.causes.empty()) return printable(judgement.causes.front().summary);
  if (judgement.verdict == explain::Verdict::gpu && !judgement.needs.empty())
    return "the GPU is in reach; what keeps it from being used better, the text does not tell";
  if (judgement.verdict == explain::Verdict::gpu)
    return "the GPU is used; nothing in this text says otherwise";
  return "the text does not settle why, or whether, the GPU is not used";
}

void put_evidence(Page& page, const explain::NamedCause& cause, bool verbose) {
  std::size_t shown = 0;
  for (const auto& quote : cause.evidence) {
    if (shown++ == 2 && !verbose) break;
    page.field(shown == 1 ? "seen" : "", place(quote) + ": " + cut(quote.text));
    if (!quote.says.empty()) page.field("", "= " + quote.says);
  }
}

void put_cause(Page& page, const explain::NamedCause& cause, bool verbose) {
  page.field("cause", cause.id + " " + cause.slug + ": " + cause.title);
  put_evidence(page, cause, verbose);
  page.field("fix", printable(cause.fix));
  if (!cause.confirm.empty()) page.field("confirm", cause.confirm);
}

/// The likeliest of several that look alike in a text, and the command that tells them apart.
void put_open_cause(Page& page, const explain::NamedCause& cause, bool verbose) {
  put_evidence(page, cause, verbose);
  page.field("likeliest", cause.id + " " + cause.slug + ": " + cause.title);
  page.field("", "fix: " + printable(cause.fix));
  for (const auto& other : cause.alternatives) {
    page.field(&other == &cause.alternatives.front() ? "or" : "",
               other.id + " " + other.slug + ": " + printable(other.when));
  }
  if (cause.confirm.empty()) return;
  page.field("needs", cause.confirm);
  page.field("", "run where the program runs; this text alone cannot tell them apart");
}

void put_harmless(Page& page, const std::vector<explain::Quote>& harmless, bool verbose) {
  std::vector<std::string> said;
  std::size_t shown = 0;
  for (const auto& quote : harmless) {
    if (std::find(said.begin(), said.end(), quote.says) != said.end() && !verbose) continue;
    said.push_back(quote.says);
    if (shown == kMostHarmless && !verbose) {
      page.field("", "and others (-v shows all)");
      return;
    }
    page.field(shown++ == 0 ? "harmless" : "",
               place(quote) + ": " + cut(quote.text, kShortQuote) + " = " + quote.says);
  }
}

void put_judgement(Page& page, const explain::Judgement& judgement, bool verbose) {
  std::string who;
  if (!judgement.ranks.empty()) {
    std::vector<std::string> ranks;
    for (const auto& rank : judgement.ranks) ranks.push_back(printable(rank));
    who = "rank " + join(ranks, ", ") + ": ";
  }
  page.line(page.mark(judgement) + " " + who + headline(judgement));
  page.gap();
  if (!judgement.causes.empty()) {
    const auto& root = judgement.causes.front();
    (root.alternatives.empty() ? put_cause : put_open_cause)(page, root, verbose);
  }
  for (std::size_t i = 1; i < judgement.causes.size(); ++i) {
    const auto& next = judgement.causes[i];
    page.field(i == 1 ? "next" : "", next.id + " " + next.slug + ": " + printable(next.summary));
  }
  if (judgement.works)
    page.field("works", place(*judgement.works) + ": " + cut(judgement.works->text));
  if (judgement.causes.empty() && !judgement.needs.empty())
    page.field("needs", "the output of: " + judgement.needs);
  put_harmless(page, judgement.harmless, verbose);
}

} // namespace

std::string explanation_text(const explain::Explanation& explanation, const Style& style,
                             bool verbose) {
  Page page(style);
  if (explanation.sections.empty()) put_judgement(page, explanation.whole, verbose);
  for (const auto& section : explanation.sections) {
    if (&section != &explanation.sections.front()) page.gap();
    put_judgement(page, section, verbose);
  }
  std::vector<std::string> stated;
  for (const auto& fact : explanation.stated) {
    if (stated.size() < 8 || verbose) stated.push_back(printable(fact.key + " " + fact.value));
  }
  if (!stated.empty()) page.field("stated", join(stated, "; "));
  for (const auto& note : explanation.input.notes) page.field("input", note);
  return page.text();
}

} // namespace gpuwhy
