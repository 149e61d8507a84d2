#include "memory_system.h"

#include "base/text.h"
#include "system/unavailable.h"

#include <algorithm>
#include <cerrno>
#include <deque>

namespace gpuwhy {
namespace {

/// Keys of the map: no slash at the end, so that the top is "".
std::string key_of(const std::string& path) {
  auto key = normalize_path(path);
  return key == "/" ? "" : key;
}

} // namespace

MemorySystem::MemorySystem() : kernel_log_(unavailable("kernel log", EPERM)) {
  add("/", FileStatus::Type::directory, 0755);
  identity_.user = 1000;
  identity_.groups = {1000};
  identity_.user_name = "ada";
  identity_.home = "/home/ada";
  identity_.host = "engine";
  identity_.kernel_release = "6.1.0";
  identity_.machine = "x86_64";
  identity_.working_directory = "/home/ada";
}

MemorySystem::Node& MemorySystem::add(const std::string& path, FileStatus::Type type,
                                      std::uint32_t mode) {
  const auto key = key_of(path);
  if (!key.empty()) {
    const std::string parent(parent_path(key));
    if (!nodes_.contains(key_of(parent))) add_directory(parent);
  }
  Node node;
  node.status.type = type;
  node.status.mode = mode;
  node.status.device = 1;
  node.status.modified = 1'700'000'000;
  const auto known = nodes_.find(key);
  node.status.inode = known == nodes_.end() ? nodes_.size() + 2 : known->second.status.inode;
  return nodes_[key] = std::move(node);
}

void MemorySystem::add_file(const std::string& path, std::string bytes) {
  auto& node = add(path, FileStatus::Type::regular, 0644);
  node.status.size = bytes.size();
  node.content = std::move(bytes);
}

void MemorySystem::add_directory(const std::string& path) {
  if (!nodes_.contains(key_of(path))) add(path, FileStatus::Type::directory, 0755);
}

void MemorySystem::add_link(const std::string& path, std::string target) {
  auto& node = add(path, FileStatus::Type::link, 0777);
  node.status.size = target.size();
  node.content = std::move(target);
}

void MemorySystem::add_fifo(const std::string& path) {
  add(path, FileStatus::Type::fifo, 0644);
}

void MemorySystem::add_device(const std::string& path, std::uint32_t mode, std::uint32_t major,
                              std::uint32_t minor, int open_error) {
  auto& node = add(path, FileStatus::Type::character_device, mode);
  node.status.device_major = major;
  node.status.device_minor = minor;
  node.open_error = open_error;
}

void MemorySystem::unreadable(const std::string& path) {
  auto& node = nodes_.at(key_of(path));
  node.forbidden = true;
  node.status.mode = 0;
}

void MemorySystem::remove(const std::string& path) {
  const auto key = key_of(path);
  std::erase_if(nodes_, [&](const auto& entry) {
    return entry.first == key || entry.first.starts_with(key + "/");
  });
}

FileStatus& MemorySystem::details(const std::string& path) {
  return nodes_.at(key_of(path)).status;
}

void MemorySystem::set_probe(const std::string& name, Answer<ProcessResult> result) {
  probes_.insert_or_assign(name, std::move(result));
}

int MemorySystem::touched(const std::string& path) const {
  const auto found = touched_.find(path);
  return found == touched_.end() ? 0 : found->second;
}

Answer<std::string> MemorySystem::resolve(const std::string& path, bool follow_last) const {
  if (path.empty()) return unavailable(path, ENOENT);
  std::string inside = path.starts_with('/') ? "" : key_of(identity_.working_directory);
  std::deque<std::string> parts;
  const auto push_front = [&](const std::string& text) {
    const auto more = split(text, '/');
    parts.insert(parts.begin(), more.begin(), more.end());
  };
  push_front(path);
  for (int links = 0; !parts.empty();) {
    const auto part = std::move(parts.front());
    parts.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      inside.erase(inside.empty() ? 0 : inside.rfind('/'));
      continue;
    }
    if (const auto above = nodes_.find(inside); above != nodes_.end() && above->second.forbidden) {
      return unavailable(path, EACCES);
    }
    std::string next = inside + "/" + part;
    const auto found = nodes_.find(next);
    if (found == nodes_.end()) {
      if (parts.empty()) return next;
      return unavailable(path, ENOENT);
    }
    const auto& node = found->second;
    if (node.status.type == FileStatus::Type::link && (follow_last || !parts.empty())) {
      if (++links > 40) return unavailable(path, ELOOP);
      if (node.content.starts_with('/')) inside.clear();
      push_front(node.content);
      continue;
    }
    if (!parts.empty() && node.status.type != FileStatus::Type::directory) {
      return unavailable(path, ENOTDIR);
    }
    inside = std::move(next);
  }
  return inside;
}

