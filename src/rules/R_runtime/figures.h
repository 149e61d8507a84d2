// Figures of a run as words.
#pragma once

#include "use/statistics.h"

#include <cstdint>
#include <string>

namespace gpuwhy::rules {

std::string percent(double of_hundred); // "57 %"
std::string share(double of_one);       // "57 %"
std::string bytes(double count);        // "1.2 GiB", "3.4 MiB"
std::string seconds(double time);       // "1.3 s", "4.0 min", "2.1 h"
std::string count(double number);       // "1,234", "12.3"
/// "GPU 0"; with its name where there is more than one kind.
std::string gpu_name(const use::GpuUse& gpu);
/// The most that mending can gain where the GPU is busy for so many percent of the time.
std::string bound(double busy);

} // namespace gpuwhy::rules
