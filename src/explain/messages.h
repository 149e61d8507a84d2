// The table of messages (knowledge/messages.tsv) and its matching: a sieve of literals first, then
// the row's exact pattern. Adding a message is a row of the table; no code changes.
#pragma once

#include "explain/literals.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpuwhy::explain {

enum class Kind { cause, consequence, positive, harmless, context };

struct Message {
  std::string_view name;   // "library-missing/tf1"
  std::string_view signal; // "library-missing": what the judge knows it by
  Kind kind = Kind::context;
  std::string_view cause; // "L05"; empty: none by itself
  std::string_view framework;
  std::string_view versions;
  std::string_view pattern;
  std::string_view says;
  std::string_view ask; // the command whose output would settle it
  std::string_view source;
};

/// Named groups and what they matched, in the pattern's order; groups that took no part are left
/// out.
using Values = std::vector<std::pair<std::string, std::string>>;

struct Match {
  const Message* message = nullptr;
  Values values;
};

class MessageTable {
public:
  static const MessageTable& get();
  ~MessageTable();
  MessageTable(const MessageTable&) = delete;
  MessageTable& operator=(const MessageTable&) = delete;

  const std::vector<Message>& messages() const { return messages_; }
  /// The literals of all rows, in their order, then ESC: a line with escape sequences must be
  /// looked at without them.
  const LiteralSet& sieve() const { return *sieve_; }
  /// What `body` says: every context row that matches, and the first of all the others.
  /// `candidates` are ids of the sieve. Rows of kind context whose pattern has no literal to sieve
  /// by are tried in the head of a text only, where people state what they have.
  void match(std::string_view body, const std::vector<int>& candidates, bool head,
             std::vector<Match>& matches) const;
  /// For the tests: whether this row's pattern matches, whatever other rows do.
  bool row_matches(std::size_t row, std::string_view body, Values* values = nullptr) const;
  /// For the tests: "messages.tsv:LINE: what is wrong".
  const std::vector<std::string>& problems() const { return problems_; }

private:
  struct Patterns;
  MessageTable();

  std::vector<Message> messages_;
  std::vector<std::size_t> row_of_;  // by id of the sieve
  std::vector<std::size_t> headers_; // rows without a literal
  std::unique_ptr<LiteralSet> sieve_;
  std::unique_ptr<Patterns> patterns_;
  std::vector<std::string> problems_;
};

} // namespace gpuwhy::explain
