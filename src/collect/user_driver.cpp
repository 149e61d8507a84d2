// Every libcuda.so.1 and libnvidia-ml.so.1 on disk, whether the loader would find it or not: a
// second copy is the usual reason for a surprise. Truth: loader.md 1.10 for stubs and compatibility
// packages.
#include "collect/machine.h"

#include "base/version.h"

#include <algorithm>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::uint64_t kLargestStub = 1U
                                       << 20U; // 70 KB in CUDA 13.0, while a driver has tens of MB
constexpr std::size_t kMostDirectories = 256;

/// Directories in the order of the most likely use, without repetition.
class Directories {
public:
  void add(const std::string& path) {
    if (!path.starts_with('/') || list_.size() >= kMostDirectories) return;
    const auto plain = normalize_path(path);
    if (seen_.insert(plain).second) list_.push_back(plain);
  }
  const std::vector<std::string>& list() const { return list_; }

private:
  std::vector<std::string> list_;
  std::set<std::string> seen_;
};

void add_from_environment(System& system, Directories& directories) {
  if (const auto path = variable(system, "LD_LIBRARY_PATH")) {
    // An empty element means the working directory, as ld.so(8) has it.
    const auto& here = system.identity().working_directory;
    constexpr std::size_t kMostElements = 64;
    for (const auto by_colon : split(*path, ':')) {
      for (const auto element : split(by_colon, ';')) {
        if (directories.list().size() < kMostElements) directories.add(join_path(here, element));
      }
    }
  }
  if (const auto prefix = variable(system, "CONDA_PREFIX")) directories.add(*prefix + "/lib");
}

/// The directories that ld.so.conf and the files beside it name; includes elsewhere are left to the
/// loader's own inventory.
void add_configured(System& system, Directories& directories) {
  std::vector<std::string> files{"/etc/ld.so.conf"};
  for (const auto& name : names_in(system, "/etc/ld.so.conf.d")) {
    if (name.ends_with(".conf")) files.push_back("/etc/ld.so.conf.d/" + name);
  }
  for (const auto& file : files) {
    const auto text = system.read(file, 64U << 10U);
    if (!text) continue;
    for (const auto line : split_lines(*text)) {
      directories.add(std::string(trim(line.substr(0, line.find('#')))));
    }
  }
}

void add_usual(System& system, Directories& directories) {
  const auto& machine = system.identity().machine;
  const std::string triplet = "/usr/lib/" + machine + "-linux-gnu";
  for (const auto& path : {triplet,
                           std::string("/usr/lib64"),
                           std::string("/usr/lib"),
                           "/lib/" + machine + "-linux-gnu",
                           std::string("/lib64"),
                           std::string("/lib"),
                           std::string("/usr/local/lib"),
                           std::string("/usr/local/lib64"),
                           triplet + "/nvidia/current",
                           triplet + "/nvidia",
                           triplet + "/tegra",
                           std::string("/usr/lib64/nvidia"),
                           std::string("/usr/lib/nvidia"),
                           std::string("/usr/lib/wsl/lib"),
                           std::string("/usr/local/nvidia/lib64"),
                           std::string("/usr/local/nvidia/lib"),
                           std::string("/run/opengl-driver/lib"),
                           std::string("/.singularity.d/libs"),
                           "/run/nvidia/driver" + triplet,
                           std::string("/home/kubernetes/bin/nvidia/lib64")}) {
    directories.add(path);
  }
  for (const auto& name : names_in(system, "/usr/local")) {
    if (!name.starts_with("cuda")) continue;
    const std::string toolkit = "/usr/local/" + name;
    directories.add(toolkit + "/compat");
    directories.add(toolkit + "/lib64");
    directories.add(toolkit + "/lib64/stubs");
    directories.add(toolkit + "/targets/" + (machine == "aarch64" ? "sbsa" : machine) +
                    "-linux/lib/stubs");
  }
  for (const auto& name : names_in(system, "/usr/lib")) {
    if (name.starts_with("nvidia-")) directories.add("/usr/lib/" + name);
  }
}

