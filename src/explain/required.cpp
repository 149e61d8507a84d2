#include "explain/required.h"

#include "explain/rarity.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kShortestLiteral = 4;

using Need = Required::Need;
using Literals = std::vector<std::string>;

std::size_t shortest(const Literals& literals) {
  std::size_t size = literals.empty() ? 0 : literals.front().size();
  for (const auto& literal : literals) size = std::min(size, literal.size());
  return size;
}

bool nothing(const Need& need) {
  return need.kind == Need::Kind::all && need.parts.empty();
}

std::size_t rarest_of(std::string_view literal) {
  const auto* rarest = std::min_element(
      literal.begin(), literal.end(), [](char a, char b) { return commonness(a) < commonness(b); });
  return static_cast<std::size_t>(rarest - literal.begin());
}

bool holds(std::string_view text, std::string_view literal, std::size_t rarest) {
  auto at = rarest;
  while ((at = text.find(literal[rarest], at)) != std::string_view::npos) {
    if (text.substr(at - rarest).starts_with(literal)) return true;
    ++at;
  }
  return false;
}

/// A literal with a rare byte comes first.
unsigned order_of(const Need& need) {
  return need.kind == Need::Kind::literal ? commonness(need.literal[need.rarest]) : 5;
}

/// Reads what a pattern needs: all parts of a concatenation, one branch of an alternation.
class NeedReader {
public:
  explicit NeedReader(std::string_view pattern) : rest_(pattern) {}

  Need alternation(int depth) {
    Need branches{Need::Kind::any, {}, 0, {}};
    bool each = true; // has a need
    for (;;) {
      branches.parts.push_back(concatenation(depth));
      each = each && !nothing(branches.parts.back());
      if (!rest_.starts_with('|')) break;
      take();
    }
    if (!each) return {};
    return branches.parts.size() == 1 ? std::move(branches.parts.front()) : std::move(branches);
  }

private:
  static constexpr int kDeepest = 16;

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  /// The last character may be left out or repeated.
  bool quantified() {
    if (rest_.empty() || std::string_view("?*{+").find(rest_.front()) == std::string_view::npos)
      return false;
    const char c = take();
    if (c == '{') rest_.remove_prefix(std::min(rest_.find('}') + 1, rest_.size()));
    const bool optional = c != '+';
    if (rest_.starts_with('?')) take(); // lazy
    return optional;
  }
  void skip_class() {
    if (rest_.starts_with('^')) take();
    if (rest_.starts_with(']')) take();
    while (!rest_.empty()) {
      const char c = take();
      if (c == '\\' && !rest_.empty()) take();
      if (c == ']') return;
    }
  }
  Need group(int depth) {
    const bool folds_case = rest_.starts_with("?i");
    if (rest_.starts_with("?P<"))
      rest_.remove_prefix(std::min(rest_.find('>') + 1, rest_.size()));
    else if (rest_.starts_with('?'))
      rest_.remove_prefix(std::min(rest_.find(':') + 1, rest_.size()));
    auto inner = alternation(depth + 1);
    if (!rest_.empty()) take(); // ')'
    return folds_case ? Need() : std::move(inner);
  }
  static void close(std::string& run, Need& all) {
    if (!run.empty()) all.parts.push_back({Need::Kind::literal, run, rarest_of(run), {}});
    run.clear();
  }
  /// A character stands in the run, unless it is optional. What follows its first byte in UTF-8
  /// belongs to it.
  void plain(char c, std::string& run, Need& all) {
    std::string character(1, c);
    while (!rest_.empty() && (static_cast<unsigned char>(rest_.front()) & 0xC0U) == 0x80)
      character += take();
    const auto before = rest_.size();
    const bool optional = quantified();
    if (!optional) run += character;
    // '+': the character, then anything
    if (rest_.size() != before) close(run, all);
  }

  Need concatenation(int depth) {
    Need all;
    std::string run;
    const auto broken = [&] {
      close(run, all);
      quantified();
    };
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      const char c = take();
      if (c == '(' && depth < kDeepest) {
        close(run, all);
        auto found = group(depth);
        if (!quantified() && !nothing(found)) all.parts.push_back(std::move(found));
      } else if (c == '[') {
        skip_class();
        broken();
      } else if (c == '.' || c == '^' || c == '$' || c == '(') {
        broken();
      } else if (c == '\\' && !rest_.empty()) {
        const char escaped = take();
        const bool is_class = (escaped >= '0' && escaped <= '9') ||
                              (escaped >= 'A' && escaped <= 'Z') ||
                              (escaped >= 'a' && escaped <= 'z');
        if (is_class)
          broken();
        else
          plain(escaped, run, all);
      } else {
        plain(c, run, all);
      }
    }
    close(run, all);
    return all;
  }

  std::string_view rest_;
};

/// The first to ask for is what most texts lack.
void sort(Need& need) {
  for (auto& part : need.parts) sort(part);
  std::stable_sort(need.parts.begin(), need.parts.end(),
                   [](const Need& a, const Need& b) { return order_of(a) < order_of(b); });
}

Literals best_of(const Need& need) {
  if (need.kind == Need::Kind::literal) return {need.literal};
  Literals found;
  for (const auto& part : need.parts) {
    auto literals = best_of(part);
    if (need.kind == Need::Kind::any) {
      if (literals.empty()) return {};
      found.insert(found.end(), literals.begin(), literals.end());
    } else if (shortest(literals) > shortest(found)) {
      found = std::move(literals);
    }
  }
  return found;
}

} // namespace

Required::Required(std::string_view pattern) : root_(NeedReader(pattern).alternation(0)) {
  sort(root_);
}

bool Required::met(const Need& need, std::string_view text) {
  const auto is_met = [&](const Need& part) { return met(part, text); };
  switch (need.kind) {
  case Need::Kind::literal: return holds(text, need.literal, need.rarest);
  case Need::Kind::any: return std::any_of(need.parts.begin(), need.parts.end(), is_met);
  case Need::Kind::all: break;
  }
  return std::all_of(need.parts.begin(), need.parts.end(), is_met);
}

std::vector<std::string> required_literals(std::string_view pattern) {
  auto literals = best_of(NeedReader(pattern).alternation(0));
  if (shortest(literals) < kShortestLiteral) literals.clear();
  return literals;
}

} // namespace gpuwhy::explain
