#include "explain/printed.h"

#include "base/text.h"

#include <algorithm>
#include <cctype>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kMostPieces = 16;
constexpr std::size_t kLongestLine = 400;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Where the text that begins at `at` ends: at a closing bracket that was not opened in it, at a
/// top-level `stop`, or at the end.
std::size_t end_of(std::string_view text, std::size_t at, std::string_view stop) {
  int open = 0;
  char quote = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++open;
    } else if (c == ')' || c == ']' || c == '}') {
      if (open-- == 0) return at;
    } else if (open == 0 && stop.find(c) != std::string_view::npos) {
      return at;
    }
  }
  return at;
}

std::vector<std::string_view> at_top(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < text.size() && parts.size() < kMostPieces;) {
    const auto end = end_of(text, at, std::string_view(&separator, 1));
    parts.push_back(trim(text.substr(at, end - at)));
    at = end + 1;
  }
  return parts;
}

/// "sep='\n'", "flush=True"
bool is_option(std::string_view argument) {
  const auto sign = argument.find('=');
  return sign != std::string_view::npos && sign > 0 && argument.substr(sign, 2) != "==" &&
         std::all_of(argument.begin(), argument.begin() + static_cast<std::ptrdiff_t>(sign),
                     is_word);
}

/// f"cuda={torch.cuda.is_available()!s:>5}" without its quotes.
void formatted(std::string_view text, std::vector<Printed::Piece>& pieces) {
  while (!text.empty() && pieces.size() < kMostPieces) {
    const auto open = text.find('{');
    if (open != 0) pieces.push_back({std::string(text.substr(0, open)), true});
    if (open == std::string_view::npos) return;
    const auto close = end_of(text, open + 1, {});
    auto inside = text.substr(open + 1, close - open - 1);
    inside = trim(inside.substr(0, end_of(inside, 0, "!:")));
    if (inside.ends_with('=')) {
      pieces.push_back({std::string(inside), true});
      inside.remove_suffix(1);
    }
    pieces.push_back({std::string(inside), false});
    text.remove_prefix(std::min(close + 1, text.size()));
  }
}

void argument(std::string_view text, std::vector<Printed::Piece>& pieces) {
  const bool format = text.starts_with("f'") || text.starts_with("f\"");
  const auto bare = format ? text.substr(1) : text;
  const bool quoted = bare.size() >= 2 && (bare.front() == '\'' || bare.front() == '"') &&
                      bare.find(bare.front(), 1) == bare.size() - 1;
  if (!quoted) {
    pieces.push_back({std::string(text), false});
  } else if (format) {
    formatted(bare.substr(1, bare.size() - 2), pieces);
  } else {
    pieces.push_back({std::string(bare.substr(1, bare.size() - 2)), true});
  }
}

void printed(std::string_view arguments, std::vector<Printed>& out) {
  Printed all;
  bool lines = false;
  for (const auto text : at_top(arguments, ',')) {
    if (text.starts_with("sep=")) lines = contains(text, "\\n");
    if (!is_option(text) && all.pieces.size() < kMostPieces) argument(text, all.pieces);
  }
  if (!lines) {
    out.push_back(std::move(all));
    return;
  }
  for (auto& piece : all.pieces) out.push_back({{std::move(piece)}});
}

bool has(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return contains(text, word); });
}

enum class Form { truth, list, number, version, any };

Form form_of(std::string_view asked) {
  if (asked.starts_with("bool(") || asked.starts_with("not ") ||
      has(asked, {" is None", " is not None", " == ", " != ", " > "}))
    return Form::truth;
  if (asked.starts_with("len(") || asked.ends_with("device_count()")) return Form::number;
  if (asked.ends_with("is_available()") || asked.ends_with(".is_cuda") ||
      has(asked, {"is_built_with", "is_gpu_available("}))
    return Form::truth;
  if (asked.ends_with(")") &&
      has(asked, {"list_physical_devices(", "list_logical_devices(", "get_available_gpus(",
                  "jax.devices(", "get_visible_devices(", "local_devices("}))
    return Form::list;
  if (asked.ends_with("__version__") || asked.ends_with("version.cuda") ||
      asked.ends_with("version.VERSION"))
    return Form::version;
  return Form::any;
}

