// What a release of a framework needs, and what of it a machine has. Plain values.
#pragma once

#include <string>
#include <vector>

namespace gpuwhy {

/// One build of a release; empty where it is not known.
struct Needs {
  std::string framework; // "tensorflow"
  std::string version;   // "2.16.1"
  std::string variant;   // "cuda12", "cu126"; of TensorFlow empty
  std::string released;  // "2024-03"
  std::string python;    // "3.9-3.12", "3.11 or later"
  std::string cuda;
  std::string cudnn;
  std::string driver;                    // the oldest
  std::vector<std::string> machine_code; // compute capabilities, as the build states them
  std::vector<std::string> ptx;
  std::string install; // what pip is asked for
  std::string notes;
  std::string source; // a table's, or the path of what is installed
};

/// Can a build work for one Python of this machine?
struct Fit {
  Needs needs;
  std::vector<std::string> against; // why not; empty: it can
  std::vector<std::string> open;    // what is not known
};

struct FitTable {
  std::string framework;
  std::string python;      // "3.11.7"
  std::string interpreter; // where it was seen
  std::vector<Fit> fits;   // newest first
};

struct Compat {
  std::string asked;          // the specification; empty: this machine
  std::vector<Needs> needs;   // of the specification
  std::string note;           // that it is newer than the table, and what was read in its place
  std::vector<FitTable> here; // without a specification: one a Python and framework
  std::string gpu;            // the machine's, as a sentence
  std::string driver;
};

} // namespace gpuwhy
