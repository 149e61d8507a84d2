// Keras in each environment, and the backend that its configuration file names. Truth:
// keras/src/backend/config.py of 3.15: $KERAS_HOME/keras.json, else ~/.keras/keras.json, or
// /tmp/.keras/keras.json where the home directory may not be written; the variable KERAS_BACKEND
// goes before it, which is for the judge to say.
#include "base/text.h"
#include "collect/import_path.h"
#include "collect/python_environment.h"
#include "collect/software.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestFile = 64U << 10U;
constexpr std::size_t kLongestName = 64;

/// What access(2) would answer; a file that cannot be asked about is taken to be as usual.
bool may_write(System& system, const std::string& directory) {
  const auto& identity = system.identity();
  const auto status = system.status(directory);
  if (!status) return status.error().kind != Unavailable::Kind::absent;
  if (identity.user == 0) return true;
  const auto& groups = identity.groups;
  if (status->user == identity.user) return (status->mode & 0200U) != 0;
  const bool member = std::find(groups.begin(), groups.end(), status->group) != groups.end();
  return (status->mode & (member ? 0020U : 0002U)) != 0;
}

std::string configuration_path(System& system) {
  const auto& home = system.identity().home;
  const auto& variables = system.environment();
  const auto found = variables.find("KERAS_HOME");
  if (found == variables.end())
    return (may_write(system, home) ? home : "/tmp") + "/.keras/keras.json";
  auto directory = found->second; // empty: the working directory
  if (directory == "~" || directory.starts_with("~/")) directory = home + directory.substr(1);
  return normalize_path(join_path(system.identity().working_directory, directory)) + "/keras.json";
}

/// Text that is no JSON is passed over by Keras, without a word.
Fact<std::string> configured_backend(System& system) {
  const auto path = configuration_path(system);
  const auto text = system.read(path, kLargestFile);
  if (!text) return without_value<std::string>(text.error(), path);
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto backend = json.is_object() ? json.find("backend") : json.end();
  if (!json.is_object() || backend == json.end() || !backend->is_string()) {
    return Fact<std::string>::absent({path, 0}, path + ": names no backend");
  }
  const auto name = printable(backend->get_ref<const std::string&>());
  if (name.empty() || name.size() > kLongestName)
    return Fact<std::string>::absent({path, 0}, path + ": names no backend");
  int line = 1;
  for (std::size_t at = 0, end = text->find("\"backend\""); at < end && end != std::string::npos;
       ++at) {
    if ((*text)[at] == '\n') ++line;
  }
  return Fact<std::string>::known(name, {path, line});
}

constexpr std::array<std::string_view, 4> kInsides = {"src", "api", "engine", "layers"};
constexpr ImportName kName{"keras", "Keras", kInsides};

Framework keras_of(System& system, const PythonEnvironment& python,
                   const ImportedPackage& package) {
  if (package.foreign) return foreign_framework(kName, package.path);
  Framework framework;
  framework.name = "keras";
  framework.directory = package.path;
  take_owner(python, package, "keras", framework);
  framework.build =
      Fact<FrameworkBuild>::absent({package.path, 0}, "Keras has no native code of its own");
  framework.configured_backend = configured_backend(system);
  return framework;
}

void collect(System& system, const Scope& scope, Facts& facts) {
  for (auto& python : facts.pythons) {
    for (const auto& package : packages_named(system, scope, python, kName))
      python.frameworks.push_back(keras_of(system, python, package));
  }
}

} // namespace

const Collector kKerasBackend{
    "keras_backend", "keras in each environment, $KERAS_HOME/keras.json or ~/.keras/keras.json",
    collect};

} // namespace gpuwhy
