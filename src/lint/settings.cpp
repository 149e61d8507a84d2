// [tool.gpuwhy] of the nearest pyproject.toml. Truth: TOML 1.0, read by toml++.
#include "lint/lint.h"

#include "base/text.h"
#include "program/toml.h"

namespace gpuwhy::lint {

Result<Settings> find_settings(System& system, const std::string& path) {
  auto folder = normalize_path(join_path(system.identity().working_directory, path));
  const auto status = system.status(folder);
  if (status && status->type != FileStatus::Type::directory)
    folder = std::string(parent_path(folder));
  for (int level = 0; level < 64; ++level) {
    const auto file = join_path(folder, "pyproject.toml");
    if (const auto text = system.read(file, std::size_t{1} << 20U)) {
      const auto lists = program::read_tool_lists(*text);
      if (!lists) return fail(file + ": " + lists.error().message);
      Settings settings;
      for (const auto& [name, values] : *lists) {
        if (name == "select") {
          settings.selection.select = values;
        } else if (name == "ignore") {
          settings.selection.ignore = values;
        } else if (name == "exclude") {
          settings.exclude = values;
        } else {
          return fail(file + ": [tool.gpuwhy] has no setting '" + printable(name) + "'");
        }
      }
      return settings;
    }
    const auto parent = std::string(parent_path(folder));
    if (parent == folder) break;
    folder = parent;
  }
  return Settings{};
}

} // namespace gpuwhy::lint
