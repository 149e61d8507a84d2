// What pip would do to an environment, as far as the tables of releases tell.
#pragma once

#include "facts/facts.h"
#include "verdict/what_if.h"

#include <string>
#include <vector>

namespace gpuwhy {

struct PipCommand {
  bool install = true;     // else uninstall
  std::string interpreter; // of the environment; empty: the selected one
  std::vector<std::string> packages;
  bool upgrade = false; // --upgrade, --force-reinstall: what is there does not stay
  bool force = false;   // --force-reinstall: not even the same version
  std::string tag;      // "cpu", "cu126": the index of PyTorch that was named
};

/// "python -m pip install ...", "pip install ...", "uv pip install --python PATH ...". False: it is
/// none. `problem`: an option that gpuwhy cannot suppose.
bool read_pip(const std::vector<std::string>& words, PipCommand& command, std::string& problem);

/// Changes the facts; what came of it.
Supposed suppose_packages(Facts& facts, const PipCommand& command);

} // namespace gpuwhy
