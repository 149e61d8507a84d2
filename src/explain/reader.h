// Turns lines into a Reading: cleans each, asks the table of messages, and keeps what was seen
// within bounds.
#pragma once

#include "explain/code_reader.h"
#include "explain/dialogue.h"
#include "explain/pasted_code.h"
#include "explain/reading.h"

#include <array>
#include <functional>
#include <unordered_map>

namespace gpuwhy::explain {

class Reader {
public:
  /// `want_next` is called when the line after the one being read is needed whatever it says.
  Reader(const MessageTable& table, std::function<void()> want_next)
      : table_(table), want_next_(std::move(want_next)) {}

  /// Lines up to this number are read for statements too; the sieve must let them all pass.
  static constexpr std::uint64_t kHead = 400;
  /// And no more than this of them: a line may be as long as a file.
  static constexpr std::uint64_t kHeadBytes = std::uint64_t{256} * 1024;

  void line(std::string_view raw, std::uint64_t number);
  /// No line follows.
  void finish();
  /// Has the code so far judged; `Reading::code` holds the answer.
  void judge_code(const CodeJudge& judge);
  const Reading& reading() const { return reading_; }

private:
  bool in_head(std::uint64_t number) const { return number <= kHead && head_bytes_ < kHeadBytes; }
  void segment(std::string_view text, std::uint64_t number);
  void converse(std::string_view body, std::string_view rank, std::uint64_t number);
  void state(std::string_view body, std::uint64_t number);
  void pip_show(std::string_view body, std::string_view rank, std::uint64_t number);
  void say(std::string key, std::string value, std::uint64_t number, bool by_hand);
  void watch_clock(std::string_view body, double seconds, std::uint64_t number, bool starts_gpu);
  void started_at(std::uint64_t line);
  void banner_at(std::uint64_t number);
  std::vector<std::size_t> see(std::string_view body, std::string_view rank, std::uint64_t number);
  void again(Sighting& sighting, std::string_view body, std::uint64_t number);
  std::optional<std::size_t> keep(Match match, std::string_view body, std::string_view rank,
                                  std::uint64_t number);

  const MessageTable& table_;
  std::function<void()> want_next_;
  Reading reading_;
  std::vector<int> candidates_;
  /// By hash of message and rank: what was made of it. Repeated lines cost one look-up.
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> known_;
  /// Hashes of lines of which nothing was made, each at its own place until another takes it.
  std::array<std::uint64_t, 4096> missed_{};
  std::size_t contexts_ = 0; // sightings of kind context, bounded on their own
  std::optional<double> clock_;
  std::uint64_t after_pause_ = 0; // first line after the last pause
  std::uint64_t banner_ = 0;      // last line that a process says once
  Pause before_;                  // the last line with a time stamp, if a GPU is started in it
  bool joining_ = false;          // a question is seen again, with its answer: nothing is started
  std::string shown_;             // the package that pip shows
  std::string variable_;          // that a pod's list names
  std::optional<Question> question_; // at a prompt, not yet answered
  std::uint64_t asked_at_ = 0;       // its line
  Session session_;
  CodeReader code_;
  PastedCode pasted_;
  std::uint64_t judged_ = 0;     // version of the code
  std::uint64_t head_bytes_ = 0; // read of the head
  bool looping_ = false;         // what a loop repeats is read once more, as that and nothing else
  std::optional<std::string> asked_; // heading of an issue form, whose value follows
  bool logged_ = false;              // a worker printed the line: it is no code
  bool notebook_ = false;            // the last run was begun in a notebook
};

} // namespace gpuwhy::explain
