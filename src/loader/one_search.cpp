#include "loader/one_search.h"

#include "base/text.h"
#include "loader/places.h"

#include <algorithm>
#include <array>

namespace gpuwhy::loader {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kNoSuchFile =
    "cannot open shared object file: No such file or directory";
constexpr std::string_view kLinkLoop =
    "a loop of links"; // LibraryFile::detail, as elf/library.cpp says it

/// The loader's words for a file that ends the search; empty: it goes on, or there is no fault.
std::string_view stop_words(const LibraryFile& file) {
  using Status = LibraryFile::Status;
  switch (file.status) {
  case Status::too_short: return "file too short";
  case Status::not_elf: {
    // Refusals of a file that is ELF after all; elf/image.h has the same words.
    constexpr std::array kRefusals = {
        "ELF file data encoding not little-endian"sv,
        "ELF file version ident does not match current one"sv,
        "ELF file OS ABI invalid"sv,
        "ELF file version does not match current one"sv,
        "only ET_DYN and ET_EXEC can be loaded"sv,
        "ELF file's phentsize not the expected size"sv,
        "cannot read file data"sv,
        "object file has no loadable segments"sv,
        "object file has no dynamic section"sv,
    };
    const auto known = std::find(kRefusals.begin(), kRefusals.end(), file.detail);
    return known != kRefusals.end() ? *known : "invalid ELF header"sv;
  }
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
      if (place.list == abandoned_list_) continue;
      const bool ended =
          place.step == Step::cache ? ask_cache(place, plan.no_default_lib) : ask_directory(place);
      if (ended) return std::move(hit_);
      if (loop_of_links_) abandoned_list_ = place.list;
      loop_of_links_ = false;
    }
    // The words end with the last error of the system; without an attempt there is none.
    const bool attempted =
        std::any_of(hit_.trace.begin(), hit_.trace.end(),
                    [](const Asked& asked) { return asked.step != Step::cache; });
    hit_.detail = attempted ? kNoSuchFile : "cannot open shared object file";
    if (other_class_) hit_.detail = "wrong ELF class: ELFCLASS32";
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
    case Status::good:
    case Status::incomplete: return end(Hit::End::file, step, path, because, {});
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
      // Any error but "missing" and "not permitted" ends a list of directories, though not the
      // search.
      loop_of_links_ = file.detail == kLinkLoop && step != Step::path;
      break;
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
  std::size_t abandoned_list_ = 0;
  bool loop_of_links_ = false;
  bool other_class_ = false; // a 32-bit file was passed over: the final message says so
};

} // namespace

Hit search_once(const Libraries& libraries, const Setting& setting, const Request& request) {
  Search search(libraries, setting, request);
  return contains(request.name, "/") ? search.by_path() : search.by_search();
}

} // namespace gpuwhy::loader
