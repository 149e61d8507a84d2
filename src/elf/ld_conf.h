// /etc/ld.so.conf: the directories from which ldconfig makes the cache. ldconfig(8).
#pragma once

#include "system/system.h"

namespace gpuwhy {

struct LdConf {
  std::vector<std::string> directories; // in order, each once
  std::vector<std::string> files;       // configuration files that were read
  std::vector<std::string> problems;    // "PATH: Permission denied"
};

/// Reads `path` and what it includes. A missing file names no directory. Each file is read once, so
/// that includes that go in circles end.
LdConf read_ld_conf(System& system, const std::string& path = "/etc/ld.so.conf");

} // namespace gpuwhy
