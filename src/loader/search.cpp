#include "loader/search.h"

#include "base/text.h"
#include "loader/places.h"

#include <algorithm>
#include <deque>

namespace gpuwhy::loader {
namespace {

constexpr std::string_view kNoSuchFile =
    "cannot open shared object file: No such file or directory";
constexpr std::size_t kMostObjects = 1024; // that one dlopen may add

/// How the search for one name ended.
struct Hit {
  enum class End { missing, loaded, file, bad, crash };
  End end = End::missing;
  std::string path;
  Step step = Step::default_directory;
  std::string because;
  std::string detail;
  std::vector<Asked> trace;
  std::vector<std::string> not_looked; // before the end was reached: what is said here may be wrong
};

/// The loader's words for a file that ends the search; empty: it goes on, or there is no fault.
std::string_view stop_words(const LibraryFile& file) {
  using Status = LibraryFile::Status;
  switch (file.status) {
  case Status::too_short: return "file too short";
  case Status::not_elf: return "invalid ELF header";
  case Status::directory: return "cannot read file data: Is a directory";
  default: return {};
  }
}

/// The search for one name, by one object.
class Search {
public:
  Search(const Libraries& libraries, const Setting& setting, const Request& request)
      : libraries_(libraries), setting_(setting), request_(request) {}

  Hit by_path() {
    const auto path = absolute_path(setting_, request_.name);
    hit_.step = Step::path;
    hit_.because = "given as a path";
    const auto* directory = find_directory(std::string(parent_path(path)));
    const auto& files = libraries_.files;
    if (const auto file = files.find(path); file != files.end()) {
      if (!judge(Step::path, path, hit_.because, file->second)) refuse_path(file->second);
    } else if (directory != nullptr && lacks(*directory, path)) {
      note(Step::path, path, hit_.because, Asked::Result::missing);
      hit_.detail = kNoSuchFile;
    } else {
      not_looked(Step::path, path, hit_.because, path);
    }
    return std::move(hit_);
  }

  Hit by_search() {
    auto plan = places_for(libraries_, setting_, request_);
    hit_.not_looked = std::move(plan.not_looked);
    for (const auto& place : plan.places) {
      const bool ended =
          place.step == Step::cache ? ask_cache(place, plan.no_default_lib) : ask_directory(place);
      if (ended) return std::move(hit_);
    }
    hit_.detail = other_class_ ? "wrong ELF class: ELFCLASS32" : kNoSuchFile;
    return std::move(hit_);
  }

private:
  const LibraryDirectory* find_directory(const std::string& path) const {
    const auto found = libraries_.directories.find(path);
    return found != libraries_.directories.end() ? &found->second : nullptr;
  }

  static bool lacks(const LibraryDirectory& directory, const std::string& path) {
    if (directory.status != LibraryDirectory::Status::present) return true;
    const auto& names = directory.names;
    return std::find(names.begin(), names.end(), base_name(path)) == names.end();
  }

  void note(Step step, std::string place, std::string because, Asked::Result result,
            std::string detail = {}) {
    hit_.trace.push_back({step, std::move(place), std::move(because), result, std::move(detail)});
  }

  void not_looked(Step step, const std::string& place, const std::string& because,
                  std::string what) {
    note(step, place, because, Asked::Result::not_looked);
    hit_.not_looked.push_back(std::move(what));
  }

  /// True if the search ends in this directory.
  bool ask_directory(const Place& place) {
    const auto* directory = find_directory(place.directory);
    const bool present =
        directory != nullptr && directory->status == LibraryDirectory::Status::present;
    if (present && !setting_.musl) {
      const auto& existing = directory->capabilities;
      for (const auto& name : libraries_.hardware_capabilities) {
        if (std::find(existing.begin(), existing.end(), name) == existing.end()) continue;
        if (ask_plain(place, join_path(place.directory, "glibc-hwcaps/" + name))) return true;
      }
    }
    return ask_plain(place, place.directory);
  }

  bool ask_plain(const Place& place, const std::string& path) {
    const auto file = join_path(path, request_.name);
    const auto* directory = find_directory(path);
    if (directory == nullptr) {
      not_looked(place.step, file, place.because, path.ends_with('/') ? path : path + "/");
      return false;
    }
    if (directory->status == LibraryDirectory::Status::absent) {
      note(place.step, file, place.because, Asked::Result::missing, "no such directory");
      return false;
    }
    if (directory->status == LibraryDirectory::Status::unreadable) {
      note(place.step, file, place.because, Asked::Result::skipped, "directory may not be read");
      return false;
    }
    if (lacks(*directory, file)) {
      note(place.step, file, place.because, Asked::Result::missing);
      return false;
    }
    return ask_file(place.step, file, place.because);
  }

  bool ask_file(Step step, const std::string& path, const std::string& because) {
    const auto file = libraries_.files.find(path);
    if (file != libraries_.files.end()) return judge(step, path, because, file->second);
    not_looked(step, path, because, path);
    return false;
  }

