// Resolves as path_resolution(7) describes, one part at a time, with `root` as the root directory.
#include "system/rooted.h"

#include "base/text.h"
#include "system/identity.h"
#include "system/unavailable.h"

#include <array>
#include <cerrno>
#include <deque>
#include <optional>

namespace gpuwhy {
namespace {

constexpr int kMostLinks = 40; // as the kernel's MAXSYMLINKS

enum class LastLink { follow, keep };

class RootedSystem final : public System {
public:
  RootedSystem(System& base, std::string root, Environment environment, KernelTrees trees)
      : base_(base), root_(std::move(root)), environment_(std::move(environment)) {
    if (trees == KernelTrees::never) {
      for (auto& tree : kernel_trees_) tree.empty = true;
    }
    while (root_.ends_with('/')) root_.pop_back(); // "/" becomes "", as in "" + "/etc"
    identity_ = make_identity();
  }

  Answer<FileStatus> status(const std::string& path) override {
    return ask(path, LastLink::follow, [&](auto& place) { return base_.status_of_link(place); });
  }
  Answer<FileStatus> status_of_link(const std::string& path) override {
    return ask(path, LastLink::keep, [&](auto& place) { return base_.status_of_link(place); });
  }
  Answer<std::string> real_path(const std::string& path) override {
    auto inside = resolve(path, LastLink::follow);
    if (!inside) return inside;
    if (const auto found = base_.status_of_link(root_ + *inside); !found) {
      return about(path, root_ + *inside, found.error());
    }
    return inside;
  }
  Answer<std::string> read_link(const std::string& path) override {
    return ask(path, LastLink::keep, [&](auto& place) { return base_.read_link(place); });
  }
  Answer<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return ask(path, LastLink::follow, [&](auto& place) { return base_.list(place); });
  }
  Answer<std::string> read(const std::string& path, std::size_t limit) override {
    return ask(path, LastLink::follow, [&](auto& place) { return base_.read(place, limit); });
  }
  Answer<std::string> read_at(const std::string& path, std::uint64_t offset,
                              std::size_t size) override {
    return ask(path, LastLink::follow,
               [&](auto& place) { return base_.read_at(place, offset, size); });
  }
  Answer<bool> open_device(const std::string& path) override { return not_here(path); }
  const Environment& environment() override { return environment_; }
  const Identity& identity() override { return identity_; }
  std::vector<std::string> hardware_capabilities() override {
    return base_.hardware_capabilities();
  }
  Answer<std::string> kernel_log() override { return not_here("kernel log"); }
  Answer<ProcessResult> run_probe(const std::string& name, const Environment&,
                                  std::chrono::milliseconds) override {
    return not_here("probe " + name);
  }

private:
  static NoAnswer not_here(const std::string& object) {
    return unavailable(Unavailable::Kind::not_looked, object + ": another root");
  }

  /// `error` as said of `place` in the base, now said of `path` as asked.
  static NoAnswer about(const std::string& path, const std::string& place, Unavailable error) {
    if (error.reason.starts_with(place)) error.reason.replace(0, place.size(), path);
    return NoAnswer(std::move(error));
  }

  template <class Question>
  auto ask(const std::string& path, LastLink last, Question question) -> decltype(question(path)) {
    const auto inside = resolve(path, last);
    if (!inside) return tl::unexpected(inside.error());
    const std::string place = root_ + *inside;
    auto answer = question(place);
    if (!answer) return about(path, place, std::move(answer.error()));
    return answer;
  }

  /// Where `path` leads inside the root, "/" at least; without links, except a last one that is
  /// kept. The last part need not exist.
  Answer<std::string> resolve(const std::string& path, LastLink last) {
    if (path.empty()) return unavailable(path, ENOENT);
    std::string inside; // "" is the top
    std::deque<std::string> parts;
    push_front(parts, path);
    for (int links = 0; !parts.empty();) {
      const std::string part = std::move(parts.front());
      parts.pop_front();
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        inside.erase(inside.empty() ? 0 : inside.rfind('/'));
        continue;
      }
      std::string next = inside;
      next.append("/").append(part);
      if (belongs_to_kernel(next)) return not_here(path);
      if (parts.empty() && last == LastLink::keep) return next;
      const auto found = base_.status_of_link(root_ + next);
      if (!found && parts.empty()) return next;
      if (!found) return about(path, root_ + next, found.error());
      if (found->type == FileStatus::Type::link) {
        if (++links > kMostLinks) return unavailable(path, ELOOP);
        const auto target = base_.read_link(root_ + next);
        if (!target) return about(path, root_ + next, target.error());
        if (target->starts_with('/')) inside.clear();
        push_front(parts, *target);
        continue;
      }
      if (!parts.empty() && found->type != FileStatus::Type::directory) {
        return unavailable(path, ENOTDIR);
      }
      inside = std::move(next);
    }
    return inside.empty() ? "/" : inside;
  }

  static void push_front(std::deque<std::string>& parts, const std::string& path) {
    const auto more = split(path, '/');
    parts.insert(parts.begin(), more.begin(), more.end());
  }

  /// Whether `inside` lies where a kernel would speak, in a root that holds only the empty mount
  /// point.
  bool belongs_to_kernel(std::string_view inside) {
    for (auto& tree : kernel_trees_) {
      if (inside != tree.path && !inside.starts_with(std::string(tree.path) + "/")) continue;
      if (!tree.empty) {
        const auto entries = base_.list(root_ + std::string(tree.path));
        tree.empty = true;
        for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>())) {
          // Image builders leave /dev/console, /dev/pts and /dev/shm behind; a real /dev has a
          // null.
          if (tree.path != "/dev" || entry.name == "null") tree.empty = false;
        }
      }
      return *tree.empty;
    }
    return false;
  }

  Identity make_identity() {
    Identity identity = base_.identity();
    identity.host.clear();
    identity.kernel_release.clear();
    identity.working_directory = "/";
    identity.user_name.clear();
    identity.home.clear();
    if (const auto passwd = read("/etc/passwd", 4U << 20U)) {
      const auto account = find_account(*passwd, identity.user).value_or(Account{});
      identity.user_name = account.name;
      identity.home = account.home;
    }
    const auto home = environment_.find("HOME");
    if (home != environment_.end() && !home->second.empty()) identity.home = home->second;
    return identity;
  }

  struct KernelTree {
    std::string_view path;
    std::optional<bool> empty; // looked at once
  };

  System& base_;
  std::string root_;
  const Environment environment_;
  Identity identity_;
  std::array<KernelTree, 3> kernel_trees_{{{"/proc", {}}, {"/sys", {}}, {"/dev", {}}}};
};

} // namespace

std::unique_ptr<System> make_rooted_system(System& base, std::string root, Environment environment,
                                           KernelTrees trees) {
  return std::make_unique<RootedSystem>(base, std::move(root), std::move(environment), trees);
}

} // namespace gpuwhy
