// A machine that is only a few lines of a test. It resolves links and permissions as a kernel
// would, and it keeps count of what was looked at, so that a test can say "this was not read".
#pragma once

#include "system/system.h"

#include <optional>
#include <set>

namespace gpuwhy {

class MemorySystem : public System {
public:
  MemorySystem();

  // All make the directories above; an entry of that name is replaced. Paths are absolute.
  void add_file(const std::string& path, std::string bytes = {});
  void add_directory(const std::string& path);
  void add_link(const std::string& path, std::string target);
  void add_fifo(const std::string& path);
  /// `open_error`: the errno of opening it, 0 where opening works.
  void add_device(const std::string& path, std::uint32_t mode, std::uint32_t major,
                  std::uint32_t minor, int open_error = 0);
  /// No permission: a file cannot be read, a directory neither listed nor passed through.
  void unreadable(const std::string& path);
  void remove(const std::string& path);
  /// For owner, mode, time and identity, which the functions above fill with something plain.
  FileStatus& details(const std::string& path);

  void set_environment(Environment environment) { environment_ = std::move(environment); }
  void set_variable(const std::string& name, std::string value) {
    environment_[name] = std::move(value);
  }
  void set_identity(Identity identity) { identity_ = std::move(identity); }
  void set_hardware_capabilities(std::vector<std::string> names) {
    capabilities_ = std::move(names);
  }
  void set_kernel_log(Answer<std::string> log) { kernel_log_ = std::move(log); }
  /// Without one, a probe is `failed`, as it is where the build carries none.
  void set_probe(const std::string& name, Answer<ProcessResult> result);

  /// How often a question named exactly this path (or probe).
  int touched(const std::string& path) const;
  const std::map<std::string, int>& all_touched() const { return touched_; }
  /// Environment that the probe was last run with.
  const Environment& probe_environment(const std::string& name) {
    return probe_environments_[name];
  }

  Answer<FileStatus> status(const std::string& path) override;
  Answer<FileStatus> status_of_link(const std::string& path) override;
  Answer<std::string> real_path(const std::string& path) override;
  Answer<std::string> read_link(const std::string& path) override;
  Answer<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Answer<std::string> read(const std::string& path, std::size_t limit = 1U << 20U) override;
  Answer<std::string> read_at(const std::string& path, std::uint64_t offset,
                              std::size_t size) override;
  Answer<bool> open_device(const std::string& path) override;
  const Environment& environment() override { return environment_; }
  const Identity& identity() override { return identity_; }
  std::vector<std::string> hardware_capabilities() override { return capabilities_; }
  Answer<std::string> kernel_log() override { return kernel_log_; }
  Answer<ProcessResult> run_probe(const std::string& name, const Environment& environment,
                                  std::chrono::milliseconds deadline) override;

private:
  struct Node {
    FileStatus status;
    std::string content; // bytes of a file, target of a link
    int open_error = 0;
    bool forbidden = false;
  };

  Node& add(const std::string& path, FileStatus::Type type, std::uint32_t mode);
  /// The path without links; its last part need not exist.
  Answer<std::string> resolve(const std::string& path, bool follow_last) const;
  Answer<const Node*> find(const std::string& path, bool follow_last = true) const;
  Answer<const Node*> find_file(const std::string& path) const;

  std::map<std::string, Node> nodes_; // by path; "" is the top directory
  std::map<std::string, int> touched_;
  std::map<std::string, Answer<ProcessResult>> probes_;
  std::map<std::string, Environment> probe_environments_;
  Environment environment_;
  Identity identity_;
  std::vector<std::string> capabilities_ = {"x86-64-v3", "x86-64-v2"};
  Answer<std::string> kernel_log_;
};

} // namespace gpuwhy
