#include "mend/text_edits.h"

#include "base/text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace gpuwhy::mend {
namespace {

constexpr std::string_view kBegin = "# >>> gpuwhy fix >>> (gpuwhy fix --undo takes it out again)";
constexpr std::string_view kEnd = "# <<< gpuwhy fix <<<";

std::string fish_word(std::string_view text) {
  return "'" + replace_all(replace_all(std::string(text), "\\", "\\\\"), "'", "\\'") + "'";
}

std::vector<std::string> lines_of(const Action& action, Shell shell) {
  if (shell == Shell::posix) return {action.command};
  std::vector<std::string> lines;
  lines.reserve(action.variables.size());
  for (const auto& variable : action.variables) {
    lines.push_back(variable.set ? "set -gx " + variable.name + " " + fish_word(variable.value)
                                 : "set -e " + variable.name);
  }
  return lines;
}

/// Does this line of an earlier block set or unset one of the variables?
bool about(std::string_view line, const std::set<std::string>& names) {
  for (const auto word : split(line, ' ')) {
    if (names.contains(std::string(word.substr(0, word.find('='))))) return true;
  }
  return false;
}

struct Lines {
  std::vector<std::string_view> all;
  bool newline_at_end = true;
};

Lines lines_in(std::string_view text) {
  Lines lines;
  lines.newline_at_end = text.empty() || text.back() == '\n';
  if (text.empty()) return lines;
  if (lines.newline_at_end) text.remove_suffix(1);
  lines.all = split(text, '\n');
  return lines;
}

} // namespace

std::string with_block(std::string_view text, const std::vector<Action>& actions, Shell shell) {
  std::set<std::string> names;
  std::vector<std::string> fresh;
  for (const auto& action : actions) {
    for (const auto& variable : action.variables) names.insert(variable.name);
    for (auto& line : lines_of(action, shell)) fresh.push_back(std::move(line));
  }
  std::string result(text);
  std::vector<std::string> kept;
  const auto begin = result.find(kBegin);
  const auto end = begin == std::string::npos ? begin : result.find(kEnd, begin);
  if (end != std::string::npos) {
    const auto first = result.find('\n', begin) + 1;
    const auto body = result.substr(first, end - first);
    for (const auto line : lines_in(body).all) {
      if (!about(line, names)) kept.emplace_back(line);
    }
    auto after = end + kEnd.size();
    if (after < result.size() && result[after] == '\n') ++after;
    result.erase(begin, after - begin);
  }
  if (!result.empty() && result.back() != '\n') result += '\n';
  result += std::string(kBegin) + "\n";
  for (const auto& line : kept) result += line + "\n";
  for (const auto& line : fresh) result += line + "\n";
  return result + std::string(kEnd) + "\n";
}

Result<std::string> with_word(std::string_view text, const Action& action) {
  const auto key = "\"" + action.key + "\"";
  const auto old = "\"" + action.from + "\"";
  std::size_t place = std::string_view::npos;
  for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    auto value = at + key.size();
    while (value < text.size() && (text[value] == ' ' || text[value] == ':')) ++value;
    if (text.substr(value, old.size()) != old) continue;
    if (place != std::string_view::npos) return fail(key + " stands there more than once");
    place = value;
  }
  if (place == std::string_view::npos) return fail("has no " + key + ": " + old);
  return std::string(text.substr(0, place)) + "\"" + action.to + "\"" +
         std::string(text.substr(place + old.size()));
}

Result<std::string> with_kernel_variables(std::string_view text,
                                          const std::vector<Action>& actions) {
  auto kernel = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!kernel.is_object() || !kernel.contains("argv"))
    return fail("not the kernel.json of a Jupyter kernel");
  if (!kernel.contains("env")) kernel["env"] = nlohmann::ordered_json::object();
  auto& env = kernel["env"];
  if (!env.is_object()) return fail("its \"env\" is no object");
  for (const auto& action : actions) {
    for (const auto& variable : action.variables) {
      if (variable.set) {
        env[variable.name] = variable.value;
      } else if (env.contains(variable.name)) {
        env.erase(variable.name);
      } else if (variable.name == "LD_LIBRARY_PATH") {
        env[variable.name] = ""; // as good as unset, ld.so(8)
      } else {
        return fail("a kernel cannot unset " + variable.name +
                    ", which comes from where Jupyter was started");
      }
    }
  }
  if (env.empty()) kernel.erase("env");
  const auto newline = text.find('\n');
  const auto brace = newline == std::string_view::npos ? newline : text.find('"', newline);
  const int indent = brace == std::string_view::npos
                         ? 1
                         : static_cast<int>(std::min<std::size_t>(brace - newline - 1, 8));
  return kernel.dump(indent) + (text.ends_with('\n') ? "\n" : "");
}

std::string unified_diff(const std::string& path, std::string_view before, std::string_view after) {
  const auto a = lines_in(before);
  const auto b = lines_in(after);
  // What is changed here lies in one place: all between the first and the last line that differ.
  if (before == after) return {};
  const auto bare = [](const Lines& lines, std::size_t index) {
    return index + 1 == lines.all.size() && !lines.newline_at_end;
  };
  const auto equal = [&](std::size_t i, std::size_t j) {
    return a.all[i] == b.all[j] && bare(a, i) == bare(b, j);
  };
  std::size_t head = 0;
  while (head < a.all.size() && head < b.all.size() && equal(head, head)) ++head;
  std::size_t tail = 0;
  while (tail < a.all.size() - head && tail < b.all.size() - head &&
         equal(a.all.size() - 1 - tail, b.all.size() - 1 - tail)) {
    ++tail;
  }
  constexpr std::size_t kContext = 3;
  const auto first = head > kContext ? head - kContext : 0;
  const auto behind = std::min(kContext, tail);
  const auto count_a = a.all.size() - tail + behind - first;
  const auto count_b = b.all.size() - tail + behind - first;
  const auto range = [](std::size_t start, std::size_t count) {
    return std::to_string(count == 0 ? start : start + 1) + "," + std::to_string(count);
  };
  std::string text = "--- " + path + "\n+++ " + path + "\n@@ -" + range(first, count_a) + " +" +
                     range(first, count_b) + " @@\n";
  const auto put = [&](char sign, const Lines& lines, std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i) {
      text += sign + std::string(lines.all[i]) + "\n";
      if (bare(lines, i)) text += "\\ No newline at end of file\n";
    }
  };
  put(' ', a, first, head);
  put('-', a, head, a.all.size() - tail);
  put('+', b, head, b.all.size() - tail);
  put(' ', b, b.all.size() - tail, b.all.size() - tail + behind);
  return text;
}

} // namespace gpuwhy::mend
