// The CUDA libraries that a text says are not found: their names, and whether the CUDA that is
// there has libraries of these names. Truth for names: knowledge/soname_sets.tsv.
#pragma once

#include "explain/scene.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

struct Missing {
  std::vector<const Sighting*> seen;
  std::vector<std::string> names; // "libcudart.so.11.0"
  std::set<std::string> products;

  bool only(std::string_view product) const {
    return products.size() == 1 && products.contains(std::string(product));
  }
};

Missing missing_libraries(const Scene& scene);

/// The writer says that the file is there: "- file present in: /usr/local/cuda/lib64".
bool said_to_be_there(const Scene& scene);
/// The text shows a file of this very name, or of one that begins with it (libx.so.8.1.0).
bool on_disk(const Scene& scene, std::string_view name);
/// This CUDA gives one of them another name.
bool other_cuda(const Missing& missing, const std::optional<Version>& cuda);
/// The CUDA that is stated, or on the disk, has one of this name.
bool same_cuda(const Scene& scene, const Missing& missing);
/// The folder of this CUDA is listed, and the library is not in it.
bool listed_without(const Scene& scene, const Missing& missing);
/// The text shows or states a cuDNN of another major version than this part's.
bool other_cudnn(const Scene& scene, std::string_view part);
/// The CUDA that is there: what is stated, else the one that PyTorch's wheels bring.
std::optional<Version> cuda_there(const Scene& scene, const Missing& missing);

} // namespace gpuwhy::explain
