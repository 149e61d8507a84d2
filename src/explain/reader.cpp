#include "explain/reader.h"

#include "base/text.h"
#include "explain/clean.h"
#include "explain/stated.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kMostSightings = 256; // of kind context, and as many of all others
constexpr std::size_t kMostSaid = 256;
constexpr std::size_t kMostRanks = 64;
constexpr std::size_t kMostStarts = 64;
constexpr std::size_t kMostKnown = 4096;
constexpr std::size_t kLongestText = 400;
constexpr std::size_t kLongestBody = 8192; // what of a line the patterns are tried on at a time
constexpr std::size_t kBodyOverlap = 512;
constexpr double kDay = 24 * 3600;
constexpr double kNewProcess = 10; // seconds after which what is said once is said by another

std::uint64_t hash_of(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325U) {
  // FNV-1a over words, then bytes: good enough to tell messages apart, and fast.
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::copy_n(text.data(), 8, reinterpret_cast<char*>(&word));
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    hash ^= hash >> 32U;
  }
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

/// Control bytes, or "[0", "[m", "[K": what is left of an escape sequence that lost its ESC.
bool has_escapes(std::string_view line) {
  const bool control = std::any_of(line.begin(), line.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r';
  });
  if (control) return true;
  for (auto at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    const auto next = line.substr(at + 1, 1);
    if (next == "0" || next == "m" || next == "K") return true;
  }
  return false;
}

/// Said once by a process of TensorFlow.
bool once_a_process(const Message& message) {
  return message.signal == "cpu-features" || message.signal == "onednn";
}

bool starts_a_gpu(const Message& message) {
  return message.signal == "gpu-created" || message.signal == "gpu-listed" ||
         message.signal == "library-opened" || message.signal == "gpu-found";
}

/// os.environ['CUDA_VISIBLE_DEVICES'] and its value, joined, must not read as an assignment.
std::string unquoted_value(std::string joined) {
  const auto value = joined.find(" = '");
  const bool variable = value != std::string::npos && contains(joined, "environ[");
  if (!variable || joined.size() < value + 6) return joined;
  return joined.substr(0, value + 3) + joined.substr(value + 4, joined.size() - value - 5);
}

} // namespace

void Reader::line(std::string_view raw, std::uint64_t number) {
  std::string cleaned;
  if (has_escapes(raw)) {
    cleaned = strip_escapes(raw);
    raw = cleaned;
  }
  // A progress bar overwrites its line: each state counts as a line.
  for (;;) {
    const auto end = raw.find('\r');
    const auto part = raw.substr(0, end);
    for (std::size_t at = 0; at < part.size() || at == 0; at += kLongestBody - kBodyOverlap) {
      segment(part.substr(std::min(at, part.size()), kLongestBody), number);
      if (part.size() <= kLongestBody) break;
    }
    if (end == std::string_view::npos) return;
    raw.remove_prefix(end + 1);
  }
}

void Reader::segment(std::string_view text, std::uint64_t number) {
  if (pasted_.line(text, number, in_head(number))) want_next_();
  const auto stripped = strip_prefixes(text);
  auto& ranks = reading_.ranks;
  if (!stripped.rank.empty() && ranks.size() < kMostRanks &&
      std::find(ranks.begin(), ranks.end(), stripped.rank) == ranks.end()) {
    ranks.emplace_back(stripped.rank);
  }
  if (contains(stripped.source, "cudart_stub"))
    say("cudart_source", std::string(stripped.source), number, false);
  if (in_head(number)) {
    head_bytes_ += text.size();
    state(stripped.body, number);
    if (session_.line(stripped.body, number)) reading_.places = session_.places();
    converse(stripped.body, stripped.rank, number);
    pip_show(stripped.body, stripped.rank, number);
    if (const auto looped = code_.looped(stripped.body)) {
      looping_ = true;
      see(*looped, stripped.rank, number);
      looping_ = false;
    }
  }
  logged_ = !stripped.rank.empty();
  const auto seen = see(stripped.body, stripped.rank, number);
  logged_ = false;
  const bool starts_gpu = std::any_of(seen.begin(), seen.end(), [&](std::size_t i) {
    return starts_a_gpu(*reading_.sightings[i].message);
  });
  if (stripped.seconds) watch_clock(stripped.body, *stripped.seconds, number, starts_gpu);
  const bool banner = std::any_of(seen.begin(), seen.end(), [&](std::size_t i) {
    return once_a_process(*reading_.sightings[i].message);
  });
  if (banner && stripped.seconds && stripped.rank.empty()) banner_at(number);
}

