// Which GPUs CUDA_VISIBLE_DEVICES, set in a shell or by the program, leaves over.
#pragma once

#include "explain/suspect.h"

#include <optional>
#include <string>

namespace gpuwhy::explain {

enum class Choice { none, hides_all, invalid, beyond, valid };

/// The values that the text shows, set in a shell, seen by the framework, or in the program's own
/// code.
struct ChosenDevices {
  bool shown = false;
  Choice choice = Choice::none;
  std::string value;
  std::string variable = "CUDA_VISIBLE_DEVICES"; // or ROCm's
  bool in_code = false;
};

ChosenDevices chosen_devices(const Scene& scene);
/// Of a line in which no device is shown: what the variable, the program or Slurm's word for none
/// says of it. Nothing: it does not tell.
std::optional<Suspect> chosen_away(const Scene& scene, const Sighting& seen);

} // namespace gpuwhy::explain
