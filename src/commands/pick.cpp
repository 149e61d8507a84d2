#include "commands/pick_json.h"
#include "commands/table.h"

#include "base/amount.h"
#include "base/text.h"
#include "collect/collector.h"
#include "collect/driver_probes.h"
#include "pick/choose.h"
#include "system/claims.h"
#include "system/live.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <thread>
#include <unistd.h>

namespace gpuwhy {
namespace {

using std::chrono::seconds;

constexpr std::array kOptions{
    Option{"number", 'n', "N", "how many GPUs (default 1)"},
    Option{"min-free", 'm', "SIZE", "only GPUs with this much free memory: 8GiB"},
    Option{"same-node", 0, "", "all on one NUMA node"},
    Option{"exclude", 'x', "GPUS", "never these: numbers or UUIDs, parted by commas"},
    Option{"index", 'i', "",
           "numbers in PCI order instead of UUIDs (with CUDA_DEVICE_ORDER=PCI_BUS_ID)"},
    Option{"wait", 'w', "", "wait until enough GPUs are free"},
    Option{"timeout", 0, "TIME", "wait no longer: 90s, 10m"},
    Option{"hold", 0, "TIME",
           "without a program: keep other picks off for this time (default 30s)"},
    Option{"export", 'e', "", "print shell lines for eval \"$(gpuwhy pick -e)\""},
    Option{"json", 0, "", "one JSON document for programs"},
    Option{"verbose", 'v', "", "say what was chosen and why the others were not"},
};

constexpr seconds kLookAgain{2};
constexpr seconds kForEver =
    std::chrono::hours(24 * 365); // the clock's own end is no time to add to
constexpr std::chrono::milliseconds kPatience{30'000};

struct Request {
  PickWish wish;
  bool wait = false;
  seconds timeout = kForEver;
  seconds hold{30};
};

Result<seconds> time_of(const Arguments& arguments, std::string_view option, seconds otherwise) {
  if (!arguments.has(option)) return otherwise;
  const auto value = parse_seconds(arguments.value(option));
  if (!value || *value > 30ULL * 24 * 3600) {
    return fail("--" + std::string(option) + " " + printable(arguments.value(option)) +
                ": not a time such as 90s, 10m or 2h");
  }
  return seconds(*value);
}

Result<Request> request_of(const Arguments& arguments) {
  Request request;
  auto& wish = request.wish;
  if (arguments.has("number")) {
    const auto number = to_number(arguments.value("number"));
    if (!number || *number < 1 || *number > 1024)
      return fail("--number " + printable(arguments.value("number")) + ": not a number from 1 on");
    wish.count = static_cast<std::size_t>(*number);
  }
  if (arguments.has("min-free")) {
    const auto bytes = parse_bytes(arguments.value("min-free"));
    if (!bytes)
      return fail("--min-free " + printable(arguments.value("min-free")) +
                  ": not a size such as 8GiB");
    wish.min_free = *bytes;
  }
  wish.same_node = arguments.has("same-node");
  wish.by_index = arguments.has("index");
  if (const auto found = arguments.options.find("exclude"); found != arguments.options.end()) {
    for (const auto& list : found->second) {
      for (const auto name : split(list, ',')) {
        if (!trim(name).empty()) wish.excluded.emplace_back(trim(name));
      }
    }
  }
  request.wait = arguments.has("wait") || arguments.has("timeout");
  const auto timeout = time_of(arguments, "timeout", kForEver);
  const auto hold = time_of(arguments, "hold", request.hold);
  if (!timeout) return tl::unexpected(timeout.error());
  if (!hold) return tl::unexpected(hold.error());
  request.timeout = *timeout;
  request.hold = *hold;
  if (!arguments.program.empty() && (arguments.has("json") || arguments.has("export"))) {
    return fail("--json and --export print a choice; with a program there is nothing to print");
  }
  return request;
}

/// Only what the choice needs: the variables, the scheduler and NVML. What CUDA_VISIBLE_DEVICES
/// means is asked of CUDA itself.
Facts look() {
  const auto system = make_live_system();
  Facts facts;
  for (const auto& collector : all_collectors()) {
    if (collector.name == "environment_variables" || collector.name == "scheduler")
      collector.collect(*system, Scope{}, facts);
  }
  facts.observed.nvml = ask_nvml(*system);
  if (facts.environment.find("CUDA_VISIBLE_DEVICES") != nullptr)
    facts.observed.cuda = ask_cuda(*system);
  return facts;
}

struct Attempt {
  Candidates candidates;
  Choice choice;
};

/// Looks, chooses and claims, while no other pick of this user does.
Result<Attempt> attempt(const Request& request, Claims& claims, bool for_program) {
  if (const auto locked = claims.lock(kPatience); !locked) return tl::unexpected(locked.error());
  Attempt result{candidates_of(look()), {}};
  if (!result.candidates.problem.empty()) return result;
  if (const auto unknown = unknown_names(result.candidates, request.wish); !unknown.empty()) {
    return fail("--exclude " + printable(unknown.front()) +
                ": no GPU here has that number or UUID");
  }
  std::vector<std::string> uuids;
  for (const auto& candidate : result.candidates.all) uuids.push_back(candidate.uuid);
  result.choice = choose(result.candidates, request.wish, claims.taken(uuids));
  for (const auto& chosen : result.choice.chosen) {
    if (!for_program && request.hold.count() == 0) continue;
    const auto claimed =
        for_program ? claims.hold(chosen.uuid) : claims.reserve(chosen.uuid, request.hold);
    if (!claimed) return tl::unexpected(claimed.error());
  }
  claims.unlock();
  return result;
}

std::string visible_devices(const Choice& choice, const PickWish& wish) {
  std::vector<std::string> names;
  for (const auto& chosen : choice.chosen)
    names.push_back(wish.by_index ? std::to_string(chosen.index) : chosen.uuid);
  return join(names, ",");
}

void explain(const Attempt& attempt, Console& console) {
  for (const auto& chosen : attempt.choice.chosen) {
    console.errors << "gpuwhy: GPU " << chosen.index << " " << printable(chosen.name) << ", "
                   << (chosen.memory_free >> 20U) << " MiB free, " << chosen.utilization
                   << " % busy, " << chosen.temperature << " degrees\n";
  }
  for (const auto& line : attempt.choice.refused)
    console.errors << "gpuwhy: not " << printable(line) << "\n";
}

/// Becomes the program: its exit status and the signals sent to it are its own.
Exit become(const std::vector<std::string>& program, const Choice& choice, const PickWish& wish,
            Console& console) {
  ::setenv("CUDA_VISIBLE_DEVICES", visible_devices(choice, wish).c_str(), 1);
  if (wish.by_index) ::setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 1);
  std::vector<char*> words;
  words.reserve(program.size() + 1);
  for (const auto& word : program)
    words.push_back(const_cast<char*>(word.c_str())); // execvp() does not write to them
  words.push_back(nullptr);
  console.out.flush();
  ::execvp(words[0], words.data());
  return wrong_usage(console,
                     "cannot run " + printable(program.front()) + ": " + std::strerror(errno));
}

Exit report(const Arguments& arguments, const Request& request, const Attempt& attempt,
            Console& console) {
  const bool chosen = !attempt.choice.chosen.empty();
  if (arguments.has("verbose")) explain(attempt, console);
  if (arguments.has("json")) {
    console.out << pick_json({&attempt.candidates, &attempt.choice,
                              visible_devices(attempt.choice, request.wish),
                              request.wish.by_index});
  } else if (chosen && arguments.has("export")) {
    if (request.wish.by_index) console.out << "export CUDA_DEVICE_ORDER=PCI_BUS_ID\n";
    console.out << "export CUDA_VISIBLE_DEVICES=" << visible_devices(attempt.choice, request.wish)
                << "\n";
  } else if (chosen) {
    console.out << visible_devices(attempt.choice, request.wish) << "\n";
  }
  if (chosen) return Exit::gpu;
  const auto& problem =
      attempt.candidates.problem.empty() ? attempt.choice.why_not : attempt.candidates.problem;
  console.errors << "gpuwhy: " << printable(problem) << "\n";
  if (!arguments.has("verbose")) {
    for (const auto& line : attempt.choice.refused)
      console.errors << "gpuwhy:   " << printable(line) << "\n";
  }
  return attempt.candidates.open ? Exit::unknown : Exit::findings;
}

Exit run(const Arguments& arguments, Console& console) {
  const auto request = request_of(arguments);
  if (!request) return wrong_usage(console, request.error().message);
  const auto environment = make_live_system()->environment();
  auto claims = Claims::open(environment);
  if (!claims) return wrong_usage(console, claims.error().message);
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    const auto result = attempt(*request, *claims, !arguments.program.empty());
    if (!result) return wrong_usage(console, result.error().message);
    const bool chosen = !result->choice.chosen.empty();
    if (chosen && !arguments.program.empty()) {
      if (arguments.has("verbose")) explain(*result, console);
      return become(arguments.program, result->choice, request->wish, console);
    }
    claims->unlock();
    const auto waited = std::chrono::steady_clock::now() - start;
    const bool may_change =
        result->candidates.problem.empty() && result->candidates.all.size() >= request->wish.count;
    if (chosen || !request->wait || !may_change || waited + kLookAgain > request->timeout) {
      return report(arguments, *request, *result, console);
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

} // namespace

const Command kPickCommand{
    .name = "pick",
    .takes_program = true,
    .summary = "choose the freest GPUs, print CUDA_VISIBLE_DEVICES or run a program with it",
    .details = "By free memory, work, temperature and, for several, the links between them. Two "
               "picks of one user at "
               "once never choose the same GPU: the choice is held while the program runs, or for "
               "--hold. Stays within "
               "CUDA_VISIBLE_DEVICES and within what Slurm or Kubernetes gave.\n"
               "\n"
               "  gpuwhy pick -n 2 -- python train.py\n"
               "  CUDA_VISIBLE_DEVICES=$(gpuwhy pick --min-free 8GiB) python train.py",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