  bool ask_cache(const Place& place, bool no_default_lib) {
    if (libraries_.cache.state() == Fact<std::vector<CacheEntry>>::State::absent) return false;
    const auto* entries = libraries_.cache.get();
    if (entries == nullptr) {
      not_looked(Step::cache, place.because, place.because, place.because);
      return false;
    }
    // The loader takes one entry, the best; if its file is gone, no other entry is tried.
    const auto* entry = best_entry(*entries);
    if (entry == nullptr) {
      note(Step::cache, place.because, place.because, Asked::Result::missing);
      return false;
    }
    if (no_default_lib && in_default_directory(entry->path)) {
      note(Step::cache, entry->path, place.because, Asked::Result::skipped,
           "the opener forbids default directories (DF_1_NODEFLIB)");
      return false;
    }
    const auto* directory = find_directory(std::string(parent_path(entry->path)));
    const auto& files = libraries_.files;
    if (files.find(entry->path) == files.end() && directory != nullptr &&
        lacks(*directory, entry->path)) {
      note(Step::cache, entry->path, place.because, Asked::Result::missing,
           "in the cache, but gone from the disk");
      return false;
    }
    return ask_file(Step::cache, entry->path, place.because);
  }

  const CacheEntry* best_entry(const std::vector<CacheEntry>& entries) const {
    const auto first = [&](const std::string& capability) -> const CacheEntry* {
      for (const auto& entry : entries) {
        if (entry.soname == request_.name && entry.capability == capability) return &entry;
      }
      return nullptr;
    };
    for (const auto& name : libraries_.hardware_capabilities) {
      if (const auto* entry = first(name)) return entry;
    }
    return first("");
  }

  /// glibc compares beginnings, so that everything below a default directory counts.
  bool in_default_directory(const std::string& path) const {
    const auto& defaults = libraries_.default_directories;
    return std::any_of(defaults.begin(), defaults.end(), [&](const std::string& directory) {
      return path.starts_with(directory + "/");
    });
  }

  /// True if the search ends with this file.
  bool judge(Step step, const std::string& path, const std::string& because,
             const LibraryFile& file) {
    using Status = LibraryFile::Status;
    switch (file.status) {
    case Status::good: return end(Hit::End::file, step, path, because, {});
    case Status::truncated:
    case Status::special: return end(Hit::End::crash, step, path, because, file.detail);
    case Status::too_short:
    case Status::not_elf:
    case Status::directory:
      return end(Hit::End::bad, step, path, because, std::string(stop_words(file)));
    case Status::wrong_class:
    case Status::wrong_machine:
      if (setting_.musl) return end(Hit::End::bad, step, path, because, "Exec format error");
      other_class_ = other_class_ || file.status == Status::wrong_class;
      break;
    case Status::dangling:
    case Status::unreadable: break;
    }
    note(step, path, because, Asked::Result::skipped, file.detail);
    return false;
  }

  bool end(Hit::End how, Step step, const std::string& path, const std::string& because,
           std::string detail) {
    const bool good = how == Hit::End::file;
    note(step, path, because, good ? Asked::Result::found : Asked::Result::stopped, detail);
    hit_.end = how;
    hit_.path = path;
    hit_.step = step;
    hit_.because = because;
    hit_.detail = std::move(detail);
    return true;
  }

  /// What would be passed over in a search is an error if it was asked for by path.
  void refuse_path(const LibraryFile& file) {
    using Status = LibraryFile::Status;
    hit_.detail = kNoSuchFile;
    if (file.status == Status::dangling) return;
    if (file.status == Status::wrong_class) hit_.detail = "wrong ELF class: ELFCLASS32";
    if (file.status == Status::unreadable) {
      hit_.detail = "cannot open shared object file: Permission denied";
    }
    hit_.end = Hit::End::bad;
    hit_.path = file.path;
    hit_.trace.back().result = Asked::Result::stopped;
  }

  const Libraries& libraries_;
  const Setting& setting_;
  const Request& request_;
  Hit hit_;
  bool other_class_ = false; // a 32-bit file was passed over: the final message says so
};

/// One dlopen: the name, then breadth first what it needs. Works on a copy of the process's names,
/// as a failure leaves nothing behind.
class Opening {
public:
  Opening(const Libraries& libraries, const Setting& setting, Names known)
      : names(std::move(known)), libraries_(libraries), setting_(setting) {}

  Found run(const Request& request) {
    found_.name = request.name;
    take(request, true);
    while (!failed_ && !waiting_.empty() && found_.loaded.size() < kMostObjects) {
      const auto object = std::move(waiting_.front());
      waiting_.pop_front();
      const auto file = libraries_.files.find(object.path);
      if (file == libraries_.files.end()) continue;
      for (const auto& name : file->second.needed) {
        take({name, object.path, object.chain}, false);
        if (failed_) break;
      }
    }
    finish();
    return std::move(found_);
  }

