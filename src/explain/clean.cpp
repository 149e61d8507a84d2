#include "explain/clean.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

constexpr char kEscape = '\x1b';
constexpr std::string_view kDigits = "0123456789";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.';
}

/// Length of the escape sequence that begins with ESC at the start of `text`.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  if (text[1] == '[') {
    const auto end =
        std::find_if(text.begin() + 2, text.end(), [](char c) { return c >= 0x40 && c <= 0x7e; });
    return std::min(static_cast<std::size_t>(end - text.begin()) + 1, text.size());
  }
  if (text[1] == ']' || text[1] == 'P' || text[1] == '_' ||
      text[1] == '^') { // a string up to BEL or ESC backslash
    const auto end = text.find_first_of("\x07\x1b", 2);
    if (end == std::string_view::npos) return text.size();
    return end + (text[end] == kEscape && end + 1 < text.size() && text[end + 1] == '\\' ? 2
                  : text[end] == kEscape                                                 ? 0
                                                                                         : 1);
  }
  return text[1] == '(' || text[1] == ')' ? std::min<std::size_t>(3, text.size()) : 2;
}

/// "[31m", "[01;31m", "[0m", "[m", and "[K" behind one: colours whose ESC was lost; 0 if there is
/// none.
std::size_t orphan_colour(std::string_view text, bool after_colour) {
  if (text.starts_with("[K") && after_colour) return 2;
  if (text.starts_with("[m") && after_colour) return 2;
  std::size_t i = 1;
  while (i < text.size() && i < 12 && (is_digit(text[i]) || text[i] == ';')) ++i;
  return i > 1 && i < text.size() && text[i] == 'm' ? i + 1 : 0;
}

bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Digits at the start, `least` to `most` of them.
std::size_t digits(std::string_view text, std::size_t least, std::size_t most) {
  const auto end = std::min(text.find_first_not_of(kDigits), text.size());
  return end >= least && end <= most ? end : 0;
}

/// "2022-06-30T22:21:01.376606320Z", "2025-04-02 15:21:59.159680", "2025-04-02 15:21:59,159"; 0:
/// none.
std::size_t iso_time(std::string_view text, std::optional<double>& seconds) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size()) return 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const char c = text[i];
    const bool right = kShape[i] == 'd'   ? is_digit(c)
                       : kShape[i] == 'T' ? c == 'T' || c == ' '
                                          : c == kShape[i];
    if (!right) return 0;
  }
  const auto number = [&](std::size_t at) {
    return static_cast<double>(to_number(text.substr(at, 2)).value_or(0));
  };
  double value = number(11) * 3600 + number(14) * 60 + number(17);
  std::size_t i = kShape.size();
  if (i < text.size() && (text[i] == '.' || text[i] == ',')) {
    ++i;
    for (double unit = 0.1; i < text.size() && is_digit(text[i]); ++i, unit /= 10)
      value += (text[i] - '0') * unit;
  }
  if (i < text.size() && text[i] == 'Z')
    ++i;
  else if (i + 6 <= text.size() && (text[i] == '+' || text[i] == '-') && is_digit(text[i + 1]))
    i += 6;
  seconds = value;
  return i;
}

/// "Jun 14 18:34:44 node-07 kernel: "; what stands before "kernel:" or "NAME[PID]:".
std::size_t journal_prefix(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() < 16 || text[3] != ' ' || text[9] != ':' || text[12] != ':') return 0;
  const auto month = kMonths.find(text.substr(0, 3));
  if (month == std::string_view::npos || month % 3 != 0) return 0;
  const auto host = text.find(' ', 16);
  if (host == std::string_view::npos || host > 96) return 0;
  const auto end = text.find(": ", host);
  return end == std::string_view::npos || end > host + 64 ? host + 1 : end + 2;
}

/// "[  812.440912] " of the kernel log.
std::size_t kernel_time(std::string_view text) {
  if (!text.starts_with('[')) return 0;
  const auto first = text.find_first_not_of(' ', 1);
  if (first == std::string_view::npos) return 0;
  const auto last = text.find_first_not_of("0123456789.", first);
  const bool right = last != std::string_view::npos && last > first && text[last] == ']' &&
                     text.substr(first, last - first).find('.') != std::string_view::npos;
  return right ? last + 1 : 0;
}

/// "W tensorflow/x.cc:60] ", "E0000 00:00:1774344446.579101 2723107 cuda_platform.cc:52] ", "I1103
/// 08:17:50 ...]".
std::size_t source_prefix(std::string_view text) {
  if (text.size() < 8 || std::string_view("IWEF").find(text[0]) == std::string_view::npos) return 0;
  if (text[1] != ' ' && !is_digit(text[1])) return 0;
  const auto end = text.substr(0, 220).find("] ");
  if (end == std::string_view::npos || end == 0 || !is_digit(text[end - 1])) return 0;
  const auto colon = text.rfind(':', end);
  return colon != std::string_view::npos && text.find_first_not_of(kDigits, colon + 1) == end
             ? end + 2
             : 0;
}

