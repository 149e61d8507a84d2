// Truth: the distributions on the package index and conda-forge, their extras, builds and tags; the
// release table for Python versions.
#include "rules/F_framework/project_files.h"

#include "base/text.h"
#include "knowledge/knowledge.h"

#include <map>
#include <set>

namespace gpuwhy::rules {
namespace {

using program::Document;
using program::Requirement;
using program::Unit;

bool for_linux(const Requirement& requirement) {
  const auto& marker = requirement.marker;
  const bool other = contains(marker, "darwin") || contains(marker, "win32") ||
                     contains(marker, "Windows") || contains(marker, "Darwin") ||
                     contains(marker, "arm64");
  return !other || contains(marker, "!=");
}

/// The version that an exact pin names ("==2.15.0", conda's "=2.15"); empty otherwise.
std::string pinned(const Requirement& requirement) {
  std::string_view version = requirement.version;
  if (contains(version, ",") || contains(version, "*")) return {};
  if (version.starts_with("==")) return std::string(version.substr(2));
  if (version.starts_with("=")) return std::string(version.substr(1));
  return {};
}

bool has_extra(const Requirement& requirement, std::string_view part) {
  return contains(requirement.extras, part);
}

/// The requirement is installed into an image that brings no CUDA.
bool into_plain_image(const Document& document, std::uint32_t line) {
  const program::Entry* base = nullptr;
  for (const auto& image : document.images) {
    if (image.line <= line) base = &image;
  }
  return base != nullptr && base->value.find('$') == std::string::npos &&
         lower(base->value).starts_with("python:");
}

bool cpu_index(const Document& document, const Requirement& requirement) {
  for (const auto& index : document.indexes) {
    const bool same = document.kind == Document::Kind::requirements ||
                      document.kind == Document::Kind::conda ||
                      (document.kind == Document::Kind::pyproject
                           ? index.name.empty() || index.name == requirement.name
                           : index.name == requirement.group);
    const std::string_view url = index.value;
    if (same && (url.ends_with("/whl/cpu") || url.ends_with("/whl/cpu/") ||
                 contains(url, "/whl/cpu/torch")))
      return true;
  }
  return false;
}

bool cpu_build_string(const Requirement& requirement) {
  return contains(requirement.build, "cpu") || contains(requirement.build, "mkl") ||
         contains(requirement.build, "eigen");
}

} // namespace

void lint_cpu_only_build(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  for (const auto& requirement : unit.document->requirements) {
    const bool distribution =
        requirement.name == "tensorflow-cpu" || requirement.name == "intel-tensorflow" ||
        requirement.name == "tf-nightly-cpu" || requirement.name == "tensorflow-mkl";
    const bool build =
        (requirement.name == "tensorflow" || requirement.name == "tensorflow-base") &&
        cpu_build_string(requirement);
    if ((!distribution && !build) || !for_linux(requirement)) continue;
    report.at_line(requirement.line, Severity::warning,
                   requirement.name + " is a build without CUDA",
                   build ? "ask for the cuda build" : "tensorflow[and-cuda]");
  }
  if (unit.document->kind != Document::Kind::dockerfile &&
      unit.document->kind != Document::Kind::compose &&
      unit.document->kind != Document::Kind::kubernetes) {
    return;
  }
  for (const auto& image : unit.document->images) {
    auto name = std::string_view(image.value);
    if (const auto at = name.find("tensorflow/tensorflow");
        at != std::string_view::npos && name.find('$') == std::string_view::npos) {
      const auto tag = name.substr(at + std::string_view("tensorflow/tensorflow").size());
      if (contains(tag, "gpu") || contains(tag, "@") || (!tag.empty() && tag.front() != ':'))
        continue;
      report.at_line(image.line, Severity::warning,
                     "this image carries the CPU build of TensorFlow",
                     "take the tag that ends in -gpu");
    }
  }
}

void lint_cuda_extras_missing(const Unit& unit, lint::Report& report) {
  if (!unit.document || unit.document->kind != Document::Kind::dockerfile) return;
  std::set<std::string, std::less<>> brought;
  for (const auto& requirement : unit.document->requirements) {
    if (requirement.name.starts_with("nvidia-")) brought.insert(requirement.group);
  }
  for (const auto& requirement : unit.document->requirements) {
    if (requirement.name != "tensorflow" || has_extra(requirement, "and-cuda") ||
        brought.contains(requirement.group))
      continue;
    if (!into_plain_image(*unit.document, requirement.line)) continue;
    report.at_line(
        requirement.line, Severity::info,
        "this image brings no CUDA libraries, and tensorflow without its extra brings none either",
        "tensorflow[and-cuda], from TensorFlow 2.14 on; else start from an image with CUDA");
  }
}

void lint_conflicting_distributions(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  std::map<std::string, const Requirement*> first;
  for (const auto& requirement : unit.document->requirements) {
    const bool flavour = requirement.name == "tensorflow" || requirement.name == "tensorflow-gpu" ||
                         requirement.name == "tensorflow-cpu" ||
                         requirement.name == "intel-tensorflow" || requirement.name == "tf-nightly";
    if (!flavour || !for_linux(requirement) || !requirement.marker.empty()) continue;
    // Conda's and pip's lists of one environment end in the same folder.
    const auto group =
        unit.document->kind == Document::Kind::conda ? std::string("conda") : requirement.group;
    const auto [found, fresh] = first.emplace(group, &requirement);
    if (fresh) continue;
    const auto& other = *found->second;
    if (other.name == requirement.name) {
      if (pinned(other).empty() || pinned(requirement).empty() ||
          pinned(other) == pinned(requirement))
        continue;
      report.at_line(requirement.line, Severity::warning,
                     requirement.name + " is pinned twice: " + pinned(other) + " in line " +
                         std::to_string(other.line) + " and " + pinned(requirement) + " here",
                     "keep one of the two");
      continue;
    }
    report.at_line(requirement.line, Severity::warning,
                   requirement.name + " and " + other.name + " (line " +
                       std::to_string(other.line) +
                       ") install the same files: the one that comes last wins",
                   "keep one of the two");
  }
}

void lint_python_unsupported(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  std::optional<program::Entry> python = unit.document->python;
  for (const auto& image : unit.document->images) {
    if (unit.document->kind == Document::Kind::dockerfile && image.value.starts_with("python:")) {
      python = program::Entry{"python", image.value.substr(7), image.line};
    }
  }
  if (!python) return;
  std::string_view text = python->value;
  while (text.starts_with('=')) text.remove_prefix(1);
  if (text.empty() || text.front() < '0' || text.front() > '9' || contains(text, ","))
    return; // a range
  const auto version = Version::parse(text);
  if (!version || version->parts.size() < 2) return;
  for (const auto& requirement : unit.document->requirements) {
    if (requirement.name != "tensorflow" && requirement.name != "tensorflow-gpu") continue;
    const auto wanted = pinned(requirement);
    const auto* release = wanted.empty() ? nullptr : find_tensorflow(wanted);
    if (release == nullptr || release->supports_python(*version)) continue;
    report.at_line(requirement.line, Severity::error,
                   "TensorFlow " + wanted + " has no build for Python " +
                       std::to_string(version->major()) + "." + std::to_string(version->minor()) +
                       " (line " + std::to_string(python->line) + ")",
                   "use Python " + std::string(release->python));
  }
}

void lint_legacy_tensorflow_gpu(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  for (const auto& requirement : unit.document->requirements) {
    if (requirement.name != "tensorflow-gpu" || unit.document->kind == Document::Kind::conda)
      continue;
    const auto wanted = pinned(requirement);
    const auto version = wanted.empty() ? std::nullopt : Version::parse(wanted);
    if (version && *version < *Version::parse("2.12")) continue; // of its time
    if (!version && !requirement.version.empty()) continue;      // a range may name old releases
    report.at_line(
        requirement.line, Severity::warning,
        "tensorflow-gpu ended with 2.11: later versions are an empty package that fails to install",
        "tensorflow[and-cuda]");
  }
}

void lint_jax_without_cuda_plugin(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  bool plugin = false;
  for (const auto& requirement : unit.document->requirements) {
    plugin = plugin || contains(requirement.name, "jax-cuda") ||
             contains(requirement.name, "jaxlib-cuda") || has_extra(requirement, "cuda") ||
             has_extra(requirement, "tpu") || contains(requirement.version, "cuda") ||
             contains(requirement.build, "cuda");
  }
  if (plugin) return;
  for (const auto& requirement : unit.document->requirements) {
    if (requirement.name == "jax" && has_extra(requirement, "cpu")) {
      report.at_line(requirement.line, Severity::warning, "jax[cpu] has no CUDA plugin",
                     "jax[cuda12] or jax[cuda13]");
    }
  }
}

void lint_torch_cpu_build(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  for (const auto& requirement : unit.document->requirements) {
    if (requirement.name == "cpuonly") {
      report.at_line(requirement.line, Severity::warning,
                     "cpuonly makes conda choose the CPU build of PyTorch", "remove it");
      continue;
    }
    if (requirement.name != "torch" && requirement.name != "pytorch") continue;
    if (!for_linux(requirement)) continue;
    const bool local = contains(requirement.version, "+cpu");
    const bool index = cpu_index(*unit.document, requirement);
    if (!local && !index && !(requirement.name == "pytorch" && cpu_build_string(requirement)))
      continue;
    report.at_line(requirement.line, Severity::warning, "this is the CPU build of PyTorch",
                   index ? "take the index of a CUDA version, or none" : "leave the +cpu out");
  }
}

} // namespace gpuwhy::rules
