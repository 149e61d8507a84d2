// Interpreters, what is installed in their environments, and the framework builds found there.
#pragma once

#include "facts/fact.h"
#include "facts/hardware.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// An installed distribution, from *.dist-info, *.egg-info or conda-meta.
struct Distribution {
  std::string name;                   // normalised: "tensorflow-cpu", "nvidia-cudnn-cu12"
  std::string version;                // "2.18.0"
  std::string location;               // the metadata's path
  std::string directory;              // the site-packages (or conda prefix) that it lives in
  std::string installer;              // "pip", "conda", "uv", ...; may be empty
  std::string build;                  // conda build string: "gpu_py39hb3ca938_0", "mkl_py310h..."
  std::vector<std::string> cuda_pins; // requirements that bear on the GPU:
                                      // "nvidia-cudnn-cu12==9.3.0.75", "jaxlib<=0.10.2"
  std::string requires_python;        // ">=3.9"

  template <class V> static void fields(V&& v) {
    v("name", &Distribution::name, "Normalised name");
    v("version", &Distribution::version, "Version");
    v("location", &Distribution::location, "Path of its metadata");
    v("directory", &Distribution::directory, "Directory it is installed in");
    v("installer", &Distribution::installer, "Installer");
    v("build", &Distribution::build, "conda build string");
    v("cuda_pins", &Distribution::cuda_pins, "Requirements that bear on the GPU");
    v("requires_python", &Distribution::requires_python, "Python versions it accepts");
  }
};

/// The build of a framework, read from its own artefacts.
struct FrameworkBuild {
  Fact<bool> cuda; // built with CUDA
  Fact<bool> rocm;
  Fact<std::string> cuda_version;  // "12.5.1"
  Fact<std::string> cudnn_version; // "9" or "9.3.0"
  std::vector<std::string>
      compute_capabilities; // "sm_60", ..., "compute_90", as the build states them
  Fact<std::vector<std::string>>
      sass; // "8.9": machine code found in its binaries; unknown: not read
  Fact<std::vector<std::string>> ptx;
  /// The object that calls dlopen for the CUDA libraries, its own search paths, and what loads it.
  std::string opener; // path of libtensorflow_framework.so.2, libtorch_cuda.so,
                      // jax_cuda12_plugin/_versions.so
  std::vector<std::string>
      loader_chain; // objects that led to it, nearest first, last the interpreter
  std::vector<std::string>
      carriers; // other objects of the build that need CUDA libraries, in the order of loading

  template <class V> static void fields(V&& v) {
    v("cuda", &FrameworkBuild::cuda, "Built with CUDA");
    v("rocm", &FrameworkBuild::rocm, "Built with ROCm");
    v("cuda_version", &FrameworkBuild::cuda_version, "CUDA version of the build");
    v("cudnn_version", &FrameworkBuild::cudnn_version, "cuDNN version of the build");
    v("compute_capabilities", &FrameworkBuild::compute_capabilities,
      "Architectures the build states");
    v("sass", &FrameworkBuild::sass, "Architectures with machine code in its binaries");
    v("ptx", &FrameworkBuild::ptx, "Architectures with PTX in its binaries");
    v("opener", &FrameworkBuild::opener, "Object that opens the CUDA libraries");
    v("loader_chain", &FrameworkBuild::loader_chain, "Objects that led to it");
    v("carriers", &FrameworkBuild::carriers, "Other objects of the build that need CUDA libraries");
  }
};

struct Framework {
  std::string name;      // "tensorflow", "jax", "torch", "keras"
  std::string directory; // .../site-packages/tensorflow
  Fact<std::string> version;
  std::vector<std::string>
      distributions; // that claim this import name: "tensorflow", "tensorflow-cpu"
  Fact<FrameworkBuild>
      build; // absent: no native library there (a leftover); unknown: could not be read
  std::vector<std::string> broken; // files its metadata lists as essential that are missing or bad
  Fact<std::string>
      configured_backend; // of Keras 3: what keras.json names; absent: no such file or entry

  template <class V> static void fields(V&& v) {
    v("name", &Framework::name, "Import name");
    v("directory", &Framework::directory, "Package directory");
    v("version", &Framework::version, "Version");
    v("distributions", &Framework::distributions, "Distributions that provide it");
    v("build", &Framework::build, "What it was built with");
    v("broken", &Framework::broken, "Essential files that are missing or bad");
    v("configured_backend", &Framework::configured_backend, "Backend that keras.json names");
  }
};

struct PythonEnvironment {
  std::string interpreter;   // path as one would type it
  std::string executable;    // the real file that runs
  std::string kind;          // "system", "venv", "virtualenv", "conda", "pyenv", "uv", "other"
  std::string prefix;        // sys.prefix
  Fact<std::string> version; // "3.11.7"
  std::string chosen_by; // why it was looked at: "--python", "$VIRTUAL_ENV", "$PATH", "shebang of
                         // train.py", "found in ."
  bool selected = false; // the one that a plain `python` or the given program would use
  std::vector<std::string>
      site_directories; // in sys.path order (site-packages, user site, PYTHONPATH, .pth)
  std::vector<Distribution> distributions; // of interest only
  std::vector<Framework> frameworks;
  std::string problem; // why it could not be read fully; empty: it could

  template <class V> static void fields(V&& v) {
    v("interpreter", &PythonEnvironment::interpreter, "Interpreter");
    v("executable", &PythonEnvironment::executable, "File behind the links");
    v("kind", &PythonEnvironment::kind, "Kind of environment");
    v("prefix", &PythonEnvironment::prefix, "sys.prefix");
    v("version", &PythonEnvironment::version, "Python version");
    v("chosen_by", &PythonEnvironment::chosen_by, "Why it was looked at");
    v("selected", &PythonEnvironment::selected, "The one that would run the program");
    v("site_directories", &PythonEnvironment::site_directories, "Directories that imports search");
    v("distributions", &PythonEnvironment::distributions, "Installed distributions of interest");
    v("frameworks", &PythonEnvironment::frameworks, "Framework installations");
    v("problem", &PythonEnvironment::problem, "What could not be read");
  }
};

} // namespace gpuwhy
