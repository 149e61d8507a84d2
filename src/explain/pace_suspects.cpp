// What the program's own lines show over its run: memory that only rises, steps that take longer
// and longer, work that the processor does in less time; and the code that makes them so.
#include "explain/loops.h"
#include "explain/pace.h"

#include "base/text.h"
#include "explain/suspect.h"
#include "explain/use_figures.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace gpuwhy::explain {
namespace {

constexpr double kHot = 83;          // degrees from which NVIDIA's boards slow down
constexpr double kBusTraffic = 1000; // MB/s
constexpr double kLeaks = 1.5;       // times longer: more than a warm board loses
constexpr double kFarSlower = 3;     // times longer: another way of computing
constexpr double kIdle = 60;         // percent up to which something holds the GPU back

const Sighting* first_of(const View& text, std::initializer_list<std::string_view> signals) {
  for (const auto signal : signals) {
    if (const auto* seen = text.find(signal)) return seen;
  }
  return nullptr;
}

double hottest(const View& text) {
  double most = 0;
  for (const auto* seen : text.all("smi-temperature"))
    most = std::max(most, std::strtod(std::string(seen->value("smi_temp")).c_str(), nullptr));
  return most;
}

/// Memory rises, or what is made in a loop runs the machine out of it.
void grows(const Scene& scene, const Pace& pace, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  const bool full = text.has("oom") || text.has("host-killed");
  const bool rises = pace.memory_rises() || figures.memory_grows;
  const auto weight = full ? Weight::probable : Weight::hint;
  const auto* from = pace.memory_from;
  const auto* to = pace.memory_to;
  const bool slower = pace.steps_rise() || text.has("slows-down") || text.has("slower-words");
  if (const auto* anew = made_in_loop(text);
      anew != nullptr && (rises || full || slower || anew->message->signal == "loop-jit")) {
    out.push_back({"P18",
                   weight,
                   "the program makes anew in every turn of a loop what it should make once, and "
                   "what was made before stays",
                   {anew, from, to, first_of(text, {"oom", "host-killed"})},
                   {},
                   {}});
    return;
  }
  if (const auto* kept = first_of(text, {"loop-keep", "tensor-kept"}); kept != nullptr && rises) {
    out.push_back({"P18",
                   weight,
                   "the program keeps results of every step, and with each all that led to it",
                   {kept, from, to},
                   "keep numbers: loss.item(), output.detach().cpu()",
                   {}});
    return;
  }
  if (pace.memory_rises()) {
    out.push_back({"R07",
                   weight,
                   "memory rises from step to step: something that is kept refers to it",
                   {from, to},
                   {},
                   {},
                   {{"P18", "models, graphs or compiled functions are made anew in a loop"}}});
  }
}

void offloaded(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("offloaded");
  if (seen == nullptr) return;
  out.push_back({"R08",
                 Weight::hint,
                 "the model is larger than the GPU's memory: parts of it wait outside and are "
                 "copied for every use",
                 {seen},
                 "a smaller or quantised model, or more GPU memory",
                 {},
                 {}});
}

/// Steps take longer and longer while memory is not told to rise.
void slows(const Scene& scene, const Pace& pace, Suspects& out) {
  const auto& text = scene.text;
  if (!pace.steps_rise() || pace.memory_rises() || made_in_loop(text) != nullptr) return;
  if (text.has("shared-memory") || text.has("memory-spilled") || text.has("offloaded-part")) return;
  const double temperature = hottest(text);
  if (temperature >= kHot || text.has("cooled-words") || text.has("throttled")) {
    out.push_back({"R06",
                   Weight::hint,
                   "steps take longer and longer on a GPU that is hot",
                   {pace.step_from, pace.step_to, text.find("smi-temperature")},
                   {},
                   "nvidia-smi -q -d PERFORMANCE"});
  } else if (pace.slower >= kLeaks && !text.has("host-killed") &&
             (text.has("slower-words") || text.has("slows-down"))) {
    out.push_back({"R07",
                   Weight::hint,
                   "steps take longer and longer: something grows with each of them",
                   {pace.step_from, pace.step_to},
                   {},
                   kWatch,
                   {{"R06", "the GPU gets hot and slows itself down"},
                    {"P18", "operations, models or functions are made anew in a loop"}}});
  } else if (text.has("host-killed")) {
    out.push_back({"R07",
                   Weight::hint,
                   "steps take longer and longer until the machine's memory is gone: something "
                   "grows",
                   {pace.step_from, pace.step_to, text.find("host-killed")},
                   {},
                   kWatch,
                   {{"P18", "operations, models or functions are made anew in a loop"}}});
  }
}

/// The clock is held far below what it can be, or the card is at the temperature that it may have.
void held_down(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto clocks = text.all("clock-now");
  const auto* limit = text.find("operating-limit");
  const auto value = [](const Sighting* seen, std::string_view group) {
    return std::strtod(std::string(seen->value(group)).c_str(), nullptr);
  };
  const bool low = clocks.size() >= 2 && text.has("clock-highest") &&
                   value(clocks.front(), "sm_mhz") * 2 <= value(clocks.back(), "sm_mhz");
  constexpr double kNear = 3; // degrees
  const bool hot =
      limit != nullptr && hottest(text) > 0 && hottest(text) + kNear >= value(limit, "limit_temp");
  const bool slow = text.has("speed-words") || text.has("slower-words") || text.has("slows-down");
  if (const auto* cell = text.find("throttle-cell");
      cell != nullptr && text.has("throttle-column")) {
    out.push_back({"R06",
                   Weight::probable,
                   "the GPU slows itself down",
                   {cell, text.find("throttle-column")},
                   {},
                   "nvidia-smi -q -d PERFORMANCE"});
    return;
  }
  const auto* power = text.find("power-held");
  constexpr double kWhole = 0.7; // of the default, from which it hardly costs speed
  if (power != nullptr && slow && value(power, "limit_w") < kWhole * value(power, "default_w")) {
    out.push_back({"R06",
                   Weight::hint,
                   "the power limit is set far below its default",
                   {power},
                   "nvidia-smi -pl with the default, as root",
                   "nvidia-smi -q -d POWER"});
    return;
  }
  if (!hot && !(low && slow)) return;
  out.push_back({"R06",
                 Weight::hint,
                 hot ? "the card is at the temperature from which it lowers its clock"
                     : "the clock is held far below what the card can do",
                 {hot ? limit : clocks.front(), hot ? text.find("smi-temperature") : nullptr},
                 {},
                 "nvidia-smi -q -d PERFORMANCE"});
}

/// The first time is slow and those after it are not: code is compiled.
void late_start(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto value = [](const Sighting* seen, std::string_view group) {
    return std::strtod(std::string(seen->value(group)).c_str(), nullptr);
  };
  constexpr double kLong = 10; // seconds
  const auto* cold = text.find("cold-warm");
  const bool timed = cold != nullptr && value(cold, "cold_s") >= kLong &&
                     value(cold, "cold_s") >= kLong * value(cold, "warm_s");
  const auto* words = text.find("first-slow");
  const auto* first = text.find("first-call");
  const auto* later = text.find("later-call");
  const bool called = first != nullptr && later != nullptr && value(first, "first_s") >= kLong &&
                      value(first, "first_s") >= kLong * value(later, "later_s");
  if (called) words = first;
  if (!timed && words == nullptr) return;
  const auto* driver = text.find("ptx-by-driver");
  const bool xla = driver == nullptr &&
                   (text.says("jax") || text.says("jaxlib") || text.mentions("jax") || timed);
  out.push_back({xla ? "R13" : "R11",
                 Weight::hint,
                 "the first time is slow and those after it are not: code is compiled for the GPU",
                 {timed ? cold : words, driver},
                 {},
                 kLook,
                 {xla ? Instead{"R11", "the build has no ready code for this GPU"}
                      : Instead{"R13", "XLA compiles or tunes at every start"}}});
}

/// Single answers, small operations one after the other, or a processor that is no slower.
void short_work(const Scene& scene, const Pace& pace, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  const bool loses = pace.gpu_loses || figures.slower_than_cpu;
  const bool little = figures.low_or_said(kIdle) && !figures.in_bursts && !figures.processor_busy &&
                      figures.received.value_or(0) < kBusTraffic;
  const auto* small = first_of(text, {"loop-small", "short-loop", "launch-words"});
  const auto* single = first_of(text, {"loop-predict", "rl-words", "one-by-one"});
  const bool reached = scene.in_use != nullptr || figures.stated || text.has("smi-usage") ||
                       figures.sampled_low || loses;
  if (!reached || (figures.received && *figures.received >= kBusTraffic)) return;
  if (text.has("processor-full") && text.has("rl-words")) {
    out.push_back({"R03",
                   Weight::hint,
                   "the processor is busy with what the agent acts in, and the GPU waits for it",
                   {text.find("processor-full"), text.find("rl-words")},
                   {},
                   kWatch});
    return;
  }
  if (small != nullptr && (loses || little || text.has("launch-words"))) {
    out.push_back({"R04",
                   Weight::hint,
                   "many short kernels are started one after the other, and the GPU waits for each "
                   "start",
                   {small, pace.gpu_time},
                   {},
                   kWatch,
                   {{"P09", "there is too little work in each"}}});
  } else if (single != nullptr && (loses || little)) {
    out.push_back({"P09",
                   Weight::hint,
                   "one example at a time is computed: too little work for a GPU",
                   {single, pace.gpu_time},
                   "ask for many answers at once",
                   kWatch,
                   {{"R04", "the model consists of many short kernels"}}});
  } else if (const auto* gain = text.find("no-gpu-gain");
             gain != nullptr && (scene.in_use != nullptr || text.has("smi-usage")) &&
             !text.has("slow-input")) {
    out.push_back({"P09",
                   Weight::hint,
                   "the GPU brings nothing over the processor: there is too little work in a step",
                   {gain, scene.in_use},
                   {},
                   kWatch,
                   {{"R03", "both wait for the same input"},
                    {"R04", "the model consists of many short kernels"}}});
  } else if ((little && text.has("tiny-layers") && !text.has("slow-input")) ||
             (loses && (text.has("tiny-layers") || text.has("model-size") || pace.gpu_loses))) {
    out.push_back(
        {"P09",
         Weight::hint,
         loses ? "the processor does the same work in less time: there is too little work "
                 "in a step"
               : "small layers on few examples: there is too little work in a step",
         {pace.gpu_time, text.find("tiny-layers"), first_of(text, {"gpu-use", "smi-usage"})},
         {},
         kWatch,
         {{"R04", "the model is large, and consists of many short kernels"}}});
  }
}

/// Arguments of a layer, or a switch to eager execution, make the same program many times slower.
void slow_forms(const Scene& scene, const Pace& pace, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  const bool slow = pace.differs >= kFarSlower || text.has("speed-words") ||
                    text.has("slower-words") || figures.slower_than_cpu ||
                    figures.low_or_said(kIdle);
  const auto* arguments = text.find("rnn-arguments");
  if (arguments == nullptr && text.has("keras-3")) arguments = text.find("rnn-dropout");
  // The same layer with another value is many times slower.
  if (arguments == nullptr && pace.differs >= kFarSlower && scene.in_use != nullptr)
    arguments = text.find("rnn-variable");
  if (arguments != nullptr && slow && !text.has("rnn-generic")) {
    out.push_back({"P13",
                   Weight::hint,
                   "the layer's arguments rule out the cuDNN kernel: the slow generic one runs",
                   {arguments, pace.differs >= kFarSlower ? text.find("step-series") : nullptr},
                   {},
                   kWatch});
  }
  if (const auto* simple = text.find("simple-rnn");
      simple != nullptr && slow && !text.has("rnn-generic")) {
    out.push_back({"P13",
                   Weight::hint,
                   "SimpleRNN has no cuDNN kernel: it steps through time in short kernels, where "
                   "GRU and LSTM take one",
                   {simple},
                   "GRU or LSTM with their default arguments, or a larger batch",
                   kWatch});
  }
  const auto* eager = first_of(text, {"eager-code", "loop-tape", "eager-words"});
  if (eager != nullptr && pace.differs >= kFarSlower && !pace.steps_rise()) {
    out.push_back({"P07",
                   Weight::hint,
                   "the program runs step by step in Python, and the GPU waits for it",
                   {eager},
                   "compile the step (tf.function), leave run_eagerly off",
                   kWatch});
  }
}

/// Looks at which it stands still beside such at which it computes.
bool stands_now_and_then(const View& text) {
  const auto looks = text.all("gpu-moment");
  const auto share = [](const Sighting* look) {
    return std::strtod(std::string(look->value("moment_use")).c_str(), nullptr);
  };
  return std::any_of(looks.begin(), looks.end(),
                     [&](const Sighting* look) {
                       return !look->value("moment_use").empty() && share(look) <= 1;
                     }) &&
         std::any_of(looks.begin(), looks.end(),
                     [&](const Sighting* look) { return share(look) >= kIdle; });
}

/// The GPU stands still, and the input is what it waits for.
void starves(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  const auto* input = first_of(text, {"input-words", "slow-input", "shuffle-buffer"});
  if (const auto* loader = text.find("loader");
      input == nullptr && loader != nullptr &&
      !contains(loader->value("loader_args"), "num_workers"))
    input = loader; // it reads in the program's own process
  const bool idle = figures.low_or_said(kIdle) || figures.in_bursts || text.has("use-low") ||
                    text.has("use-none") || stands_now_and_then(text);
  const bool blamed = text.has("input-words") && text.has("speed-words");
  if (input == nullptr || !(idle || blamed) || text.has("single-predict") || text.has("rl-words"))
    return;
  out.push_back({"R03",
                 Weight::hint,
                 "the GPU stands still between the batches: it waits for its data",
                 {input, text.find("use-low")},
                 {},
                 kWatch,
                 {{"R05", "it waits for copies, or the program for its results"}}});
}

/// One of several GPUs is said to compute.
void only_one(const Scene& scene, Suspects& out) {
  const auto* one = scene.text.find("one-used");
  if (one == nullptr) return;
  out.push_back({"P10", Weight::hint, "one of several GPUs computes", {one}, {}, {}});
}

/// Several GPUs do no more than one, and what joins them is slow.
void joined_badly(const Scene& scene, const Pace& pace, Suspects& out) {
  const auto& text = scene.text;
  const auto* joined = text.find("topology");
  const bool far = joined != nullptr && joined->value("topology_near").empty();
  if (!pace.more_gpus_lose && !(far && text.has("speed-words"))) return;
  out.push_back({"R05",
                 Weight::hint,
                 far ? "the GPUs only talk over the processor's bus, and exchange gradients slowly"
                     : "several GPUs do no more than one: they wait for each other's gradients",
                 {pace.rate, joined},
                 {},
                 kWatch});
}

/// Results are read back, or data of the processor goes in, in every step.
void crosses_the_bus(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  const auto* seen = first_of(text, {"loop-sync", "sync-words"});
  if (seen == nullptr || !(figures.low_or_said(kIdle) || text.has("speed-words"))) return;
  if (text.has("slow-input") || text.has("input-words")) return;
  out.push_back({"R05",
                 Weight::hint,
                 "the processor waits for results of the GPU in every step",
                 {seen},
                 "read values back seldom: every hundred steps, or at the end of an epoch",
                 kWatch,
                 {{"R04", "the GPU waits for the starts of many short kernels"}}});
}

} // namespace

void pace_suspects(const Scene& scene, Suspects& out) {
  if (scene.no_gpu != nullptr && scene.in_use == nullptr) return;
  const Pace pace(scene.text);
  const UseFigures figures(scene.text);
  grows(scene, pace, figures, out);
  offloaded(scene, out);
  slows(scene, pace, out);
  held_down(scene, out);
  late_start(scene, out);
  short_work(scene, pace, figures, out);
  slow_forms(scene, pace, figures, out);
  starves(scene, figures, out);
  only_one(scene, out);
  joined_badly(scene, pace, out);
  crosses_the_bus(scene, figures, out);
}

} // namespace gpuwhy::explain
