// WSL has no NVIDIA driver of its own: it uses the one of Windows, through /dev/dxg and
// /usr/lib/wsl/lib. Truth: Microsoft's kernel release, those two places, and which libcuda.so.1 the
// loader finds (loader.md 3.7).
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};
constexpr std::string_view kPlace = "/usr/lib/wsl/";

void forget_answers(Facts& facts) {
  facts.observed = {};
}

Outcome first_version(const Facts& facts) {
  return Outcome::found("this is WSL 1, which has no access to the GPU")
      .because("kernel " + facts.platform.kernel_release, facts.access.wsl.source())
      .mend({"in Windows' PowerShell: convert this distribution to WSL 2",
             {"wsl --list --verbose", "wsl --set-version DISTRIBUTION 2"},
             {}});
}

Outcome no_device(const Facts& facts) {
  return Outcome::found("WSL does not hand the GPU through: /dev/dxg is missing")
      .because("/dev/dxg does not exist", facts.access.dxg.source())
      .mend(
          {"in Windows: update WSL and Windows (10 21H2 or 11), and check that .wslconfig does not "
           "set gpuSupport=false",
           {"wsl --update", "wsl --shutdown"},
           {}});
}

Outcome no_windows_driver(const Facts& facts) {
  return Outcome::found(
             "Windows gives WSL no NVIDIA driver: /usr/lib/wsl/lib/libcuda.so.1 is missing")
      .because("no /usr/lib/wsl/lib/libcuda.so.1", facts.access.wsl_driver.source())
      .mend({"install NVIDIA's driver in Windows (not in WSL), then restart WSL",
             {"wsl --shutdown"},
             {}});
}

bool from_windows(const Facts& facts, const std::string& path) {
  if (path.starts_with(kPlace)) return true;
  const auto file = facts.libraries.files.find(path);
  if (file != facts.libraries.files.end() && file->second.real_path.starts_with(kPlace))
    return true;
  const auto libraries = facts.driver.libcuda.value_or({});
  return std::any_of(libraries.begin(), libraries.end(), [&](const DriverLibrary& library) {
    return library.path == path && library.real_path.starts_with(kPlace);
  });
}

Edit remove_linux_driver(const Facts& facts, const std::string& path) {
  Edit edit;
  edit.words = "remove the Linux driver from WSL: " + path + " hides the one of Windows";
  const auto& manager = facts.platform.package_manager;
  if (manager == "apt") {
    edit.commands = {"sudo apt purge '^libnvidia-.*' '^nvidia-driver-.*' libcuda1",
                     "sudo apt autoremove"};
  } else {
    edit.commands = {"sudo rm " + shell_word(path)};
  }
  edit.commands.emplace_back("sudo ldconfig");
  edit.apply = [path, windows = facts.access.wsl_driver.value()](Facts& after) {
    edit::remove_library(after, path);
    if (auto* cache = after.libraries.cache.get()) {
      std::erase_if(*cache, [&](const CacheEntry& entry) { return entry.path == path; });
    }
    if (auto* libraries = after.driver.libcuda.get()) {
      std::erase_if(*libraries, [&](const DriverLibrary& library) { return library.path == path; });
    }
    forget_answers(after);
  };
  return edit;
}

Edit configure_path(const Facts& facts) {
  const auto driver = facts.access.wsl_driver.value();
  const std::string directory(parent_path(driver));
  Edit edit;
  edit.words = "put " + directory + " back on the loader's path";
  edit.commands = {"echo " + directory + " | sudo tee /etc/ld.so.conf.d/ld.wsl.conf",
                   "sudo ldconfig"};
  edit.apply = [driver, directory](Facts& after) {
    if (!after.libraries.cache.known()) {
      after.libraries.cache = Fact<std::vector<CacheEntry>>::known({}, {"edit", 0});
    }
    after.libraries.cache.value().push_back({"libcuda.so.1", driver, {}});
    if (!after.libraries.files.contains(driver)) {
      LibraryFile file;
      file.path = file.real_path = file.identity = driver;
      file.soname = "libcuda.so.1";
      edit::add_library(after, directory, file);
    }
    forget_answers(after);
  };
  return edit;
}

