#include "explain/use_figures.h"

#include "base/text.h"
#include "explain/use_samples.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <re2/re2.h>
#include <vector>

namespace gpuwhy::explain {
namespace {

constexpr double kPercent = 100;

bool any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return contains(text, word); });
}

double number(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// All numbers that are no part of a word: of "GPU0 at 12.5 %" the 12.5.
std::vector<double> numbers_in(std::string_view text) {
  std::vector<double> found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i])) continue;
    const auto end = std::min(text.find_first_not_of("0123456789.", i), text.size());
    const bool in_word = i > 0 && std::isalpha(static_cast<unsigned char>(text[i - 1])) != 0;
    if (!in_word) found.push_back(number(text.substr(i, end - i)));
    i = end;
  }
  return found;
}

std::optional<double> seconds_of(double value, std::string_view unit) {
  if (unit.starts_with("us")) return value / 1e6;
  if (unit.starts_with("ms")) return value / 1e3;
  if (unit.starts_with("h")) return value * 3600;
  if (unit.starts_with("m")) return value * 60;
  return value;
}

/// The longest time that is stated: "3-4 min" -> 240.
std::optional<double> longest_time(const std::string& text) {
  static const re2::RE2 kTime(R"((\d+(?:\.\d+)?) ?(ms|us|sec\w*|s|min\w*|mins?|m|hours?|h)\b)");
  re2::StringPiece rest(text);
  std::string value;
  std::string unit;
  std::optional<double> longest;
  while (re2::RE2::FindAndConsume(&rest, kTime, &value, &unit)) {
    const auto seconds = seconds_of(number(value), unit);
    if (!longest || *seconds > *longest) longest = seconds;
  }
  return longest;
}

/// Two amounts of one kind around two words: "60 ms on one, 170 ms on eight".
struct Pair {
  double first = 0;
  double second = 0;
};

std::optional<Pair> pair_in(const std::string& text, const re2::RE2& pattern) {
  std::string a;
  std::string unit_a;
  std::string b;
  std::string unit_b;
  if (!re2::RE2::PartialMatch(text, pattern, &a, &unit_a, &b, &unit_b)) return std::nullopt;
  return Pair{*seconds_of(number(a), unit_a), *seconds_of(number(b), unit_b)};
}

bool is_memory_key(std::string_view key) {
  return any(key, {"mem", "rss", "vram"}) || key == "ram";
}

bool is_use_key(std::string_view key) {
  return any(key, {"util", "usage", "load"}) && !is_memory_key(key) &&
         !any(key, {"cpu", "disk", "processor"});
}

bool bursts(std::string_view text) {
  return any(text, {"between", "of the time", "most of", "spike", "fluctuat", "jump", "oscillat",
                    "drops to 0", "burst", "from time to time", "not stable", "unstable", "at each",
                    "at every", "at the start of"});
}

