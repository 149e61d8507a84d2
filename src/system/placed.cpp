#include "system/placed.h"

#include "system/unavailable.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace gpuwhy {
namespace {

constexpr std::string_view kSelf = "/proc/self";

class PlacedSystem final : public System {
public:
  PlacedSystem(System& base, System& files, Placement placement)
      : base_(base), files_(files), placement_(std::move(placement)) {}

  Answer<FileStatus> status(const std::string& path) override {
    return ask(path, [&](System& system, auto& place) { return system.status(place); });
  }
  Answer<FileStatus> status_of_link(const std::string& path) override {
    return ask(path, [&](System& system, auto& place) { return system.status_of_link(place); });
  }
  Answer<std::string> real_path(const std::string& path) override {
    return ask(path, [&](System& system, auto& place) { return system.real_path(place); });
  }
  Answer<std::string> read_link(const std::string& path) override {
    return ask(path, [&](System& system, auto& place) { return system.read_link(place); });
  }
  Answer<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return ask(path, [&](System& system, auto& place) { return system.list(place); });
  }
  Answer<std::string> read(const std::string& path, std::size_t limit) override {
    return ask(path, [&](System& system, auto& place) { return system.read(place, limit); });
  }
  Answer<std::string> read_at(const std::string& path, std::uint64_t offset,
                              std::size_t size) override {
    return ask(path,
               [&](System& system, auto& place) { return system.read_at(place, offset, size); });
  }
  Answer<bool> open_device(const std::string& path) override {
    const auto status = files_.status(path);
    if (!status) return tl::unexpected(status.error());
    if (!may_read_and_write(*status, placement_.identity)) return unavailable(path, EACCES);
    if (!placement_.devices_as_ours || !may_read_and_write(*status, base_.identity()))
      return not_here(path);
    return files_.open_device(path);
  }
  const Environment& environment() override { return placement_.environment; }
  const Identity& identity() override { return placement_.identity; }
  std::vector<std::string> hardware_capabilities() override {
    return files_.hardware_capabilities();
  }
  Answer<std::string> kernel_log() override { return base_.kernel_log(); }
  Answer<ProcessResult> run_probe(const std::string& name, const Environment& environment,
                                  std::chrono::milliseconds deadline) override {
    if (!we_speak_for_it()) return not_here("probe " + name);
    return files_.run_probe(name, environment, deadline);
  }

private:
  static NoAnswer not_here(const std::string& object) {
    return unavailable(Unavailable::Kind::not_looked,
                       object + ": another user or control group decides");
  }

  template <class Question>
  auto ask(const std::string& path, Question question)
      -> decltype(question(std::declval<System&>(), path)) {
    const bool own = path == kSelf || path.starts_with("/proc/self/");
    if (placement_.process == 0 || !own) return question(files_, path);
    const std::string place = "/proc/" + std::to_string(placement_.process) +
                              std::string(std::string_view(path).substr(kSelf.size()));
    return question(base_, place);
  }

  bool we_speak_for_it() {
    if (!speaks_) {
      speaks_ = placement_.devices_as_ours;
      const auto entries = files_.list("/dev");
      for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>())) {
        if (!entry.name.starts_with("nvidia")) continue;
        const auto status = files_.status("/dev/" + entry.name);
        if (!status || status->type != FileStatus::Type::character_device) continue;
        if (may_read_and_write(*status, placement_.identity) !=
            may_read_and_write(*status, base_.identity()))
          speaks_ = false;
      }
    }
    return *speaks_;
  }

  System& base_;
  System& files_;
  const Placement placement_;
  std::optional<bool> speaks_;
};

} // namespace

bool may_read_and_write(const FileStatus& status, const Identity& identity) {
  if (identity.user == 0) return true; // CAP_DAC_OVERRIDE
  const auto& groups = identity.groups;
  const bool member = std::find(groups.begin(), groups.end(), status.group) != groups.end();
  const unsigned shift = status.user == identity.user ? 6U : member ? 3U : 0U;
  return ((status.mode >> shift) & 6U) == 6U;
}

std::unique_ptr<System> make_placed_system(System& base, System& files, Placement placement) {
  return std::make_unique<PlacedSystem>(base, files, std::move(placement));
}

} // namespace gpuwhy
