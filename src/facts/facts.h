// Everything observed about one machine. Plain values; judging reads nothing else. Serialised, this
// is the snapshot (facts/json.h).
#pragma once

#include "facts/access.h"
#include "facts/driver.h"
#include "facts/environment.h"
#include "facts/hardware.h"
#include "facts/libraries.h"
#include "facts/observed.h"
#include "facts/place.h"
#include "facts/python.h"

namespace gpuwhy {

struct Platform {
  std::string system = "linux"; // "linux", "windows", "macos"
  std::string machine;          // "x86_64", "aarch64"
  std::string kernel_release;
  Fact<std::string> distribution_id;      // "ubuntu" (os-release ID)
  Fact<std::string> distribution_version; // "24.04"
  Fact<std::string> distribution_name;    // "Ubuntu 24.04.3 LTS"
  std::string package_manager; // "apt", "dnf", "pacman", "zypper", "apk"; empty: not known
  std::string working_directory;

  template <class V> static void fields(V&& v) {
    v("system", &Platform::system, "linux, windows or macos");
    v("machine", &Platform::machine, "Processor architecture");
    v("kernel_release", &Platform::kernel_release, "Kernel release");
    v("distribution_id", &Platform::distribution_id, "os-release ID");
    v("distribution_version", &Platform::distribution_version, "os-release VERSION_ID");
    v("distribution_name", &Platform::distribution_name, "os-release PRETTY_NAME");
    v("package_manager", &Platform::package_manager, "System package manager");
    v("working_directory", &Platform::working_directory, "Working directory");
  }
};

struct Facts {
  Platform platform;
  Hardware hardware;
  Driver driver;
  Access access;
  Observed observed;
  std::vector<PythonEnvironment> pythons; // the selected one first
  Libraries libraries;
  EnvironmentFacts environment;
  Place place; // where the program runs
  std::vector<std::string> problems; // what collectors could not do, one line each

  template <class V> static void fields(V&& v) {
    v("platform", &Facts::platform, "Operating system");
    v("hardware", &Facts::hardware, "GPUs on the bus");
    v("driver", &Facts::driver, "Kernel driver and its libraries");
    v("access", &Facts::access, "Device nodes, container, scheduler");
    v("observed", &Facts::observed, "What the driver answered to the probes");
    v("pythons", &Facts::pythons, "Python environments");
    v("libraries", &Facts::libraries, "What the dynamic loader could meet");
    v("environment", &Facts::environment, "Environment variables");
    v("place", &Facts::place, "Where the program runs, if not in the shell");
    v("problems", &Facts::problems, "What could not be looked at");
  }
};

} // namespace gpuwhy
