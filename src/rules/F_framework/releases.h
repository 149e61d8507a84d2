// The GPU builds of a framework that could be installed for a Python, whatever the framework: what
// H10 to H12 choose from. Truth: the tables of releases (knowledge).
#pragma once

#include "base/version.h"
#include "rules/rule.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::rules {

struct Release {
  std::string version;
  Version cuda;
  std::vector<std::string> capabilities; // as stated_code() reads them; empty: not known
  std::optional<ComputeCapability> registers_from;
  std::string requirement; // "tensorflow[and-cuda]==2.18.0", "jax[cuda12]==0.10.2", "torch==2.6"
};

/// Oldest first; of one version the older CUDA first.
std::vector<Release> releases_for(const Case& c);
/// The command, and the same change of the facts.
Edit install_release(const Case& c, const Release& release);

} // namespace gpuwhy::rules
