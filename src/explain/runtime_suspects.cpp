// The GPU is reached: is there memory, does it compute, does the reader read the right gauge?
#include "base/text.h"
#include "explain/suspect.h"
#include "knowledge/causes.h"

#include <algorithm>
#include <cstdlib>
#include <re2/re2.h>

namespace gpuwhy::explain {
namespace {

constexpr double kStandstill = 60;                       // seconds between two lines of the start
constexpr std::int64_t kHardlyAny = 512LL * 1024 * 1024; // bytes free with which no library starts

double number(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

/// "1.20 GiB", "12.56 MiB", "0 bytes", in GiB.
double gib(std::string_view amount, std::string_view unit) {
  const double value = number(amount);
  if (unit.starts_with('G')) return value;
  if (unit.starts_with('M')) return value / 1024;
  if (unit.starts_with('K')) return value / 1024 / 1024;
  return value / 1024 / 1024 / 1024;
}

/// An amount that PyTorch's message states; nothing: it does not.
std::optional<double> stated_amount(const std::string& text, const std::string& pattern) {
  std::string amount;
  std::string unit;
  const re2::RE2 form(pattern);
  if (!re2::RE2::PartialMatch(text, form, &amount, &unit)) return std::nullopt;
  return gib(amount, unit);
}

/// Of what PyTorch states, what neither is free nor this program's own.
bool others_by_message(const std::string& text) {
  const std::string amount = R"((\d+(?:\.\d+)?) (GiB|MiB|KiB|bytes))";
  if (const auto other = stated_amount(text, R"(Process \d+ has )" + amount + " memory in use"))
    return *other > stated_amount(text, "this process has " + amount).value_or(0);
  auto total = stated_amount(text, amount + " total capacity");
  if (!total) total = stated_amount(text, "total capacity of " + amount);
  auto left = stated_amount(text, amount + " free");
  if (!left) left = stated_amount(text, "of which " + amount + " is free");
  if (!total || !left) return false;
  double own = stated_amount(text, amount + " already allocated").value_or(0);
  own = std::max(own, stated_amount(text, amount + " (?:reserved|cached)").value_or(0));
  own = std::max(own, stated_amount(text, "this process has " + amount).value_or(0));
  return own > 0 && *total - *left - own > *total / 2;
}

/// Who is listed on one GPU with memory worth a name.
std::size_t processes_on_one_gpu(const std::vector<const Sighting*>& processes) {
  constexpr double kWorthAName = 500; // MiB: a display server has less
  std::size_t most = 0;
  for (const auto* each : processes) {
    const auto beside =
        std::count_if(processes.begin(), processes.end(), [&](const Sighting* other) {
          return other->value("process_gpu") == each->value("process_gpu") &&
                 number(other->value("process_mib")) >= kWorthAName;
        });
    most = std::max(most, static_cast<std::size_t>(beside));
  }
  return most;
}

/// Little was allocated by this program, and yet nothing is left.
bool others_hold_memory(const Scene& scene, const Sighting& seen) {
  if (others_by_message(seen.text) || scene.text.has("pool-refused")) return true;
  if (scene.text.has("memory-holder")) return true;
  const auto free = to_number(scene.text.said("memory_free"));
  const auto size = to_number(scene.text.said("memory_total"));
  if (free && size && *free < kHardlyAny && *free * 20 < *size && scene.in_use == nullptr)
    return true;
  // Who is listed after the program failed is another.
  const auto processes = scene.text.all("smi-process");
  const auto* usage = scene.text.find("smi-usage");
  if (processes.size() == 1 && usage != nullptr && processes.front()->first > seen.last &&
      number(processes.front()->value("process_mib")) > number(usage->value("total_mib")) / 2)
    return true;
  // At a prompt behind the failure the program is gone, and what is taken is not its own.
  const auto* called = scene.text.find("smi-called");
  if (processes.empty() && usage != nullptr && called != nullptr && called->first > seen.last &&
      usage->first > called->first &&
      number(usage->value("used_mib")) > number(usage->value("total_mib")) / 2)
    return true;
  return processes_on_one_gpu(processes) > 1;
}

void memory(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  if (const auto* seen = text.find("oom")) {
    const bool host = seen->message->kind == Kind::harmless;
    if (!host) {
      const bool others = others_hold_memory(scene, *seen);
      out.push_back({others ? "R01" : "R08",
                     Weight::settled,
                     others ? "the GPU's memory is held by other processes"
                            : std::string(seen->message->says),
                     {seen},
                     {},
                     seen->message->ask});
    }
  }
  const auto handles = text.all("handle");
  const auto first_cause = std::find_if(handles.begin(), handles.end(), [](const Sighting* handle) {
    return handle->message->kind == Kind::cause;
  });
  const auto blas = std::find_if(handles.begin(), handles.end(), [](const Sighting* handle) {
    return handle->message->name == "handle/blas" || handle->message->name == "handle/convolution";
  });
  const auto* seen = first_cause != handles.end() ? *first_cause
                     : blas != handles.end()      ? *blas
                                                  : nullptr;
  if (const auto* refused = text.find("pool-refused");
      refused != nullptr && seen == nullptr && !text.has("oom")) {
    out.push_back({"R01",
                   Weight::hint,
                   "TensorFlow does not get the memory that it asks for: others hold it",
                   {refused},
                   {},
                   refused->message->ask});
  }
  if (seen == nullptr) return;
  if (text.has("cudnn-older") || text.has("library-missing") || text.has("undefined-symbol") ||
      text.has("cudnn-mixed") || text.has("oom"))
    return;
  std::vector<const Sighting*> evidence = {seen};
  if (const auto* usage = text.find("memory-usage")) evidence.push_back(usage);
  const auto free = to_number(text.said("memory_free"));
  const auto size = to_number(text.said("memory_total"));
  if (free && size && *free * 2 > *size) {
    out.push_back({"L04",
                   Weight::probable,
                   "the library could not start, though memory is free: it does not fit the "
                   "framework or the driver",
                   std::move(evidence),
                   {},
                   kLook,
                   {{"L06", "another copy of it is found first"},
                    {"H10", "the driver is older than the library needs"}}});
    return;
  }
  // PyTorch starts its libraries when they are first used: the model is on the GPU by then.
  const bool own =
      scene.in_use != nullptr || text.has("torch-forward") || contains(seen->text, "RuntimeError");
  const bool others = others_hold_memory(scene, *seen);
  out.push_back(
      {others || !own ? "R01" : "R08",
       Weight::probable,
       others || !own
           ? "the library could not start: hardly any GPU memory is free"
           : "the library could not start: the program's own reservation leaves it no GPU memory",
       std::move(evidence),
       {},
       seen->message->ask,
       {{others || !own ? "R08" : "R01", others || !own ? "this program itself takes all of it"
                                                        : "other processes hold the memory"},
        {"L04", "memory is free: then cuDNN or cuBLAS does not fit the framework"}}});
}

/// Every look of a tool finds the GPU busy, and nobody complains of the speed.
bool works_all_the_time(const Scene& scene) {
  constexpr double kBusy = 80; // percent
  const auto& text = scene.text;
  if (text.has("speed-words") || text.has("slower-words") || text.has("throttled")) return false;
  std::size_t looks = 0;
  for (const auto& [signal, group] :
       {std::pair<std::string_view, std::string_view>{"gpu-moment", "moment_use"},
        {"smi-usage", "smi_util"},
        {"gpu-use", "gpu_now"}}) {
    for (const auto* seen : text.all(signal)) {
      if (seen->value(group).empty() || number(seen->value(group)) < kBusy) return false;
      ++looks;
    }
  }
  return looks > 0;
}

void start(const Scene& scene, Suspects& out) {
  const auto& pause = scene.text.reading().pause;
  if (!pause || pause->seconds < kStandstill || scene.text.has("no-kernel")) return;
  const auto all = scene.text.all();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Sighting* s) {
    return s->first <= pause->line && pause->line <= s->last;
  });
  if (found == all.end()) return;
  // A server waits for its first request just so: without a message of its own this is a hint.
  out.push_back({"R11",
                 Weight::hint,
                 "the log stands still for " + std::to_string(static_cast<int>(pause->seconds)) +
                     " s while the GPU is started: its code is compiled from PTX",
                 {*found},
                 {},
                 {}});
}

} // namespace

