#include "collect/site_directories.h"

#include "base/text.h"
#include "collect/python_environment.h"

#include <set>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostPathFiles = 200;   // .pth files of one directory
constexpr std::size_t kMostDirectories = 256; // of one sys.path
constexpr std::size_t kLargestPathFile = 64U << 10U;

class SitePath {
public:
  explicit SitePath(System& system) : system_(system) {}

  /// A directory that is only searched (PYTHONPATH).
  void add(const std::string& directory) { append(normalize_path(directory)); }

  /// A directory whose .pth files are read too; PEP 648's predecessor, see site.addsitedir.
  void add_site(const std::string& directory) {
    const auto path = normalize_path(directory);
    if (!append(path)) return;
    const auto entries = system_.list(path);
    if (!entries) return;
    std::size_t files = 0;
    for (const auto& entry : *entries) {
      if (!entry.name.ends_with(".pth") || entry.name.starts_with('.')) continue;
      if (++files > kMostPathFiles) return;
      add_path_file(path, join_path(path, entry.name));
    }
  }

  std::vector<std::string> take() { return std::move(directories_); }

private:
  /// Its plain lines name directories. Lines that start with "import" are code: those we never
  /// follow.
  void add_path_file(const std::string& directory, const std::string& path) {
    const auto text = system_.read(path, kLargestPathFile);
    if (!text) return;
    for (auto line : split_lines(*text)) {
      if (line.starts_with('#') || line.starts_with("import ") || line.starts_with("import\t"))
        continue;
      line = trim(line);
      if (!line.empty()) append(normalize_path(join_path(directory, line)));
    }
  }

  bool append(const std::string& path) {
    if (directories_.size() >= kMostDirectories || !known_paths_.insert(path).second) return false;
    const auto status = system_.status(path);
    if (!status || status->type != FileStatus::Type::directory) return false;
    // lib64 -> lib: the second name adds nothing that an import could find.
    if (!known_files_.insert({status->device, status->inode}).second) return false;
    directories_.push_back(path);
    return true;
  }

  System& system_;
  std::vector<std::string> directories_;
  std::set<std::string> known_paths_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> known_files_;
};

/// site.getsitepackages for one prefix.
void add_prefix(System& system, SitePath& path, const std::string& prefix,
                const SiteQuestion& question) {
  const auto python = "python" + question.version;
  // Fedora keeps compiled packages apart; its platlibdir is lib64.
  const bool lib64 = is_file(system, question.base_prefix + "/lib64/" + python + "/os.py") &&
                     !is_file(system, question.base_prefix + "/lib/" + python + "/os.py");
  if (lib64) path.add_site(prefix + "/lib64/" + python + "/site-packages");
  if (prefix != "/usr" || !is_directory(system, "/usr/lib/python3/dist-packages")) {
    path.add_site(prefix + "/lib/" + python + "/site-packages");
    return;
  }
  path.add_site("/usr/local/lib/" + python + "/dist-packages");
  path.add_site("/usr/lib/python3/dist-packages");
  path.add_site("/usr/lib/" + python + "/dist-packages");
}

} // namespace

std::vector<std::string> site_directories(System& system, const SiteQuestion& question) {
  SitePath path(system);
  const auto& identity = system.identity();
  if (const auto given = variable_value(system, "PYTHONPATH"); !given.empty()) {
    for (const auto element : split(given, ':'))
      path.add(join_path(identity.working_directory, element));
  }
  if (question.version.empty()) return path.take();
  if (question.virtual_environment) add_prefix(system, path, question.prefix, question);
  const bool sees_system = !question.virtual_environment || question.system_site;
  if (sees_system && variable_value(system, "PYTHONNOUSERSITE").empty()) {
    auto base = variable_value(system, "PYTHONUSERBASE");
    if (base.empty() && !identity.home.empty()) base = identity.home + "/.local";
    if (!base.empty()) path.add_site(base + "/lib/python" + question.version + "/site-packages");
  }
  if (sees_system) add_prefix(system, path, question.base_prefix, question);
  return path.take();
}

std::vector<std::string> existing_directories(System& system,
                                              const std::vector<std::string>& path) {
  SitePath existing(system);
  for (const auto& directory : path)
    existing.add(join_path(system.identity().working_directory, directory));
  return existing.take();
}

} // namespace gpuwhy
