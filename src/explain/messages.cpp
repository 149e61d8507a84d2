#include "explain/messages.h"

#include "explain/required.h"
#include "knowledge/cells.h"

#include <algorithm>
#include <map>
#include <re2/re2.h>

namespace gpuwhy::explain {
namespace {

constexpr std::int64_t kPatternMemory = 1 << 20; // bytes that one pattern's automaton may take

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

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

} // namespace

/// Read and compiled when a line first needs them: few logs need more than a dozen.
struct MessageTable::Patterns {
  std::vector<std::unique_ptr<Required>> needs;
  std::vector<std::unique_ptr<re2::RE2>> compiled;

  bool possible(std::size_t row, std::string_view pattern, std::string_view body) {
    auto& slot = needs[row];
    if (!slot) slot = std::make_unique<Required>(pattern);
    return slot->met_by(body);
  }
  const re2::RE2& get(std::size_t row, std::string_view pattern) {
    auto& slot = compiled[row];
    if (!slot) {
      re2::RE2::Options options;
      options.set_log_errors(false);
      // Byte by byte where the pattern allows it: "[^\\n]{0,60}" takes a third of the room, and
      // what is no UTF-8 does not break a line in two.
      if (std::all_of(pattern.begin(), pattern.end(), is_ascii))
        options.set_encoding(re2::RE2::Options::EncodingLatin1);
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
  patterns_->needs.resize(messages_.size());
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
    if (!patterns_->possible(row, message.pattern, body)) return;
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
