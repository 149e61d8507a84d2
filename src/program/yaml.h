// The one door to yaml-cpp.
#pragma once

#include "program/documents.h"

namespace gpuwhy::program {

/// compose, Kubernetes, conda environment or workflow, by what the text holds.
std::optional<Document::Kind> yaml_kind(std::string_view path, std::string_view text);
Result<Document> read_yaml(Document::Kind kind, std::string_view text);

} // namespace gpuwhy::program
