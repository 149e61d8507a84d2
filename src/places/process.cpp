#include "places/process.h"

#include "base/text.h"
#include "places/accounts.h"
#include "places/executable.h"

#include <algorithm>
#include <set>

namespace gpuwhy::places {
namespace {

constexpr std::size_t kLargestEnvironment = 8U << 20U;
constexpr std::size_t kLargestMaps = 32U << 20U;
constexpr std::size_t kMostFiles = 4'096; // open ones that are looked at
constexpr std::size_t kMostLibraries = 100;

class Reader {
public:
  Reader(const Here& here, int pid)
      : system_(here.system), base_("/proc/" + std::to_string(pid)), pid_(pid) {}

  Result<FoundPlace> read() {
    found_.place.kind = "process";
    found_.place.name = std::to_string(pid_);
    found_.place.origin = base_;
    found_.process = pid_;
    if (auto done = read_status(); !done) return tl::unexpected(done.error());
    if (auto done = read_environment(); !done) return tl::unexpected(done.error());
    read_root();
    read_identity();
    read_interpreter();
    read_libraries();
    read_devices();
    if (!system_.status(base_)) return ended();
    return std::move(found_);
  }

private:
  tl::unexpected<Error> ended() const {
    return fail("process " + std::to_string(pid_) + " ended while it was looked at");
  }

  Result<void> read_status() {
    const auto text = system_.read(base_ + "/status", 64U << 10U);
    if (!text) {
      const bool gone = text.error().kind == Unavailable::Kind::absent || !system_.status(base_);
      return fail(gone ? "no process " + std::to_string(pid_) : printable(text.error().reason));
    }
    for (const auto line : split_lines(*text)) {
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const auto key = line.substr(0, colon);
      const auto value = trim(line.substr(colon + 1));
      if (key == "State" && (value.starts_with('Z') || value.starts_with('X')))
        return fail("process " + std::to_string(pid_) + " has ended (state " + printable(value) +
                    ")");
      if (key == "Name") name_ = printable(value);
      if (key == "Uid") user_ = numbers(value);
      if (key == "Gid") group_ = numbers(value);
      if (key == "Groups") groups_ = numbers(value);
    }
    return {};
  }

  static std::vector<std::uint32_t> numbers(std::string_view text) {
    std::vector<std::uint32_t> found;
    const auto blanks = replace_all(std::string(text), "\t", " ");
    for (const auto word : split(blanks, ' ')) {
      if (const auto number = to_number(word); number && *number <= 0xffffffffLL)
        found.push_back(static_cast<std::uint32_t>(*number));
    }
    return found;
  }

  /// proc(5): environ and the links of exe, cwd and root ask for PTRACE_MODE_READ_FSCREDS.
  tl::unexpected<Error> refused(const Unavailable& why) const {
    if (!system_.status(base_)) return ended();
    const auto pid = std::to_string(pid_);
    if (why.kind != Unavailable::Kind::unreadable) return fail(printable(why.reason));
    const auto owner = user_.size() > 1 ? account_name(system_, user_[1]) : std::string();
    return fail(base_ + "/environ: Permission denied: process " + pid + " (" + name_ +
                ") belongs to " + (owner.empty() ? "another user" : owner) +
                "; run gpuwhy as that user, as root, or with CAP_SYS_PTRACE");
  }

  Result<void> read_environment() {
    const auto program = system_.read_link(base_ + "/exe");
    if (!program && program.error().kind == Unavailable::Kind::absent && system_.status(base_))
      return fail("process " + std::to_string(pid_) + " (" + name_ +
                  ") is a thread of the kernel: it runs no program");
    const auto text = system_.read(base_ + "/environ", kLargestEnvironment);
    if (!text) return refused(text.error());
    if (program) program_ = *program;
    for (const auto entry : split(*text, '\0')) {
      const auto equals = entry.find('=');
      if (equals == 0 || equals == std::string_view::npos) continue;
      const std::string name(entry.substr(0, equals));
      const auto [at, is_new] = found_.environment.emplace(name, entry.substr(equals + 1));
      if (is_new)
        found_.origins[name] = {base_ + "/environ", 0, printable(entry.substr(0, 200)), true, {}};
    }
    return {};
  }

  void read_root() {
    const auto theirs = system_.read_link(base_ + "/ns/mnt");
    const auto ours = system_.read_link("/proc/self/ns/mnt");
    const auto root = system_.read_link(base_ + "/root");
    const bool other_files = theirs && ours && *theirs != *ours;
    const bool other_root = root && *root != "/";
    if (other_files || other_root) found_.root = base_ + "/root";
    if (other_root) root_ = *root;
    program_ = inside(program_);
  }

  /// Links of procfs tell paths from our root; a changed root is a prefix of them.
  std::string inside(const std::string& path) const {
    return !root_.empty() && path.starts_with(root_ + "/") ? path.substr(root_.size()) : path;
  }