  Names names;

private:
  struct Object {
    std::string path;
    std::vector<std::string> chain;
  };

  void take(const Request& asked, bool first) {
    Request request = asked;
    if (contains(request.name, "$") && !request.opener.empty()) {
      const auto opener = absolute_path(setting_, request.opener);
      request.name = expand(request.name, parent_path(opener), libraries_);
    }
    auto hit = search(request);
    if (hit.end == Hit::End::file) adopt(request, hit);
    for (auto& what : hit.not_looked) {
      auto& all = found_.not_looked;
      if (std::find(all.begin(), all.end(), what) == all.end()) all.push_back(std::move(what));
    }
    if (first) {
      found_.path = hit.path;
      found_.step = hit.step;
      found_.because = hit.because;
    }
    const bool good = hit.end == Hit::End::file || hit.end == Hit::End::loaded;
    if (good && !first) return;
    if (good) {
      found_.trace = std::move(hit.trace);
      return;
    }
    // Behind an open question nothing is final, and the search goes on to find the other questions.
    if (!found_.not_looked.empty() && (!first || hit.end == Hit::End::missing)) {
      if (first) found_.trace = std::move(hit.trace);
      return;
    }
    fail(request.name, std::move(hit), first);
  }

  void fail(const std::string& name, Hit hit, bool first) {
    failed_ = true;
    if (!first) found_.dependency = name;
    found_.detail = std::move(hit.detail);
    found_.trace = std::move(hit.trace);
    if (hit.end == Hit::End::crash)
      found_.outcome = Outcome::crashes;
    else if (!first)
      found_.outcome = Outcome::dependency_missing;
    else
      found_.outcome = hit.end == Hit::End::bad ? Outcome::bad_file : Outcome::missing;
  }

  void finish() {
    if (!found_.not_looked.empty())
      found_.outcome = Outcome::unknown;
    else if (!failed_)
      found_.outcome = Outcome::found;
    if (found_.outcome != Outcome::found) found_.loaded.clear();
  }

  Hit search(const Request& request) {
    if (const auto known = names.by_name.find(request.name); known != names.by_name.end()) {
      return already_loaded(known->second);
    }
    Search search(libraries_, setting_, request);
    auto hit = contains(request.name, "/") ? search.by_path() : search.by_search();
    if (hit.end != Hit::End::file) return hit;
    const auto same = names.by_identity.find(identity(hit.path));
    if (same == names.by_identity.end()) return hit;
    // Another name of a file that is loaded: the loader adds the name to the object that it has.
    names.by_name.emplace(request.name, same->second);
    names.by_name.emplace(hit.path, same->second);
    auto loaded = already_loaded(same->second);
    loaded.trace = std::move(hit.trace);
    loaded.not_looked = std::move(hit.not_looked);
    return loaded;
  }

  static Hit already_loaded(const std::string& path) {
    Hit hit;
    hit.end = Hit::End::loaded;
    hit.path = path;
    hit.step = Step::already_loaded;
    hit.because = "already loaded";
    hit.trace.push_back(
        {Step::already_loaded, path, hit.because, Asked::Result::found, std::string()});
    return hit;
  }

  std::string identity(const std::string& path) const {
    const auto file = libraries_.files.find(path);
    if (file == libraries_.files.end()) return path;
    if (!file->second.identity.empty()) return file->second.identity;
    return file->second.real_path.empty() ? path : file->second.real_path;
  }

  void adopt(const Request& request, const Hit& hit) {
    names.by_name.emplace(request.name, hit.path);
    names.by_name.emplace(hit.path, hit.path);
    names.by_identity.emplace(identity(hit.path), hit.path);
    const auto& file = libraries_.files.at(hit.path);
    if (!file.soname.empty() && !setting_.musl) names.by_name.emplace(file.soname, hit.path);
    found_.loaded.push_back(hit.path);
    Object object{hit.path, {}};
    if (!request.opener.empty()) object.chain.push_back(request.opener);
    object.chain.insert(object.chain.end(), request.chain.begin(), request.chain.end());
    waiting_.push_back(std::move(object));
  }

  const Libraries& libraries_;
  const Setting& setting_;
  Found found_;
  std::deque<Object> waiting_;
  bool failed_ = false;
};

} // namespace

Process::Process(const Libraries& libraries, Setting setting, std::set<std::string> loaded)
    : libraries_(libraries), setting_(std::move(setting)) {
  for (const auto& name : loaded) names_.by_name.emplace(name, std::string());
}

Found Process::open(const Request& request) {
  Opening opening(libraries_, setting_, names_);
  auto found = opening.run(request);
  if (found.outcome == Outcome::found) names_ = std::move(opening.names);
  return found;
}

} // namespace gpuwhy::loader
