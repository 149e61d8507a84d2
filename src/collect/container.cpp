// Is this a container or WSL, and did a driver come in with it? Truth: loader.md 3.6 and 3.7.
//
// NVIDIA_VISIBLE_DEVICES proves nothing: images of CUDA set it whether a GPU is given or not. Files
// of the driver that are mounted one by one do.
#include "collect/machine.h"

#include "base/version.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

using Text = Fact<std::string>;

constexpr std::size_t kMostMounts = 64;

bool exists(System& system, const std::string& path) {
  return system.status(path).has_value();
}

/// What `container=` and /run/systemd/container say, in our words; empty for what is no container.
std::string named_container(std::string_view name) {
  std::string word = lower(trim(name));
  if (word == "lxc" || word == "lxc-libvirt") return "lxc";
  if (word == "docker" || word == "podman" || word == "systemd-nspawn") return word;
  if (word == "kube" || word == "kubernetes") return "kubernetes";
  if (word == "oci") return "docker";
  return {};
}

std::optional<Text> from_variables(System& system) {
  for (const char* name :
       {"APPTAINER_CONTAINER", "SINGULARITY_CONTAINER", "APPTAINER_NAME", "SINGULARITY_NAME"}) {
    if (variable(system, name)) return Text::known("apptainer", {"$" + std::string(name), 0});
  }
  if (variable(system, "KUBERNETES_SERVICE_HOST")) {
    return Text::known("kubernetes", {"$KUBERNETES_SERVICE_HOST", 0});
  }
  return std::nullopt;
}

std::optional<Text> from_files(System& system) {
  struct Mark {
    const char* path;
    const char* container;
  };
  constexpr std::array kMarks{
      Mark{"/.singularity.d", "apptainer"},
      Mark{"/var/run/secrets/kubernetes.io", "kubernetes"},
      Mark{"/run/.containerenv", "podman"},
      Mark{"/.dockerenv", "docker"},
  };
  for (const auto& mark : kMarks) {
    if (exists(system, mark.path)) return Text::known(mark.container, {mark.path, 0});
  }
  const std::string systemd = "/run/systemd/container";
  if (const auto line = line_of(system, systemd)) {
    if (const auto name = named_container(*line); !name.empty()) {
      return Text::known(name, {systemd, 1});
    }
  }
  const std::string init = "/proc/1/environ";
  if (const auto environment = system.read_at(init, 0, 64U << 10U)) {
    for (const auto entry : split(*environment, '\0')) {
      if (!entry.starts_with("container=")) continue;
      const auto name = named_container(entry.substr(10));
      if (!name.empty()) return Text::known(name, {init, 0});
    }
  }
  if (const auto value = variable(system, "container")) {
    const auto name = named_container(*value);
    if (!name.empty()) return Text::known(name, {"$container", 0});
  }
  return std::nullopt;
}

/// Names that runtimes put into the path of a control group or into the source of a mount.
std::optional<Text> from_text(const std::string& path, std::string_view text) {
  struct Mark {
    std::string_view part;
    const char* container;
  };
  constexpr std::array kMarks{
      Mark{"/kubepods", "kubernetes"},
      Mark{"/kubelet/pods/", "kubernetes"},
      Mark{"/libpod-", "podman"},
      Mark{"/containers/storage/", "podman"},
      Mark{"/docker/", "docker"},
      Mark{"/docker-", "docker"},
      Mark{"/lxc/", "lxc"},
      Mark{"/lxc.payload", "lxc"},
      Mark{"/machine.slice/machine-", "systemd-nspawn"},
  };
  for (const auto& mark : kMarks) {
    if (contains(text, mark.part)) return Text::known(mark.container, {path, 0});
  }
  return std::nullopt;
}

/// The mount of / alone: a host that runs containers has mounts of theirs too.
std::string root_mount(std::string_view mounts) {
  for (const auto line : split_lines(mounts)) {
    const auto fields = split(line, ' ');
    if (fields.size() > 4 && fields[4] == "/") return std::string(line);
  }
  return {};
}

