// Keras in each environment, and the backend that its configuration file names. Truth:
// keras/src/backend/config.py: $KERAS_HOME/keras.json, else ~/.keras/keras.json; the variable
// KERAS_BACKEND goes before it, which is for the judge to say.
#include "base/text.h"
#include "collect/native_objects.h"
#include "collect/python_environment.h"
#include "collect/software.h"

#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestFile = 64U << 10U;
constexpr std::size_t kLongestName = 64;

std::string configuration_path(System& system) {
  const auto home = variable_value(system, "KERAS_HOME");
  if (!home.empty())
    return normalize_path(join_path(system.identity().working_directory, home)) + "/keras.json";
  return system.identity().home + "/.keras/keras.json";
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

void collect(System& system, const Scope&, Facts& facts) {
  for (auto& python : facts.pythons) {
    for (const auto& site : python.site_directories) {
      const auto directory = join_path(site, "keras");
      if (!is_file(system, directory + "/__init__.py")) continue;
      Framework framework;
      framework.name = "keras";
      framework.directory = directory;
      if (const auto* owner = owner_of(python, site, "keras")) {
        framework.distributions.push_back(owner->name);
        framework.version = Fact<std::string>::known(owner->version, {owner->location, 0});
      } else {
        framework.version = Fact<std::string>::unknown(
            directory + ": no metadata beside it tells its version", {directory, 0});
      }
      framework.build =
          Fact<FrameworkBuild>::absent({directory, 0}, "Keras has no native code of its own");
      framework.configured_backend = configured_backend(system);
      python.frameworks.push_back(std::move(framework));
      break; // an import takes the first
    }
  }
}

} // namespace

const Collector kKerasBackend{
    "keras_backend", "keras in each environment, $KERAS_HOME/keras.json or ~/.keras/keras.json",
    collect};

} // namespace gpuwhy
