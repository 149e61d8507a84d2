// Environment variables written to a file: docker's --env-file, the output of `env` and `env -0`,
// a JSON object, and the lists of `docker inspect` and of OCI's config.json.
#pragma once

#include "base/result.h"
#include "facts/environment.h"
#include "system/system.h"

#include <map>
#include <string>
#include <string_view>

namespace gpuwhy::places {

struct VariablesFile {
  Environment environment;
  std::map<std::string, VariableOrigin, std::less<>> origins; // `path`:line
};

/// `shell` gives the value of a NAME that stands alone, as docker has it. Errors name no file.
Result<VariablesFile> read_variables(std::string_view text, const std::string& path,
                                     const Environment& shell);

} // namespace gpuwhy::places
