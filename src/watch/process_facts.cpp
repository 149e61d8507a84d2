#include "watch/process_facts.h"

#include "base/text.h"
#include "watch/process_tree.h"

#include <algorithm>
#include <array>

namespace gpuwhy::watch {
namespace {

constexpr std::size_t kLargest = 8U << 20U;
constexpr std::size_t kMostWords = 64;

/// No other variable is shown: it may be a secret.
bool bears_on_gpu(std::string_view name) {
  constexpr std::array<std::string_view, 12> kBeginnings{
      "CUDA_",           "NVIDIA_",   "TF_",   "XLA_",        "JAX_",
      "KERAS_BACKEND",   "PYTORCH_",  "NCCL_", "HIP_VISIBLE", "ROCR_VISIBLE",
      "LD_LIBRARY_PATH", "LD_PRELOAD"};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view each) { return name.starts_with(each); });
}

std::string not_seen(const std::string& what, const Unavailable& why) {
  std::string text = what + ": " + why.reason;
  if (why.kind == Unavailable::Kind::unreadable)
    text += " (the same user, root, or CAP_SYS_PTRACE may)";
  return text;
}

void read_variables(System& system, const std::string& base, use::ProcessFacts& facts) {
  const auto text = system.read(base + "/environ", kLargest);
  if (!text) return facts.problems.push_back(not_seen("its environment", text.error()));
  for (const auto entry : split(*text, '\0')) {
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || !bears_on_gpu(entry.substr(0, equals))) continue;
    facts.variables.emplace_back(printable(entry.substr(0, equals)),
                                 printable(entry.substr(equals + 1).substr(0, 512)));
  }
}

void read_libraries(System& system, const std::string& base, use::ProcessFacts& facts) {
  const auto text = system.read(base + "/maps", kLargest);
  if (!text) return facts.problems.push_back(not_seen("its libraries", text.error()));
  const auto names = libraries_in(*text);
  for (const auto line : split_lines(*text)) {
    const auto slash = line.find('/');
    if (slash == std::string_view::npos) continue;
    auto path = line.substr(slash);
    const bool deleted = path.ends_with(" (deleted)");
    if (deleted) path.remove_suffix(10);
    const auto name = printable(base_name(path));
    const bool wanted = std::find(names.begin(), names.end(), name) != names.end();
    const bool listed = std::any_of(facts.libraries.begin(), facts.libraries.end(),
                                    [&](const auto& each) { return each.name == name; });
    if (wanted && !listed) facts.libraries.push_back({name, printable(path), deleted});
  }
  facts.frameworks = frameworks_of(names);
}

void read_devices(System& system, const std::string& base, use::ProcessFacts& facts) {
  const auto entries = system.list(base + "/fd");
  if (!entries) return facts.problems.push_back(not_seen("its open files", entries.error()));
  for (const auto& entry : *entries) {
    const auto target = system.read_link(base + "/fd/" + entry.name);
    if (!target || !target->starts_with("/dev/nvidia")) continue;
    const auto shown = printable(*target);
    if (std::find(facts.devices.begin(), facts.devices.end(), shown) == facts.devices.end())
      facts.devices.push_back(shown);
  }
  std::sort(facts.devices.begin(), facts.devices.end());
}

void read_status(const std::string& text, use::ProcessFacts& facts) {
  for (const auto line : split_lines(text)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto key = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (key == "Name") facts.name = printable(value);
    if (key == "Threads") facts.threads = static_cast<int>(to_number(value).value_or(0));
    if (key != "NSpid") continue;
    const auto tab = value.find_last_of("\t ");
    if (tab != std::string_view::npos)
      facts.inner_pid = static_cast<int>(to_number(value.substr(tab + 1)).value_or(0));
  }
}

} // namespace

Answer<use::ProcessFacts> read_process(System& system, int pid) {
  const auto base = "/proc/" + std::to_string(pid);
  const auto status = system.read(base + "/status", 65'536);
  if (!status) return tl::unexpected(status.error());
  use::ProcessFacts facts;
  facts.pid = pid;
  read_status(*status, facts);
  if (const auto text = system.read(base + "/cmdline", kLargest)) {
    for (const auto word : split(*text, '\0')) {
      if (facts.command.size() < kMostWords && !word.empty())
        facts.command.push_back(printable(word.substr(0, 256)));
    }
  }
  read_variables(system, base, facts);
  read_libraries(system, base, facts);
  read_devices(system, base, facts);
  if (const auto text = system.read(base + "/cgroup", 65'536))
    facts.cgroup = printable(trim(text->substr(text->rfind(':') + 1)));
  const auto theirs = system.read_link(base + "/ns/mnt");
  const auto ours = system.read_link("/proc/self/ns/mnt");
  facts.other_root = theirs && ours && *theirs != *ours;
  return facts;
}

} // namespace gpuwhy::watch
