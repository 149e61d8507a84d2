#include "explain/runs.h"

#include "base/text.h"

#include <algorithm>
#include <re2/re2.h>
#include <string>

namespace gpuwhy::explain {
namespace {

/// "train.py" of "python -u src/train.py --x", "pkg.main" of "python -m pkg.main"; empty: none.
std::string_view program_of(std::string_view command) {
  bool module = false;
  for (const auto word : split(command, ' ')) {
    if (module) return word;
    if (word == "-m") module = true;
    if (word.ends_with(".py")) return word.substr(word.find_last_of("/\\") + 1);
  }
  return {};
}

} // namespace

std::string_view command_of(const View& text, int run) {
  const auto& starts = text.reading().starts;
  const auto index = static_cast<std::size_t>(run) - 1;
  return run > 0 && index < starts.size() ? std::string_view(starts[index].command)
                                          : std::string_view();
}

bool chooses_processor(std::string_view command) {
  static const re2::RE2 kChoice(
      R"((?:JAX_PLATFORMS?(?:_NAME)?=['"]?cpu|CUDA_VISIBLE_DEVICES=(?:['"]{2}|['"]?-1|\s)|\s--?(?:device|accelerator|platform|backend)[= ]['"]?cpu\b|\s--(?:cpu|use[-_]cpu|cpu[-_]only|force[-_]cpu|no[-_]?(?:gpu|cuda))(?:\s+[^\d\s]|[= ](?:true|True|1)\b|\s*$)|\s--?(?:use[-_])?(?:gpu|cuda)(?:[-_]ids?)?[= ](?:-1|[Ff]alse)\b|\bdevice=cpu\b))");
  return re2::RE2::PartialMatch(re2::StringPiece(command.data(), command.size()), kChoice);
}

bool for_comparison(const View& text, int run) {
  const auto command = command_of(text, run);
  const auto program = program_of(command);
  if (program.empty() || !chooses_processor(command)) return false;
  const auto& starts = text.reading().starts;
  return std::any_of(starts.begin(), starts.end(), [&](const RunStart& other) {
    return program_of(other.command) == program && !chooses_processor(other.command);
  });
}

bool for_comparison(const View& text, const Sighting& seen) {
  // What a command says itself is seen before its run counts.
  const auto& starts = text.reading().starts;
  const auto own = std::find_if(starts.begin(), starts.end(),
                                [&](const RunStart& start) { return start.line == seen.first; });
  if (own != starts.end() && seen.count == 1)
    return for_comparison(text, static_cast<int>(own - starts.begin()) + 1);
  return seen.first_run == seen.last_run && for_comparison(text, seen.first_run);
}

} // namespace gpuwhy::explain
