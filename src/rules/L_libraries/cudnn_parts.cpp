#include "rules/L_libraries/cudnn_parts.h"

#include "base/text.h"
#include "base/version.h"
#include "knowledge/knowledge.h"
#include "rules/L_libraries/library_path.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

/// cuDNN 9 asks for its own exact version first: libcudnn_graph.so.9.1.0, .9.1, .9.
std::vector<std::string> names_asked(const std::string& soname, const LibraryFile& cudnn) {
  std::vector<std::string> names;
  const auto version = Version::parse(cudnn.version.value_or(""));
  const auto digits = soname.rfind(".so.");
  if (version && version->major() >= 9 && digits != std::string::npos) {
    const auto stem = soname.substr(0, digits + 4);
    const auto minor = std::to_string(version->major()) + "." + std::to_string(version->minor());
    names.push_back(stem + minor + "." + std::to_string(version->part(2)));
    names.push_back(stem + minor);
  }
  names.push_back(soname);
  return names;
}

/// What the part needs in turn is not judged here: those are CUDA libraries, and libc's.
CudnnPart part_of(const Case& c, const std::string& soname, const loader::Found& found) {
  CudnnPart part{soname, CudnnPart::State::open, found.path, found.because, found.detail, {}};
  const bool own = found.dependency.empty();
  if (own &&
      (found.outcome == loader::Outcome::bad_file || found.outcome == loader::Outcome::crashes)) {
    part.state = CudnnPart::State::bad;
    if (part.detail.empty()) part.detail = "shorter than it says";
  } else if (own && found.outcome == loader::Outcome::missing) {
    part.state = CudnnPart::State::missing;
  } else if (!part.path.empty()) {
    part.state = CudnnPart::State::good;
    const auto file = c.facts.libraries.files.find(part.path);
    if (file == c.facts.libraries.files.end()) return part;
    part.version = file->second.version.value_or("");
    if (file->second.status == LibraryFile::Status::incomplete) {
      part.state = CudnnPart::State::bad;
      part.detail = file->second.detail;
    }
  }
  return part;
}

} // namespace

std::vector<std::string> cudnn_part_names(int major) {
  if (major == 9) {
    return {"libcudnn_graph.so.9",
            "libcudnn_ops.so.9",
            "libcudnn_cnn.so.9",
            "libcudnn_adv.so.9",
            "libcudnn_heuristic.so.9",
            "libcudnn_engines_precompiled.so.9",
            "libcudnn_engines_runtime_compiled.so.9"};
  }
  if (major == 8) {
    return {"libcudnn_ops_infer.so.8", "libcudnn_cnn_infer.so.8", "libcudnn_adv_infer.so.8",
            "libcudnn_ops_train.so.8", "libcudnn_cnn_train.so.8", "libcudnn_adv_train.so.8"};
  }
  return {};
}

bool needed_to_list(const Case& c, std::string_view part) {
  if (!part.starts_with("libcudnn_graph.") || c.framework == nullptr) return false;
  const auto* cudnn = c.library("cudnn");
  if (c.kind() == "jax") return cudnn != nullptr && cudnn->required; // asked for its version
  return c.kind() == "tensorflow" && tensorflow_calls_cudnn(c.framework->version.value_or(""));
}

std::vector<CudnnPart> cudnn_parts(const Case& c) {
  const auto* need = c.library("cudnn");
  if (need == nullptr || need->found.outcome != loader::Outcome::found) return {};
  const auto& libraries = c.facts.libraries;
  const auto cudnn = libraries.files.find(need->found.path);
  if (cudnn == libraries.files.end()) return {};
  const auto dot = need->soname.rfind('.');
  const auto major = to_number(std::string_view(need->soname).substr(dot + 1));
  const auto names = cudnn_part_names(static_cast<int>(major.value_or(0)));
  // Only where the inventory shows at least one part beside cuDNN: then a missing one is missing.
  const auto directory = libraries.directories.find(std::string(parent_path(cudnn->first)));
  if (directory == libraries.directories.end()) return {};
  const auto& listed = directory->second.names;
  const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(listed.begin(), listed.end(), name) != listed.end();
  });
  if (!known) return {};

  std::vector<std::string> chain;
  if (const auto* build = c.build()) {
    chain.push_back(build->opener);
    chain.insert(chain.end(), build->loader_chain.begin(), build->loader_chain.end());
  }
  std::vector<CudnnPart> parts;
  for (const auto& soname : names) {
    loader::Found found;
    for (const auto& name : names_asked(soname, cudnn->second)) {
      loader::Process process(libraries, setting_of(c));
      found = process.open({name, cudnn->first, chain});
      if (!found.path.empty()) break;
    }
    parts.push_back(part_of(c, soname, found));
  }
  return parts;
}

} // namespace gpuwhy::rules
