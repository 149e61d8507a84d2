// What the program in question brings into its process, in the order in which it runs: two
// frameworks in one process share their CUDA libraries, and whoever loads first decides.
#pragma once

#include <string>
#include <vector>

namespace gpuwhy {

/// An import of a framework, or of a package that imports one.
struct FrameworkImport {
  std::string name;   // "torch", "tensorflow", "jax", "keras"
  std::string module; // as the program writes it: "torchvision.transforms"
  int line = 0;       // in the program's file, or in the notebook's joined cells

  template <class V> static void fields(V&& v) {
    v("name", &FrameworkImport::name, "Framework");
    v("module", &FrameworkImport::module, "Module that the program imports");
    v("line", &FrameworkImport::line, "Line");
  }
};

struct ProgramFacts {
  std::string path;
  std::vector<FrameworkImport> imports; // in the order of running; each framework once

  template <class V> static void fields(V&& v) {
    v("path", &ProgramFacts::path, "The program");
    v("imports", &ProgramFacts::imports, "Frameworks that it imports, in order");
  }
};

} // namespace gpuwhy
