#include "commands/observe.h"
#include "commands/table.h"

#include "base/amount.h"
#include "base/text.h"
#include "collect/prove_layers.h"
#include "judge/judge.h"
#include "prove/ladder.h"
#include "render/prove_text.h"
#include "system/live.h"

#include <algorithm>
#include <array>
#include <istream>
#include <ostream>
#include <unistd.h>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    Option{"quick", 'q', "",
           "two seconds on a warm machine: everything is tried, nothing is measured well"},
    Option{"full", 0, "", "longer measurements, and memory swept up to --memory"},
    kPythonOption,
    Option{"framework", 0, "NAME", "whose CUDA libraries to try: tensorflow, jax, torch"},
    Option{"gpu", 'g', "GPU",
           "the GPU to try: CUDA's number, or a UUID or its beginning (default 0)"},
    Option{"memory", 'm', "SIZE", "GPU memory that a layer may take (default 512MiB)"},
    Option{"deadline", 0, "TIME",
           "end a layer after this time (default 10 s quick, 40 s, 110 s full)"},
    Option{"yes", 'y', "", "do not ask before much memory of a busy GPU is taken"},
    Option{"json", 0, "", "one JSON document for programs"},
    Option{"verbose", 'v', "", "what each layer did, how long it took and which files it opened"},
};

constexpr std::uint64_t kDefaultMemory = 512ULL << 20U;

struct Wish {
  Effort effort = Effort::normal;
  std::uint64_t memory = kDefaultMemory;
  std::chrono::milliseconds deadline{0};
};

Result<Wish> wish_of(const Arguments& arguments) {
  Wish wish;
  if (arguments.has("quick") && arguments.has("full"))
    return fail("--quick and --full exclude each other");
  if (arguments.has("quick")) wish.effort = Effort::quick;
  if (arguments.has("full")) wish.effort = Effort::full;
  if (arguments.has("memory")) {
    const auto bytes = parse_bytes(arguments.value("memory"));
    if (!bytes || *bytes < (64ULL << 20U)) {
      return fail("--memory " + printable(arguments.value("memory")) +
                  ": not a size of at least 64MiB, such as 2GiB");
    }
    wish.memory = *bytes;
  }
  if (arguments.has("deadline")) {
    const auto seconds = parse_seconds(arguments.value("deadline"));
    if (!seconds || *seconds < 1 || *seconds > 115) {
      return fail("--deadline " + printable(arguments.value("deadline")) +
                  ": not a time from 1s to 115s");
    }
    wish.deadline = std::chrono::seconds(*seconds);
  }
  return wish;
}

/// The CUDA ordinal of --gpu among the devices that this process sees.
Result<int> ordinal_of(const Facts& facts, const std::string& wanted) {
  if (wanted.empty()) return 0;
  const auto* cuda = facts.observed.cuda.get();
  const auto count = cuda == nullptr ? 0 : cuda->count;
  if (const auto number = to_number(wanted)) {
    // Where the driver does not answer, its layer will say so; the number is not what is wrong.
    if (count > 0 && (*number < 0 || *number >= count)) {
      return fail("--gpu " + printable(wanted) + ": this process sees " + std::to_string(count) +
                  (count == 1 ? " GPU" : " GPUs"));
    }
    return static_cast<int>(std::clamp<std::int64_t>(*number, 0, 1024));
  }
  if (cuda == nullptr || count == 0) return 0;
  int found = -1;
  for (const auto& device : cuda->devices) {
    if (!device.uuid.starts_with(wanted)) continue;
    if (found >= 0)
      return fail("--gpu " + printable(wanted) + ": more than one GPU has a UUID that begins so");
    found = device.ordinal;
  }
  if (found < 0)
    return fail("--gpu " + printable(wanted) + ": no GPU that this process sees has that UUID");
  return found;
}

/// The case to prove and its verdict: judge() and cases_of() list the same installations in the
/// same order.
struct Subject {
  const Case* subject = nullptr;
  FrameworkVerdict verdict;
};

