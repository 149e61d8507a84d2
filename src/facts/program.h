// The program in question, as read from its files: what it computes with, which variables it sets
// for itself, and what in it keeps work off the GPU.
#pragma once

#include "facts/code_finding.h"
#include "facts/environment.h"

#include <cstdint>
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

/// A statement that changes an environment variable of the program's own process.
struct ProgramVariable {
  std::string name;
  std::string value;
  bool known = true;   // false: the value is only known when the program runs
  bool unset = false;  // removes the variable
  bool yields = false; // setdefault: only where the variable is not set
  std::string place;   // "train.py:3", "train.ipynb:cell 1:2"
  std::string path;    // "train.py"; of a notebook with the cell: "train.ipynb:cell 1"
  int line = 0;
  std::string text;               // the line as written
  std::string too_late;           // why it has no effect; empty: it counts
  bool applied = false;           // the environment of these facts holds its value
  std::vector<Variable> replaced; // what it replaced there, if anything

  template <class V> static void fields(V&& v) {
    using F = ProgramVariable;
    v("name", &F::name, "Name");
    v("value", &F::value, "Value");
    v("known", &F::known, "The value is a constant");
    v("unset", &F::unset, "The statement removes the variable");
    v("yields", &F::yields, "Only where the variable is not set");
    v("place", &F::place, "File and line");
    v("path", &F::path, "File, of a notebook with the cell");
    v("line", &F::line, "Line in it");
    v("text", &F::text, "The line");
    v("too_late", &F::too_late, "Why it has no effect");
    v("applied", &F::applied, "The environment holds its value");
    v("replaced", &F::replaced, "What it replaced in the environment");
  }
};

struct ProgramFacts {
  std::string path;                     // as the user named it; empty: no program was looked at
  std::string entry;                    // the file that is started, where `path` is a folder
  std::vector<std::string> files;       // that were read: the program and what it imports
  std::vector<std::string> frameworks;  // that it computes with, the one that does most first
  std::vector<FrameworkImport> imports; // in the order of running; each framework once
  std::vector<CodeFinding> findings;
  std::vector<ProgramVariable> variables; // in the order in which they run
  std::vector<std::string> notes;         // what a reader should know of how it was read
  std::string problem;                    // why it could not be judged; empty: it was

  bool judged() const { return !path.empty() && problem.empty(); }
  bool uses(std::string_view framework) const {
    for (const auto& each : frameworks) {
      if (each == framework) return true;
    }
    return false;
  }

  template <class V> static void fields(V&& v) {
    using F = ProgramFacts;
    v("path", &F::path, "Program, as it was named");
    v("entry", &F::entry, "File that is started, where a folder was named");
    v("files", &F::files, "Files that were read");
    v("frameworks", &F::frameworks, "Frameworks that it computes with");
    v("imports", &F::imports, "Frameworks that it imports, in order");
    v("findings", &F::findings, "What was found in its code");
    v("variables", &F::variables, "Environment variables that it sets");
    v("notes", &F::notes, "How it was read");
    v("problem", &F::problem, "Why it could not be judged");
  }
};

} // namespace gpuwhy
