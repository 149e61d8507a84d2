// Requirements as pip and conda write them.
#pragma once

#include "program/documents.h"

namespace gpuwhy::program {

/// "Tensor_Flow.GPU" is "tensor-flow-gpu".
std::string normal_name(std::string_view name);
/// PEP 508, as far as names, extras, versions and markers go; nothing for options, paths and URLs.
std::optional<Requirement> parse_requirement(std::string_view text);
/// conda's "pytorch=2.1=*cpu*" and "conda-forge::tensorflow>=2.15".
std::optional<Requirement> parse_conda(std::string_view text);
Document read_requirements(std::string_view text);
Document read_dockerfile(std::string_view text);
/// A shell script; `#SBATCH` lines make it a job.
Document read_script(std::string_view text);

} // namespace gpuwhy::program