/// "ten minutes" -> "10 minutes".
std::string in_digits(std::string text) {
  constexpr std::array<std::string_view, 11> kNumbers = {
      "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "fifteen", "twenty"};
  constexpr std::array<std::string_view, 11> kDigits = {"2", "3", "4",  "5",  "6", "7",
                                                        "8", "9", "10", "15", "20"};
  for (std::size_t i = 0; i < kNumbers.size(); ++i) {
    for (const std::string_view unit : {" minutes", " hours", " seconds"})
      text = replace_all(std::move(text), std::string(kNumbers[i]) + std::string(unit),
                         std::string(kDigits[i]) + std::string(unit));
  }
  return text;
}

/// At least four figures that only rise, by a fourth or more: more than the first steps' warming
/// up.
bool only_up(const std::vector<double>& series) {
  return series.size() >= 4 && std::is_sorted(series.begin(), series.end()) && series.front() > 0 &&
         series.back() >= 1.25 * series.front();
}

class FigureReader {
public:
  explicit FigureReader(UseFigures& out) : out_(out) {}

  void statement(const std::string& key, const std::string& value) {
    const bool run_key = any(key, {"step time", "epoch time", "speed", "throughput", "iteration"});
    out_.stated = out_.stated || is_use_key(key) || is_memory_key(key) || run_key;
    const bool gauge = key == "gauge" && contains(value, "task manager");
    if (is_use_key(key) || gauge) use(value);
    processor(key, value);
    if (is_memory_key(key)) memory(value);
    if (contains(key, "temp")) temperature(value);
    if (any(key, {"start", "first step", "first call", "first import"})) start(value);
    if (!contains(key, "epoch")) change(key, value);
    first_waits(value);
    against(value);
    step(key, value);
    if (is_memory_key(key) && is_digit(key.back())) {
      const auto figures = numbers_in(value);
      if (!figures.empty()) memory_.push_back(figures.front());
    }
  }
  /// What several statements tell together.
  void finish() {
    if (only_up(memory_)) out_.memory_grows = true;
    if (data_ && step_ && *step_ > 0 && *data_ <= *step_) out_.waits = *data_ / *step_;
    if (cpu_step_ && step_ && *step_ > *cpu_step_) out_.slower_than_cpu = true;
  }

private:
  /// "step time: 240 ms", "cpu step time: 90 ms", "data wait per step: 180 ms".
  void step(const std::string& key, const std::string& value) {
    if (split(value, ',').size() > 1 || contains(value, " on ")) return;
    const bool data = contains(key, "wait") && any(key, {"data", "input", "loader"});
    const bool steps = any(key, {"step time", "time per step", "step ms"});
    if (!data && !steps) return;
    const auto time = longest_time(value);
    if (!time) return;
    (data ? data_ : contains(key, "cpu") ? cpu_step_ : step_) = time;
  }
  void use(const std::string& value) {
    if (any(value, {"n/a", "err!", "not supported"})) out_.use_unreadable = true;
    out_.in_bursts = out_.in_bursts || bursts(value);
    std::size_t parts = 0;
    for (const auto part : split(value, ',')) {
      const auto figures = numbers_in(part);
      if (figures.empty()) continue;
      const bool other_gauge = any(part, {"task manager", "taskmgr", "activity monitor"});
      const bool processor = any(part, {"cpu", "core"});
      for (const double figure : figures) {
        if (figure > kPercent || processor) continue;
        if (other_gauge)
          out_.gauge_use = std::max(out_.gauge_use.value_or(0), figure);
        else
          take(figure);
      }
      const bool program = contains(part, "(") || any(part, {" in keras", " in pytorch"});
      if (!processor && !other_gauge && program) ++parts;
    }
    out_.compared = out_.compared || parts > 1;
    out_.quote = value;
  }
  void take(double figure) {
    out_.lowest_use = std::min(out_.lowest_use.value_or(figure), figure);
    out_.highest_use = std::max(out_.highest_use.value_or(figure), figure);
  }
  void processor(std::string_view key, std::string_view value) {
    const bool about = any(key, {"cpu util", "cpu usage", "cpu load"});
    const bool busy = about ? any(value, {"very high", "full", "all cores", "maxed"})
                            : any(value, {"all cpu cores", "all cores at", "cpus are at 100",
                                          "cpu is maxed", "cpu cores at 100", "cpus at 100"});
    const bool cores = key == "cpu" && contains(value, "100%");
    out_.processor_busy = out_.processor_busy || busy || cores;
  }
  void memory(const std::string& value) {
    const auto figures = numbers_in(value);
    const bool nearly = any(value, {"almost all", "nearly all", "full", "all of it", "maxed"});
    const bool share = any(value, {"%", "per cent", "percent"}) && !figures.empty() &&
                       figures.front() >= 80 && figures.front() <= kPercent;
    const bool part = figures.size() >= 2 && any(value, {" of ", "/"}) && figures.back() > 0 &&
                      figures.front() <= figures.back() && figures.front() >= 0.8 * figures.back();
    out_.memory_full = out_.memory_full || nearly || share || part;
    out_.memory_grows =
        out_.memory_grows || any(value, {"grow", "increas", "rises", "rising", "leak", "climb"}) ||
        (contains(value, "+") && any(value, {"an iteration", "per iteration", "each", "every",
                                             "an epoch", "per epoch", "a step", "per step"}));
    out_.memory_shared = out_.memory_shared || contains(value, "processes") ||
                         (contains(value, "held by") && contains(value, "process"));
  }
  void temperature(std::string_view value) {
    const auto figures = numbers_in(value);
    if (!figures.empty()) out_.temperature = *std::max_element(figures.begin(), figures.end());
  }
  void start(const std::string& value) {
    const auto longest = longest_time(value);
    if (longest) out_.start_seconds = *longest;
    if (!longest && contains(value, "extremely slow")) out_.start_seconds = 60;
    if (out_.start_seconds) out_.quote = value;
  }
  /// "the first .cuda() call takes 5 minutes".
  void first_waits(const std::string& value) {
    static const re2::RE2 kFirst(
        R"(\b(?:first|start\w*|initiali\w*)\b[^;]{0,40}?\b(?:takes?|took|waits?|needs?|hangs?) (?:about |around |over |more than |at least |almost |nearly |roughly |up to )?(\d+(?:\.\d+)?) ?(sec\w*|s|min\w*|m|hours?|h)\b)");
    std::string amount;
    std::string unit;
    if (!re2::RE2::PartialMatch(value, kFirst, &amount, &unit)) return;
    out_.start_seconds = seconds_of(number(amount), unit);
    out_.quote = value;
  }
  /// "6 Hz at first, 5 Hz after an hour", "60 ms on one, 170 ms on eight".
  void change(std::string_view key, const std::string& value) {
    static const re2::RE2 kLater(
        R"((\d+(?:\.\d+)?)[^\d,;]{0,40}?(?:at first|initially|at the (?:start|beginning)|in the beginning)[^\d]{1,40}(\d+(?:\.\d+)?))");
    std::string first;
    std::string later;
    if (re2::RE2::PartialMatch(value, kLater, &first, &later) && number(first) > 0 &&
        number(later) > 0) {
      const bool rate = any(key, {"speed", "throughput", "fps", "rate"});
      out_.slowdown = rate ? number(first) / number(later) : number(later) / number(first);
      out_.quote = value;
    }
    static const re2::RE2 kRates(
        R"(from (\d+(?:\.\d+)?) ?(?:it|fps|img|images|samples|steps)\S* to (\d+(?:\.\d+)?))");
    if (re2::RE2::PartialMatch(value, kRates, &first, &later) && number(later) > 0) {
      out_.slowdown = number(first) / number(later);
      out_.quote = value;
    }
    static const re2::RE2 kMore(
        R"((\d+(?:\.\d+)?) ?(ms|us|s|min)\w* on (?:one|1|a single)\b.{0,40}?(\d+(?:\.\d+)?) ?(ms|us|s|min)\w* on (?:two|three|four|six|eight|[2-9]|1\d)\b)");
    if (const auto pair = pair_in(value, kMore); pair && pair->second > 1.3 * pair->first) {
      out_.worse_on_more_gpus = true;
      out_.quote = value;
    }
  }
  /// "1 hour with tensorflow-gpu, 30 minutes on the cpu": in either order.
  void against_words(const std::string& text) {
    static const re2::RE2 kSide(
        R"((\d+(?:\.\d+)?) ?(ms|us|s|secs?|seconds?|min\w*|h|hours?)\b[^\d,;]{0,16}?\b(?:on|with|using|for|in)\b (?:the |my |an? )?[\w-]{0,16}?(gpu|cuda|cpu)\b)");
    re2::StringPiece rest(text);
    std::string amount;
    std::string unit;
    std::string side;
    std::optional<double> gpu;
    std::optional<double> cpu;
    while (re2::RE2::FindAndConsume(&rest, kSide, &amount, &unit, &side)) {
      auto& time = side == "cpu" ? cpu : gpu;
      if (!time) time = seconds_of(number(amount), unit);
    }
    if (!gpu || !cpu || *gpu <= *cpu) return;
    out_.slower_than_cpu = true;
    out_.quote = text;
  }
  /// The GPU's time beside the processor's.
  void against(const std::string& value) {
    against_words(
        replace_all(replace_all(value, "half an hour", "30 minutes"), "an hour", "1 hour"));
    static const re2::RE2 kGpuFirst(
        R"((\d+(?:\.\d+)?) ?(ms|us|s|min)\w* on (?:the )?gpu.{0,20}?(\d+(?:\.\d+)?) ?(ms|us|s|min)\w* on (?:the )?cpu)");
    const auto pair = pair_in(value, kGpuFirst);
    constexpr double kFar = 5; // times slower: more than launches cost
    if (!pair || pair->first <= pair->second) return;
    out_.slower_than_cpu = true;
    if (pair->first >= kFar * pair->second) out_.gpu_step = pair->first;
    out_.quote = value;
  }

  UseFigures& out_;
  std::vector<double> memory_;     // "memory epoch 1", "memory epoch 2", in the text's order
  std::optional<double> step_;     // seconds
  std::optional<double> cpu_step_; // the same on the processor
  std::optional<double> data_;     // of a step, waiting for data
};

bool rises(const View& text) {
  for (const std::string_view group : {"mem_now", "rss_now"}) {
    std::vector<double> series;
    for (const auto* seen : text.all("memory-series")) {
      const double mib = seen->value("mem_unit") == "G" ? 1024 : 1;
      if (!seen->value(group).empty()) series.push_back(mib * number(seen->value(group)));
    }
    const bool full = text.has("oom");
    const bool steep = full && series.size() == 3 && std::is_sorted(series.begin(), series.end()) &&
                       series.front() > 0 && series.back() >= 1.5 * series.front();
    if (only_up(series) || steep) return true;
  }
  return false;
}

/// Time in which steps wait for their data, of the time of all steps that the text shows.
std::optional<double> waiting(const View& text) {
  double all = 0;
  double data = 0;
  for (const auto* seen : text.all("data-wait")) {
    // Forward is told apart; backward and the rest take about twice as long.
    all += number(seen->value("step_s")) + 3 * number(seen->value("forward_s"));
    if (!seen->value("forward_s").empty()) all += number(seen->value("data_s"));
    data += number(seen->value("data_s"));
  }
  if (all <= 0) return std::nullopt;
  return data / all;
}

/// Epochs of one text, one many times as long as another: something was changed between them.
bool epochs_differ_in(const View& text) {
  constexpr double kFar = 3; // times
  double least = 0;
  double most = 0;
  for (const auto* seen : text.all("keras-epoch")) {
    const double seconds = number(seen->value("epoch_s"));
    if (least <= 0 || seconds < least) least = seconds;
    most = std::max(most, seconds);
  }
  // A loop of one's own beside Keras' fit.
  for (const auto* seen : text.all("bar-time"))
    most = std::max(most, 60 * number(seen->value("bar_min")) + number(seen->value("bar_sec")));
  return least > 0 && most >= kFar * least;
}

/// The same command, timed again: "real 23m28.402s", then "real 0m5.120s".
void first_slower(const View& text, UseFigures& out) {
  std::vector<double> times;
  for (const auto* seen : text.all("real-time"))
    times.push_back(number(seen->value("real_min")) * 60 + number(seen->value("real_sec")));
  constexpr double kFar = 5; // times longer
  if (times.size() < 2 || times[0] < 60 || times[0] < kFar * times[1]) return;
  out.start_seconds = times[0];
  out.quote = std::to_string(static_cast<int>(times[0])) + " s at first, " +
              std::to_string(static_cast<int>(times[1])) + " s the second time";
}

} // namespace

