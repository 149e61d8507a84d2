// Interpreters, environments and packages on a MemorySystem, laid out as their installers do.
#pragma once

#include "base/text.h"
#include "support/memory_system.h"
#include "unit/elf/tiny_elf.h"

#include <string>
#include <utility>
#include <vector>

namespace gpuwhy::test {

inline const std::string kUsrPython = "/usr/bin/python3.11";
inline const std::string kVenv = "/home/ada/tf";
inline const std::string kVenvSite = kVenv + "/lib/python3.11/site-packages";

inline std::string elf(std::vector<std::pair<Elf64_Sxword, std::string>> names = {}) {
  TinyElf file;
  file.names = std::move(names);
  return file.bytes();
}

inline void add_program(MemorySystem& system, const std::string& path,
                        const std::string& bytes = elf({{DT_NEEDED, "libc.so.6"}})) {
  system.add_file(path, bytes);
  system.details(path).mode = 0755;
}

/// A Python with its standard library below `prefix`; "/usr" is the system's.
inline void add_python(MemorySystem& system, const std::string& prefix = "/usr",
                       const std::string& minor = "3.11") {
  add_program(system, prefix + "/bin/python" + minor);
  system.add_link(prefix + "/bin/python3", "python" + minor);
  system.add_file(prefix + "/lib/python" + minor + "/os.py");
  if (prefix == "/usr") {
    system.add_directory("/usr/lib/python3/dist-packages");
  } else {
    system.add_link(prefix + "/bin/python", "python" + minor);
    system.add_directory(prefix + "/lib/python" + minor + "/site-packages");
  }
}

/// As `python3 -m venv` does; `settings` are more lines of pyvenv.cfg.
inline void add_venv(MemorySystem& system, const std::string& prefix = kVenv,
                     const std::string& settings = "version = 3.11.7\n",
                     const std::string& base = kUsrPython) {
  system.add_file(prefix + "/pyvenv.cfg", "home = " + std::string(parent_path(base)) +
                                              "\ninclude-system-site-packages = false\n" +
                                              settings);
  system.add_link(prefix + "/bin/python3", base);
  system.add_link(prefix + "/bin/python", "python3");
  system.add_directory(prefix + "/lib/python3.11/site-packages");
}

inline void add_dist_info(MemorySystem& system, const std::string& site, const std::string& name,
                          const std::string& version, const std::string& more = {},
                          const std::string& installer = "pip") {
  const auto directory = site + "/" + replace_all(name, "-", "_") + "-" + version + ".dist-info";
  system.add_file(directory + "/METADATA", "Metadata-Version: 2.1\nName: " + name +
                                               "\nVersion: " + version + "\n" + more +
                                               "\nA description. Requires-Dist: not-a-field\n");
  system.add_file(directory + "/INSTALLER", installer + "\n");
}

/// A library of a CUDA wheel, its version told by the wheel alone.
inline void add_wheel(MemorySystem& system, const std::string& folder, const std::string& soname,
                      const std::string& version, const std::vector<std::string>& needed = {}) {
  std::vector<std::pair<Elf64_Sxword, std::string>> names = {{DT_SONAME, soname}};
  for (const auto& name : needed) names.emplace_back(DT_NEEDED, name);
  names.emplace_back(
      DT_RUNPATH,
      "$ORIGIN:$ORIGIN/../../cublas/lib:$ORIGIN/../../nvjitlink/lib:$ORIGIN/../../cusparse/lib");
  system.add_file(kVenvSite + "/nvidia/" + folder + "/lib/" + soname, elf(names));
  add_dist_info(system, kVenvSite, "nvidia-" + replace_all(folder, "_", "-") + "-cu12", version);
}

/// tensorflow[and-cuda]==2.18.0 in kVenv.
inline void add_tensorflow(MemorySystem& system, bool with_cuda = true) {
  const auto package = kVenvSite + "/tensorflow";
  add_dist_info(
      system, kVenvSite, "tensorflow", "2.18.0",
      "Requires-Python: >=3.9\nRequires-Dist: nvidia-cudnn-cu12 ==9.3.0.75 ; extra == 'and-cuda'\n"
      "Requires-Dist: numpy <2.1.0,>=1.26.0\n");
  system.add_file(package + "/__init__.py");
  system.add_file(
      package + "/python/platform/build_info.py",
      "import collections\n\nbuild_info = collections.OrderedDict([('cuda_compute_capabilities', "
      "['sm_60', 'sm_70', 'sm_80', 'sm_89', 'compute_90']), ('cuda_version', '12.5.1'), "
      "('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False)])\n");
  system.add_file(package + "/python/_pywrap_tensorflow_internal.so",
                  elf({{DT_NEEDED, "libtensorflow_framework.so.2"}, {DT_NEEDED, "libc.so.6"}}));
  system.add_file(
      package + "/libtensorflow_framework.so.2",
      elf({{DT_SONAME, "libtensorflow_framework.so.2"},
           {DT_RUNPATH, "$ORIGIN/../nvidia/cuda_runtime/lib:$ORIGIN/../nvidia/cublas/lib:"
                        "$ORIGIN/../nvidia/cudnn/lib:$ORIGIN/../nvidia/cufft/lib:"
                        "$ORIGIN/../nvidia/cusolver/lib:$ORIGIN/../nvidia/cusparse/lib"}}));
  TinyElf kernels;
  kernels.names = {{DT_SONAME, "libtensorflow_cc.so.2"}};
  kernels.fatbin =
      fatbin_container(fatbin_entry(2, 80) + fatbin_entry(2, 90) + fatbin_entry(1, 90));
  system.add_file(package + "/libtensorflow_cc.so.2", kernels.bytes());
  if (!with_cuda) return;
  add_wheel(system, "cuda_runtime", "libcudart.so.12", "12.5.82");
  add_wheel(system, "cublas", "libcublas.so.12", "12.5.3.2", {"libcublasLt.so.12"});
  add_wheel(system, "cublas", "libcublasLt.so.12", "12.5.3.2");
  add_wheel(system, "cufft", "libcufft.so.11", "11.2.3.61");
  add_wheel(system, "cusolver", "libcusolver.so.11", "11.6.3.83",
            {"libcublas.so.12", "libcublasLt.so.12", "libcusparse.so.12", "libnvJitLink.so.12"});
  add_wheel(system, "cusparse", "libcusparse.so.12", "12.5.1.3", {"libnvJitLink.so.12"});
  add_wheel(system, "nvjitlink", "libnvJitLink.so.12", "12.5.82");
  for (const std::string part : {"", "_graph", "_ops", "_cnn", "_adv", "_heuristic",
                                 "_engines_precompiled", "_engines_runtime_compiled"}) {
    add_wheel(system, "cudnn", "libcudnn" + part + ".so.9", "9.3.0.75");
  }
}

/// What a loader needs to be asked about: its file and the C library.
inline void add_loader(MemorySystem& system) {
  const std::string text = std::string("\0", 1) + "/lib/x86_64-linux-gnu/" + '\0' +
                           "/usr/lib/x86_64-linux-gnu/" + '\0' + "/lib/" + '\0' + "/usr/lib/" +
                           '\0' + "stable release version 2.36." + '\0';
  system.add_file("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", elf() + text);
  system.add_link("/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  system.add_file("/usr/lib/x86_64-linux-gnu/libc.so.6", elf({{DT_SONAME, "libc.so.6"}}));
}

} // namespace gpuwhy::test
