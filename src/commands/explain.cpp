#include "commands/table.h"

#include "explain/explainer.h"
#include "lint/lint.h"
#include "render/explanation.h"
#include "system/input_stream.h"

#include <array>
#include <ostream>
#include <unistd.h>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    Option{"json", 0, "", "one JSON document for programs"},
    Option{"follow", 'f', "",
           "keep reading FILE while it grows; say anew whenever the answer changes, and once more "
           "at Ctrl-C"},
    Option{"verbose", 'v', "", "all evidence and all harmless lines"},
};

Exit exit_of(const explain::Explanation& explanation) {
  if (!explanation.whole.causes.empty()) return Exit::findings;
  return explanation.whole.verdict == explain::Verdict::gpu ? Exit::gpu : Exit::unknown;
}

/// What distinguishes one answer from another while a file is followed.
std::string answer_of(const explain::Explanation& explanation) {
  std::string answer = std::to_string(static_cast<int>(explanation.whole.verdict));
  for (const auto& cause : explanation.whole.causes) answer += ' ' + cause.id;
  return answer;
}

Exit follow(const std::string& path, const Arguments& arguments, Console& console) {
  explain::Explainer explainer(lint::judge_pasted);
  std::string said;
  bool fresh = false;
  const auto take = [&](std::string_view bytes) {
    explainer.feed(bytes);
    fresh = true;
  };
  const auto idle = [&] {
    if (!fresh) return console.out.good();
    fresh = false;
    const auto explanation = explainer.so_far();
    if (auto answer = answer_of(explanation); answer != said) {
      said = std::move(answer);
      console.out << explanation_text(explanation, console.style, arguments.has("verbose")) << "\n"
                  << std::flush;
    }
    return console.out.good();
  };
  const auto followed = follow_input(path, take, idle);
  if (!followed) return wrong_usage(console, followed.error().message);
  const auto explanation = explainer.finish(); // interrupted: the whole once more, as the summary
  if (console.out.good())
    console.out << explanation_text(explanation, console.style, arguments.has("verbose"));
  return exit_of(explanation);
}

Exit run(const Arguments& arguments, Console& console) {
  const std::string path = arguments.operands.empty() ? "-" : arguments.operands.front();
  if (arguments.has("follow")) {
    if (arguments.has("json"))
      return wrong_usage(console,
                         "--follow and --json do not go together: one document has one end");
    return follow(path, arguments, console);
  }
  if (arguments.operands.empty() && ::isatty(STDIN_FILENO) == 1) {
    console.errors << "gpuwhy: reading from the terminal; paste the log, then press Ctrl-D\n";
  }
  explain::Explainer explainer(lint::judge_pasted);
  const auto read = stream_input(path, [&](std::string_view bytes) { explainer.feed(bytes); });
  if (!read) return wrong_usage(console, read.error().message);
  const auto explanation = explainer.finish();
  console.out << (arguments.has("json")
                      ? explanation_json(explanation)
                      : explanation_text(explanation, console.style, arguments.has("verbose")));
  return exit_of(explanation);
}

} // namespace

const Command kExplainCommand{
    .name = "explain",
    .operands = "[FILE|-]",
    .most_operands = 1,
    .summary = "what a log, a traceback or a pasted terminal means, root cause first",
    .details = "Reads FILE or standard input: logs of TensorFlow, Keras, JAX, PyTorch, the kernel, "
               "containers and "
               "schedulers; output of pip, conda, nvidia-smi and the like; statements such as '- "
               "gpu: RTX 3090' "
               "above them. Python code that stands in the text is judged by the rules of gpuwhy "
               "lint. Nothing of this machine is looked at.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