Answer<const MemorySystem::Node*> MemorySystem::find(const std::string& path,
                                                     bool follow_last) const {
  const auto key = resolve(path, follow_last);
  if (!key) return tl::unexpected(key.error());
  const auto found = nodes_.find(*key);
  if (found == nodes_.end()) return unavailable(path, ENOENT);
  return &found->second;
}

Answer<const MemorySystem::Node*> MemorySystem::find_file(const std::string& path) const {
  auto found = find(path);
  if (!found) return found;
  if ((*found)->status.type != FileStatus::Type::regular) {
    return unavailable(Unavailable::Kind::unsuitable, path + ": is not a file");
  }
  if ((*found)->forbidden) return unavailable(path, EACCES);
  return found;
}

Answer<FileStatus> MemorySystem::status(const std::string& path) {
  ++touched_[path];
  return find(path).map([](const Node* node) { return node->status; });
}

Answer<FileStatus> MemorySystem::status_of_link(const std::string& path) {
  ++touched_[path];
  return find(path, false).map([](const Node* node) { return node->status; });
}

Answer<std::string> MemorySystem::real_path(const std::string& path) {
  ++touched_[path];
  auto key = resolve(path, true);
  if (!key) return key;
  if (!nodes_.contains(*key)) return unavailable(path, ENOENT);
  return key->empty() ? "/" : *key;
}

Answer<std::string> MemorySystem::read_link(const std::string& path) {
  ++touched_[path];
  const auto found = find(path, false);
  if (!found) return tl::unexpected(found.error());
  if ((*found)->status.type != FileStatus::Type::link) {
    return unavailable(Unavailable::Kind::unsuitable, path + ": is not a link", EINVAL);
  }
  return (*found)->content;
}

Answer<std::vector<DirectoryEntry>> MemorySystem::list(const std::string& path) {
  ++touched_[path];
  const auto found = find(path);
  if (!found) return tl::unexpected(found.error());
  if ((*found)->status.type != FileStatus::Type::directory) {
    return unavailable(Unavailable::Kind::unsuitable, path + ": is not a directory", ENOTDIR);
  }
  if ((*found)->forbidden) return unavailable(path, EACCES);
  const std::string prefix = *resolve(path, true) + "/";
  std::vector<DirectoryEntry> entries;
  for (auto at = nodes_.upper_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix);
       ++at) {
    const auto name = at->first.substr(prefix.size());
    if (contains(name, "/")) continue;
    entries.push_back({name, at->second.status.type == FileStatus::Type::directory});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  return entries;
}

Answer<std::string> MemorySystem::read(const std::string& path, std::size_t limit) {
  ++touched_[path];
  const auto found = find_file(path);
  if (!found) return tl::unexpected(found.error());
  if ((*found)->content.size() > limit) {
    return unavailable(Unavailable::Kind::unsuitable,
                       path + ": larger than " + std::to_string(limit) + " bytes", EFBIG);
  }
  return (*found)->content;
}

Answer<std::string> MemorySystem::read_at(const std::string& path, std::uint64_t offset,
                                          std::size_t size) {
  ++touched_[path];
  const auto found = find_file(path);
  if (!found) return tl::unexpected(found.error());
  const auto& content = (*found)->content;
  return offset < content.size() ? content.substr(static_cast<std::size_t>(offset), size) : "";
}

Answer<bool> MemorySystem::open_device(const std::string& path) {
  ++touched_[path];
  const auto found = find(path);
  if (!found) return tl::unexpected(found.error());
  if ((*found)->status.type != FileStatus::Type::character_device) {
    return unavailable(Unavailable::Kind::unsuitable, path + ": is not a character device");
  }
  if ((*found)->forbidden) return unavailable(path, EACCES);
  if ((*found)->open_error != 0) return unavailable(path, (*found)->open_error);
  return true;
}

Answer<ProcessResult> MemorySystem::run_probe(const std::string& name,
                                              const Environment& environment,
                                              std::chrono::milliseconds) {
  ++touched_[name];
  probe_environments_[name] = environment;
  if (const auto found = probes_.find(name); found != probes_.end()) return found->second;
  return unavailable(Unavailable::Kind::failed, "probe " + name + " is not carried in this build");
}

} // namespace gpuwhy
