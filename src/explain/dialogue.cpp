#include "explain/dialogue.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kLongest = 300;

/// Calls whose answer bears on the GPU.
constexpr std::array<std::string_view, 23> kCalls = {"is_available()",
                                                     "is_built_with",
                                                     "list_physical_devices(",
                                                     "list_logical_devices(",
                                                     "get_available_gpus(",
                                                     "device_count()",
                                                     "gpu_device_name()",
                                                     "__version__",
                                                     "version.VERSION",
                                                     "version.cuda",
                                                     "version.hip",
                                                     "environ[",
                                                     "environ.get(",
                                                     "is_gpu_available(",
                                                     "jax.devices(",
                                                     "default_backend(",
                                                     "get_backend().platform",
                                                     "devices()[0].platform",
                                                     "sys.executable",
                                                     ".is_cuda",
                                                     "get_visible_devices(",
                                                     "require_gpu(",
                                                     "prefer_gpu("};

bool unix_prompt(std::string_view line) {
  if (line.starts_with("$ ") || line.starts_with("# ") || line.starts_with("+ ")) return true;
  // "guest:~$ ls", "bash-4.1$ ls": one word, then the mark.
  const auto word = line.substr(0, line.find(' '));
  if (word.size() >= 2 && word.size() <= 40 && (word.back() == '$' || word.back() == '#') &&
      word.size() < line.size())
    return true;
  const auto mark = line.find_first_of("$#%");
  return mark != std::string_view::npos && mark < 80 && contains(line.substr(0, mark), "@") &&
         line.substr(mark).size() < kLongest && (mark + 1 == line.size() || line[mark + 1] == ' ');
}

/// "C:\work>", "(env) D:\work>", "PS C:\work>".
bool windows_prompt(std::string_view line) {
  const auto colon = line.find(":\\");
  const auto mark = line.find('>');
  return colon != std::string_view::npos && colon < 40 && mark != std::string_view::npos &&
         colon < mark && mark < 120 && line.find('"') > mark;
}

