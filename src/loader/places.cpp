#include "loader/places.h"

#include "base/text.h"

#include <algorithm>
#include <set>

namespace gpuwhy::loader {
namespace {

/// An object whose tags decide where to look.
struct Object {
  std::string path;
  std::string origin;
  bool canonical = true; // no link in `origin`
  const LibraryFile* file = nullptr;
};

class Planner {
public:
  Planner(const Libraries& libraries, const Setting& setting)
      : libraries_(libraries), setting_(setting) {}

  Places glibc(const Request& request);
  Places musl(const Request& request);

private:
  using Elements = std::vector<std::string>;

  Object object(const std::string& path);
  std::vector<Object> objects(const Request& request);
  void add(Step step, const Elements& elements, const Object& owner, const std::string& title);
  void add_library_path(const Elements& elements);
  void add_defaults();
  std::string directory(std::string_view element, const Object& owner) const;

  const Libraries& libraries_;
  const Setting& setting_;
  Places result_;
};

/// One empty element stands for an empty tag: it names no directory, yet it is there (see
/// ElfImage).
bool names_nothing(const std::vector<std::string>& elements) {
  return elements.empty() || (elements.size() == 1 && elements.front().empty());
}

Object Planner::object(const std::string& path) {
  Object object;
  object.path = absolute_path(setting_, path);
  const auto found = libraries_.files.find(path);
  const auto same = found != libraries_.files.end() ? found : libraries_.files.find(object.path);
  if (same != libraries_.files.end())
    object.file = &same->second;
  else
    result_.not_looked.push_back(object.path);
  // The executable's $ORIGIN comes from /proc/self/exe, every other from the path it was opened by.
  const bool executable =
      path == setting_.executable || (object.file != nullptr && !setting_.executable.empty() &&
                                      object.file->real_path == setting_.executable);
  if (executable) object.path = setting_.executable;
  object.origin = std::string(parent_path(object.path));
  if (!executable && object.file != nullptr && !object.file->real_path.empty()) {
    object.canonical = parent_path(object.file->real_path) == object.origin;
  }
  return object;
}

/// The opener and its chain, last the executable: glibc asks that one even where the chain ends
/// before.
std::vector<Object> Planner::objects(const Request& request) {
  std::vector<Object> objects;
  const auto append = [&](const std::string& path) {
    if (path.empty()) return;
    auto next = object(path);
    const bool known = std::any_of(objects.begin(), objects.end(),
                                   [&](const Object& object) { return object.path == next.path; });
    if (!known) objects.push_back(std::move(next));
  };
  append(request.opener);
  for (const auto& path : request.chain) append(path);
  append(setting_.executable);
  return objects;
}

/// RUNPATHs of wheels are full of "$ORIGIN/../..". Where no link is in between, ".." is the parent
/// as in text, and one directory gets one name.
std::string Planner::directory(std::string_view element, const Object& owner) const {
  const auto expanded = expand(element, owner.origin, libraries_);
  const bool from_origin = element.starts_with('$') && expanded.starts_with(owner.origin);
  if (!from_origin || !owner.canonical) return absolute_path(setting_, expanded);
  std::string_view rest = std::string_view(expanded).substr(owner.origin.size());
  std::string climbed = owner.origin;
  while (climbed.size() > 1) {
    while (rest.starts_with("//") || rest.starts_with("/./"))
      rest.remove_prefix(rest[1] == '/' ? 1 : 2);
    if (!rest.starts_with("/..") || (rest.size() > 3 && rest[3] != '/')) break;
    climbed = std::string(parent_path(climbed));
    rest.remove_prefix(3);
  }
  if (!rest.empty() && !rest.starts_with('/')) return absolute_path(setting_, expanded);
  return absolute_path(setting_, climbed + std::string(rest));
}

void Planner::add(Step step, const Elements& elements, const Object& owner,
                  const std::string& title) {
  if (names_nothing(elements)) return;
  const auto first = result_.places.size();
  std::set<std::string> known; // within one list the loader asks a directory once
  for (std::size_t index = 0; index < elements.size(); ++index) {
    Place place{step, directory(elements[index], owner), title + "[" + std::to_string(index) + "]",
                first + 1};
    if (step != Step::library_path) place.because += " of " + std::string(base_name(owner.path));
    if (known.insert(place.directory).second) result_.places.push_back(std::move(place));
  }
}

void Planner::add_library_path(const Elements& elements) {
  if (setting_.secure) return;
  Object executable;
  executable.path = setting_.executable;
  executable.origin = std::string(parent_path(setting_.executable));
  add(Step::library_path, elements, executable, "LD_LIBRARY_PATH");
}

void Planner::add_defaults() {
  const auto list = result_.places.size() + 1;
  for (const auto& directory : libraries_.default_directories) {
    result_.places.push_back(
        {Step::default_directory, tidy_path(directory), "default directory", list});
  }
}

Places Planner::glibc(const Request& request) {
  const auto opener = request.opener.empty() ? Object{} : object(request.opener);
  const Elements none;
  const auto& runpath = opener.file != nullptr ? opener.file->runpath : none;
  if (runpath.empty()) {
    result_.not_looked.clear(); // objects() asks for the opener again
    for (const auto& owner : objects(request)) {
      if (owner.file == nullptr || !owner.file->runpath.empty()) continue;
      add(Step::rpath, owner.file->rpath, owner, "RPATH");
    }
  }
  add_library_path(split_library_path(setting_.library_path));
  add(Step::runpath, runpath, opener, "RUNPATH");
  result_.places.push_back({Step::cache, {}, "/etc/ld.so.cache", result_.places.size() + 1});
  result_.no_default_lib = opener.file != nullptr && opener.file->no_default_lib;
  if (!result_.no_default_lib) add_defaults();
  return std::move(result_);
}

/// musl makes no difference between RPATH and RUNPATH, and every ancestor's counts. Empty elements
/// are passed over.
Places Planner::musl(const Request& request) {
  Elements library_path;
  for (const auto element : split(setting_.library_path, ':')) library_path.emplace_back(element);
  add_library_path(library_path);
  for (const auto& owner : objects(request)) {
    if (owner.file == nullptr) continue;
    const bool run = !owner.file->runpath.empty();
    add(run ? Step::runpath : Step::rpath, run ? owner.file->runpath : owner.file->rpath, owner,
        run ? "RUNPATH" : "RPATH");
  }
  add_defaults();
  return std::move(result_);
}

} // namespace

Places places_for(const Libraries& libraries, const Setting& setting, const Request& request) {
  Planner planner(libraries, setting);
  return setting.musl ? planner.musl(request) : planner.glibc(request);
}

} // namespace gpuwhy::loader