/// Lengths that the value at the front of `text` can have; the likeliest first.
std::vector<std::size_t> lengths(Form form, std::string_view text) {
  const auto word = text.substr(0, text.find_first_of(" ,"));
  switch (form) {
  case Form::truth:
    for (const std::string_view value : {"True", "False"}) {
      if (text.starts_with(value)) return {value.size()};
    }
    return {};
  case Form::list:
    if (!text.starts_with('[')) return {};
    return {std::min(end_of(text, 1, {}) + 1, text.size())};
  case Form::number:
    if (const auto end = text.find_first_not_of("0123456789"); end != 0)
      return {std::min(end, text.size())};
    return {};
  case Form::version:
    if (word == "None") return {word.size()};
    if (const auto at = word.find_first_not_of("'\"v");
        at == std::string_view::npos || std::isdigit(static_cast<unsigned char>(word[at])) == 0)
      return {};
    return {word.size()};
  case Form::any:
    std::vector<std::size_t> all;
    for (std::size_t at = 1; at <= text.size(); ++at) {
      if (at == text.size() || !is_word(text[at]) || !is_word(text[at - 1])) all.push_back(at);
    }
    return all;
  }
  return {};
}

std::string_view past_separator(std::string_view text) {
  const auto at = text.find_first_not_of(" ,\t");
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

/// Bounded: a line has few words, and only expressions of unknown form may take several.
bool fits(const std::vector<Printed::Piece>& pieces, std::size_t next, std::string_view text,
          std::vector<std::string>& values, int& steps) {
  if (--steps < 0) return false;
  text = past_separator(text);
  if (next == pieces.size()) return text.empty();
  const auto& piece = pieces[next];
  if (piece.words) {
    const auto words = trim(piece.text);
    return text.starts_with(words) &&
           fits(pieces, next + 1, text.substr(words.size()), values, steps);
  }
  for (const auto length : lengths(form_of(piece.text), text)) {
    values.emplace_back(trim(text.substr(0, length)));
    if (fits(pieces, next + 1, text.substr(length), values, steps)) return true;
    values.pop_back();
  }
  return false;
}

} // namespace

std::vector<std::string> Printed::expressions() const {
  std::vector<std::string> all;
  for (const auto& piece : pieces) {
    if (!piece.words) all.push_back(piece.text);
  }
  return all;
}

bool Printed::telling() const {
  return std::any_of(pieces.begin(), pieces.end(), [](const Piece& piece) {
    return piece.words ? !trim(piece.text).empty() : form_of(piece.text) != Form::any;
  });
}

std::optional<std::vector<std::string>> Printed::values_in(std::string_view line) const {
  line = trim(line);
  if (line.empty() || line.size() > kLongestLine) return std::nullopt;
  if (line.front() == '(' && line.back() == ')') line = line.substr(1, line.size() - 2);
  std::vector<std::string> values;
  constexpr int kMostSteps = 2000;
  int steps = kMostSteps;
  return fits(pieces, 0, line, values, steps) ? std::optional(std::move(values)) : std::nullopt;
}

std::vector<Printed> printed_by(std::string_view line) {
  std::vector<Printed> out;
  if (line.size() > kLongestLine) return out;
  constexpr std::string_view kCall = "print(";
  for (auto at = line.find(kCall); at != std::string_view::npos; at = line.find(kCall, at)) {
    const bool whole = at == 0 || !is_word(line[at - 1]);
    at += kCall.size();
    if (!whole) continue;
    const auto end = end_of(line, at, {});
    if (end == line.size()) return {}; // it goes on in the next line
    printed(line.substr(at, end - at), out);
    at = end;
  }
  const bool prompt = line.starts_with(">>> ") || line.starts_with("In [");
  if (!out.empty() || !prompt) return out;
  auto bare = line.substr(line.starts_with(">>> ") ? 4 : std::min(line.find(':'), line.size()));
  if (bare.starts_with(':')) bare.remove_prefix(1);
  for (const auto statement : at_top(bare, ';')) {
    const bool silent = is_option(replace_all(std::string(statement), " ", "")) ||
                        statement.starts_with("import ") || statement.starts_with("from ");
    if (!silent && !statement.empty()) printed(statement, out);
  }
  return out;
}

} // namespace gpuwhy::explain
