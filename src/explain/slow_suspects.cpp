// What makes a program on the GPU slow, by its code, its logs and how it changes with time:
// placement, compilation, copies, heat, leaks.
#include "base/text.h"
#include "explain/loops.h"
#include "explain/suspect.h"
#include "explain/use_figures.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace gpuwhy::explain {
namespace {

constexpr double kIdle = 60;      // percent up to which something holds the GPU back
constexpr double kHot = 83;       // degrees from which NVIDIA's boards slow down
constexpr double kTooHot = 90;    // degrees at which they all do
constexpr double kLongStart = 60; // seconds until the first step
constexpr double kLeaking = 1.6;  // times slower: more than a warm board loses
constexpr double kCooler = 1.1;
constexpr double kCapped = 0.7; // of the usual power limit
constexpr double kShare = 30;   // percent of a profile, of one line
constexpr double kMostly = 40;  // percent of a profile

double number(std::string_view text) {
  return std::strtod(std::string(replace_all(std::string(text), ",", "")).c_str(), nullptr);
}

void changes(const Scene& scene, const UseFigures& figures, Suspects& out) {
  constexpr std::uint64_t kSlowdown = 0x8 | 0x20 | 0x40 | 0x80; // hardware, heat, power brake
  const auto* bits = scene.text.find("throttle-bits");
  const auto reasons = bits == nullptr ? std::nullopt : hex_to_number(bits->value("throttle"));
  const double limit = number(scene.text.said("power_limit"));
  const double usual = number(scene.text.said("power_default"));
  const bool capped = limit > 0 && limit < kCapped * usual;
  if ((reasons && (*reasons & kSlowdown) != 0) || capped) {
    out.push_back({"R06",
                   Weight::hint,
                   capped ? "the GPU may take only " + std::string(scene.text.said("power_limit")) +
                                " of its " + std::string(scene.text.said("power_default")) + " W"
                          : "the GPU slows itself down (its throttle reasons say so)",
                   {capped ? scene.text.find("power-limit") : bits},
                   {},
                   "nvidia-smi -q -d PERFORMANCE"});
    return;
  }
  if (const auto* clock = scene.text.find("slow-clock")) {
    out.push_back({"R06",
                   Weight::hint,
                   "the GPU's clock is held down",
                   {clock},
                   {},
                   "nvidia-smi -q -d PERFORMANCE"});
  }
  // A busy GPU is warm; it is a fault where the speed falls.
  const bool slower = scene.text.has("slows-down") || scene.text.has("slower-words") ||
                      scene.text.has("speed-words") || figures.slowdown;
  if (figures.temperature && *figures.temperature >= (slower ? kHot : kTooHot)) {
    out.push_back({"R06",
                   Weight::hint,
                   "at " + std::to_string(static_cast<int>(*figures.temperature)) +
                       " degrees the GPU slows itself down",
                   {},
                   {},
                   "nvidia-smi -q -d PERFORMANCE"});
  } else if (const auto* words = scene.text.find("slower-words");
             words != nullptr && words->message->name == "slower-words/than" && !figures.slowdown &&
             !figures.memory_grows) {
    out.push_back({"R07",
                   Weight::hint,
                   "each step takes longer than those before, as stated: something grows",
                   {words},
                   {},
                   kWatch,
                   {{"R06", "the GPU gets hot and slows itself down"},
                    {"P18", "operations, models or functions are made anew in a loop"}}});
  } else if (figures.slowdown && *figures.slowdown >= kCooler) {
    const bool leak = *figures.slowdown >= kLeaking;
    out.push_back(
        {leak ? "R07" : "R06",
         Weight::hint,
         leak ? "each step takes longer than those before: something grows (" + figures.quote + ")"
              : "the speed falls with time, as that of a GPU that gets hot does (" + figures.quote +
                    ")",
         {},
         {},
         "nvidia-smi -q -d PERFORMANCE",
         {leak ? Instead{"R06", "the GPU gets hot and slows itself down"}
               : Instead{"R07", "something in the program grows with every step"}}});
  }
  if (const auto* built = made_in_loop(scene.text); built != nullptr && !figures.memory_grows) {
    out.push_back({"P18",
                   scene.text.has("oom") ? Weight::probable : Weight::hint,
                   "a model is built anew in every turn of a loop, and what was built before stays",
                   {built},
                   {},
                   {}});
  }
  if (figures.memory_grows) {
    const auto series = scene.text.all("memory-series");
    std::vector<const Sighting*> evidence = {scene.text.find("memory-grows")};
    if (!series.empty()) evidence = {series.front(), series.back()};
    const auto* loop = made_in_loop(scene.text);
    if (loop != nullptr) {
      out.push_back({"P18",
                     scene.text.has("oom") ? Weight::probable : Weight::hint,
                     "memory grows, and a model is built anew in every turn of a loop",
                     {loop, series.empty() ? nullptr : series.back()},
                     {},
                     {}});
      return;
    }
    out.push_back({"R07",
                   scene.text.has("oom") ? Weight::probable : Weight::hint,
                   "memory grows with every step: something that is kept refers to it",
                   std::move(evidence),
                   {},
                   {},
                   {{"P18", "models, graphs or compiled functions are made anew in a loop"}}});
  } else if (figures.memory_shared) {
    out.push_back({"R01",
                   Weight::hint,
                   "several processes share the GPU's memory, and one takes most of it",
                   {},
                   {},
                   "nvidia-smi"});
  }
  if (figures.start_seconds && *figures.start_seconds >= kLongStart) {
    const bool xla =
        scene.text.says("jax") || scene.text.mentions("compil") || scene.text.mentions("jit");
    out.push_back(
        {xla ? "R13" : "R11",
         Weight::hint,
         "the first step comes late (" + figures.quote + "): code is compiled for the GPU",
         {},
         {},
         kLook,
         {xla ? Instead{"R11", "the build has no ready code for this GPU"}
              : Instead{"R13", "XLA compiles or tunes at every start"}}});
  }
  const auto* socket = scene.text.find("nccl-socket");
  if (socket != nullptr && (scene.text.mentions("throughput") || scene.text.mentions("slow"))) {
    out.push_back({"R05",
                   Weight::hint,
                   "the machines exchange gradients over plain sockets, which is slow",
                   {socket},
                   {},
                   kWatch});
  }
  if (const auto* gain = scene.text.find("no-gain")) {
    out.push_back({"R05",
                   Weight::hint,
                   "more GPUs bring nothing: they wait for each other's gradients",
                   {gain},
                   {},
                   kWatch,
                   {{"P10", "the program computes on one of them only"}}});
  }
  if (figures.worse_on_more_gpus) {
    out.push_back({"R05",
                   Weight::hint,
                   "the step is longer on more GPUs (" + figures.quote +
                       "): they wait for each other's gradients",
                   {},
                   {},
                   kWatch});
  }
}

/// Of a placement log: operations that only ever run on the processor, and which matter there.
void placed_on_processor(const Scene& scene, Suspects& out) {
  if (!scene.text.has("placed") || scene.text.said("gpu_op").empty()) return;
  constexpr std::array<std::string_view, 16> kUsual = {
      "Const",  "Placeholder", "NoOp",   "Identity", "Save",    "Restore", "Iterator", "Queue",
      "Reader", "Decode",      "Assert", "String",   "Summary", "Print",   "Variable", "Range"};
  std::vector<const Sighting*> slow;
  for (const auto* seen : scene.text.all("placed")) {
    const auto op = seen->value("op");
    const bool usual = std::any_of(kUsual.begin(), kUsual.end(),
                                   [&](std::string_view name) { return contains(op, name); });
    if (!op.empty() && !usual) slow.push_back(seen);
  }
  if (slow.empty()) return;
  const std::string name(slow.front()->value("op"));
  out.push_back({"P07",
                 Weight::hint,
                 name + " and others run on the processor between operations of the GPU",
                 std::move(slow),
                 {},
                 kWatch});
}

void compiles_again(const Scene& scene, Suspects& out) {
  for (const auto* seen : scene.text.all("compiled-by-xla")) {
    if (seen->count < 2) continue;
    out.push_back({"R13",
                   Weight::hint,
                   "XLA compiles " + std::string(seen->value("compiled")) + " again and again",
                   {seen},
                   "make the function once, outside of the loop, and keep the shapes the same",
                   {},
                   {{"P18", "the program makes the function anew in every turn"}}});
    return;
  }
  for (const auto* seen : scene.text.all("compile-time")) {
    if (number(seen->value("compile_s")) < kLongStart) continue;
    out.push_back(
        {"R13",
         Weight::hint,
         "PyTorch's compiler takes " + std::string(seen->value("compile_s")) + " s of the start",
         {seen},
         {},
         {}});
    return;
  }
}

/// The program says itself that it does not run as a graph, or calls Python from it.
void eager(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto* seen = scene.text.find("eager-code");
  const bool toggled = figures.epochs_differ;
  if (seen == nullptr || (!figures.low_or_said(kIdle) && !toggled)) return;
  if (seen->message->name == "eager-code/tape" && scene.text.has("graph-code")) return;
  out.push_back({"P07",
                 Weight::hint,
                 "the program runs step by step in Python, and the GPU waits for it",
                 {seen, toggled ? scene.text.find("bar-time") : nullptr},
                 {},
                 kWatch});
}

void copies(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto* launches = scene.text.find("profile-launch");
  if (launches != nullptr && number(launches->value("launch_share")) >= kMostly) {
    out.push_back({"R04",
                   Weight::hint,
                   "starting kernels takes " + std::string(launches->value("launch_share")) +
                       " % of the profiled time",
                   {launches},
                   {},
                   kWatch});
    return;
  }
  const auto* fetched = scene.text.find("sync-code");
  if (fetched != nullptr && figures.low_or_said(kIdle) && !scene.text.has("slow-input")) {
    out.push_back({"R05",
                   Weight::hint,
                   "the program fetches results from the GPU, and waits for them each time",
                   {fetched},
                   {},
                   kWatch,
                   {{"R03", "the GPU waits for its data"}}});
    return;
  }
  const auto* waits = scene.text.find("profile-item");
  if (waits != nullptr && number(waits->value("item_share")) >= kShare) {
    out.push_back({"R05",
                   Weight::hint,
                   std::string(waits->value("item_share")) +
                       " % of the time waits for one number from the GPU (.item())",
                   {waits},
                   "ask for results now and then, not after every step",
                   kWatch});
    return;
  }
  if (figures.received && *figures.received >= kBusTraffic && figures.sampled_low) {
    out.push_back({"R05",
                   Weight::hint,
                   "the bus carries " + std::to_string(static_cast<int>(*figures.received)) +
                       " MB/s to a GPU that computes little: data is copied in every step",
                   {scene.text.find("dmon-row")},
                   {},
                   kWatch});
    return;
  }
  const auto* profiled = scene.text.find("profile-copy");
  if (profiled != nullptr && number(profiled->value("copy_share")) >= kMostly) {
    out.push_back(
        {"R05",
         Weight::hint,
         "copies take " + std::string(profiled->value("copy_share")) + " % of the profiled time",
         {profiled},
         {},
         kWatch});
    return;
  }
  const auto* step = scene.text.find("transfer-time");
  if (step != nullptr && number(step->value("transfer_s")) >= number(step->value("compute_s"))) {
    out.push_back(
        {"R05", Weight::hint, "a step copies for longer than it computes", {step}, {}, kWatch});
    return;
  }
  if (const auto* seen = scene.text.find("transfer-words")) {
    out.push_back({"R05",
                   Weight::hint,
                   "much of the time goes into copies between the GPU and the processor",
                   {seen},
                   {},
                   kWatch});
  }
}

/// The driver compiles what ptxas should, and the first use waits for it.
void first_use(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("ptx-by-driver");
  const bool waits =
      scene.text.mentions("first") && scene.text.mentions("minutes") &&
      (scene.text.mentions("block") || scene.text.mentions("hang") || scene.text.mentions("take"));
  if (seen == nullptr || !waits) return;
  out.push_back({"R11",
                 Weight::hint,
                 "the first use waits while the driver compiles the kernels for this GPU",
                 {seen},
                 {},
                 kWatch});
}

} // namespace

void slow_suspects(const Scene& scene, const UseFigures& figures, Suspects& out) {
  placed_on_processor(scene, out);
  compiles_again(scene, out);
  first_use(scene, out);
  copies(scene, figures, out);
  eager(scene, figures, out);
  changes(scene, figures, out);
}

} // namespace gpuwhy::explain