/// "libcuda.so.580.159.04" -> "580.159.04"; other numbers (libcuda.so.1.1 on WSL) are no driver
/// version.
Fact<std::string> version_in_name(const std::string& real_path) {
  using Name = Fact<std::string>;
  const auto name = base_name(real_path);
  const auto at = name.find(".so.");
  const auto text = at == std::string_view::npos ? std::string_view() : name.substr(at + 4);
  const bool digits =
      text.size() < 32 && text.find_first_not_of("0123456789.") == std::string_view::npos;
  const auto version = digits ? Version::parse(text) : std::nullopt;
  if (version && version->major() >= 100 && version->parts.size() >= 2) {
    return Name::known(std::string(text), {real_path, 0});
  }
  return Name::absent({real_path, 0}, "the file's name carries no driver version");
}

/// What was in the way: `unread` may hide a library, `broken` is known to be none.
struct Obstacles {
  std::vector<std::string> unread;
  std::vector<std::string> broken;
};

/// The library under `path`; nothing if there is none.
std::optional<DriverLibrary> examine(System& system, const std::string& path,
                                     Obstacles& obstacles) {
  const auto status = system.status(path);
  if (!status) {
    if (status.error().kind == Unavailable::Kind::not_looked) return std::nullopt;
    if (status.error().kind != Unavailable::Kind::absent) {
      obstacles.unread.push_back(printable(status.error().reason));
    } else if (const auto target = system.read_link(path)) {
      obstacles.broken.push_back(printable(path) + ": points to " + printable(*target) +
                                 ", which is missing");
    }
    return std::nullopt;
  }
  if (status->type != FileStatus::Type::regular) {
    obstacles.broken.push_back(printable(path) + ": is not a file");
    return std::nullopt;
  }
  DriverLibrary library;
  library.path = path;
  library.real_path = system.real_path(path).value_or(path);
  library.size = status->size;
  library.version = version_in_name(library.real_path);
  const std::string both = path + " " + library.real_path;
  library.compat = contains(both, "/compat/") || contains(both, "/cuda-compat");
  library.stub =
      contains(both, "/stubs/") ||
      (!library.version.known() && library.size < kLargestStub && !contains(both, "/wsl/"));
  return library;
}

void collect(System& system, const Scope&, Facts& facts) {
  using Libraries = Fact<std::vector<DriverLibrary>>;
  const auto top = system.list("/");
  if (!top && top.error().kind == Unavailable::Kind::not_looked) return;
  Directories directories;
  add_from_environment(system, directories);
  add_configured(system, directories);
  add_usual(system, directories);
  std::set<std::string> visited; // /lib is most often /usr/lib
  std::vector<DriverLibrary> cuda, nvml;
  Obstacles obstacles;
  for (const auto& directory : directories.list()) {
    const auto real = system.real_path(directory);
    if (!real) {
      if (real.error().kind == Unavailable::Kind::unreadable) {
        obstacles.unread.push_back(printable(real.error().reason));
      }
      continue;
    }
    if (!visited.insert(*real).second) continue;
    if (auto found = examine(system, join_path(directory, "libcuda.so.1"), obstacles)) {
      cuda.push_back(std::move(*found));
    }
    if (auto found = examine(system, join_path(directory, "libnvidia-ml.so.1"), obstacles)) {
      nvml.push_back(std::move(*found));
    }
  }
  const Source source{"library directories", 0};
  const auto fact = [&](std::vector<DriverLibrary> libraries) {
    if (libraries.empty() && !obstacles.unread.empty()) {
      return Libraries::unknown(obstacles.unread.front(), source);
    }
    return Libraries::known(std::move(libraries), source);
  };
  facts.driver.libcuda = fact(std::move(cuda));
  facts.driver.libnvidia_ml = fact(std::move(nvml));
  for (const auto& lines : {obstacles.unread, obstacles.broken}) {
    facts.problems.insert(facts.problems.end(), lines.begin(), lines.end());
  }
}

} // namespace

const Collector kUserDriver{
    "user_driver",
    "libcuda.so.1 and libnvidia-ml.so.1 in LD_LIBRARY_PATH, the directories of ld.so.conf, the "
    "loader's "
    "defaults, /usr/local/{nvidia,cuda*}, /usr/lib/wsl/lib and $CONDA_PREFIX/lib",
    collect};

} // namespace gpuwhy
