#include "explain/messages.h"

#include "knowledge/cells.h"

#include <algorithm>
#include <map>
#include <re2/re2.h>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kShortestLiteral = 4;
constexpr std::int64_t kPatternMemory = 1 << 20; // bytes that one pattern's automaton may take

using Literals = std::vector<std::string>;

std::size_t shortest(const Literals& literals) {
  std::size_t size = literals.empty() ? 0 : literals.front().size();
  for (const auto& literal : literals) size = std::min(size, literal.size());
  return size;
}

/// Finds literals of which every match holds at least one. Of the parts of a concatenation the one
/// with the longest is taken; an alternation needs one of each of its branches.
class LiteralFinder {
public:
  explicit LiteralFinder(std::string_view pattern) : rest_(pattern) {}

  Literals alternation(int depth) {
    Literals all;
    bool whole = true;
    for (;;) {
      auto branch = concatenation(depth);
      whole = whole && !branch.empty();
      all.insert(all.end(), branch.begin(), branch.end());
      if (!rest_.starts_with('|')) break;
      take();
    }
    return whole ? all : Literals();
  }

private:
  static constexpr int kDeepest = 16;

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void offer(Literals literals) {
    if (shortest(literals) > shortest(best_)) best_ = std::move(literals);
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
  Literals group(int depth) {
    const bool folds_case = rest_.starts_with("?i");
    if (rest_.starts_with("?P<"))
      rest_.remove_prefix(std::min(rest_.find('>') + 1, rest_.size()));
    else if (rest_.starts_with('?'))
      rest_.remove_prefix(std::min(rest_.find(':') + 1, rest_.size()));
    LiteralFinder inner(rest_);
    auto found = inner.alternation(depth + 1);
    rest_ = inner.rest_;
    if (!rest_.empty()) take(); // ')'
    return folds_case ? Literals() : found;
  }
  /// A character stands in the run, unless it is optional.
  void plain(char c, std::string& run) {
    const auto before = rest_;
    if (quantified()) {
      offer({run});
      run.clear();
      return;
    }
    run += c;
    if (rest_.size() != before.size()) { // '+': the character, then anything
      offer({run});
      run.clear();
    }
  }
  void broken(std::string& run) {
    offer({run});
    run.clear();
    quantified();
  }

  Literals concatenation(int depth) {
    best_.clear();
    std::string run;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      const char c = take();
      if (c == '(' && depth < kDeepest) {
        offer({run});
        run.clear();
        auto found = group(depth);
        if (!quantified()) offer(std::move(found));
      } else if (c == '[') {
        skip_class();
        broken(run);
      } else if (c == '.' || c == '^' || c == '$' || c == '(') {
        broken(run);
      } else if (c == '\\' && !rest_.empty()) {
        const char escaped = take();
        const bool is_class = (escaped >= '0' && escaped <= '9') ||
                              (escaped >= 'A' && escaped <= 'Z') ||
                              (escaped >= 'a' && escaped <= 'z');
        if (is_class)
          broken(run);
        else
          plain(escaped, run);
      } else {
        plain(c, run);
      }
    }
    offer({run});
    return std::move(best_);
  }

  std::string_view rest_;
  Literals best_;
};

std::optional<Kind> kind_of(std::string_view word) {
  if (word == "cause") return Kind::cause;
  if (word == "consequence") return Kind::consequence;
  if (word == "positive") return Kind::positive;
  if (word == "harmless") return Kind::harmless;
  if (word == "context") return Kind::context;
  return std::nullopt;
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

std::vector<std::string> required_literals(std::string_view pattern) {
  auto literals = LiteralFinder(pattern).alternation(0);
  if (shortest(literals) < kShortestLiteral) literals.clear();
  return literals;
}

/// Compiled when a line first needs them: few logs need more than a dozen.
struct MessageTable::Patterns {
  std::vector<std::unique_ptr<re2::RE2>> compiled;

  const re2::RE2& get(std::size_t row, std::string_view pattern) {
    auto& slot = compiled[row];
    if (!slot) {
      re2::RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(kPatternMemory);
      slot = std::make_unique<re2::RE2>(piece(pattern), options);
    }
    return *slot;
  }
};

MessageTable::~MessageTable() = default;

MessageTable::MessageTable() : patterns_(std::make_unique<Patterns>()) {
  TableReader table("messages", {"name", "kind", "cause", "framework", "versions", "pattern",
                                 "says", "ask", "source"});
  Literals literals;
  for (const auto& [line, cells] : table.rows) {
    Message message{.name = cells[0],
                    .signal = cells[0].substr(0, cells[0].find('/')),
                    .kind = kind_of(cells[1]).value_or(Kind::context),
                    .cause = cells[2],
                    .framework = cells[3],
                    .versions = cells[4],
                    .pattern = cells[5],
                    .says = cells[6],
                    .ask = cells[7],
                    .source = cells[8]};
    if (!kind_of(cells[1])) table.complain(line, "no such kind");
    if (message.name.empty() || message.says.empty()) table.complain(line, "an empty cell");
    const auto required = required_literals(message.pattern);
    if (required.empty()) headers_.push_back(messages_.size());
    if (required.empty() && message.kind != Kind::context) {
      table.complain(line, "the pattern has no plain run of four characters that it must hold");
    }
    for (const auto& literal : required) {
      literals.push_back(literal);
      row_of_.push_back(messages_.size());
    }
    messages_.push_back(message);
  }
  literals.emplace_back("\x1b");
  sieve_ = std::make_unique<LiteralSet>(literals);
  patterns_->compiled.resize(messages_.size());
  problems_ = std::move(table.problems);
}

const MessageTable& MessageTable::get() {
  static const MessageTable kTable;
  return kTable;
}

bool MessageTable::row_matches(std::size_t row, std::string_view body, Values* values) const {
  const auto& pattern = patterns_->get(row, messages_[row].pattern);
  if (!pattern.ok()) return false;
  const int groups = pattern.NumberOfCapturingGroups();
  if (values == nullptr || groups == 0) {
    return pattern.Match(piece(body), 0, body.size(), re2::RE2::UNANCHORED, nullptr, 0);
  }
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups) + 1);
  if (!pattern.Match(piece(body), 0, body.size(), re2::RE2::UNANCHORED, found.data(), groups + 1))
    return false;
  for (const auto& [group, name] : pattern.CapturingGroupNames()) {
    const auto& text = found[static_cast<std::size_t>(group)];
    if (text.data() != nullptr)
      values->emplace_back(name, std::string(text.data(), std::min<std::size_t>(text.size(), 200)));
  }
  return true;
}

void MessageTable::match(std::string_view body, const std::vector<int>& candidates, bool head,
                         std::vector<Match>& matches) const {
  bool explained = false;
  const auto attempt = [&](std::size_t row) {
    const auto& message = messages_[row];
    if (explained && message.kind != Kind::context) return;
    Values values;
    if (!row_matches(row, body, &values)) return;
    if (message.kind != Kind::context) explained = true;
    matches.push_back({&message, std::move(values)});
  };
  auto tried = messages_.size();
  for (const int id : candidates) { // sorted, and so are the rows
    if (static_cast<std::size_t>(id) >= row_of_.size()) continue;
    const auto row = row_of_[static_cast<std::size_t>(id)];
    if (row != tried) attempt(row);
    tried = row;
  }
  if (head) {
    for (const auto row : headers_) attempt(row);
  }
}

} // namespace gpuwhy::explain
