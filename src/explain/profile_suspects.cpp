// A profiler's table names what takes the time: the row with the greatest share tells the cause.
#include "explain/suspect.h"

#include "base/text.h"

#include <array>
#include <cstdlib>

namespace gpuwhy::explain {
namespace {

constexpr double kTelling = 25;     // percent of the time
constexpr double kShortKernel = 20; // microseconds: less than two launches
constexpr double kManyCalls = 100;
constexpr double kMuch = 0.4; // of a step

double number(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

struct Row {
  std::string_view name; // part of it
  std::string_view id;
  std::string_view summary;
};

constexpr std::array kRows = {
    Row{"DataLoader", "R03", "most of the profiled time goes into waiting for the next batch"},
    Row{"cudaStreamSynchronize", "R05",
        "much of the profiled time is waiting for the GPU's results"},
    Row{"cudaDeviceSynchronize", "R05",
        "much of the profiled time is waiting for the GPU's results"},
    Row{"aten::item", "R05", "much of the profiled time goes into reading values back"},
    Row{"_local_scalar_dense", "R05", "much of the profiled time goes into reading values back"},
    Row{"cudaMemcpy", "R05", "much of the profiled time goes into copies"},
    Row{"Memcpy", "R05", "much of the profiled time goes into copies"},
    Row{"memcpy", "R05", "much of the profiled time goes into copies"},
    Row{"aten::copy_", "R05", "much of the profiled time goes into copies"},
    Row{"method 'cuda' of", "R05", "much of the profiled time goes into copies to the GPU"},
    Row{"method 'cpu' of", "R05", "much of the profiled time goes into copies from the GPU"},
    Row{"method 'to' of", "R05", "much of the profiled time goes into copies"},
    Row{"method 'item' of", "R05", "much of the profiled time goes into reading values back"},
    Row{"GpuFromHost", "R05", "much of the profiled time goes into copies to the GPU"},
    Row{"HostFromGpu", "R05", "much of the profiled time goes into copies from the GPU"},
    Row{".item()", "R05", "much of the profiled time goes into reading values back"},
    Row{".cpu()", "R05", "much of the profiled time goes into reading values back"},
    Row{".numpy()", "R05", "much of the profiled time goes into reading values back"},
    Row{".tolist()", "R05", "much of the profiled time goes into reading values back"},
    Row{"next_data", "R03", "most of the profiled time goes into waiting for the next batch"},
    Row{"__next__", "R03", "most of the profiled time goes into waiting for the next batch"},
    Row{"__getitem__", "R03", "most of the profiled time goes into reading the data"},
    Row{"cudaLaunchKernel", "R04", "much of the profiled time goes into starting kernels"},
    Row{"cuLaunchKernel", "R04", "much of the profiled time goes into starting kernels"}};

struct Share {
  const Sighting* seen = nullptr;
  double percent = 0;
};

const Row* row_of(const Sighting& seen) {
  for (const auto& row : kRows) {
    if (contains(seen.value("profiled"), row.name)) return &row;
  }
  return nullptr;
}

/// The row with the greatest share of those that tell something. cProfile gives seconds.
Share greatest(const View& text) {
  Share most;
  const auto take = [&](const Sighting* seen, double percent) {
    if (row_of(*seen) != nullptr && percent > most.percent) most = {seen, percent};
  };
  for (const auto* seen : text.all("profile-row")) take(seen, number(seen->value("share")));
  const double total = number(text.said("profile_s"));
  if (total <= 0) return most;
  for (const auto* seen : text.all("profile-call"))
    take(seen, 100 * number(seen->value("tottime")) / total);
  return most;
}

} // namespace

void profile_suspects(const Scene& scene, Suspects& out) {
  const auto most = greatest(scene.text);
  if (most.percent >= kTelling) {
    const auto* row = row_of(*most.seen);
    out.push_back(
        {std::string(row->id),
         Weight::probable,
         std::string(row->summary) + " (" + std::to_string(static_cast<int>(most.percent)) + " %)",
         {most.seen},
         {},
         kWatch});
    return;
  }
  if (const auto* copies = scene.text.find("transfer-share");
      copies != nullptr &&
      number(copies->value("transfer_s")) >= kMuch * number(copies->value("whole_s"))) {
    out.push_back({"R05",
                   Weight::probable,
                   "much of a step goes into copies (" + std::string(copies->value("transfer_s")) +
                       " of " + std::string(copies->value("whole_s")) + " s)",
                   {copies},
                   "pinned memory, and copies that overlap with computing (non_blocking)",
                   kWatch});
    return;
  }
  const auto* kernels = scene.text.find("profile-kernels");
  if (kernels != nullptr && number(kernels->value("kernel_us")) < kShortKernel &&
      number(kernels->value("kernel_calls")) >= kManyCalls) {
    out.push_back({"R04",
                   Weight::hint,
                   "the profiled kernels take " + std::string(kernels->value("kernel_us")) +
                       " us each: starting one takes as long",
                   {kernels},
                   {},
                   kWatch,
                   {{"P09", "there is too little work in a step"}}});
  }
}

} // namespace gpuwhy::explain
