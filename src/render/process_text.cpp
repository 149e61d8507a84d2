#include "render/process_text.h"

#include "base/text.h"
#include "render/page.h"

#include <nlohmann/json.hpp>

namespace gpuwhy {

std::string process_text(const use::ProcessFacts& process, const Style& style, bool full) {
  Page page(style, full);
  page.row("process", std::to_string(process.pid) + " " +
                          (process.command.empty() ? process.name : join(process.command, " ")));
  if (process.other_root || process.inner_pid != 0) {
    std::string text = "it runs in a container";
    if (process.inner_pid != 0 && process.inner_pid != process.pid)
      text += ", as process " + std::to_string(process.inner_pid);
    page.row("where", text + (process.cgroup.empty() ? "" : " (" + process.cgroup + ")"));
  }
  page.row("loaded", process.frameworks.empty() ? "no framework that we know"
                                                : join(process.frameworks, ", "));
  page.under(process.has_libcuda()
                 ? "the driver's libcuda is mapped"
                 : "the driver's libcuda is not mapped: CUDA has not been started",
             Ink::faint);
  for (const auto& library : process.libraries) {
    if (!full && !library.deleted && !library.name.starts_with("libcuda.so") &&
        !library.name.starts_with("libcudnn.so") && !library.name.starts_with("libcudart"))
      continue;
    page.under(library.path + (library.deleted ? " (replaced on disk since it was loaded)" : ""),
               Ink::faint);
  }
  page.row("opens", process.devices.empty() ? "no NVIDIA device" : join(process.devices, " "));
  for (const auto& [name, value] : process.variables) {
    if (full || name.ends_with("VISIBLE_DEVICES")) page.row("given", name + "=" + value);
  }
  for (const auto& problem : process.problems) page.row("unseen", problem);
  return page.take();
}

std::string with_process(const std::string& report, const use::ProcessFacts& process) {
  using Json = nlohmann::ordered_json;
  auto json = Json::parse(report, nullptr, false);
  if (!json.is_object()) return report;
  Json libraries = Json::array();
  for (const auto& each : process.libraries)
    libraries.push_back({{"name", each.name}, {"path", each.path}, {"deleted", each.deleted}});
  Json variables = Json::object();
  for (const auto& [name, value] : process.variables) variables[name] = value;
  json["process"] = {{"pid", process.pid},
                     {"name", process.name},
                     {"command", process.command},
                     {"threads", process.threads},
                     {"frameworks", process.frameworks},
                     {"libcuda_mapped", process.has_libcuda()},
                     {"libraries", libraries},
                     {"devices", process.devices},
                     {"variables", variables},
                     {"cgroup", process.cgroup},
                     {"container", process.other_root},
                     {"inner_pid", process.inner_pid == 0 ? Json() : Json(process.inner_pid)},
                     {"problems", process.problems}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace gpuwhy
