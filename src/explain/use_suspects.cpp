// The GPU is in use, or said to be, and little: what holds it back, as far as figures tell. Figures
// alone have several causes, so most of this is a hint, with what else it can be.
#include "base/text.h"
#include "explain/suspect.h"
#include "explain/use_figures.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace gpuwhy::explain {
namespace {

constexpr std::string_view kMonitor = "nvidia-smi dmon -s u, while the program computes";
constexpr double kBusy = 70;           // percent of use from which nothing is wrong with it
constexpr double kLoaderShare = 30;    // percent of a profile
constexpr double kSome = 5;            // percent: computed on
constexpr double kInUseMib = 1000;     // of memory: a framework holds the GPU
constexpr double kIdle = 60;           // percent up to which something holds the GPU back
constexpr double kLongStep = 0.5;      // seconds: no launch takes as long
constexpr double kWaits = 0.5;         // of a step
constexpr double kMinuteModel = 1000;  // parameters that no GPU is made for
constexpr double kTinyModel = 100'000; // parameters

double number(std::string_view text) {
  return std::strtod(std::string(replace_all(std::string(text), ",", "")).c_str(), nullptr);
}

bool recurrent(const Scene& scene) {
  const auto& text = scene.text;
  return text.mentions("lstm") || text.mentions(" gru") || text.mentions(" rnn") ||
         text.has("recurrent-layer");
}

/// What proves that the GPU is used: the framework's word, or nvidia-smi's.
const Sighting* shows_use(const Scene& scene) {
  if (scene.in_use != nullptr) return scene.in_use;
  const auto usages = scene.text.all("smi-usage");
  const auto busy = std::find_if(usages.begin(), usages.end(), [](const Sighting* usage) {
    return number(usage->value("smi_util")) >= kIdle;
  });
  if (busy != usages.end()) return *busy;
  for (const auto* look : scene.text.all("gpu-moment")) {
    if (number(look->value("moment_use")) >= kIdle) return look;
  }
  return nullptr;
}

/// The one that was read does not show compute work; another one does, or the GPU is plainly busy.
void gauges(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  if (figures.gauge_use) {
    const bool other = figures.highest_use && *figures.highest_use >= kIdle;
    out.push_back({"R10",
                   Weight::hint,
                   other ? "one gauge shows the GPU busy, the other does not count compute work"
                         : "that gauge does not count compute work, so it does not show what is "
                           "used",
                   {text.find("gauge")},
                   {},
                   kMonitor});
    if (!other) {
      out.back().instead = {{"R04", "the other gauge shows little too: many short kernels"},
                            {"R03", "it shows little too: the GPU waits for its data"}};
    }
  } else if (figures.lowest_use && *figures.lowest_use >= kBusy && !text.has("slow-clock") &&
             !text.has("slows-down") && !text.has("topology") &&
             (scene.in_use == nullptr || figures.said_low || text.has("doubt-words") ||
              text.has("gauge"))) {
    out.push_back({"R10",
                   Weight::hint,
                   "the GPU is busy: its use is stated as " + figures.quote,
                   {},
                   {},
                   kMonitor});
  } else if (figures.use_unreadable && !figures.highest_use) {
    out.push_back({"R10",
                   Weight::hint,
                   "nvidia-smi cannot read the use here (" + figures.quote +
                       "): that says nothing of the use",
                   {},
                   {},
                   {}});
  } else if (const auto* shown = shows_use(scene);
             shown != nullptr && (text.has("gauge") || text.says("gauge"))) {
    out.push_back({"R10",
                   Weight::hint,
                   "the GPU is in use; the gauge that was read does not show it",
                   {shown},
                   {},
                   {}});
  }
}

/// The table shows use and memory, and its list of processes is empty: a container's nvidia-smi
/// cannot name them.
void hidden_processes(const Scene& scene, Suspects& out) {
  if (scene.text.has("smi-process")) return;
  if (const auto* words = scene.text.find("process-hidden"); words != nullptr && scene.container) {
    for (const auto* look : scene.text.all("gpu-moment")) {
      if (number(look->value("moment_use")) < kSome) continue;
      out.push_back({"R10",
                     Weight::hint,
                     "the GPU is busy; inside a container its processes cannot be listed",
                     {look, words},
                     "look from the host, or start the container with --pid=host",
                     {}});
      return;
    }
  }
  const auto usages = scene.text.all("smi-usage");
  if (!scene.text.has("smi-processes")) return;
  const auto busy = std::find_if(usages.begin(), usages.end(), [](const Sighting* usage) {
    return number(usage->value("smi_util")) >= kSome &&
           number(usage->value("used_mib")) >= kInUseMib;
  });
  if (busy == usages.end()) return;
  out.push_back({"R10",
                 Weight::hint,
                 "the GPU is busy; inside a container nvidia-smi cannot list the processes",
                 {*busy},
                 "look from the host, or start the container with the host's process numbers "
                 "(--pid=host)",
                 {}});
}

void taken_and_idle(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  if (const auto* holder = text.find("memory-holder")) {
    out.push_back({"R01",
                   Weight::hint,
                   "other Python processes hold the GPU open, and with it their memory",
                   {holder},
                   "end them (kill PID), after a look at whose they are",
                   "nvidia-smi"});
  }
  if (text.has("slow-input")) return; // said there
  const auto& said = text.reading().said;
  const bool memory = text.has("gpu-created") || text.has("smi-usage") || text.has("gpu-use") ||
                      text.has("memory-series") || text.has("memory-held") ||
                      std::any_of(said.begin(), said.end(), [](const Said& each) {
                        return each.by_hand && (contains(lower(each.key), "mem") ||
                                                contains(lower(each.value), "mem"));
                      });
  if (figures.low(0) && !figures.in_bursts && memory) {
    out.push_back({"R02",
                   Weight::hint,
                   "memory is taken and the GPU's use is 0 %: no kernel runs",
                   {text.find("use-stated")},
                   {},
                   kMonitor,
                   {{"R03", "kernels run now and then, and the GPU waits for data between them"}}});
  }
  const auto usages = text.all("smi-usage");
  const bool held = std::any_of(usages.begin(), usages.end(), [](const Sighting* usage) {
    return number(usage->value("used_mib")) >= kInUseMib;
  });
  if (figures.sampled_idle && (held || !text.has("dmon-row"))) {
    out.push_back({"R02",
                   Weight::hint,
                   "memory is taken and the GPU's use is 0 % in every moment: no kernel runs",
                   {text.find("gpu-moment")},
                   {},
                   kMonitor,
                   {{"R03", "it waits for its data all the time"}}});
  }
  const auto* usage = text.find("smi-usage");
  if (usage == nullptr || figures.highest_use) return;
  const bool taken = number(usage->value("used_mib")) > number(usage->value("total_mib")) / 2;
  if (taken && text.has("memory-at-once") && usage->value("smi_util") == "0") {
    out.push_back({"R10",
                   Weight::hint,
                   "the framework reserves most of the memory when it starts, and nothing computes "
                   "yet: that is how it works",
                   {usage},
                   "nothing, or let memory grow (XLA_PYTHON_CLIENT_PREALLOCATE=false, "
                   "set_memory_growth)",
                   {}});
    return;
  }
  if (taken && usage->value("smi_util") == "0" && text.has("smi-process")) {
    out.push_back({"R02",
                   Weight::hint,
                   "memory is taken and the GPU's use is 0 %: no kernel ran at that moment",
                   {usage},
                   {},
                   kMonitor});
  }
}

void waits_for_data(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  if (figures.waits && *figures.waits >= kWaits) {
    out.push_back({"R03",
                   Weight::probable,
                   "most of a step is spent waiting for its data (" +
                       std::to_string(static_cast<int>(*figures.waits * 100)) + " %)",
                   text.all("data-wait"),
                   {},
                   {}});
    return;
  }
  const auto share = [&](std::string_view signal, std::string_view group) {
    const auto* seen = text.find(signal);
    return seen == nullptr ? 0.0 : number(seen->value(group));
  };
  const double input = number(text.said("tb_input"));
  const double compute = number(text.said("tb_compute"));
  const auto* loader = text.find("profile-loader");
  if (share("profile-loader", "loader_share") >= kLoaderShare || text.has("knob-input") ||
      (input > 0 && compute > 0 && input > compute)) {
    out.push_back({"R03",
                   Weight::hint,
                   "most of the time goes into getting the data",
                   {loader != nullptr        ? loader
                    : text.has("knob-input") ? text.find("knob-input")
                                             : text.find("breakdown")},
                   {},
                   kWatch});
    return;
  }
  const bool disk = text.mentions("hdd") || text.mentions("nfs") || text.mentions("iostat") ||
                    text.mentions("hard disk") || text.mentions("network drive");
  const bool generator =
      (text.has("slow-input") || disk) && figures.low_or_said(kIdle) && !text.has("single-predict");
  if (!figures.in_bursts && !(figures.processor_busy && figures.low(kIdle)) && !generator) return;
  out.push_back({"R03",
                 Weight::hint,
                 figures.processor_busy
                     ? "the processor is busy and the GPU is not: it waits for its data"
                     : "the GPU stands still between the batches: it waits for its data",
                 {text.find("slow-input")},
                 {},
                 kWatch,
                 {{"R05", "it waits for copies, or the program for its results"}}});
}

void too_small(const Scene& scene, const UseFigures& figures, Suspects& out) {
  const auto& text = scene.text;
  if (const auto* batch = text.find("knob-batch")) {
    out.push_back({"P09",
                   Weight::hint,
                   "a larger batch uses the GPU better: there was too little work in a step",
                   {batch},
                   {},
                   kWatch});
    return;
  }
  const double launch = number(text.said("tb_launch"));
  if (launch > 0 && launch > number(text.said("tb_compute"))) {
    out.push_back({"R04",
                   Weight::hint,
                   "starting kernels takes longer than they run",
                   {text.find("breakdown")},
                   {},
                   kWatch});
    return;
  }
  const auto* params = text.find("model-size");
  const bool tiny = params != nullptr && number(params->value("params")) > 0 &&
                    number(params->value("params")) < kTinyModel;
  const bool minute = tiny && number(params->value("params")) < kMinuteModel;
  const bool complains =
      text.has("speed-words") || text.has("slower-words") || text.has("doubt-words");
  const bool slow = figures.slower_than_cpu || figures.low_or_said(kIdle);
  if (figures.gpu_step && *figures.gpu_step >= kLongStep) {
    out.push_back({"R05",
                   Weight::hint,
                   "a step is far slower on the GPU, too long for launches alone: data crosses the "
                   "bus in every step (" +
                       figures.quote + ")",
                   {},
                   {},
                   kWatch,
                   {{"P07", "operations without a GPU kernel run on the processor in between"}}});
  } else if (recurrent(scene) && figures.epochs_differ && !text.has("rnn-generic") &&
             contains(text.find("recurrent-layer") == nullptr ? std::string()
                                                              : text.find("recurrent-layer")->text,
                      "dropout")) {
    out.push_back(
        {"P13",
         Weight::hint,
         "with another argument the layer is many times faster: this one rules out cuDNN's "
         "kernel",
         {text.find("recurrent-layer")},
         {},
         {}});
  } else if (recurrent(scene) && slow) {
    out.push_back(
        {"R04",
         Weight::hint,
         "a recurrent layer starts many short kernels one after the other, and the GPU "
         "waits for each start",
         {text.find("recurrent-layer")},
         {},
         kWatch,
         {{"P13", "the layer's arguments rule out cuDNN's kernel, which does it in one"}}});
  } else if ((scene.in_use != nullptr || figures.stated || text.has("smi-usage") ||
              (text.has("slower-than-cpu") && text.has("rl-words")) || figures.sampled_low ||
              text.has("gpu-found")) &&
             (figures.slower_than_cpu || (tiny && slow) || minute ||
              (text.has("single-predict") && !figures.processor_busy &&
               !text.has("processor-full") && (slow || (scene.in_use != nullptr && complains))))) {
    out.push_back({"P09",
                   Weight::hint,
                   "the GPU is slower than the processor: there is too little work in a step",
                   {params, text.find("single-predict")},
                   {},
                   kWatch,
                   {{"R04", "the model is large, and consists of many short kernels"}}});
  }
}

} // namespace

void use_suspects(const Scene& scene, Suspects& out) {
  if (scene.no_gpu != nullptr && scene.in_use == nullptr) return;
  const UseFigures figures(scene.text);
  const auto before = out.size();
  hidden_processes(scene, out);
  taken_and_idle(scene, figures, out);
  one_of_many(scene, out);
  slow_suspects(scene, figures, out);
  waits_for_data(scene, figures, out);
  too_small(scene, figures, out);
  if (out.size() == before) gauges(scene, figures, out); // where nothing holds the GPU back
}

} // namespace gpuwhy::explain
