#include "collect/tensorflow_build_info.h"

#include "base/text.h"
#include "collect/python_literal.h"

#include <map>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostVariables = 64;
constexpr std::size_t kMostCapabilities = 64;
constexpr std::size_t kLongestValue = 64;

/// Keys of today, from whatever form the file has; and the line where each stands.
struct BuildInfo {
  std::map<std::string, Literal, std::less<>> values;
  int line = 0;

  const Literal* find(std::initializer_list<std::string_view> names) const {
    for (const auto name : names) {
      if (const auto found = values.find(name); found != values.end()) return &found->second;
    }
    return nullptr;
  }
};

BuildInfo parse(std::string_view text) {
  BuildInfo info;
  int line = 0;
  for (const auto row : split_lines(text)) {
    ++line;
    const auto equals = row.find('=');
    if (equals == std::string_view::npos || row.starts_with(' ') || row.starts_with('#')) continue;
    const auto name = trim(row.substr(0, equals));
    const auto start = static_cast<std::size_t>(row.data() - text.data()) + equals + 1;
    auto value = parse_literal(text.substr(start));
    if (!value || info.values.size() >= kMostVariables) continue;
    if (name == "build_info") {
      info.values.clear();
      info.line = line;
      for (const auto* key : {"is_cuda_build", "is_rocm_build", "cuda_version", "cudnn_version",
                              "cuda_compute_capabilities"}) {
        if (const auto* found = value->find(key)) info.values[key] = *found;
      }
      return info;
    }
    info.values[std::string(name)] = std::move(*value);
    info.line = line;
  }
  return info;
}

Fact<bool> truth(const Literal* value, const Source& source) {
  if (value == nullptr) return Fact<bool>::unknown(source.where + ": has no such entry", source);
  const bool yes = value->kind == Literal::Kind::boolean ? value->truth : value->text == "1";
  return Fact<bool>::known(yes, source);
}

Fact<std::string> version(const Literal* value, const Source& source) {
  const bool written = value != nullptr &&
                       (value->kind == Literal::Kind::text || value->kind == Literal::Kind::number);
  if (!written || value->text.empty() || value->text.size() > kLongestValue) {
    return Fact<std::string>::absent(source, source.where + ": names no version");
  }
  return Fact<std::string>::known(printable(value->text), source);
}

} // namespace

bool read_build_info(std::string_view text, const std::string& path, FrameworkBuild& build) {
  const auto info = parse(text);
  const auto* cuda = info.find({"is_cuda_build"});
  if (cuda == nullptr) return false;
  const Source source{path, info.line};
  build.cuda = truth(cuda, source);
  build.rocm = truth(info.find({"is_rocm_build"}), source);
  build.cuda_version = version(info.find({"cuda_version", "cuda_version_number"}), source);
  build.cudnn_version = version(info.find({"cudnn_version", "cudnn_version_number"}), source);
  if (const auto* capabilities = info.find({"cuda_compute_capabilities"})) {
    for (const auto& item : capabilities->items) {
      if (item.text.empty() || item.text.size() > kLongestValue) continue;
      if (build.compute_capabilities.size() >= kMostCapabilities) break;
      build.compute_capabilities.push_back(printable(item.text));
    }
  }
  return true;
}

} // namespace gpuwhy
