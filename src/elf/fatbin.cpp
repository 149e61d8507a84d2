#include "elf/fatbin.h"

#include "base/bytes.h"
#include "elf/image.h"

#include <set>

namespace gpuwhy {
namespace {

constexpr std::uint32_t kContainerMagic = 0xBA55ED50;
constexpr std::uint16_t kKindPtx = 1;
constexpr std::uint16_t kKindSass = 2;
constexpr std::uint64_t kArchitectureSpecific = 0x100000; // sm_90a
constexpr std::uint64_t kFamilySpecific = 0x200000;       // sm_100f

struct ContainerHeader {
  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t header_size;
  std::uint64_t size; // of the entries that follow
};
static_assert(sizeof(ContainerHeader) == 16);

struct EntryHeader {
  std::uint16_t kind;
  std::uint16_t version;
  std::uint32_t header_size;
  std::uint64_t payload_size; // padded
  std::uint32_t unused[3];
  std::uint32_t architecture; // 75, 90, 120
  std::uint32_t name[2];
  std::uint64_t flags;
  std::uint64_t more[2];
};
static_assert(sizeof(EntryHeader) == 64);

/// 8.9 of 89, with the letter of a variant: sorts by age.
struct Architecture {
  std::uint32_t number = 0;
  std::string suffix;
  auto operator<=>(const Architecture&) const = default;
  std::string str() const {
    return std::to_string(number / 10) + "." + std::to_string(number % 10) + suffix;
  }
};

class Walk {
public:
  Walk(System& system, const std::string& path, ElfSection section, const FatbinLimits& limits)
      : system_(system), path_(path), at_(section.offset), limits_(limits) {
    end_ = section.size > ~section.offset ? ~std::uint64_t{0} : section.offset + section.size;
  }

  Answer<Fatbin> run() {
    while (at_ < end_ && result_.stopped.empty() && !failure_) {
      if (const auto header = next_container()) {
        ++result_.containers;
        const auto start = at_ + header->header_size;
        walk_entries(start, start + header->size);
      }
    }
    if (failure_) return tl::unexpected(*failure_);
    for (const auto& architecture : sass_) result_.sass.push_back(architecture.str());
    for (const auto& architecture : ptx_) result_.ptx.push_back(architecture.str());
    return std::move(result_);
  }

private:
  void stop(std::string why) { result_.stopped = std::move(why); }

  /// The T at `offset` of the file; nothing, with the reason noted, if it cannot be had.
  template <class T> std::optional<T> read(std::uint64_t offset) {
    std::optional<T> value;
    if (offset >= window_offset_) value = read_value<T>(window(), offset - window_offset_);
    if (value || !refill(offset)) return value;
    value = read_value<T>(window(), 0);
    if (!value) stop("the file ends inside its fatbin");
    return value;
  }

  std::span<const std::byte> window() const {
    return std::as_bytes(std::span(window_.data(), window_.size()));
  }

  bool refill(std::uint64_t offset) {
    if (result_.reads == limits_.reads) {
      stop("after " + std::to_string(limits_.reads) + " reads");
      return false;
    }
    ++result_.reads;
    auto bytes = system_.read_at(path_, offset, limits_.read_size);
    if (!bytes) {
      failure_ = bytes.error();
      return false;
    }
    window_ = std::move(*bytes);
    window_offset_ = offset;
    return true;
  }

  /// Moves to the next container, over the zeros between two.
  std::optional<ContainerHeader> next_container() {
    for (; at_ < end_; at_ += 8) {
      if (end_ - at_ < sizeof(ContainerHeader)) break;
      const auto header = read<ContainerHeader>(at_);
      if (!header) return std::nullopt;
      const auto room = end_ - at_;
      if (header->magic == kContainerMagic) {
        const bool fits = header->header_size >= sizeof(ContainerHeader) &&
                          header->header_size <= room && header->size <= room - header->header_size;
        if (fits) return header;
        stop("a container is larger than its section");
        return std::nullopt;
      }
      if (read<std::uint64_t>(at_) != 0) {
        stop("bytes that are not a fatbin container");
        return std::nullopt;
      }
    }
    at_ = end_;
    return std::nullopt;
  }

  void walk_entries(std::uint64_t at, std::uint64_t end) {
    while (end - at >= sizeof(EntryHeader)) {
      if (result_.entries == limits_.entries) {
        return stop("after " + std::to_string(limits_.entries) + " entries");
      }
      const auto entry = read<EntryHeader>(at);
      if (!entry) return;
      const auto room = end - at;
      if (entry->header_size < sizeof(EntryHeader) || entry->header_size > room ||
          entry->payload_size > room - entry->header_size) {
        return stop("an entry is larger than its container");
      }
      ++result_.entries;
      add(*entry);
      at += entry->header_size + entry->payload_size;
    }
    at_ = end;
  }

  void add(const EntryHeader& entry) {
    Architecture architecture{entry.architecture, {}};
    if ((entry.flags & kArchitectureSpecific) != 0)
      architecture.suffix = "a";
    else if ((entry.flags & kFamilySpecific) != 0)
      architecture.suffix = "f";
    if (entry.kind == kKindSass)
      sass_.insert(std::move(architecture));
    else if (entry.kind == kKindPtx)
      ptx_.insert(std::move(architecture));
  }

  System& system_;
  const std::string& path_;
  std::uint64_t at_;
  std::uint64_t end_ = 0;
  const FatbinLimits& limits_;
  std::string window_;
  std::uint64_t window_offset_ = 0;
  std::set<Architecture> sass_, ptx_;
  Fatbin result_;
  std::optional<Unavailable> failure_;
};

} // namespace

Answer<Fatbin> read_fatbin(System& system, const std::string& path, const FatbinLimits& limits) {
  const auto image = read_elf(system, path);
  if (!image) return tl::unexpected(image.error());
  if (!image->refusal.empty() || image->bits == 32) {
    const auto why = image->refusal.empty() ? "32-bit" : image->refusal;
    return tl::unexpected(Unavailable{Unavailable::Kind::unsuitable, path + ": " + why, 0});
  }
  const auto section = find_section(system, path, *image, ".nv_fatbin");
  if (!section) return tl::unexpected(section.error());
  if (!*section) return Fatbin{};
  return Walk(system, path, **section, limits).run();
}

} // namespace gpuwhy
