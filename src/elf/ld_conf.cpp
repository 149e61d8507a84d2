#include "elf/ld_conf.h"

#include "base/text.h"

#include <algorithm>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostFiles = 256;
constexpr std::size_t kMostDirectories = 4096;
constexpr std::size_t kMostIncludes = 4096; // patterns, of all files
constexpr std::size_t kMostListings = 1024; // directories read for wildcards
constexpr std::size_t kDeepestPattern = 32;
constexpr std::size_t kLargestFile = 256U << 10U;
constexpr std::string_view kWildcards = "*?[";

/// The class "[...]" at the start of `pattern`: whether `letter` is in it, and its length (0: not a
/// class).
std::pair<bool, std::size_t> match_class(std::string_view pattern, char letter) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool inside = false;
  for (const std::size_t first = at; at < pattern.size(); ++at) {
    if (pattern[at] == ']' && at > first) return {inside != negated, at + 1};
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      inside = inside || (pattern[at] <= letter && letter <= pattern[at + 2]);
      at += 2;
    } else {
      inside = inside || pattern[at] == letter;
    }
  }
  return {false, 0};
}

/// glob(7) for one part of a path, in time |pattern| x |name|.
bool matches(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  std::size_t at = 0, in = 0;
  auto star = std::string_view::npos;
  std::size_t resume = 0;
  while (in < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = in;
      continue;
    }
    std::size_t step = 0;
    if (at < pattern.size() && pattern[at] == '[') {
      const auto [inside, length] = match_class(pattern.substr(at), name[in]);
      step = length == 0 ? (name[in] == '[' ? 1 : 0) : (inside ? length : 0);
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == name[in])) {
      step = 1;
    }
    if (step != 0) {
      at += step;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++resume;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

class Reader {
public:
  explicit Reader(System& system) : system_(system) {}

  void read(const std::string& path, bool may_be_missing) {
    auto& files = conf.files;
    if (files.size() >= kMostFiles || std::find(files.begin(), files.end(), path) != files.end()) {
      return;
    }
    const auto text = system_.read(path, kLargestFile);
    if (!text) {
      const bool missing = text.error().kind == Unavailable::Kind::absent;
      if (!missing || !may_be_missing) conf.problems.push_back(text.error().reason);
      return;
    }
    files.push_back(path);
    for (const auto line : split_lines(*text)) read_line(path, line);
  }

  LdConf conf;

private:
  void read_line(const std::string& path, std::string_view line) {
    line = trim(line.substr(0, line.find('#')));
    const auto keyword = line.substr(0, line.find_first_of(" \t"));
    if (keyword == "include") {
      const auto words = replace_all(std::string(line), "\t", " ");
      for (const auto word : split(words, ' ')) {
        if (!word.empty() && word != "include") include(path, word);
      }
    } else if (line.starts_with('/')) {
      add(line);
    } // "hwcap" lines are obsolete, relative directories are refused by ldconfig too
  }

  void include(const std::string& from, std::string_view pattern) {
    if (++includes_ > kMostIncludes) return;
    for (const auto& path : glob(join_path(parent_path(from), pattern))) read(path, true);
  }

  /// Files that `pattern` stands for, sorted; a pattern without wildcards stands for itself.
  std::vector<std::string> glob(const std::string& pattern) {
    std::vector<std::string> paths = {""};
    const auto parts = split(pattern, '/');
    if (parts.size() > kDeepestPattern) return {};
    for (const auto part : parts) {
      if (part.empty()) continue;
      std::vector<std::string> longer;
      for (const auto& path : paths) {
        if (part.find_first_of(kWildcards) == std::string_view::npos) {
          longer.push_back(path + "/" + std::string(part));
        } else {
          append_matches(path, part, longer);
        }
      }
      paths = std::move(longer);
    }
    return paths;
  }

  void append_matches(const std::string& directory, std::string_view pattern,
                      std::vector<std::string>& paths) {
    if (++listings_ > kMostListings) return;
    const auto entries = system_.list(directory.empty() ? "/" : directory);
    if (!entries) return;
    for (const auto& entry : *entries) {
      if (paths.size() >= kMostFiles) return;
      if (matches(pattern, entry.name)) paths.push_back(directory + "/" + entry.name);
    }
  }

  void add(std::string_view line) {
    // "DIRECTORY=libc6" was a way to say the kind of its libraries.
    auto directory = std::string(trim(line.substr(0, line.find('='))));
    while (contains(directory, "//")) directory = replace_all(directory, "//", "/");
    while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
    if (conf.directories.size() < kMostDirectories && known_.insert(directory).second) {
      conf.directories.push_back(std::move(directory));
    }
  }

  System& system_;
  std::set<std::string> known_;
  std::size_t includes_ = 0;
  std::size_t listings_ = 0;
};

} // namespace

LdConf read_ld_conf(System& system, const std::string& path) {
  Reader reader(system);
  reader.read(path, true);
  return std::move(reader.conf);
}

} // namespace gpuwhy