/// A value as Python or a shell prints it, or several of them.
bool is_value(std::string_view word) {
  if (word == "True" || word == "False" || word == "None" || word == "[]" || word == "''" ||
      word == "\"\"" || word == "cpu" || word == "gpu" || word == "cuda")
    return true;
  if (word.size() >= 2 && word.front() == word.back() &&
      (word.front() == '\'' || word.front() == '"'))
    return true;
  if (word.starts_with('-')) word.remove_prefix(1);
  return !word.empty() && word.front() >= '0' && word.front() <= '9' &&
         word.find_first_not_of("0123456789.+abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

/// ">>> x.devices()", "In [3]: print(self.device)": where something lies.
bool asks_where(std::string_view line) {
  if (!line.starts_with(">>> ") && !line.starts_with("In [")) return false;
  if (contains(line, "jax.devices(") || contains(line, "local_devices(") ||
      contains(line, "cuda.device"))
    return false;
  while (line.ends_with(')') && !line.ends_with("()")) line.remove_suffix(1);
  return line.ends_with(".device") || line.ends_with(".device()") || line.ends_with(".devices()") ||
         line.ends_with(".is_cuda");
}

bool asks_yes_or_no(std::string_view question) {
  return contains(question, "is_available()") || contains(question, "is_gpu_available(") ||
         contains(question, "require_gpu(") || contains(question, "prefer_gpu(");
}

/// "GPUs:" of 'print("GPUs: ", tf.config.list_physical_devices())'.
std::string_view printed_label(std::string_view question) {
  const auto at = question.find("print(");
  if (at == std::string_view::npos || at + 8 > question.size()) return {};
  const char quote = question[at + 6];
  if (quote != '"' && quote != '\'') return {};
  const auto label = question.substr(at + 7);
  return trim(label.substr(0, std::min(label.find(quote), label.size())));
}

bool is_answer(std::string_view text) {
  if (text.empty() || text.size() > kLongest) return false;
  if (text.front() == '[' && text.back() == ']') return true;
  if (text.front() == '(' && text.back() == ')') { // a tuple: "('1.15.2', False)"
    const auto plain = replace_all(std::string(text.substr(1, text.size() - 2)), ",", "");
    const auto values = split(plain, ' ');
    return std::all_of(values.begin(), values.end(), is_value);
  }
  const auto words = split(text, ' ');
  return std::all_of(words.begin(), words.end(), is_value);
}

} // namespace

std::optional<std::string> Question::answered_by(std::string_view line) const {
  // Python shows nothing for None.
  if (text.starts_with(">>> ") && text.ends_with("version.cuda") && line.starts_with(">>>"))
    return "None";
  if (silence_answers && (unix_prompt(line) || windows_prompt(line))) return "(nothing)";
  auto answer = trim(line);
  // R: "[1] FALSE", and an empty list.
  if (answer == "[1] FALSE") return "False";
  if (answer == "[1] TRUE") return "True";
  if (answer == "list()") return "[]";
  if (answer.starts_with("Out["))
    answer = trim(answer.substr(std::min(answer.find(':') + 1, answer.size())));
  if (const auto label = printed_label(text); !label.empty() && answer.starts_with(label))
    answer = trim(answer.substr(label.size()));
  if (anything_answers && !answer.empty() && !unix_prompt(line))
    return std::string(answer.substr(0, kLongest));
  if (asks_yes_or_no(text)) {
    // Of a print of several values only the first kinds are told for sure: "2.3.1+cu121 True RTX".
    auto bare = std::string(answer); // a tuple: "(True, 1)"
    for (char& c : bare) c = c == '(' || c == ')' || c == ',' ? ' ' : c;
    const auto words = split(trim(bare), ' ');
    const auto yes_or_no = std::find_if(words.begin(), words.end(), [](std::string_view word) {
      return word == "True" || word == "False";
    });
    const bool told = yes_or_no != words.end() &&
                      std::all_of(words.begin(), yes_or_no,
                                  [](auto word) { return word.empty() || is_value(word); }) &&
                      answer.size() <= kLongest;
    return told ? std::optional(std::string(trim(bare))) : std::nullopt;
  }
  return is_answer(answer) ? std::optional(std::string(answer)) : std::nullopt;
}

std::vector<std::string> Question::paired_with(std::string_view line) {
  std::vector<std::string> told;
  auto answer = trim(line);
  if (answer.starts_with("Out["))
    answer = trim(answer.substr(std::min(answer.find(':') + 1, answer.size())));
  for (auto next = pending.begin(); next != pending.end(); ++next) {
    // What may be anything would take the first line that comes.
    if (!next->printed.telling()) continue;
    const auto values = next->printed.values_in(answer);
    if (!values) continue;
    const auto asked = next->printed.expressions();
    for (std::size_t i = 0; i < asked.size(); ++i)
      told.push_back((next->whole.empty() ? "print(" + asked[i] + ")" : next->whole) + " = " +
                     (*values)[i]);
    pending.erase(pending.begin(), next + 1);
    break;
  }
  const bool more = std::any_of(pending.begin(), pending.end(),
                                [](const Pending& each) { return each.printed.telling(); });
  if (!told.empty() && !more) pending.clear();
  return told;
}

void Question::after(Question earlier) {
  constexpr std::size_t kMost = 16;
  if (pending.empty() || earlier.pending.size() + pending.size() > kMost) return;
  std::move(pending.begin(), pending.end(), std::back_inserter(earlier.pending));
  pending = std::move(earlier.pending);
}

namespace {

Question value_of(std::string_view line) {
  Question question{std::string(trim(line)), false, false};
  auto prints = printed_by(trim(line));
  const bool single = prints.size() == 1 && prints.front().pieces.size() == 1;
  for (auto& each : prints)
    question.pending.push_back({std::move(each), single ? question.text : std::string()});
  return question;
}

} // namespace

std::optional<Question> question_in(std::string_view line) {
  if (line.size() > kLongest) return std::nullopt;
  const bool call = std::any_of(kCalls.begin(), kCalls.end(),
                                [&](std::string_view name) { return contains(line, name); });
  if (contains(line, "Sys.get") && contains(line, "LD_LIBRARY_PATH")) // R
    return Question{std::string(trim(line)), false, true};
  if (contains(line, "backend.backend()") || contains(line, "config.backend()"))
    return Question{std::string(trim(line)), false, true};
  if (contains(line, "parameters()).device") || contains(line, "sys.executable") ||
      asks_where(line))
    return Question{std::string(trim(line)), false, true};
  if (call && !line.starts_with("  File")) return value_of(line);
  if (!unix_prompt(line) && !windows_prompt(line)) return std::nullopt;
  const bool in_code =
      (contains(line, "grep ") || contains(line, "findstr ")) &&
      (contains(line, ".py") || contains(line, "grep -r")) &&
      (contains(line, "cuda") || contains(line, "device") || contains(line, ".to("));
  if (in_code) return Question{std::string(trim(line)), true, true};
  const bool packages =
      contains(line, "grep") && contains(line, "nvidia") &&
      (contains(line, "dpkg ") || contains(line, "rpm ") || contains(line, "pacman "));
  if (packages) return Question{std::string(trim(line)), true, true};
  const bool search =
      contains(line, "grep") && (contains(line, "lspci") || contains(line, "lsmod"));
  if (search) return Question{std::string(trim(line)), true, true};
  const bool wheels = contains(line, "grep") && contains(line, "nvidia") &&
                      (contains(line, "pip list") || contains(line, "pip freeze"));
  if (wheels) return Question{std::string(trim(line)), true, false};
  const bool graphics = contains(line, "system76-power graphics") ||
                        contains(line, "envycontrol") || contains(line, "supergfxctl") ||
                        contains(line, "optimus-manager --");
  const bool variable = contains(line, "echo ") &&
                        (contains(line, "JAX_PLATFORM") || contains(line, "KERAS_BACKEND") ||
                         contains(line, "LD_LIBRARY_PATH") || contains(line, "CUDA_HOME"));
  if (variable || graphics || contains(line, "uname -r") || contains(line, "echo $CUDA_VISIBLE") ||
      contains(line, "echo \"$CUDA_VISIBLE") ||
      (contains(line, "echo ") && contains(line, "_VISIBLE_DEVICES")) ||
      contains(line, "prime-select query")) {
    return Question{std::string(trim(line)), false, true};
  }
  return std::nullopt;
}

} // namespace gpuwhy::explain
