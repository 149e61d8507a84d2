// A log held against the machine that it is said to be of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpuwhy {

struct LogCause {
  enum class Here {
    found,     // this machine and program show the same cause
    ruled_out, // they show that it is not there
    open,      // they cannot show it either way
  };
  std::string id;
  std::string slug;
  std::string summary;
  std::uint64_t line = 0;
  Here here = Here::open;
  std::string reason; // ruled out: by what
};

struct LogReport {
  enum class Says { gpu, no_gpu, cannot_tell };
  std::string path;
  Says says = Says::cannot_tell;
  std::vector<LogCause> causes; // root first
  /// What the log says of its environment that is not so here; empty: they may be the same.
  std::vector<std::string> contradictions;
};

} // namespace gpuwhy