UseFigures::UseFigures(const View& text) {
  FigureReader reader(*this);
  for (const auto& said : text.reading().said) {
    if (said.by_hand)
      reader.statement(replace_all(lower(said.key), "_", " "), in_digits(lower(said.value)));
    else if (said.key == "stated_util")
      reader.statement("gpu util", lower(said.value));
  }
  reader.finish();
  for (const auto* seen : text.all("use-stated"))
    in_bursts = in_bursts || bursts(lower(seen->text));
  said_low = text.has("use-low");
  in_bursts = in_bursts || text.has("use-bursts");
  const UseSamples samples(text);
  sampled_low = samples.low;
  sampled_idle = samples.idle;
  in_bursts = in_bursts || samples.bursts;
  // A gauge was doubted, and a tool that counts compute work shows the GPU busy.
  constexpr double kBusyMean = 60;
  if (samples.mean >= kBusyMean && (text.has("gauge") || text.says("gauge")))
    highest_use = std::max(highest_use.value_or(0), samples.mean);
  received = samples.received;
  if (samples.hottest && text.has("slows-down"))
    temperature = std::max(temperature.value_or(0), *samples.hottest);
  stated = stated || said_low;
  processor_busy = processor_busy || text.has("processor-full");
  memory_grows = memory_grows || text.has("memory-grows") || rises(text);
  if (text.has("memory-at-once") && !rises(text)) memory_grows = false;
  // What the program prints counts before the words: a start that settles is no leak.
  const auto amounts = text.all("memory-series");
  if (amounts.size() > 1 && amounts.back()->count > 1) memory_grows = false;
  slower_than_cpu = slower_than_cpu || text.has("slower-than-cpu");
  for (const auto* seen : text.all("smi-temperature")) {
    if (text.has("slows-down"))
      temperature = std::max(temperature.value_or(0), number(seen->value("smi_temp")));
  }
  if (!waits) waits = waiting(text);
  epochs_differ = epochs_differ_in(text);
  first_slower(text, *this);
}

} // namespace gpuwhy::explain