/// What passes between two runs is no standstill.
void Reader::started_at(std::uint64_t line) {
  reading_.last_start = line;
  clock_.reset();
  before_ = {};
}

/// A second banner: the program was started again, at the first line after the pause between them.
void Reader::banner_at(std::uint64_t number) {
  if (banner_ != 0 && after_pause_ > banner_) reading_.last_start = after_pause_;
  banner_ = number;
}

void Reader::watch_clock(std::string_view body, double seconds, std::uint64_t number,
                         bool starts_gpu) {
  const double passed = !clock_              ? 0
                        : seconds >= *clock_ ? seconds - *clock_
                                             : seconds - *clock_ + kDay;
  if (passed >= kNewProcess) after_pause_ = number;
  const bool asked_later = contains(body, "Profiler session"); // by a client, when it likes
  if (clock_ && before_.line != 0 && !asked_later) {
    if (!reading_.pause || reading_.pause->seconds < passed) {
      before_.seconds = passed;
      reading_.pause = before_;
    }
  }
  clock_ = seconds;
  before_ = {};
  if (starts_gpu) {
    before_ = {0, number, std::string(body.substr(0, kLongestText))};
    want_next_();
  }
}

/// A question at a prompt and its answer, some lines further down, are matched as one line:
/// "QUESTION = ANSWER".
void Reader::converse(std::string_view body, std::string_view rank, std::uint64_t number) {
  if (question_) {
    const bool several = question_->pending.size() > 1 ||
                         (question_->pending.size() == 1 && question_->pending[0].whole.empty());
    auto told = several ? question_->paired_with(body) : std::vector<std::string>();
    const bool all = told.empty() || question_->pending.empty();
    if (const auto answer = told.empty() ? question_->answered_by(body) : std::nullopt)
      told.push_back(question_->text + " = " + *answer);
    for (const auto& joined : told) {
      joining_ = true;
      see(unquoted_value(joined), rank, number);
      joining_ = false;
    }
    if (!told.empty() && all) question_.reset();
  }
  auto question = question_in(body);
  if (!question) return;
  constexpr std::uint64_t kSameScript = 6; // lines between two statements of one
  const bool at_prompt = body.starts_with(">>>") || body.starts_with("In [");
  if (question_ && !at_prompt && number - asked_at_ <= kSameScript)
    question->after(std::move(*question_));
  question_ = std::move(question);
  asked_at_ = number;
}

/// "Name: tensorflow", then "Version: 2.15.0": read as pip list writes it.
void Reader::pip_show(std::string_view body, std::string_view rank, std::uint64_t number) {
  if (body.starts_with("Name: ")) {
    shown_ = std::string(trim(body.substr(6)).substr(0, 64));
  } else if (!shown_.empty() && body.starts_with("Version: ")) {
    see(shown_ + "==" + std::string(trim(body.substr(9)).substr(0, 64)), rank, number);
    shown_.clear();
  }
  // "- name: CUDA_VISIBLE_DEVICES", then "value: x", of a pod: read as a shell writes it.
  const auto line = trim(body);
  if (line.starts_with("- name: ")) {
    variable_ = std::string(line.substr(8, 64));
  } else if (!variable_.empty() && line.starts_with("value:")) {
    const bool upper =
        variable_.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string::npos;
    if (upper)
      see(variable_ + "=" + std::string(trim(line.substr(6)).substr(0, 200)), rank, number);
    variable_.clear();
  }
}

void Reader::finish() {
  if (question_ && question_->silence_answers)
    see(question_->text + " = (nothing)", {}, Question::kEnd);
  question_.reset();
}

void Reader::judge_code(const CodeJudge& judge) {
  if (!judge || judged_ == pasted_.version()) return;
  judged_ = pasted_.version();
  reading_.code = read_code(pasted_.programs(), judge);
}

