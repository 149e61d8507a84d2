#include "watch/loader_searches.h"

#include "base/bytes.h"
#include "base/text.h"
#include "loader_audit.h"
#include "system/probe_images.h"

#include <algorithm>
#include <cstring>
#include <link.h>

namespace gpuwhy::watch {
namespace {

constexpr std::size_t kMostSearches = 1024;
constexpr std::size_t kMostTries = 256; // of one search

std::string rule_of(unsigned flag) {
  switch (flag) {
  case LA_SER_LIBPATH: return "LD_LIBRARY_PATH";
  case LA_SER_RUNPATH: return "RPATH or RUNPATH";
  case LA_SER_CONFIG: return "ld.so.cache";
  case LA_SER_DEFAULT: return "default directory";
  default: return "another rule";
  }
}

std::string name_of(const gpuwhy_loader_record& record) {
  const auto size = ::strnlen(record.name, sizeof record.name);
  auto name = printable(std::string_view(record.name, size));
  return record.size > size ? name + "..." : name;
}

use::LibraryTry try_of(const gpuwhy_loader_record& record, std::string rule) {
  return {.path = name_of(record),
          .rule = std::move(rule),
          .present = record.presence != GPUWHY_LOADER_ABSENT,
          .readable = record.presence == GPUWHY_LOADER_READABLE};
}

/// Takes the records of one process apart: a name that is asked for, the files that are tried for
/// it, and at its end what was taken.
class Decoder {
public:
  Decoder(int pid, std::vector<use::LibrarySearch>& to) : pid_(pid), to_(to) {}
  ~Decoder() { close(); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  void take(const gpuwhy_loader_record& record) {
    const auto name = name_of(record);
    switch (record.kind) {
    case GPUWHY_LOADER_SEARCH:
      open(name);
      if (contains(name, "/")) search_.tried.push_back(try_of(record, "path"));
      break;
    case GPUWHY_LOADER_TRY:
      if (!belongs(name)) open(std::string(base_name(name)));
      if (search_.tried.size() < kMostTries)
        search_.tried.push_back(try_of(record, rule_of(record.flag)));
      break;
    case GPUWHY_LOADER_TOOK:
      if (!belongs(name)) open(name);
      search_.took = name;
      close();
      break;
    default: close();
    }
  }

private:
  /// The loader finishes with one name before it begins with the next; a name that was of no
  /// interest may lie between.
  bool belongs(const std::string& path) const {
    return open_ && base_name(search_.name) == base_name(path);
  }
  void open(std::string name) {
    close();
    search_ = {.pid = pid_, .name = std::move(name), .tried = {}, .took = {}};
    open_ = true;
  }
  void close() {
    if (open_ && to_.size() < kMostSearches) to_.push_back(std::move(search_));
    open_ = false;
  }

  int pid_;
  std::vector<use::LibrarySearch>& to_;
  use::LibrarySearch search_;
  bool open_ = false;
};

} // namespace

bool decode_searches(int pid, std::span<const std::byte> records,
                     std::vector<use::LibrarySearch>& searches) {
  Decoder decoder(pid, searches);
  std::size_t at = 0;
  for (; const auto record = read_value<gpuwhy_loader_record>(records, at);
       at += sizeof(gpuwhy_loader_record)) {
    if (record->magic != GPUWHY_LOADER_MAGIC || record->kind < GPUWHY_LOADER_BEGUN ||
        record->kind >= GPUWHY_LOADER_FULL)
      return false;
    decoder.take(*record);
  }
  return at == records.size();
}

void merge_searches(std::vector<use::LibrarySearch>& all, std::vector<use::LibrarySearch> more) {
  for (auto& search : more) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const use::LibrarySearch& each) {
      return each.name == search.name && each.took == search.took;
    });
    if (same == all.end()) {
      if (all.size() < kMostSearches) all.push_back(std::move(search));
      continue;
    }
    for (auto& each : search.tried) {
      const bool known =
          std::any_of(same->tried.begin(), same->tried.end(),
                      [&](const use::LibraryTry& seen) { return seen.path == each.path; });
      if (!known && same->tried.size() < kMostTries) same->tried.push_back(std::move(each));
    }
  }
}

void LoaderSearches::prepare() {
  for (const auto& image : probe_images()) {
    if (image.name != "loader_audit") continue;
    auto made = LoaderTrace::create(image.bytes);
    if (made)
      trace_ = std::move(*made);
    else
      state_.problem = made.error().message;
    return;
  }
  state_.problem = "this gpuwhy carries no library for this processor's loader";
}

std::vector<std::string>
LoaderSearches::variables(const std::optional<std::string>& tunables) const {
  return trace_ ? trace_->variables(tunables) : std::vector<std::string>{};
}

void LoaderSearches::tell(use::RunEnd& end) {
  if (trace_) {
    state_.works = trace_->seen();
    if (!state_.works)
      state_.problem = trace_->too_old()
                           ? "the program's C library is older than glibc 2.35, whose loader would "
                             "slow every call between libraries"
                           : "no process asked glibc's loader (a static program, or musl)";
    for (const auto& process : trace_->read()) {
      std::vector<use::LibrarySearch> searches;
      if (!decode_searches(process.pid, process.bytes, searches))
        state_.problem = "not all searches could be recorded";
      merge_searches(end.libraries, std::move(searches));
    }
  }
  end.loader = state_;
}

} // namespace gpuwhy::watch
