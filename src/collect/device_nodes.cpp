// May this process open the driver's device nodes? Truth: loader.md 3.4 and 3.5.
//
// nvidiactl and nvidia-uvm are opened, which is the only way to hear a control group's answer. A
// GPU's own node is not: that can wake the GPU, and blocks without a deadline when the GPU is lost.
// For it the permission bits and what is readable of the control group have to do; the probes
// settle the rest.
#include "collect/machine.h"

#include "system/placed.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostNodes = 128;

struct ErrorName {
  int number;
  std::string_view name;
};

std::string error_name(int number) {
  constexpr std::array kNames{
      ErrorName{EACCES, "EACCES"}, ErrorName{EPERM, "EPERM"},   ErrorName{ENXIO, "ENXIO"},
      ErrorName{ENODEV, "ENODEV"}, ErrorName{EIO, "EIO"},       ErrorName{ENOENT, "ENOENT"},
      ErrorName{EBUSY, "EBUSY"},   ErrorName{ENOMEM, "ENOMEM"}, ErrorName{EAGAIN, "EAGAIN"},
      ErrorName{EINVAL, "EINVAL"}, ErrorName{EMFILE, "EMFILE"}, ErrorName{ENFILE, "ENFILE"},
  };
  for (const auto& entry : kNames) {
    if (entry.number == number) return std::string(entry.name);
  }
  return "errno " + std::to_string(number);
}

bool is_gpu(std::string_view name) {
  return name.starts_with("nvidia") && to_number(name.substr(6)).has_value();
}

std::string octal(std::uint32_t mode) {
  std::string digits = "0000";
  for (std::size_t i = 0; i < 4; ++i) {
    digits[3 - i] = static_cast<char>('0' + ((mode >> (3 * i)) & 7U));
  }
  return digits;
}

/// What can be read of the control group about devices.
struct DeviceGroup {
  enum class Kind {
    unknown,      // version 2 (its rules are a program in the kernel), or nothing readable
    unrestricted, // a login session of systemd, to which no device rules apply
    listed,       // version 1: `rules`
  };
  Kind kind = Kind::unknown;
  std::string source;
  std::vector<std::string> rules; // "c 195:* rwm", "a *:* rwm"
};

DeviceGroup read_group(System& system) {
  DeviceGroup group;
  const auto text = system.read("/proc/self/cgroup", 256U << 10U);
  if (!text) return group;
  for (const auto line : split_lines(*text)) {
    const auto parts = split(line, ':'); // "5:devices:/user.slice"
    if (parts.size() < 3) continue;
    const auto path = line.substr(parts[0].size() + parts[1].size() + 2);
    const auto controllers = split(parts[1], ',');
    if (std::find(controllers.begin(), controllers.end(), "devices") != controllers.end()) {
      // Inside a container the mount shows its own group as the top.
      for (const auto& base : {std::string(path), std::string()}) {
        const std::string file = "/sys/fs/cgroup/devices" + base + "/devices.list";
        const auto rules = system.read(file, 256U << 10U);
        if (!rules) continue;
        for (const auto rule : split_lines(*rules)) group.rules.emplace_back(trim(rule));
        group.kind = DeviceGroup::Kind::listed;
        group.source = file;
        return group;
      }
    } else if (parts[1].empty() && path.starts_with("/user.slice/")) {
      group.kind = DeviceGroup::Kind::unrestricted;
      group.source = "/proc/self/cgroup";
    }
  }
  return group;
}

bool rule_allows(std::string_view rule, const DeviceNode& node) {
  const auto words = split(rule, ' ');
  if (words.size() != 3 || !contains(words[2], "r") || !contains(words[2], "w")) return false;
  if (words[0] == "a") return true;
  const auto numbers = split(words[1], ':');
  if (words[0] != "c" || numbers.size() != 2) return false;
  const auto matches = [](std::string_view wanted, int number) {
    return wanted == "*" || to_number(wanted) == number;
  };
  return matches(numbers[0], node.major) && matches(numbers[1], node.minor);
}

void predict(DeviceNode& node, const FileStatus& status, const Identity& identity,
             const DeviceGroup& group) {
  const Source bits{node.path, 0};
  if (!may_read_and_write(status, identity)) {
    node.usable = Fact<bool>::known(false, bits);
    node.problem = "EACCES";
    return;
  }
  switch (group.kind) {
  case DeviceGroup::Kind::listed: {
    const bool allowed =
        std::any_of(group.rules.begin(), group.rules.end(),
                    [&](const std::string& rule) { return rule_allows(rule, node); });
    node.usable = Fact<bool>::known(allowed, {group.source, 0});
    if (!allowed) node.problem = "EPERM";
    return;
  }
  case DeviceGroup::Kind::unrestricted: node.usable = Fact<bool>::known(true, bits); return;
  case DeviceGroup::Kind::unknown:
    node.usable = Fact<bool>::unknown("mode " + node.mode +
                                          " allows it; whether the control group does was not "
                                          "tried, as opening a GPU's node can wake the GPU",
                                      bits);
  }
}

