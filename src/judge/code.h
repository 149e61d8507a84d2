// The gate `code`: what the program in question does to the GPU, from the findings that were made
// in its files.
#pragma once

#include "judge/judge.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// The program computes with the framework of this case.
bool runs_program(const Case& subject);
/// One ruling a cause, with all its places; empty: nothing keeps its work off the GPU.
std::vector<Ruling> code_rulings(const Case& subject);
/// The place of a finding as evidence names it: of a notebook the cell is part of the path.
Source source_of(const CodeFinding& finding);
/// The gate's line on the route; `ids` of the causes that failed it.
GateResult code_gate(const Case& subject, const std::vector<std::string>& ids);
/// The frameworks of the program that the environment `python` lacks.
std::vector<std::string> missing_frameworks(const Facts& facts, const PythonEnvironment& python);

} // namespace gpuwhy
