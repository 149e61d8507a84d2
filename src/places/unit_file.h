// Unit files of systemd: where they lie, their drop-ins, and their syntax. Truth: systemd.unit(5),
// systemd.syntax(7), environment files in systemd.exec(5).
#pragma once

#include "system/system.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpuwhy::places {

/// "Environment=A=1 B=2" in a section.
struct UnitSetting {
  std::string section; // "Service"
  std::string key;
  std::string value; // as written; lines that a backslash joins are one
  std::string path;
  int line = 0;
};

/// Comments and broken lines are left out, as systemd leaves them out.
std::vector<UnitSetting> parse_unit(std::string_view text, const std::string& path);

struct UnitWords {
  std::vector<std::string> words; // unquoted and unescaped
  bool broken = false; // a quote or an escape is: systemd ignores that word and what follows it
};
UnitWords unit_words(std::string_view value);

struct EnvironmentLine {
  std::string name;
  std::string value;
  int line = 0;
};
/// A file of EnvironmentFile=. Names that no variable can have come too: systemd ignores them.
std::vector<EnvironmentLine> parse_environment_file(std::string_view text);

struct UnitName {
  std::string whole;    // "train@a.service"
  std::string stem;     // "train@a"
  std::string prefix;   // "train"
  std::string instance; // "a"; empty: none
  bool templated = false;

  /// "train", "train.service", "train@a". Nothing for what is no name of a service.
  static std::optional<UnitName> parse(std::string_view text);
};

struct Unit {
  UnitName name;
  std::string path;                  // of the main file; empty: only drop-ins or nothing
  std::string masked;                // the link to /dev/null or empty file that masks it
  std::vector<UnitSetting> settings; // of the file, then of its drop-ins in order
};

/// `folders` in the order of their precedence.
std::optional<Unit> find_unit(System& system, const UnitName& name,
                              const std::vector<std::string>& folders);
std::vector<std::string> system_unit_folders();
std::vector<std::string> user_unit_folders(const std::string& home);
/// Names of services in these folders, sorted; for an error.
std::vector<std::string> unit_names(System& system, const std::vector<std::string>& folders);

} // namespace gpuwhy::places
