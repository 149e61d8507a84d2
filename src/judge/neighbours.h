// Frameworks that the program has in one process with the one in question. A library is loaded
// once: whose search found it first decides for all that ask for its soname later. PyTorch loads
// everything when it is imported; TensorFlow the CUDA runtime then, and the rest when it lists
// GPUs; JAX nothing before its first use. Truth: LD_DEBUG and /proc/self/maps of real wheels
// imported in both orders (tests/frameworks/loading_cells.py), openings.h.
#pragma once

#include "rules/rule.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// The first on sys.path is the one that an import takes; nullptr: not installed.
const Framework* imported(const PythonEnvironment& python, std::string_view name);
/// What the program imports, in order, each as a case without libraries; the subject's own
/// framework is among them. Empty: the program is not known, or does not import the subject.
std::vector<Case> imported_with(const Case& subject);
/// "PyTorch, which the program imports (/home/u/train.py:3)"
std::string importer_text(const Case& framework);

} // namespace gpuwhy
