// An Explanation for people (one screen) and for programs (schema gpuwhy.report/1).
#pragma once

#include "render/style.h"
#include "verdict/explanation.h"

#include <string>

namespace gpuwhy {

/// Safe for a terminal whatever the input held. `verbose`: all evidence and all harmless lines.
std::string explanation_text(const explain::Explanation& explanation, const Style& style,
                             bool verbose);
std::string explanation_json(const explain::Explanation& explanation);

/// The JSON Schema (draft 2020-12) of what explanation_json() writes.
std::string explanation_schema();

} // namespace gpuwhy
