// A place in which a program runs, as its own files tell: what a reader of this room finds out, and
// what it makes of the facts that were collected there.
#pragma once

#include "facts/facts.h"
#include "system/system.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::places {

/// Which devices a control group lets through.
struct DeviceRules {
  enum class Kind {
    as_ours, // what we may open, it may
    hidden,  // a /dev of its own without the GPU's nodes
    listed,  // only what `allowed` names
    unknown, // another control group, whose rules cannot be read
  };
  Kind kind = Kind::as_ours;
  std::string why;                  // "PrivateDevices=yes"
  Source source;                    // where it says so
  std::vector<std::string> allowed; // "/dev/nvidia0", "char-nvidia*"
  std::vector<std::string> opened;  // nodes that the process has open: proof
};

struct FoundPlace {
  Place place; // kind, name, origin, loaded
  Environment environment;
  bool environment_known = true;
  /// Lines that set a variable; those not named came from the shell.
  std::map<std::string, VariableOrigin, std::less<>> origins;
  bool inherits_shell = false; // start-up files of the shell account for the other variables
  Identity identity;
  std::string root;        // of its file system; empty: the same as ours
  bool own_kernel = false; // `root` is an image: nothing is known of the kernel under it
  int process = 0;         // a running one; 0: none
  std::string interpreter; // empty: what a plain `python` starts there
  std::string chosen_by;   // "kernel gpu (/.../kernel.json)"
  /// Why nobody but the user can say which Python runs; empty: it is known, or a plain one.
  std::string python_unknown;
  DeviceRules devices;
  std::vector<std::string> problems; // what could not be settled, one line each
};

/// What the readers need of this machine.
struct Here {
  System& system;
  const Environment& environment; // --env FILE, or this shell's
  /// sys.prefix of the environments that were found, the selected one's first.
  std::vector<std::string> prefixes;
  std::string python; // what a plain `python` starts in this shell; may be empty
};

/// Writes into facts collected there what only the place's own files tell.
void complete_facts(const FoundPlace& found, Facts& facts);
/// Writes how the shell stands, as `shell` tells it, into facts of a place on the same files. What
/// only the shell's variables lead to comes too, so that each can be judged with what the other
/// has.
void compare_with(const Facts& shell, Facts& facts);

} // namespace gpuwhy::places