void Reader::state(std::string_view body, std::uint64_t number) {
  if (asked_ && !trim(body).empty()) {
    say(*asked_, std::string(trim(body).substr(0, 200)), number, true);
    asked_.reset();
    return;
  }
  if (auto key = heading_key(body)) {
    asked_ = std::move(key);
    return;
  }
  if (auto stated = stated_in(body))
    say(std::move(stated->first), std::move(stated->second), number, true);
}

void Reader::say(std::string key, std::string value, std::uint64_t number, bool by_hand) {
  for (auto& said : reading_.said) {
    if (said.key == key && said.value == value) return;
  }
  if (reading_.said.size() >= kMostSaid) {
    ++reading_.left_out;
    return;
  }
  reading_.said.push_back({std::move(key), std::move(value), number, by_hand});
}

void Reader::again(Sighting& sighting, std::string_view body, std::uint64_t number) {
  const auto& signal = sighting.message->signal;
  if (!joining_ && (signal == "python-run" || signal == "container")) {
    const bool cell = sighting.message->name == "python-run/notebook";
    const bool starts = signal == "python-run" || !sighting.values.empty();
    if (starts && !(cell && notebook_)) {
      ++reading_.runs;
      if (reading_.starts.size() < kMostStarts)
        reading_.starts.push_back({number, std::string(trim(body).substr(0, kLongestText))});
      if (reading_.runs > 1) started_at(number);
    }
    if (starts) notebook_ = cell;
  }
  if (signal == "run-heading") started_at(number);
  sighting.last = number;
  sighting.last_run = reading_.runs;
  ++sighting.count;
}

std::vector<std::size_t> Reader::see(std::string_view body, std::string_view rank,
                                     std::uint64_t number) {
  table_.sieve().collect(body, candidates_);
  const bool head = in_head(number);
  if (candidates_.empty() && !head) return {};
  const auto hash = hash_of(rank, hash_of(body));
  if (const auto known = known_.find(hash); known != known_.end()) {
    for (const auto i : known->second) again(reading_.sightings[i], body, number);
    return known->second;
  }
  auto& missed = missed_[hash % missed_.size()];
  if (missed == hash) return {};
  std::vector<Match> matches;
  table_.match(body, candidates_, head, matches);
  if (matches.empty()) {
    missed = hash;
    return {};
  }
  if (looping_)
    std::erase_if(matches, [](const Match& m) { return !m.message->signal.starts_with("loop-"); });
  if (logged_ || (joining_ && body.starts_with("print(")))
    std::erase_if(matches, [](const Match& m) { return m.message->signal.starts_with("code-"); });
  if (body.starts_with('#')) { // commented out, if it is no shell of root
    const bool python = contains(body, "environ");
    std::erase_if(matches, [&](const Match& m) {
      return m.message->signal.starts_with("code-") ||
             (python && m.message->signal == "visible-devices");
    });
  }
  std::vector<std::size_t> kept;
  for (auto& match : matches) {
    for (const auto& [key, value] : match.values) say(key, value, number, false);
    if (const auto i = keep(std::move(match), body, rank, number)) kept.push_back(*i);
  }
  if (known_.size() >= kMostKnown) known_.clear();
  known_.emplace(hash, kept);
  return kept;
}

std::optional<std::size_t> Reader::keep(Match match, std::string_view body, std::string_view rank,
                                        std::uint64_t number) {
  auto& sightings = reading_.sightings;
  const auto same = std::find_if(sightings.begin(), sightings.end(), [&](const Sighting& sighting) {
    return sighting.message == match.message && sighting.rank == rank &&
           sighting.values == match.values;
  });
  auto index = static_cast<std::size_t>(same - sightings.begin());
  if (same == sightings.end()) {
    const bool context = match.message->kind == Kind::context;
    const auto held = context ? contexts_ : sightings.size() - contexts_;
    if (held >= kMostSightings) {
      ++reading_.left_out;
      return std::nullopt;
    }
    if (context) ++contexts_;
    Sighting sighting{.message = match.message,
                      .values = std::move(match.values),
                      .rank = std::string(rank),
                      .text = std::string(trim(body).substr(0, kLongestText)),
                      .first = number};
    sightings.push_back(std::move(sighting));
    index = sightings.size() - 1;
  }
  auto& sighting = sightings[index];
  again(sighting, body, number);
  if (sighting.count == 1) sighting.first_run = sighting.last_run;
  return index;
}

} // namespace gpuwhy::explain
