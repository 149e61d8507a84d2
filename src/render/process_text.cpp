#include "render/process_text.h"

#include "base/text.h"
#include "render/page.h"

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

} // namespace gpuwhy
