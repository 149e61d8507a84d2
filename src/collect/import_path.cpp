#include "collect/import_path.h"

#include "base/text.h"
#include "collect/native_objects.h"
#include "collect/python_environment.h"

#include <algorithm>

namespace gpuwhy {
namespace {

bool has_insides(System& system, const std::string& directory, const ImportName& name) {
  return std::any_of(name.insides.begin(), name.insides.end(), [&](std::string_view inside) {
    return system.status(join_path(directory, inside)).has_value();
  });
}

std::optional<ImportedPackage> in_directory(System& system, const std::string& directory,
                                            const ImportName& name) {
  auto path = join_path(directory, name.module);
  if (is_file(system, path + "/__init__.py")) return ImportedPackage{directory, path, false};
  path += ".py";
  if (is_file(system, path)) return ImportedPackage{directory, path, true};
  return std::nullopt;
}

} // namespace

std::string program_directory(System& system, const Scope& scope, const PythonEnvironment& python) {
  if (!python.selected || !variable_value(system, "PYTHONSAFEPATH").empty()) return {};
  const auto& here = system.identity().working_directory;
  if (scope.program.empty()) return here;
  const auto program = normalize_path(join_path(here, scope.program));
  return is_directory(system, program) ? program : std::string(parent_path(program));
}

std::vector<ImportedPackage> packages_named(System& system, const Scope& scope,
                                            const PythonEnvironment& python,
                                            const ImportName& name) {
  std::vector<ImportedPackage> packages;
  const auto& sites = python.site_directories;
  const auto own = program_directory(system, scope, python);
  if (!own.empty() && std::find(sites.begin(), sites.end(), own) == sites.end()) {
    if (auto package = in_directory(system, own, name)) {
      package->foreign = package->foreign || !has_insides(system, package->path, name);
      packages.push_back(std::move(*package));
    }
  }
  for (const auto& site : sites) {
    if (!packages.empty() && !packages.back().foreign) break;
    if (auto package = in_directory(system, site, name)) packages.push_back(std::move(*package));
  }
  return packages;
}

Framework foreign_framework(const ImportName& name, const std::string& path) {
  Framework framework;
  framework.name = name.module;
  framework.directory = path;
  const auto reason = path + ": a module of that name, not " + std::string(name.title);
  framework.version = Fact<std::string>::absent({path, 0}, reason);
  framework.build = Fact<FrameworkBuild>::absent({path, 0}, reason);
  framework.broken.push_back(path + " is imported instead of " + std::string(name.title));
  return framework;
}

void take_owner(const PythonEnvironment& python, const ImportedPackage& package,
                std::string_view distribution, Framework& framework) {
  const auto* owner = owner_of(python, package.site, distribution);
  if (owner == nullptr) {
    framework.version = Fact<std::string>::unknown(
        package.path + ": no metadata beside it tells its version", {package.path, 0});
    return;
  }
  framework.distributions.push_back(owner->name);
  framework.version = Fact<std::string>::known(owner->version, {owner->location, 0});
}

std::optional<Fact<std::string>> cudnn_pin(const Distribution& distribution,
                                           std::string_view comparison) {
  for (const auto& pin : distribution.cuda_pins) {
    const auto at = pin.find(comparison);
    if (!pin.starts_with("nvidia-cudnn-cu") || at == std::string::npos) continue;
    const auto rest = std::string_view(pin).substr(at + comparison.size());
    return Fact<std::string>::known(std::string(rest.substr(0, rest.find(','))),
                                    {distribution.location, 0});
  }
  return std::nullopt;
}

} // namespace gpuwhy
