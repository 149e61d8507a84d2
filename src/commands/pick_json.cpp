// Every object of the report has one table of its fields (render/shapes.h).
#include "commands/pick_json.h"

#include "render/report.h"

namespace gpuwhy {
namespace shapes {

template <> struct Shape<Candidate> {
  static constexpr const char* name = "gpu";
  template <class V> static void fields(V&& v) {
    v("uuid", &Candidate::uuid, "UUID of the GPU, or of one MIG instance of it");
    v("index", &Candidate::index, "Number of the GPU, in PCI order");
    v("name", &Candidate::name, "Product name");
    v("memory_free", &Candidate::memory_free, "Bytes that are free");
    v("memory_total", &Candidate::memory_total, "Bytes that it has");
    v("utilization", &Candidate::utilization,
      "Per cent of the time in which a kernel ran; 0 also where it does not tell");
    v("temperature", &Candidate::temperature, "Degrees Celsius; 0 also where it does not tell");
    v("processes", &Candidate::processes, "How many processes are on it");
  }
};

struct PickEnvironment {
  Omitted<std::string> devices;
  Omitted<std::string> order;
};
template <> struct Shape<PickEnvironment> {
  static constexpr const char* name = "environment";
  template <class V> static void fields(V&& v) {
    v("CUDA_VISIBLE_DEVICES", &PickEnvironment::devices, "The choice; absent: there is none");
    v("CUDA_DEVICE_ORDER", &PickEnvironment::order,
      "PCI_BUS_ID where the choice is numbers (--index); absent: it is UUIDs");
  }
};

template <> struct Shape<PickReport> {
  static constexpr const char* name = "pick";
  template <class V> static void fields(V&& v) {
    v("gpus", through<&PickReport::choice>(&Choice::chosen),
      "GPUs that were chosen, in PCI order; empty: there are not enough");
    v(
        "environment",
        [](const PickReport& report) {
          PickEnvironment environment;
          if (report.choice->chosen.empty()) return environment;
          environment.devices.value = report.visible_devices;
          if (report.by_index) environment.order.value = "PCI_BUS_ID";
          return environment;
        },
        "Variables that give a program these GPUs");
    v("bounds", through<&PickReport::candidates>(&Candidates::bounds),
      "What limits the choice: a variable, a scheduler's job; empty: nothing");
    v("refused", through<&PickReport::choice>(&Choice::refused),
      "A line for each GPU that was not considered, and why");
    v(
        "problem",
        [](const PickReport& report) {
          const auto& problem = report.candidates->problem;
          return problem.empty() ? report.choice->why_not : problem;
        },
        "Why there is no choice; empty: there is one");
  }
};

} // namespace shapes

std::string pick_json(const PickReport& report) {
  return report_text("pick", report);
}

std::string pick_schema() {
  return report_schema_of<PickReport>("pick", "gpuwhy pick: which GPUs to take");
}

} // namespace gpuwhy
