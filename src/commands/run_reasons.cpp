#include "commands/run_reasons.h"

#include "base/text.h"
#include "commands/observe.h"
#include "commands/run_report.h"
#include "judge/judge.h"
#include "judge/loading_seen.h"
#include "judge/log.h"
#include "rules/rule.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace gpuwhy {
namespace {

constexpr std::string_view kOutput = "the program's output";

/// The file that a Python command runs: the first word after the interpreter's options.
std::string program_of(const std::vector<std::string>& command) {
  for (std::size_t at = 1; at < command.size(); ++at) {
    const auto& word = command[at];
    if (word == "-X" || word == "-W") {
      ++at; // with a value of its own
    } else if (!word.starts_with('-')) {
      return word;
    } else if (word == "-c" || word == "-m" || word == "-") {
      return {};
    }
  }
  return {};
}

Facts look_at_machine(System& system, const std::vector<std::string>& command) {
  Arguments arguments;
  if (!command.empty() && base_name(command.front()).starts_with("python")) {
    arguments.options["python"] = {command.front()};
    const auto program = program_of(command);
    if (!program.empty() && check_program(system, program)) arguments.operands = {program};
  }
  auto scope = scope_of(arguments);
  if (!scope.python.empty()) scope.chosen_by = "the command that was run";
  Facts facts;
  for (const auto& collector : all_collectors()) collector.collect(system, scope, facts);
  read_program(system, arguments, facts);
  return facts;
}

/// Nothing for a command that neither loaded a framework nor is a program that imports one.
const FrameworkVerdict* framework_of(const Verdict& machine, const use::RunStatistics& run) {
  const auto loaded = frameworks_in(run);
  if (loaded.empty() && (!machine.program || machine.program->frameworks.empty())) return nullptr;
  for (const auto& each : machine.frameworks) {
    const bool meant =
        loaded.empty() || std::find(loaded.begin(), loaded.end(), each.framework) != loaded.end();
    if (meant && !each.causes.empty()) return &each;
  }
  return nullptr;
}

Evidence quoted(const explain::Quote& quote) {
  return {quote.text, {std::string(kOutput), static_cast<int>(quote.line)}};
}

/// A cause as the output alone tells it.
Cause told_by_output(const explain::NamedCause& named) {
  Cause cause;
  cause.id = named.id;
  cause.slug = named.slug;
  const auto gate = std::find_if(kGates.begin(), kGates.end(),
                                 [&](const GateText& text) { return text.name == named.gate; });
  if (gate != kGates.end()) cause.gate = gate->gate;
  if (named.effect == "breaks") cause.effect = Effect::breaks;
  if (named.effect == "slows") cause.effect = Effect::slows;
  cause.title = named.title;
  cause.summary = named.summary;
  if (!named.evidence.empty()) cause.evidence.push_back(quoted(named.evidence.front()));
  if (!named.fix.empty()) cause.fix = Fix{named.fix, {}, false, Reach::shell};
  return cause;
}

std::optional<Cause> on_machine(const Verdict& machine, const std::string& id) {
  for (const auto& framework : machine.frameworks) {
    for (const auto& cause : framework.causes) {
      if (cause.id == id) return cause;
    }
  }
  return std::nullopt;
}

/// The first cause that the output names: where the machine shows the same, with the machine's fix;
/// where the machine speaks against it, only if `doubtful`.
std::vector<Cause> by_output(const Verdict& machine, const explain::Explanation& output,
                             bool doubtful) {
  const auto log = compare_log(std::string(kOutput), output, machine);
  if (log.says != LogReport::Says::no_gpu) return {};
  for (std::size_t at = 0; at < log.causes.size() && at < output.whole.causes.size(); ++at) {
    const auto& named = output.whole.causes[at];
    if (log.causes[at].here == LogCause::Here::ruled_out && !doubtful) continue;
    auto cause = on_machine(machine, named.id);
    if (!cause) return {told_by_output(named)};
    if (!named.evidence.empty()) cause->evidence.push_back(quoted(named.evidence.front()));
    return {std::move(*cause)};
  }
  return {};
}

/// What killed the program, in its own words, unless the machine speaks against it.
std::vector<Cause> by_failure(const Verdict& machine, const explain::Explanation& output) {
  const auto log = compare_log(std::string(kOutput), output, machine);
  for (std::size_t at = 0; at < log.causes.size() && at < output.whole.causes.size(); ++at) {
    const auto& named = output.whole.causes[at];
    if (named.effect == "slows") return {};
    if (log.causes[at].here == LogCause::Here::ruled_out) continue;
    if (auto cause = on_machine(machine, named.id)) return {std::move(*cause)};
    return {told_by_output(named)};
  }
  return {};
}

/// A program that died of something else may have been on its way to the GPU: what its code would
/// have done there is no reason.
bool died_of_something_else(const use::RunStatistics& run) {
  static constexpr std::string_view kWords[] = {"cuda",   "gpu",   "nvidia",    "cudnn",
                                                "cublas", "nccl",  "device",    "xla",
                                                "jax",    "torch", "tensorflow"};
  const auto* words = run.end.last_words();
  if (words == nullptr) return false;
  const auto text = lower(words->text);
  return std::none_of(std::begin(kWords), std::end(kWords),
                      [&](std::string_view word) { return contains(text, word); });
}

/// Memory is held and nothing runs: where the code puts its work on the processor, it says why.
void add_placement(const FrameworkVerdict* framework, RunVerdict& verdict) {
  if (framework == nullptr) return;
  std::copy_if(
      framework->causes.begin(), framework->causes.end(), std::back_inserter(verdict.causes),
      [](const Cause& cause) { return cause.gate == Gate::code && cause.effect == Effect::hides; });
}

/// The framework was not there to use it.
bool failed_first(const std::vector<Cause>& causes) {
  return !causes.empty() && causes.front().gate == Gate::program;
}

bool ends_program(const Cause& cause) {
  return cause.effect == Effect::breaks;
}

/// The loader said in the run what it did not find (rules/L_libraries/seen_searching.h).
bool by_loader(const Cause& cause) {
  return cause.gate == Gate::libraries;
}

bool covers(const Cause& cause, const std::string& id) {
  const auto* rule = find_rule(cause.id);
  return cause.id == id ||
         (rule != nullptr &&
          std::find(rule->explains.begin(), rule->explains.end(), id) != rule->explains.end());
}

/// What the loader showed is the evidence of a cause that says the same or more; else it comes
/// behind what was found.
void add_loader(std::vector<Cause> seen, std::vector<Cause>& causes) {
  for (auto& cause : seen) {
    const auto known = std::find_if(causes.begin(), causes.end(),
                                    [&](const Cause& each) { return covers(each, cause.id); });
    if (known == causes.end())
      causes.push_back(std::move(cause));
    else
      known->evidence.insert(known->evidence.begin(), cause.evidence.begin(), cause.evidence.end());
  }
}

} // namespace

