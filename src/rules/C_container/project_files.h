// What project files say about containers and jobs: the lint face of the C causes and of E01, E06,
// L08.
#pragma once

#include "rules/report.h"

namespace gpuwhy::rules {

void lint_container_without_gpu(const program::Unit& unit, lint::Report& report);  // C01
void lint_container_capabilities(const program::Unit& unit, lint::Report& report); // C02
void lint_slurm_without_gres(const program::Unit& unit, lint::Report& report);     // C07
void lint_visible_devices(const program::Unit& unit, lint::Report& report);        // E01
void lint_platform_variable(const program::Unit& unit, lint::Report& report);      // E06
void lint_libcuda_stub(const program::Unit& unit, lint::Report& report);           // L08

} // namespace gpuwhy::rules
