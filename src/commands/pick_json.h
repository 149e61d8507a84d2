// The choice of `gpuwhy pick` for programs: schema gpuwhy.report/1, command "pick".
#pragma once

#include "pick/choose.h"

#include <string>

namespace gpuwhy {

struct PickReport {
  const Candidates* candidates = nullptr;
  const Choice* choice = nullptr;
  std::string visible_devices; // of the choice, for CUDA_VISIBLE_DEVICES
  bool by_index = false;       // which are numbers in PCI order
};

/// One JSON document and a line feed.
std::string pick_json(const PickReport& report);

/// The JSON Schema (draft 2020-12) of what pick_json() writes.
std::string pick_schema();

} // namespace gpuwhy