void runtime_suspects(const Scene& scene, Suspects& out) {
  memory(scene, out);
  start(scene, out);
}

void plain_suspects(const Scene& scene, Suspects& out) {
  /// Signals that the files above explain by the scene.
  constexpr std::string_view kElsewhere[] = {"libcuda-missing",
                                             "cuinit-stub",
                                             "nvml-stub",
                                             "smi-failed",
                                             "nvml-driver",
                                             "nvml-library",
                                             "driver-not-found",
                                             "no-devices-found",
                                             "xid",
                                             "probed-none",
                                             "cuinit-unknown",
                                             "driver-too-old",
                                             "invalid-ordinal",
                                             "nvml-unknown",
                                             "library-missing",
                                             "cudart-stub",
                                             "cudnn-older",
                                             "cudnn-part",
                                             "jax-library",
                                             "ptxas-missing",
                                             "libdevice",
                                             "no-wheel",
                                             "sm-unsupported",
                                             "no-kernel",
                                             "no-sass",
                                             "ptx-jit",
                                             "too-few-cores",
                                             "module-missing",
                                             "oom",
                                             "handle",
                                             "container-driver",
                                             "compat-unsupported",
                                             "symbol-500",
                                             "no-pci-gpu",
                                             "toolkit-mismatch"};
  for (const auto* seen : scene.text.all()) {
    const auto& message = *seen->message;
    if (message.kind != Kind::cause || message.cause.empty()) continue;
    const bool elsewhere = std::find(std::begin(kElsewhere), std::end(kElsewhere),
                                     message.signal) != std::end(kElsewhere);
    // JAX says so too when the plugin is there and did not start.
    if (message.signal == "jax-no-cuda" &&
        (scene.text.has("jax-error") || scene.text.has("jax-library") ||
         scene.text.has("jax-issues") || scene.text.has("cudnn-older")))
      continue;
    // A library on the way looks for JAX's GPU; the program computes with another framework.
    const auto sampled = scene.text.said("gpu_now");
    if (message.signal == "jax-no-cuda" && !scene.text.says("jax") && number(sampled) >= 50)
      continue;
    // A virtual GPU without its licence is "busy" to everyone.
    if (message.signal == "compute-mode" && scene.text.has("licence")) continue;
    if (message.signal == "toolkit-missing" && (scene.macos || scene.other_gpu_only)) continue;
    // "Busy" has other grounds where the mode is shown to admit everyone, and none of them is told.
    if (message.signal == "compute-mode" && !message.ask.empty() &&
        scene.text.has("compute-mode-default"))
      continue;
    // A traceback shows the lines around the one that was raised.
    if (message.name == "broken/torch" && scene.text.has("torch-cpu")) continue;
    // With the plugin installed it is the list of platforms that asks for AMD's too.
    if (message.name == "jax-plugin/allocator" && scene.text.says("jax_plugin")) continue;
    // What may slow a program down does not, where the GPU is seen to work all the time.
    const auto* known = find_cause(message.cause);
    if (known != nullptr && known->effect == "slows" && works_all_the_time(scene)) continue;
    const bool own_word = message.signal == "no-wheel" && message.cause != "F08";
    if (elsewhere && !own_word) continue;
    out.push_back({std::string(message.cause),
                   message.ask.empty() ? Weight::settled : Weight::probable,
                   std::string(message.says),
                   {seen},
                   {},
                   message.ask});
    // Where no GPU is listed at all, the program that asks for one may be in the right.
    const auto list = seen->text.find("available devices are");
    if (message.signal == "nonexistent-device" && list != std::string::npos &&
        !contains(std::string_view(seen->text).substr(list), "GPU:")) {
      out.back().weight = Weight::hint; // what tells why there is none comes first
      out.back().ask = kLook;
      out.back().instead = {{"F02", "this TensorFlow is a build without CUDA"},
                            {"H03", "TensorFlow finds no driver, or no CUDA library"}};
    }
  }
  if (const auto* waits = scene.text.find("ptx-jit");
      waits != nullptr && !scene.text.has("no-kernel") && !scene.text.has("no-sass")) {
    out.push_back({"R11", Weight::probable, std::string(waits->message->says), {waits}, {}, {}});
  }
}

} // namespace gpuwhy::explain
