// What `gpuwhy prove` found, for a person: the ladder, the first layer that fails, and where the
// fault lies.
#pragma once

#include "render/style.h"
#include "verdict/proof.h"

#include <string>

namespace gpuwhy {

std::string prove_text(const Proof& proof, const Style& style, bool verbose);
/// One JSON document and a line feed: schema gpuwhy.report/1, command "prove".
std::string prove_json(const Proof& proof);
/// The JSON Schema (draft 2020-12) of what prove_json() writes.
std::string prove_schema();

} // namespace gpuwhy