struct Rank {
  std::string_view name;
  std::size_t length = 0;
};

Rank bracketed(std::string_view text, std::string_view open, std::string_view close) {
  if (!text.starts_with(open)) return {};
  const auto start = open.size();
  const auto count = digits(text.substr(start), 1, 6);
  if (count == 0 || !text.substr(start + count).starts_with(close)) return {};
  return {text.substr(start, count), start + count + close.size()};
}

/// torchrun, mpirun --tag-output, ray, srun --label, docker compose.
Rank rank_of(std::string_view text) {
  constexpr std::array<std::array<std::string_view, 2>, 6> kForms = {{{"[rank", "]:"},
                                                                      {"[Rank ", "]"},
                                                                      {"[rank ", "]"},
                                                                      {"[1,", "]<stdout>:"},
                                                                      {"[1,", "]<stderr>:"},
                                                                      {"rank ", ": "}}};
  for (const auto& form : kForms) {
    if (const auto rank = bracketed(text, form[0], form[1]); rank.length != 0) return rank;
  }
  if (const auto rank = bracketed(text, "", ": "); rank.length != 0 && rank.name.size() <= 4)
    return rank;
  if (text.starts_with('(')) { // "(RayTrainWorker pid=1234, ip=10.0.0.1) "
    const auto pid = text.find("pid=");
    const auto end = text.find(") ");
    if (pid != std::string_view::npos && pid < 48 && end != std::string_view::npos && end > pid &&
        end < 96) {
      return {text.substr(pid + 4, text.find_first_not_of(kDigits, pid + 4) - pid - 4), end + 2};
    }
  }
  const auto bar = text.substr(0, 48).find(" | ");
  if (bar != std::string_view::npos && bar > 0) {
    const auto name = trim(text.substr(0, bar));
    if (!name.empty() && std::all_of(name.begin(), name.end(), is_word) && is_digit(name.back()))
      return {name, bar + 3};
  }
  return {};
}

/// "[pod/tf-train-0/tensorflow] " of kubectl logs --prefix.
std::size_t pod_prefix(std::string_view text) {
  if (!text.starts_with("[pod/")) return 0;
  const auto end = text.find("] ");
  return end == std::string_view::npos ? 0 : end + 2;
}

/// "#12 3.412 " of docker build.
std::size_t build_prefix(std::string_view text) {
  if (!text.starts_with('#')) return 0;
  const auto step = digits(text.substr(1), 1, 4);
  if (step == 0 || text.size() < step + 3 || text[step + 1] != ' ') return 0;
  const auto time = text.substr(step + 2);
  const auto whole = digits(time, 1, 6);
  if (whole == 0 || !time.substr(whole).starts_with('.')) return 0;
  const auto part = digits(time.substr(whole + 1), 1, 3);
  const auto end = step + 2 + whole + 1 + part;
  return part != 0 && text.substr(end).starts_with(' ') ? end + 1 : 0;
}

} // namespace

std::string strip_escapes(std::string_view line) {
  std::string plain;
  plain.reserve(line.size());
  bool after_colour = false;
  for (std::size_t i = 0; i < line.size();) {
    const auto rest = line.substr(i);
    const char c = line[i];
    if (c == kEscape) {
      i += escape_length(rest);
      after_colour = true;
    } else if (c == '[' && orphan_colour(rest, after_colour) != 0) {
      i += orphan_colour(rest, after_colour);
      after_colour = true;
    } else {
      if (c == '\b' && !plain.empty())
        plain.pop_back();
      else if (static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\r')
        plain += c;
      ++i;
    }
  }
  return plain;
}

Stripped strip_prefixes(std::string_view line) {
  Stripped result;
  auto text = line;
  // Wrappings stand in wrappings (a quoted docker compose log of ranks): a few rounds take them
  // all.
  for (int round = 0; round < 6; ++round) {
    const auto before = text.size();
    while (skip(text, "> ") || skip(text, ">\t")) {
    }
    text.remove_prefix(pod_prefix(text));
    text.remove_prefix(build_prefix(text));
    if (const auto rank = rank_of(text); rank.length != 0) {
      result.rank = rank.name;
      text.remove_prefix(rank.length);
    }
    std::optional<double> seconds;
    if (const auto length = iso_time(text, seconds); length != 0) {
      result.seconds = seconds;
      text.remove_prefix(length);
      if (!skip(text, ": ")) skip(text, " ");
    }
    text.remove_prefix(journal_prefix(text));
    text.remove_prefix(kernel_time(text));
    if (const auto length = source_prefix(text); length != 0) {
      result.source = text.substr(0, length);
      text.remove_prefix(length);
      break;
    }
    if (text.starts_with(' ') && text.size() != before)
      text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.size() == before) break;
  }
  result.body = text;
  return result;
}

} // namespace gpuwhy::explain
