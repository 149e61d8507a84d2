#include "rules/place_words.h"

#include "rules/F_framework/installation.h"

namespace gpuwhy::rules {

std::string place_text(const Facts& facts) {
  const auto& place = facts.place;
  if (place.kind == "kernel") return "the Jupyter kernel " + place.name;
  if (place.kind == "service") return "the service " + place.name;
  if (place.kind == "process") return "process " + place.name;
  if (place.kind == "variables") return "the environment of " + place.name;
  if (place.kind == "root") return "the root directory " + place.name;
  return "the program";
}

std::string change_words(const Facts& facts, bool variable) {
  const auto& place = facts.place;
  if (place.kind == "kernel")
    return (variable ? " in \"env\" of " : " in \"argv\" of ") + place.origin +
           ", then restart the kernel";
  if (place.kind == "service")
    return (variable ? " with Environment= in " : " in ") + place.name + ", then restart it";
  if (place.kind == "process") return ", then start the program again";
  if (place.kind == "variables") return " in " + place.origin;
  return {};
}

std::vector<std::string> change_commands(const Facts& facts) {
  if (facts.place.kind != "service") return {};
  const auto unit = shell_word(facts.place.name);
  return {"sudo systemctl edit " + unit, "sudo systemctl restart " + unit};
}

std::string access_fix(const Facts& facts) {
  const auto& nodes = facts.access.nodes;
  Source source = nodes.source();
  bool by_mode = false;
  for (const auto& node : nodes.value_or({})) {
    if (!node.usable.known() || node.usable.value()) continue;
    source = node.usable.source();
    by_mode = node.problem == "EACCES";
  }
  if (by_mode) return "run it as a user who may open " + source.where;
  if (facts.place.kind != "service") return "allow it the GPU's device files";
  if (nodes.known() && nodes.value().empty()) return "set PrivateDevices=no (" + source.str() + ")";
  return "allow the GPU's devices (" + source.str() +
         "): DeviceAllow=char-nvidia* rw, DeviceAllow=char-nvidia-uvm rw";
}

} // namespace gpuwhy::rules