Result<Subject> subject_of(const std::vector<Case>& cases, const Verdict& verdict,
                           const std::string& framework) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const bool asked = framework.empty() || cases[i].wanted == framework;
    names.push_back(cases[i].wanted);
    if (!asked || (!framework.empty() && cases[i].framework == nullptr)) continue;
    return Subject{&cases[i],
                   i < verdict.frameworks.size() ? verdict.frameworks[i] : FrameworkVerdict{}};
  }
  return fail("--framework " + printable(framework) +
              ": not installed in the environment in question");
}

/// Whether a person agrees; nobody is asked where nobody can answer.
bool agreed(const Objection& objection, const Arguments& arguments, Console& console) {
  if (!objection.may_ask) return false;
  if (arguments.has("yes")) return true;
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return false;
  console.errors << "gpuwhy: " << objection.reason << ". Go on? [y/N] " << std::flush;
  std::string answer;
  std::getline(console.in, answer);
  return !answer.empty() && (answer[0] == 'y' || answer[0] == 'Y');
}

/// Of the other GPUs that would take part in NCCL's layer and the copies: why they must not.
std::string why_alone(const Facts& facts, int ordinal, std::uint64_t memory) {
  const auto* cuda = facts.observed.cuda.get();
  for (int other = 0; cuda != nullptr && other < cuda->count; ++other) {
    if (other == ordinal) continue;
    if (const auto objection = objection_to(nvml_device(facts, other), memory))
      return objection->reason + ": not tried";
  }
  return {};
}

Exit exit_of(const Proof& proof) {
  if (proof.failed) return Exit::findings;
  const bool tried = std::any_of(proof.rungs.begin(), proof.rungs.end(), [](const Rung& rung) {
    return rung.state == Rung::State::passed;
  });
  return tried ? Exit::gpu : Exit::unknown;
}

Exit run(const Arguments& arguments, Console& console) {
  const auto wish = wish_of(arguments);
  if (!wish) return wrong_usage(console, wish.error().message);
  const auto system = make_live_system();
  const auto facts = look_at(*system, arguments);
  const auto ordinal = ordinal_of(facts, arguments.value("gpu"));
  if (!ordinal) return wrong_usage(console, ordinal.error().message);
  const auto cases = cases_of(facts);
  const auto subject = subject_of(cases, judge(facts), arguments.value("framework"));
  if (!subject) return wrong_usage(console, subject.error().message);

  const auto objection = objection_to(nvml_device(facts, *ordinal), wish->memory);
  if (objection && !agreed(*objection, arguments, console)) {
    console.errors << "gpuwhy: " << objection->reason << ": nothing was tried"
                   << (objection->may_ask ? " (--yes goes on, --memory takes less)" : "") << "\n";
    return Exit::unknown;
  }
  LayerRequest request;
  request.at_once = wish->effort == Effort::quick && is_idle(nvml_device(facts, *ordinal));
  request.alone = why_alone(facts, *ordinal, wish->memory);
  request.effort = wish->effort;
  request.device = *ordinal;
  request.memory = wish->memory;
  request.deadline = wish->deadline;
  if (subject->subject->libcuda.outcome == loader::Outcome::found)
    request.libcuda = subject->subject->libcuda.path;
  const auto libraries = libraries_to_prove(*subject->subject);
  for (const auto& [layer, choice] : libraries) {
    if (!choice.files.empty()) request.libraries[layer] = choice.files;
  }
  const auto known = failed_already(facts);
  const auto runs = known ? std::vector<LayerRun>{*known} : run_layers(*system, request);
  const auto proof =
      prove(facts, *subject->subject, subject->verdict, wish->effort, *ordinal, libraries, runs);
  console.out << (arguments.has("json")
                      ? prove_json(proof)
                      : prove_text(proof, console.style, arguments.has("verbose")));
  return exit_of(proof);
}

} // namespace

const Command kProveCommand{
    .name = "prove",
    .summary = "is it the machine or Python? the GPU is put to work, layer by layer",
    .details = "Starts the driver, takes memory, runs a kernel, then opens the very CUDA libraries "
               "that the framework "
               "would get and computes with each; at last trains a small network. No Python takes "
               "part and no toolkit "
               "is needed. Every result is compared with the processor's. A layer that hangs or "
               "crashes is ended and "
               "named. Status 0: every layer passed.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
