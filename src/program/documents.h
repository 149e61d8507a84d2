// Project files, reduced to what decides about a GPU: variables that are set, packages that are
// asked for, images that are started from, and whether a GPU is requested. Readers know the
// formats, rules do not.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::program {

/// Something written at a line of the file.
struct Entry {
  std::string name;
  std::string value;
  std::uint32_t line = 1;
};

/// "torch==2.4.1+cpu": a package that an installation is asked for.
struct Requirement {
  std::string name;    // normalised: lower case, "-"
  std::string extras;  // "and-cuda,foo"
  std::string version; // "==2.15.0", as written; empty: any
  std::string marker;  // after ";"
  std::string build;   // of conda: "mkl*"
  std::string group;   // installed together: requirements of one file, one RUN line
  std::uint32_t line = 1;
};

/// Something that starts a program on a machine: a container, a pod, a job.
struct Workload {
  enum class Kind { container_service, pod, batch_job, dev_container, ci_job };
  Kind kind = Kind::container_service;
  std::string name;
  std::string image;
  std::string command;
  bool asks_gpu = false;
  std::optional<Entry> capabilities; // NVIDIA_DRIVER_CAPABILITIES, or compose's capabilities
  std::uint32_t line = 1;
};

struct Document {
  enum class Kind {
    dockerfile,
    compose,
    kubernetes,
    sbatch,
    requirements,
    conda,
    pyproject,
    lock,
    devcontainer,
    workflow,
    shell_lines
  };
  Kind kind = Kind::requirements;
  std::vector<Entry> variables; // in order; of ENV, environment:, export
  std::vector<Entry> images;    // FROM, image:
  std::vector<Requirement> requirements;
  std::vector<Entry> indexes; // --index-url, [[tool.uv.index]]
  std::vector<Workload> workloads;
  std::optional<Entry> python; // "3.13", ">=3.9"
  std::vector<Entry> commands; // command lines, in order
};

/// The reader for a file of this name; nothing if it is no project file. Content decides where
/// names do not (a .yaml can be a compose file or a manifest).
std::optional<Document::Kind> document_kind(std::string_view path, std::string_view text);
Result<Document> read_document(Document::Kind kind, std::string_view text);
/// "pip install a b==1" inside a command line.
void requirements_of_command(std::string_view command, std::uint32_t line, Document& document);

} // namespace gpuwhy::program
