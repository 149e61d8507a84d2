#include "explain/missing.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

/// "libcudart.so.11.0" -> "cudart"; "cudart64_110.dll" -> "cudart".
std::string product_of(std::string_view library) {
  library = base_name(library);
  if (library.starts_with("libcudnn_")) return "cudnn"; // a part of it
  if (library.starts_with("lib")) return std::string(library.substr(3, library.find('.') - 3));
  return std::string(library.substr(0, library.find("64_")));
}

/// Before CUDA 11 every library carried the release's own number.
std::string name_in(std::string_view product, const Version& cuda) {
  auto name = soname(product, cuda);
  if (name.empty() && cuda.major() < 10 && product != "cudnn") {
    name = "lib" + std::string(product) + ".so." + std::to_string(cuda.major()) + "." +
           std::to_string(cuda.minor());
  }
  return name;
}

/// "cudart64_110.dll" is of CUDA 11, "cudart64_90.dll" of CUDA 9.0, "cublas64_12.dll" of CUDA 12:
/// before 11 each release has a number of its own, since then each major one.
bool dll_of(std::string_view name, const Version& cuda) {
  const auto at = name.find("64_");
  const auto digits = name.substr(at + 3, name.find('.', at) - at - 3);
  const auto number = to_number(digits).value_or(0);
  const bool runtime = name.starts_with("cudart");
  if (digits.size() == 2 && number < 60) return number == cuda.major();
  if (number >= 110) return number / 10 == cuda.major();
  return number == cuda.major() * 10 + (runtime || number < 100 ? cuda.minor() : 0);
}

/// The numbers of these names are those of CUDA.
bool toolkit_dll(std::string_view name) {
  return contains(name, "64_") && (name.starts_with("cudart") || name.starts_with("cublas"));
}

} // namespace

Missing missing_libraries(const Scene& scene) {
  Missing missing;
  const auto& reading = scene.text.reading();
  const auto all = scene.text.all("library-missing");
  const bool still = std::any_of(all.begin(), all.end(),
                                 [&](const Sighting* seen) { return !reading.is_past(*seen); });
  // What the framework itself opens counts before what an extension of it wants.
  const auto own = [](const Sighting* seen) {
    return seen->message->name != "library-missing/import";
  };
  const bool framework = std::any_of(all.begin(), all.end(), own);
  for (const auto* seen : all) {
    if (still && reading.is_past(*seen)) continue; // found since
    if (framework && !own(seen) && seen->message->name == "library-missing/import") continue;
    const std::string name(trim(seen->value("lib")));
    missing.seen.push_back(seen);
    if (std::find(missing.names.begin(), missing.names.end(), name) == missing.names.end())
      missing.names.push_back(name);
    missing.products.insert(product_of(name));
  }
  return missing;
}

bool said_to_be_there(const Scene& scene) {
  const auto& said = scene.text.reading().said;
  return std::any_of(said.begin(), said.end(), [](const Said& each) {
    const auto words = lower(each.key + ' ' + each.value);
    return each.by_hand &&
           (contains(words, "file present") || contains(words, "file exists") ||
            contains(words, "file is there") || contains(words, "files are there") ||
            contains(words, "library exists") || contains(words, "is on disk"));
  });
}

bool on_disk(const Scene& scene, std::string_view name) {
  const auto files = scene.text.all_said("library_file");
  return std::any_of(files.begin(), files.end(), [&](std::string_view file) {
    return file == name || (file.starts_with(name) && file.substr(name.size()).starts_with('.'));
  });
}

bool other_cuda(const Missing& missing, const std::optional<Version>& cuda) {
  if (!cuda) return false;
  return std::any_of(missing.names.begin(), missing.names.end(), [&](const std::string& name) {
    if (toolkit_dll(name)) return !dll_of(name, *cuda);
    const auto product = product_of(name);
    const auto here = name_in(product, *cuda);
    return product != "cudnn" && name.starts_with("lib") && !here.empty() && here != name &&
           name != "lib" + product + ".so";
  });
}

bool same_cuda(const Scene& scene, const Missing& missing) {
  if (!scene.cuda) return false;
  return std::any_of(missing.names.begin(), missing.names.end(), [&](const std::string& name) {
    return toolkit_dll(name) ? dll_of(name, *scene.cuda)
                             : name_in(product_of(name), *scene.cuda) == name;
  });
}

bool listed_without(const Scene& scene, const Missing& missing) {
  const auto files = scene.text.all_said("library_file");
  return scene.cuda && !on_disk(scene, missing.names.front()) &&
         std::any_of(files.begin(), files.end(), [&](std::string_view file) {
           return toolkit_dll(file) ? dll_of(file, *scene.cuda)
                                    : name_in(product_of(file), *scene.cuda) == file;
         });
}

bool other_cudnn(const Scene& scene, std::string_view part) {
  const auto at = part.find(".so.");
  if (at == std::string_view::npos) return false;
  const auto wanted = part.substr(at + 4, 1);
  if (scene.cudnn) return std::to_string(scene.cudnn->major()) != wanted;
  const auto files = scene.text.all_said("library_file");
  return std::any_of(files.begin(), files.end(), [&](std::string_view file) {
    return file.starts_with("libcudnn.so.") && file.substr(12, 1) != wanted;
  });
}

std::optional<Version> cuda_there(const Scene& scene, const Missing& missing) {
  const bool other = missing.seen.front()->message->framework.empty(); // TensorFlow has its own
  return scene.cuda || !other ? scene.cuda : cuda_of_torch(scene.text);
}

} // namespace gpuwhy::explain
