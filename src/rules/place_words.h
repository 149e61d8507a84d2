// The place of a program in sentences, and how a person changes it.
#pragma once

#include "facts/facts.h"

#include <string>
#include <vector>

namespace gpuwhy::rules {

/// "the Jupyter kernel gpu", "the service train.service", "process 4711"; "the program" in the
/// shell.
std::string place_text(const Facts& facts);
/// Goes behind what is to be changed: ` in "env" of /.../kernel.json, then restart the kernel`.
std::string change_words(const Facts& facts, bool variable);
std::vector<std::string> change_commands(const Facts& facts);
/// "allow it the GPU's device files: remove PrivateDevices=yes (/etc/systemd/system/a.service:9)".
std::string access_fix(const Facts& facts);

} // namespace gpuwhy::rules