void try_to_open(System& system, DeviceNode& node) {
  const auto opened = system.open_device(node.path);
  if (opened) {
    node.usable = Fact<bool>::known(true, {node.path, 0});
  } else if (opened.error().error != 0) {
    node.usable = Fact<bool>::known(false, {node.path, 0});
    node.problem = error_name(opened.error().error);
  } else {
    node.usable = unsettled<bool>(opened.error(), node.path);
  }
}

Fact<std::vector<DeviceNode>> read_nodes(System& system, std::vector<std::string>& problems) {
  using Nodes = Fact<std::vector<DeviceNode>>;
  const std::string directory = "/dev";
  const auto entries = system.list(directory);
  if (!entries) return unsettled<std::vector<DeviceNode>>(entries.error(), directory);
  std::vector<DeviceNode> nodes;
  std::optional<DeviceGroup> group;
  for (const auto& entry : *entries) {
    const bool gpu = is_gpu(entry.name);
    if (!gpu && entry.name != "nvidiactl" && entry.name != "nvidia-uvm") continue;
    if (nodes.size() >= kMostNodes) break;
    DeviceNode node;
    node.path = join_path(directory, entry.name);
    const auto status = system.status(node.path);
    if (!status || status->type != FileStatus::Type::character_device) {
      problems.push_back(status ? node.path + ": is not a character device"
                                : printable(status.error().reason));
      continue;
    }
    node.major = static_cast<int>(status->device_major);
    node.minor = static_cast<int>(status->device_minor);
    node.mode = octal(status->mode);
    if (gpu) {
      if (!group) group = read_group(system);
      predict(node, *status, system.identity(), *group);
    } else {
      try_to_open(system, node);
    }
    nodes.push_back(std::move(node));
  }
  return Nodes::known(std::move(nodes), {directory, 0});
}

/// Character devices come first in /proc/devices: "238 nvidia-uvm".
Fact<int> read_uvm_major(System& system) {
  const std::string path = "/proc/devices";
  const auto text = system.read(path, 256U << 10U);
  if (!text) return unsettled<int>(text.error(), path);
  int line = 0;
  for (const auto content : split_lines(*text)) {
    ++line;
    if (content.starts_with("Block devices")) break;
    const auto entry = trim(content);
    const auto blank = entry.find(' ');
    if (blank == std::string_view::npos || entry.substr(blank + 1) != "nvidia-uvm") continue;
    const auto major = to_number(entry.substr(0, blank));
    if (major && *major < 4096) return Fact<int>::known(static_cast<int>(*major), {path, line});
  }
  return Fact<int>::absent({path, 0}, path + ": does not list nvidia-uvm");
}

/// user_namespaces(7): "0 0 4294967295" is the initial one.
Fact<std::string> read_user_namespace(System& system) {
  const std::string path = "/proc/self/uid_map";
  const auto text = system.read_at(path, 0, 4096);
  if (!text) return unsettled<std::string>(text.error(), path);
  std::vector<std::string_view> numbers;
  for (const auto word : split(trim(*text), ' ')) {
    if (!word.empty()) numbers.push_back(word);
  }
  const bool initial =
      numbers.size() == 3 && numbers[0] == "0" && numbers[1] == "0" && numbers[2] == "4294967295";
  if (initial) return Fact<std::string>::absent({path, 1}, "this is the initial user namespace");
  return Fact<std::string>::known("mapped", {path, 1});
}

void collect(System& system, const Scope&, Facts& facts) {
  facts.access.nodes = read_nodes(system, facts.problems);
  facts.access.uvm_major = read_uvm_major(system);
  facts.access.root = system.identity().user == 0;
  facts.access.user_namespace = read_user_namespace(system);
}

} // namespace

const Collector kDeviceNodes{
    "device_nodes",
    "/dev/nvidia[0-9]*, /dev/nvidiactl, /dev/nvidia-uvm (the last two are opened), "
    "/proc/devices, /proc/self/{cgroup,uid_map}, "
    "/sys/fs/cgroup/devices/**/devices.list",
    collect};

} // namespace gpuwhy
