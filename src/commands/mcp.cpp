// gpuwhy mcp: our commands as tools of a coding assistant. Each tool is a command of the table,
// called with words that it cannot mistake for options; none of them changes anything.
#include "commands/table.h"

#include "explain/explainer.h"
#include "lint/lint.h"
#include "mcp/server.h"
#include "render/explanation.h"
#include "system/input_stream.h"

#include <ostream>
#include <sstream>
#include <unistd.h>

namespace gpuwhy {
namespace {

using mcp::Given;
using mcp::Parameter;
using mcp::Tool;
using mcp::ToolAnswer;

constexpr std::size_t kWidth = 100;

const Parameter kFormat{.name = "format",
                        .description = "text to read, or json with all details",
                        .choices = {"text", "json"}};

const std::vector<std::string>& texts(const Given& given, std::string_view name) {
  static const std::vector<std::string> kNone;
  const auto found = given.find(name);
  return found == given.end() ? kNone : found->second;
}

bool wants_json(const Given& given) {
  const auto& format = texts(given, "format");
  return !format.empty() && format.front() == "json";
}

Style plain_style() {
  Style style;
  style.width = kWidth;
  return style;
}

/// What a command says; its operands follow "--".
ToolAnswer say(std::vector<std::string> words, const std::vector<std::string>& operands) {
  if (!operands.empty()) words.emplace_back("--");
  words.insert(words.end(), operands.begin(), operands.end());
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream errors;
  Console console{in, out, errors, plain_style()};
  if (run_gpuwhy(words, console) == Exit::usage) return {.text = errors.str(), .failed = true};
  return {.text = out.str()};
}

ToolAnswer check(const Given& given) {
  std::vector<std::string> words{"check"};
  if (wants_json(given)) words.emplace_back("--json");
  for (const auto& python : texts(given, "python")) words.push_back("--python=" + python);
  return say(std::move(words), texts(given, "program"));
}

ToolAnswer lint(const Given& given) {
  std::vector<std::string> words{"lint"};
  if (wants_json(given)) words.emplace_back("--json");
  return say(std::move(words), texts(given, "paths"));
}

ToolAnswer explain(const Given& given) {
  const auto& paths = texts(given, "path");
  const auto& logs = texts(given, "text");
  if (paths.empty() == logs.empty())
    return {.text = "give either 'text' or 'path'", .failed = true};
  if (!paths.empty()) {
    if (paths.front() == "-")
      return {.text = "'path' must name a file; give a log itself as 'text'", .failed = true};
    std::vector<std::string> words{"explain"};
    if (wants_json(given)) words.emplace_back("--json");
    return say(std::move(words), paths);
  }
  explain::Explainer explainer(lint::judge_pasted);
  explainer.feed(logs.front());
  const auto explanation = explainer.finish();
  return {.text = wants_json(given) ? explanation_json(explanation)
                                    : explanation_text(explanation, plain_style(), false)};
}

ToolAnswer rule(const Given& given) {
  const auto& ids = texts(given, "id");
  return ids.empty() ? say({"rules"}, {}) : say({"rule"}, ids);
}

ToolAnswer compat(const Given& given) {
  std::vector<std::string> words{"compat"};
  if (wants_json(given)) words.emplace_back("--json");
  for (const auto& python : texts(given, "python")) words.push_back("--python=" + python);
  return say(std::move(words), texts(given, "release"));
}

std::vector<Tool> tools() {
  return {
      {.name = "check",
       .title = "Will the GPU be used here?",
       .description = "Looks at this machine, its driver, the Python environment and the libraries "
                      "that TensorFlow, JAX or PyTorch would load, and names the root cause for "
                      "which the GPU is not used, with a fix that was tried out on the facts. "
                      "Imports no framework.",
       .parameters = {{.name = "program",
                       .description = "a program (.py, .ipynb) or project directory; without it, "
                                      "what a plain 'python' would use is judged"},
                      {.name = "python",
                       .description = "the interpreter or environment in question"},
                      kFormat},
       .call = check},
      {.name = "explain",
       .title = "What does this log mean?",
       .description = "Names the root cause in a log, a traceback or a pasted terminal of "
                      "TensorFlow, Keras, JAX, PyTorch, CUDA, the kernel, containers or pip. "
                      "Nothing of this machine is looked at.",
       .parameters = {{.name = "text", .description = "the log itself"},
                      {.name = "path", .description = "a file that holds it"},
                      kFormat},
       .call = explain},
      {.name = "lint",
       .title = "What in this code keeps work off the GPU?",
       .description = "Reads Python files, notebooks and project files (Dockerfile, compose, "
                      "requirements, ...) and lists what keeps work off the GPU, by line. Changes "
                      "nothing.",
       .parameters = {{.name = "paths",
                       .description = "files and directories; without any, the working directory",
                       .several = true},
                      kFormat},
       .call = lint},
      {.name = "rule",
       .title = "Explain a cause",
       .description = "What one cause is, how to see it and how to mend it; without an id, the "
                      "list of all causes.",
       .parameters = {{.name = "id", .description = "id of a cause, such as L04, or its slug"}},
       .call = rule},
      {.name = "compat",
       .title = "Which releases fit?",
       .description = "What a release of TensorFlow, JAX or PyTorch needs of driver, "
                      "CUDA and Python; without a release, which can work on this "
                      "machine.",
       .parameters = {{.name = "release",
                       .description = "such as tensorflow==2.16 or torch==2.6+cu126"},
                      {.name = "python",
                       .description = "the interpreter or environment in question"},
                      kFormat},
       .call = compat},
  };
}

Exit run(const Arguments&, Console& console) {
  if (::isatty(STDIN_FILENO) == 1)
    console.errors << "gpuwhy: an assistant starts this and speaks to it; press Ctrl-D to end\n";
  mcp::Server server(tools());
  const auto reply = [&](const std::string& line) { console.out << line << std::flush; };
  const auto read = stream_input("-", [&](std::string_view bytes) { server.feed(bytes, reply); });
  if (!read) return wrong_usage(console, read.error().message);
  return Exit::gpu;
}

} // namespace

const Command kMcpCommand{
    .name = "mcp",
    .summary = "offer check, explain, lint and rule to a coding assistant",
    .details = "A server of the Model Context Protocol on standard input and output. Assistants "
               "start it themselves: give them the command 'gpuwhy mcp'.",
    .options = {},
    .run = run,
};

} // namespace gpuwhy
