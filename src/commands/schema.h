// What `gpuwhy schema` can print.
#pragma once

#include <string>
#include <vector>

namespace gpuwhy {

std::vector<std::string> schema_names();

} // namespace gpuwhy