Text read_container(System& system, const Answer<std::string>& mounts) {
  if (auto found = from_variables(system)) return *found;
  if (auto found = from_files(system)) return *found;
  const std::string group = "/proc/1/cgroup";
  const auto groups = system.read(group, 256U << 10U);
  if (groups) {
    if (auto found = from_text(group, *groups)) return *found;
  }
  if (mounts) {
    if (auto found = from_text("/proc/self/mountinfo", root_mount(*mounts))) return *found;
  }
  if (groups || mounts) {
    return Text::absent({groups ? group : "/proc/self/mountinfo", 0}, "no mark of a container");
  }
  return unsettled<std::string>(groups.error(), group);
}

/// proc_pid_mountinfo(5) writes blanks and backslashes as "\040".
std::string unescaped(std::string_view text) {
  const auto octal = [](char letter) { return letter >= '0' && letter <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      plain += static_cast<char>(code & 0xff);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool is_driver_file(std::string_view path) {
  if (path == "/usr/local/nvidia" || path.starts_with("/usr/local/nvidia/")) return true;
  if (path == "/usr/lib/wsl" || path.starts_with("/usr/lib/wsl/")) return true;
  if (path.starts_with("/dev/") || path.starts_with("/proc/") || path.starts_with("/sys/")) {
    return false;
  }
  const auto name = base_name(path);
  return name.starts_with("libcuda.so") || name.starts_with("libcudadebugger.so") ||
         name.starts_with("libnvidia-") || name.starts_with("libdxcore.so") ||
         name.starts_with("nvidia-smi");
}

Fact<std::vector<std::string>> read_driver_mounts(const Answer<std::string>& mounts) {
  using Mounts = Fact<std::vector<std::string>>;
  const std::string path = "/proc/self/mountinfo";
  if (!mounts) return unsettled<std::vector<std::string>>(mounts.error(), path);
  std::vector<std::string> found;
  for (const auto line : split_lines(*mounts)) {
    const auto fields = split(line, ' ');
    if (fields.size() < 5) continue;
    auto target = unescaped(fields[4]);
    if (is_driver_file(target) && found.size() < kMostMounts) {
      found.push_back(printable(target));
    }
  }
  return Mounts::known(std::move(found), {path, 0});
}

/// "4.4.0-19041-Microsoft" is WSL 1, "5.15.90.1-microsoft-standard-WSL2" WSL 2.
Text read_wsl(System& system) {
  const auto& release = system.identity().kernel_release;
  const std::string name = lower(release);
  const Source uname{"uname -r", 0};
  if (name.empty()) return {};
  if (contains(name, "microsoft")) {
    const auto version = Version::parse(name);
    const bool second = contains(name, "wsl2") || (version && *version >= Version{{4, 19}});
    return Text::known(second ? "2" : "1", uname);
  }
  // A kernel of the user's own making need not say so.
  const std::string interop = "/proc/sys/fs/binfmt_misc/WSLInterop";
  if (exists(system, "/dev/dxg") &&
      (exists(system, "/usr/lib/wsl/lib") || exists(system, interop))) {
    return Text::known("2", {"/dev/dxg", 0});
  }
  return Text::absent(uname, "the kernel is not Microsoft's");
}

Text read_wsl_driver(System& system) {
  const std::string path = "/usr/lib/wsl/lib/libcuda.so.1";
  const auto status = system.status(path);
  if (!status) return without_value<std::string>(status.error(), path);
  return Text::known(path, {path, 0});
}

void collect(System& system, const Scope&, Facts& facts) {
  const auto mounts = system.read("/proc/self/mountinfo", 8U << 20U);
  facts.access.container = read_container(system, mounts);
  facts.access.driver_mounts = read_driver_mounts(mounts);
  facts.access.wsl = read_wsl(system);
  facts.access.dxg = is_there(system, "/dev/dxg");
  facts.access.wsl_driver = read_wsl_driver(system);
}

} // namespace

const Collector kContainer{
    "container",
    "/.dockerenv, /run/.containerenv, /.singularity.d, /run/systemd/container, "
    "/proc/1/{environ,cgroup}, /proc/self/mountinfo, /dev/dxg, /usr/lib/wsl/lib, "
    "uname -r, $KUBERNETES_SERVICE_HOST, $APPTAINER_CONTAINER and kin",
    collect};

} // namespace gpuwhy
