// Who has been given which GPU: lock files of this user, so that two picks at once do not choose
// the same one. See flock(2): a lock belongs to the open file, passes through exec, and ends with
// the last process that holds it, however that ends.
#pragma once

#include "base/result.h"
#include "system/descriptor.h"
#include "system/system.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace gpuwhy {

class Claims {
public:
  /// Opens (and makes) the user's directory: $XDG_RUNTIME_DIR/gpuwhy, else /tmp/gpuwhy-<uid>. A
  /// directory that others could write to is refused.
  static Result<Claims> open(const Environment& environment);

  /// Waits its turn to choose; until unlock() no other pick chooses.
  Result<void> lock(std::chrono::milliseconds patience);
  void unlock() { turn_.reset(); }

  /// Of these UUIDs those that somebody has, and the words for it.
  std::map<std::string, std::string> taken(const std::vector<std::string>& uuids) const;

  /// Held by this process and the program that it becomes, until that ends.
  Result<void> hold(const std::string& uuid);
  /// Held for a while, after this process has ended too.
  Result<void> reserve(const std::string& uuid, std::chrono::seconds time);

  const std::string& directory() const { return directory_; }

private:
  explicit Claims(std::string directory) : directory_(std::move(directory)) {}
  Descriptor open_file(const std::string& name) const;

  std::string directory_;
  Descriptor turn_;
  std::vector<Descriptor> held_;
};

} // namespace gpuwhy