void add_reasons(System& system, const use::RunStatistics& run, const explain::Explanation& output,
                 RunVerdict& verdict) {
  const bool unsettled = verdict.answer == Used::not_used || verdict.answer == Used::unknown;
  const bool failed = run.end.last_words() != nullptr &&
                      std::none_of(verdict.causes.begin(), verdict.causes.end(), ends_program);
  const bool idle = !verdict.causes.empty() && verdict.causes.front().id == "R02";
  const bool asked = failed || idle ||
                     (unsettled && (verdict.causes.empty() || by_loader(verdict.causes.front())));
  const bool compares = run.end.loader.works && !frameworks_in(run).empty();
  if (run.start.command.empty() || (!asked && !compares)) return;
  const auto facts = look_at_machine(system, run.start.command);
  verdict.loading = compare_loading(facts, run, frameworks_in(run));
  if (!asked) return;
  const auto machine = judge(facts);
  if (idle && !failed) return add_placement(framework_of(machine, run), verdict);
  auto seen = std::exchange(verdict.causes, {});
  if (failed) verdict.causes = by_failure(machine, output);
  if (verdict.answer == Used::unknown && failed_first(verdict.causes)) {
    verdict.answer = Used::not_used;
    verdict.sentence = "the GPU was not used: the program failed before it could use it";
  }
  if (verdict.causes.empty() && unsettled) verdict.causes = by_output(machine, output, false);
  if (verdict.causes.empty() && verdict.answer == Used::not_used) {
    if (const auto* framework = framework_of(machine, run)) verdict.causes = framework->causes;
    if (died_of_something_else(run))
      std::erase_if(verdict.causes, [](const Cause& each) { return each.gate == Gate::code; });
  }
  if (!unsettled) {
    std::move(seen.begin(), seen.end(), std::back_inserter(verdict.causes));
    return;
  }
  // The output is the program's own: it ran where gpuwhy did not look.
  if (verdict.causes.empty()) verdict.causes = by_output(machine, output, true);
  add_loader(std::move(seen), verdict.causes);
  if (verdict.causes.empty() && !run.end.loader.works && !frameworks_in(run).empty())
    verdict.notes.emplace_back("with --libraries, gpuwhy run also sees which CUDA libraries the "
                               "program looks for and does not find");
}

} // namespace gpuwhy
