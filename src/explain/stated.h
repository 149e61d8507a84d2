// What a person states about a machine in words: "- gpu: RTX 3090" above a log, the fields of an
// issue form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gpuwhy::explain {

/// A statement in this line: a bullet "- key: value", or a known field ("TensorFlow
/// version: 2.15"). The key comes in lower case and by the name that the judge knows ("tensorflow
/// version" -> "tensorflow").
std::optional<std::pair<std::string, std::string>> stated_in(std::string_view line);

/// The key that a heading of an issue form asks for ("### CUDA/cuDNN version" -> "cuda"); its value
/// follows.
std::optional<std::string> heading_key(std::string_view line);

} // namespace gpuwhy::explain