Outcome check_library(const Case& c) {
  const auto& facts = c.facts;
  const auto& found = c.libcuda;
  if (found.outcome == loader::Outcome::unknown) {
    const auto libraries = facts.driver.libcuda.value_or({});
    const bool one_driver = !libraries.empty() &&
                            std::all_of(libraries.begin(), libraries.end(), [&](const auto& each) {
                              return !is_driver_library(each) || from_windows(facts, each.path);
                            });
    if (one_driver) return Outcome::clear("no driver but that of Windows is there");
    return Outcome::unknown("which libcuda.so.1 will be loaded: Windows' or another");
  }
  if (found.outcome == loader::Outcome::missing) {
    return Outcome::found(
               "the loader does not look in /usr/lib/wsl/lib, where Windows puts the driver")
        .because("libcuda.so.1 is there", facts.access.wsl_driver.source())
        .mend(configure_path(facts));
  }
  if (from_windows(facts, found.path)) return Outcome::clear("the driver of Windows is found");
  return Outcome::found("a Linux driver installed inside WSL hides the one of Windows: " +
                        found.path)
      .because("libcuda.so.1 is found through " + found.because, {found.path, 0})
      .because("the driver of Windows", facts.access.wsl_driver.source())
      .mend(remove_linux_driver(facts, found.path));
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto& wsl = facts.access.wsl;
  if (wsl.open()) return Outcome::unknown(missing_text("whether this is WSL", wsl));
  if (wsl.absent()) return Outcome::not_applicable();
  if (wsl.value() == "1") return first_version(facts);
  if (facts.access.dxg.open()) return Outcome::unknown(missing_text("/dev/dxg", facts.access.dxg));
  if (!facts.access.dxg.value_or(false)) {
    return in_container(facts) ? Outcome::not_applicable() : no_device(facts); // C01
  }
  const auto& driver = facts.access.wsl_driver;
  if (driver.open()) return Outcome::unknown(missing_text("the driver of Windows", driver));
  if (driver.absent() && in_container(facts)) {
    return Outcome::unknown(
        "whether Windows has an NVIDIA driver: its files are not in the container");
  }
  if (driver.absent()) return no_windows_driver(facts);
  return check_library(c);
}

} // namespace

extern constexpr Rule C03{
    .id = "C03",
    .slug = "wsl-driver",
    .title = "WSL does not get the NVIDIA driver of Windows",
    .since = "0.1",
    .gate = Gate::driver,
    .settled_by_driver = true,
    .explanation =
        R"(In the Windows Subsystem for Linux the GPU belongs to Windows. Linux reaches it through `/dev/dxg` and through libraries that
Windows' NVIDIA driver puts into `/usr/lib/wsl/lib`. No Linux driver may be installed inside: its `libcuda.so.1` would be
found first, and it has no hardware to talk to.

What goes wrong: WSL 1, which has no GPU at all; a Windows without NVIDIA's driver, or too old; a Linux driver that came along
with a CUDA package (`cuda`, `cuda-drivers`); `/usr/lib/wsl/lib` dropped from the loader's configuration.)",
    .fix =
        R"(Install the NVIDIA driver in Windows only, run `wsl --update` and `wsl --shutdown` there. Inside WSL remove packages named
`nvidia-driver-*` and `libnvidia-compute-*`; of CUDA take `cuda-toolkit-*`, never `cuda` or `cuda-drivers`. WSL 1:
`wsl --set-version DISTRIBUTION 2`.)",
    .references =
        R"(- [CUDA on WSL user guide](https://docs.nvidia.com/cuda/wsl-user-guide/index.html)
- [Microsoft: GPU acceleration in WSL](https://learn.microsoft.com/windows/wsl/tutorials/gpu-compute))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
