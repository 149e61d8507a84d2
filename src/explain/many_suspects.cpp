// Several GPUs, and the work on one of them: the others stand still or only lend their memory.
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace gpuwhy::explain {
namespace {

constexpr std::string_view kMonitor = "nvidia-smi dmon -s u, while the program computes";
constexpr double kHalf = 50;       // percent: plainly computes
constexpr double kSome = 5;        // percent: computed on
constexpr double kInUseMib = 1000; // of memory: a framework holds the GPU
constexpr double kCrowd = 32;      // processes that want to run, more than most machines have cores

double number(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

} // namespace

void one_of_many(const Scene& scene, Suspects& out) {
  const bool table = scene.text.has("smi-gpu") && !scene.text.has("gpu-use");
  auto uses = scene.text.all(table ? "smi-usage" : "gpu-use");
  if (table && (scene.smi_gpus < 2 || uses.size() < 2)) return; // one GPU, or one at other moments
  std::vector<const Sighting*> busy;
  std::vector<const Sighting*> lent;
  bool computes = false; // however little
  const bool stat = !table && uses.empty();
  if (stat) {
    for (const auto* look : scene.text.all("gpu-moment")) {
      if (!look->value("moment_gpu").empty()) uses.push_back(look);
    }
  }
  const auto index_of = [&](const Sighting* use) {
    return use->value(stat ? "moment_gpu" : "gpu_index");
  };
  for (const auto* use : uses) {
    const double now = number(use->value(table ? "smi_util" : stat ? "moment_use" : "gpu_now"));
    const double held = number(use->value(table ? "used_mib" : stat ? "moment_mib" : "gpu_mib"));
    if (now >= kSome) busy.push_back(use);
    if (now < kSome && held >= kInUseMib) lent.push_back(use);
    computes = computes || (now > 0 && held >= kInUseMib);
  }
  // Of looks at several moments: a GPU that is idle at most of them is not the busy one.
  const auto looks = [&](const std::vector<const Sighting*>& seen, std::string_view gpu) {
    std::uint64_t times = 0;
    for (const auto* use : seen) times += index_of(use) == gpu ? use->count : 0;
    return times;
  };
  const auto mostly_idle = [&](const Sighting* use) {
    const auto gpu = index_of(use);
    return looks(lent, gpu) >= looks(busy, gpu);
  };
  if (!table) std::erase_if(busy, mostly_idle);
  const auto stated = scene.text.said("gpu");
  const bool several = scene.smi_gpus >= 2 || stated.starts_with("2x") ||
                       stated.starts_with("4x") || stated.starts_with("8x");
  if (const auto* one = scene.text.find("one-process"); one != nullptr && several) {
    out.push_back({"P10",
                   Weight::hint,
                   "the program is started for one GPU, and there are several",
                   {one},
                   {},
                   {}});
    return;
  }
  if (const auto* pair = scene.text.find("gpu-pair"); pair != nullptr &&
                                                      number(pair->value("second_use")) < kSome &&
                                                      number(pair->value("first_use")) >= kHalf) {
    out.push_back(
        {"P10", Weight::hint, "one GPU computes, the other does nothing", {pair}, {}, {}});
  } else if (!stat && busy.size() == 1 && lent.empty() && uses.size() >= 2 &&
             scene.text.has("multi-words") &&
             number(busy.front()->value(table ? "smi_util" : "gpu_now")) >= kHalf) {
    out.push_back({"P10",
                   Weight::hint,
                   "one GPU computes, the other does nothing",
                   {busy.front(), scene.text.find("multi-words")},
                   {},
                   {}});
  } else if (busy.size() == 1 && !lent.empty()) {
    out.push_back(
        {"P10",
         Weight::hint,
         "one GPU computes; " + std::to_string(lent.size()) + " more only lend their memory",
         {busy.front(), lent.front()},
         {},
         {}});
  } else if (busy.empty() && lent.size() == uses.size() && !uses.empty()) {
    const bool crowded = number(scene.text.said("load")) >= kCrowd;
    if (!crowded && computes) return; // too little to do, or it waits: not stuck
    out.push_back(
        {crowded ? "R03" : "R02",
         Weight::hint,
         crowded ? "the processor is overloaded (load " + std::string(scene.text.said("load")) +
                       ") and the GPUs stand still: they wait for data"
                 : "memory is taken and the GPU's use is 0 %: no kernel ran at that moment",
         {uses.front(), scene.text.find("load-average")},
         {},
         kMonitor});
  }
}

} // namespace gpuwhy::explain