  void read_identity() {
    auto& identity = found_.identity;
    identity = system_.identity();
    if (user_.size() > 1) identity.user = user_[1]; // real, effective, saved, file system
    identity.groups = groups_;
    if (group_.size() > 1) identity.groups.push_back(group_[1]);
    const auto account = account_of(system_, found_.root, identity.user);
    identity.user_name = account.name;
    const auto home = found_.environment.find("HOME");
    identity.home = home != found_.environment.end() ? home->second : account.home;
    if (const auto directory = system_.read_link(base_ + "/cwd"))
      identity.working_directory = inside(*directory);
  }

  /// exe is the file behind the links of a virtual environment; the name under which it was started
  /// tells which environment.
  void read_interpreter() {
    found_.chosen_by = "process " + std::to_string(pid_);
    if (!is_python_name(program_)) {
      found_.problems.push_back("process " + std::to_string(pid_) + " runs " +
                                printable(program_.empty() ? name_ : program_) +
                                ", no Python: judged with the Python that it would start");
      return;
    }
    found_.interpreter = program_;
    const auto text = system_.read(base_ + "/cmdline", 1U << 20U);
    if (!text) return;
    const auto word = text->substr(0, text->find('\0'));
    if (word.empty()) return;
    std::string named;
    if (contains(word, "/")) {
      named = normalize_path(join_path(found_.identity.working_directory, word));
    } else if (const auto path = found_.environment.find("PATH");
               path != found_.environment.end()) {
      for (const auto directory : split(path->second, ':')) {
        const auto candidate = normalize_path(
            join_path(join_path(found_.identity.working_directory, directory), word));
        if (!directory.empty() && system_.status(found_.root + candidate)) {
          named = candidate;
          break;
        }
      }
    }
    if (!named.empty() && leads_to_program(named)) found_.interpreter = named;
  }

  bool leads_to_program(const std::string& path) {
    const auto running = system_.status(base_ + "/exe");
    const auto there = system_.status(found_.root + path);
    if (running && there) {
      return running->device == there->device && running->inode == there->inode;
    }
    return !found_.root.empty() && is_python_name(path); // an absolute link of another root
  }

  void read_libraries() {
    using Paths = Fact<std::vector<std::string>>;
    const Source source{base_ + "/maps", 0};
    const auto text = system_.read(source.where, kLargestMaps);
    if (!text) {
      found_.place.loaded = Paths::unknown(text.error().reason, source);
      return;
    }
    std::set<std::string> seen;
    std::vector<std::string> paths;
    for (const auto line : split_lines(*text)) {
      const auto slash = line.find('/');
      if (slash == std::string_view::npos) continue;
      const auto path = line.substr(slash);
      if (!is_of_gpu(base_name(path)) || paths.size() >= kMostLibraries) continue;
      if (seen.emplace(path).second) paths.push_back(printable(path));
    }
    found_.place.loaded = Paths::known(std::move(paths), source);
  }

  static bool is_of_gpu(std::string_view name) {
    for (const std::string_view start :
         {"libcuda.so", "libcudart", "libcublas", "libcudnn", "libcufft", "libcurand",
          "libcusolver", "libcusparse", "libnccl", "libnvrtc", "libnvJitLink", "libnvidia-ml",
          "libnvinfer", "libcupti"}) {
      if (name.starts_with(start)) return true;
    }
    return false;
  }

  void read_devices() {
    auto& devices = found_.devices;
    devices.source = {base_ + "/fd", 0};
    const auto entries = system_.list(devices.source.where);
    std::size_t count = 0;
    std::set<std::string> opened;
    for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>())) {
      if (++count > kMostFiles) break;
      const auto target = system_.read_link(devices.source.where + "/" + entry.name);
      if (target && target->starts_with("/dev/nvidia")) opened.insert(printable(*target));
    }
    devices.opened.assign(opened.begin(), opened.end());
    const auto theirs = system_.read(base_ + "/cgroup", 256U << 10U);
    const auto ours = system_.read("/proc/self/cgroup", 256U << 10U);
    const bool same = theirs && ours && *theirs == *ours;
    if (same && found_.root.empty()) return;
    if (theirs && found_.root.empty() && is_session(*theirs)) return;
    devices.kind = DeviceRules::Kind::unknown;
    devices.why = "whether the control group of process " + std::to_string(pid_) +
                  " lets it through can be seen only from inside";
  }

  /// A login session of systemd: no device rules apply to it.
  static bool is_session(std::string_view groups) {
    const auto lines = split_lines(groups);
    return std::any_of(lines.begin(), lines.end(),
                       [](std::string_view line) { return line.starts_with("0::/user.slice/"); });
  }

  System& system_;
  const std::string base_;
  const int pid_;
  std::string name_;
  std::string program_; // /proc/N/exe
  std::string root_;    // of a chroot, as we see it
  std::vector<std::uint32_t> user_;
  std::vector<std::uint32_t> group_;
  std::vector<std::uint32_t> groups_;
  FoundPlace found_;
};

} // namespace

Result<FoundPlace> find_process(const Here& here, int pid) {
  return Reader(here, pid).read();
}

} // namespace gpuwhy::places
