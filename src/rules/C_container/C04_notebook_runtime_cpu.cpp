// A hosted notebook whose runtime has no GPU: it is chosen in the notebook's own settings. Truth:
// the variables that Colab (COLAB_RELEASE_TAG) and Kaggle (KAGGLE_KERNEL_RUN_TYPE) set, and the
// metadata that both write into the notebook.
#include "rules/H_hardware/gpus.h"
#include "rules/report.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 6> kExplains{"H01", "H02", "H03", "C01", "C05", "H18"};

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (!facts.environment.looked) return Outcome::not_applicable();
  const auto* colab = facts.environment.find("COLAB_RELEASE_TAG");
  const auto* kaggle = facts.environment.find("KAGGLE_KERNEL_RUN_TYPE");
  if (colab == nullptr && kaggle == nullptr) return Outcome::not_applicable();
  const std::string name = colab != nullptr ? "Colab" : "Kaggle";
  if (c.driver_answers() || sign_of_gpu(facts))
    return Outcome::clear("this " + name + " runtime has a GPU");
  if (facts.hardware.gpus.open() && facts.access.nodes.open())
    return Outcome::unknown(missing_text("GPUs on the PCI bus", facts.hardware.gpus));
  if (!nvidia_gpus(facts).empty()) return Outcome::clear("this " + name + " runtime has a GPU");
  return Outcome::found("this " + name + " notebook has a runtime without a GPU")
      .because(colab != nullptr ? "COLAB_RELEASE_TAG is set: this is Colab"
                                : "KAGGLE_KERNEL_RUN_TYPE is set: this is Kaggle",
               {colab != nullptr ? "$COLAB_RELEASE_TAG" : "$KAGGLE_KERNEL_RUN_TYPE", 0})
      .because("no NVIDIA GPU and no device node", facts.access.nodes.source())
      .mend({colab != nullptr
                 ? "choose a GPU: Runtime, Change runtime type, T4 GPU; the runtime starts anew"
                 : "choose a GPU: Settings, Accelerator, GPU; the session starts anew",
             {},
             {}});
}

/// What the notebook asks for where it is opened next; nothing of this machine.
void lint(const program::Unit& unit, lint::Report& report) {
  const auto& source = unit.source;
  if (!unit.module || !unit.module->uses_framework() || (!source.colab && !source.kaggle)) return;
  const bool named = source.accelerator == "none";
  // Colab names none where the runtime is the usual one, without a GPU.
  if (!named && !(source.colab && !source.kaggle && source.accelerator.empty())) return;
  report.at_line(1, named ? Severity::warning : Severity::info,
                 std::string("the notebook's own settings ask ") +
                     (source.kaggle ? "Kaggle" : "Colab") + " for no GPU",
                 source.kaggle ? "Settings, Accelerator, GPU"
                               : "Runtime, Change runtime type, choose a GPU");
}

} // namespace

extern constexpr Rule C04{
    .id = "C04",
    .slug = "notebook-runtime-cpu",
    .title = "The notebook's runtime has no GPU",
    .since = "0.1",
    .gate = Gate::access,
    .settled_by_driver = true,
    .explanation =
        R"(Colab and Kaggle give a notebook a machine without a GPU unless one is asked for. Installing CUDA or a driver
in it changes nothing. Free GPUs are limited: after the quota is used up, the runtime starts without one.)",
    .fix =
        R"(Colab: Runtime, Change runtime type, choose a GPU. Kaggle: Settings, Accelerator. The runtime starts anew and
forgets its variables.)",
    .references =
        R"(- [Colab: frequently asked questions](https://research.google.com/colaboratory/faq.html))",
    .explains = kExplains,
    .check = check,
    .lint = lint,
};

} // namespace gpuwhy::rules
