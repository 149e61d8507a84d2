// How packages get into the environment of a case: the commands to type, and the same change of the
// facts.
#pragma once

#include "knowledge/knowledge.h"
#include "rules/rule.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

enum class Installer { pip, uv, conda };

/// "PyTorch" for "torch".
std::string_view display_name(std::string_view kind);
/// The name of whose build is asked.
std::string name_text(const Case& c);
/// "TensorFlow 2.18.0", or without a number where it is not known.
std::string framework_text(const Case& c);
/// TensorFlow's release in the table; nullptr for other frameworks and unknown ones.
const TensorFlowRelease* release_of(const Case& c);
/// What put the framework there; an environment without it answers by its kind.
Installer installer_of(const Case& c);
/// `text` as one word of a POSIX shell.
std::string shell_word(std::string_view text);
/// "/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.18.0'". conda installs no wheels: its
/// pip does.
std::string install_command(const Case& c, const std::vector<std::string>& requirements,
                            std::string_view options = {});
std::string uninstall_command(const Case& c, const std::vector<std::string>& names);

/// The same environment in other facts; nullptr if it is gone.
PythonEnvironment* same_python(Facts& facts, std::string_view interpreter);
const Distribution* find_distribution(const PythonEnvironment& python, std::string_view name);
/// Names of the distributions in `python` that put files into the `tensorflow` package, in no
/// order.
std::vector<std::string> tensorflow_distributions(const PythonEnvironment& python);
/// The site-packages in which the framework is, or into which an installer would put it.
std::string site_packages(const PythonEnvironment& python, const Framework* framework);

/// The release to install where any will do: the newest whose own search path reaches all of its
/// wheels. Empty: no GPU build supports this Python.
std::string release_for(const PythonEnvironment& python);
/// Installs the GPU build of `version` with its CUDA libraries, and nothing else by that name.
void put_gpu_framework(Facts& facts, std::string_view interpreter, std::string_view version);
/// The same for JAX with its plug-in for this CUDA, and for the PyTorch of PyPI. An empty version:
/// the newest that is known for this Python.
void put_jax(Facts& facts, std::string_view interpreter, std::string_view version, int cuda);
void put_torch(Facts& facts, std::string_view interpreter, std::string_view version);
/// The CUDA major version whose JAX plug-in fits the driver and the GPUs.
int jax_cuda_for(const Case& c);
/// The edit for it; `options` for the installer, such as "--force-reinstall".
Edit install_gpu_framework(const Case& c, std::string words, const std::vector<std::string>& remove,
                           std::string_view options = {});

} // namespace gpuwhy::rules
