#include "rules/L_libraries/library_path.h"

#include "base/text.h"
#include "rules/F_framework/installation.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr std::size_t kMostPlaces = 12; // named in one sentence

} // namespace

loader::Setting setting_of(const Case& c) {
  loader::Setting setting;
  if (const auto* path = c.facts.environment.find("LD_LIBRARY_PATH"))
    setting.library_path = path->value;
  if (c.python != nullptr) setting.executable = c.python->executable;
  setting.working_directory = c.facts.platform.working_directory;
  setting.musl = c.facts.libraries.libc.value_or("").starts_with("musl");
  return setting;
}

Source source_of(const Case& c, std::string_view name, std::string_view element) {
  const auto* variable = c.facts.environment.find(name);
  Source itself{"$" + std::string(name), 0};
  if (variable == nullptr) return itself;
  const VariableOrigin* best = nullptr;
  for (const auto& origin : variable->origins) {
    for (const auto& each : origin.elements) {
      const bool same = !element.empty() && normalize_path(each) == normalize_path(element);
      if (same) return {origin.path, origin.line};
    }
    if (best == nullptr || (origin.certain && !best->certain)) best = &origin;
  }
  return best == nullptr ? itself : Source{best->path, best->line};
}

std::string set_where(const Case& c, std::string_view name, std::string_view element) {
  const auto source = source_of(c, name, element);
  return source.where.starts_with('$') ? std::string() : " (set in " + source.str() + ")";
}

Edit extend_library_path(const Case& c, const std::vector<std::string>& directories) {
  const auto* variable = c.facts.environment.find("LD_LIBRARY_PATH");
  const std::string before = variable == nullptr ? "" : variable->value;
  const auto added = join(directories, ":");
  Edit edit;
  const auto what = directories.size() > 2
                        ? "these " + std::to_string(directories.size()) + " directories"
                        : join(directories, " and ");
  edit.words = "add " + what + " to LD_LIBRARY_PATH before Python starts";
  const auto word = shell_word(added);
  edit.commands.push_back(before.empty() ? "export LD_LIBRARY_PATH=" + word
                          : word == added
                              ? "export LD_LIBRARY_PATH=\"$LD_LIBRARY_PATH:" + added + "\""
                              : "export LD_LIBRARY_PATH=\"$LD_LIBRARY_PATH:\"" + word);
  edit.apply = [added](Facts& facts) { edit::extend_library_path(facts, added); };
  return edit;
}

Edit shorten_library_path(const Case& c, const std::string& directory) {
  const auto* variable = c.facts.environment.find("LD_LIBRARY_PATH");
  Edit edit;
  edit.words =
      "remove " + directory + " from LD_LIBRARY_PATH" + set_where(c, "LD_LIBRARY_PATH", directory);
  std::vector<std::string> kept;
  if (variable != nullptr) {
    for (const auto element : split(variable->value, ':')) {
      if (normalize_path(element) != normalize_path(directory)) kept.emplace_back(element);
    }
  }
  edit.commands.push_back(kept.empty() ? "unset LD_LIBRARY_PATH"
                                       : "export LD_LIBRARY_PATH=" + shell_word(join(kept, ":")));
  edit.apply = [directory](Facts& facts) { edit::remove_from_library_path(facts, directory); };
  return edit;
}

bool loads_without(const Case& c, const std::string& soname, const std::string& directory) {
  const auto* build = c.build();
  if (build == nullptr) return false;
  auto setting = setting_of(c);
  std::vector<std::string> kept;
  for (const auto element : split(setting.library_path, ':')) {
    if (normalize_path(element) != normalize_path(directory)) kept.emplace_back(element);
  }
  setting.library_path = join(kept, ":");
  // What the process has before: any name of libc's is there, so only the CUDA libraries are asked
  // for.
  std::set<std::string> loaded;
  for (const auto& [path, file] : c.facts.libraries.files) {
    for (const auto& needed : file.needed) {
      const bool cuda = needed.starts_with("libcu") || needed.starts_with("libnv");
      if (!cuda) loaded.insert(needed);
    }
  }
  loader::Process process(c.facts.libraries, setting, loaded);
  return process.open({soname, build->opener, build->loader_chain}).outcome ==
         loader::Outcome::found;
}

std::string places_asked(const loader::Found& found) {
  std::vector<std::string> places;
  for (const auto& asked : found.trace) {
    const bool cache = asked.step == loader::Step::cache;
    std::string place = cache ? asked.because : std::string(parent_path(asked.place));
    if (asked.step == loader::Step::library_path) place += " (" + asked.because + ")";
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  const auto count = places.size();
  if (count > kMostPlaces) {
    places.resize(kMostPlaces);
    places.push_back("and " + std::to_string(count - kMostPlaces) + " more");
  }
  return "looked in " + std::to_string(count) + (count == 1 ? " place: " : " places: ") +
         join(places, ", ");
}

} // namespace gpuwhy::rules
