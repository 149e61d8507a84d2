#include "explain/messages.h"

#include "knowledge/cells.h"

#include <algorithm>
#include <map>
#include <re2/re2.h>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kShortestLiteral = 4;
constexpr std::int64_t kPatternMemory = 1 << 20; // bytes that one pattern's automaton may take

/// Takes the plain runs out of a pattern. Groups, classes and what a quantifier makes optional break a run.
class LiteralFinder {
public:
  explicit LiteralFinder(std::string_view pattern) : rest_(pattern) {}

  std::string find() {
    while (!rest_.empty() && !failed_) step();
    end_run();
    return failed_ || best_.size() < kShortestLiteral ? std::string() : best_;
  }

private:
  void end_run() {
    if (run_.size() > best_.size()) best_ = run_;
    run_.clear();
  }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  /// To behind the ')' that closes the group just opened.
  void skip_group() {
    for (int depth = 1; !rest_.empty() && depth > 0;) {
      const char c = take();
      if (c == '\\' && !rest_.empty()) take();
      else if (c == '[') skip_class();
      else if (c == '(') ++depth;
      else if (c == ')') --depth;
    }
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
  void step() {
    const char c = take();
    switch (c) {
    case '|': failed_ = true; return;
    case '(': end_run(); skip_group(); return;
    case '[': end_run(); skip_class(); return;
    case '.':
    case '^':
    case '$': end_run(); return;
    case '+': end_run(); return;
    case '?':
    case '*':
    case '{':
      if (!run_.empty()) run_.pop_back();
      end_run();
      if (c == '{') rest_.remove_prefix(std::min(rest_.find('}') + 1, rest_.size()));
      return;
    case '\\': {
      const char escaped = rest_.empty() ? '\\' : take();
      const bool plain = (escaped < '0' || escaped > '9') && (escaped < 'A' || escaped > 'Z') && (escaped < 'a' || escaped > 'z');
      if (plain) run_ += escaped;
      else end_run();
      return;
    }
    default: run_ += c;
    }
  }

  std::string_view rest_;
  std::string run_;
  std::string best_;
  bool failed_ = false;
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

std::string required_literal(std::string_view pattern) {
  return LiteralFinder(pattern).find();
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
  TableReader table("messages",
                    {"name", "kind", "cause", "framework", "versions", "pattern", "says", "ask", "source"});
  std::vector<std::string> literals;
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
                    .source = cells[8],
                    .literal = required_literal(cells[5])};
    if (!kind_of(cells[1])) table.complain(line, "no such kind");
    if (message.name.empty() || message.says.empty()) table.complain(line, "an empty cell");
    if (message.literal.empty()) table.complain(line, "the pattern has no plain run of four characters");
    literals.push_back(message.literal.empty() ? std::string(message.pattern) : message.literal);
    messages_.push_back(std::move(message));
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
  if (!pattern.Match(piece(body), 0, body.size(), re2::RE2::UNANCHORED, found.data(), groups + 1)) return false;
  for (const auto& [group, name] : pattern.CapturingGroupNames()) {
    const auto& text = found[static_cast<std::size_t>(group)];
    if (text.data() != nullptr) values->emplace_back(name, std::string(text.data(), std::min<std::size_t>(text.size(), 200)));
  }
  return true;
}

void MessageTable::match(std::string_view body, const std::vector<int>& candidates, std::vector<Match>& matches) const {
  bool explained = false;
  for (const int id : candidates) {
    const auto row = static_cast<std::size_t>(id);
    if (row >= messages_.size()) continue;
    const auto& message = messages_[row];
    if (explained && message.kind != Kind::context) continue;
    Values values;
    if (!row_matches(row, body, &values)) continue;
    if (message.kind != Kind::context) explained = true;
    matches.push_back({&message, std::move(values)});
  }
}

} // namespace gpuwhy::explain
