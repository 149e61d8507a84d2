// Jupyter's kernels: where a kernelspec is found, what it starts and with which variables. Truth:
// jupyter_core/paths.py, jupyter_client's kernelspec.py, manager.py (format_kernel_cmd) and
// provisioning/provisioner_base.py, and what kernels started by it showed in os.environ.
#pragma once

#include "base/result.h"
#include "places/found_place.h"

#include <string>
#include <vector>

namespace gpuwhy::places {

struct KernelFolder {
  std::string name;   // as the folder is called
  std::string folder; // that holds kernel.json
  std::string prefix; // of the environment it belongs to; empty: the user's or the system's
};

/// In the order of Jupyter's search; of kernels of one name only the first.
std::vector<KernelFolder> find_kernels(const Here& here);

/// Errors are one line, and name the kernels that there are.
Result<FoundPlace> find_kernel(const Here& here, const std::string& name);

} // namespace gpuwhy::places
