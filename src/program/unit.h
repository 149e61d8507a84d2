// One file that lint judges: its source and the facts of it.
#pragma once

#include "program/documents.h"
#include "program/module.h"
#include "program/source.h"

#include <memory>
#include <optional>
#include <string>

namespace gpuwhy::program {

/// What is known of the machine that the program will run on.
struct Machine {
  std::optional<int> gpus;
};

struct Unit {
  std::string path;
  Source source;
  std::unique_ptr<Module> module;     // Python and notebooks
  std::unique_ptr<Document> document; // project files
  Machine machine;
  bool of_program = false; // a file of a program whose other files use a framework
};

} // namespace gpuwhy::program
