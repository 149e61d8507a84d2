// What project files say about packages: the lint face of the F causes. Each check finds one cause.
#pragma once

#include "rules/report.h"

namespace gpuwhy::rules {

void lint_cpu_only_build(const program::Unit& unit, lint::Report& report);            // F02
void lint_cuda_extras_missing(const program::Unit& unit, lint::Report& report);       // F05
void lint_conflicting_distributions(const program::Unit& unit, lint::Report& report); // F06
void lint_python_unsupported(const program::Unit& unit, lint::Report& report);        // F08
void lint_legacy_tensorflow_gpu(const program::Unit& unit, lint::Report& report);     // F09
void lint_jax_without_cuda_plugin(const program::Unit& unit, lint::Report& report);   // F12
void lint_torch_cpu_build(const program::Unit& unit, lint::Report& report);           // F13

} // namespace gpuwhy::rules
