#include "elf/ld_cache.h"

#include "base/bytes.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::string_view kOldMagic = "ld.so-1.7.0";

struct Header {
  char magic[20];
  std::uint32_t count;
  std::uint32_t string_bytes;
  std::uint8_t flags;
  std::uint8_t padding[3];
  std::uint32_t extensions; // offset, 0: none
  std::uint32_t unused[3];
};
static_assert(sizeof(Header) == 48);

struct Entry {
  std::int32_t flags;
  std::uint32_t key;
  std::uint32_t value;
  std::uint32_t os_version;
  std::uint64_t capability;
};
static_assert(sizeof(Entry) == 24);

constexpr std::uint8_t kEndianMask = 3;
constexpr std::uint8_t kBigEndian = 3;
constexpr std::uint64_t kNamedCapability = std::uint64_t{1} << 62U;

std::optional<std::int32_t> abi_flags(std::string_view machine) {
  struct Abi {
    std::string_view machine;
    std::int32_t flags;
  };
  constexpr auto kAbis = std::to_array<Abi>({
      {"x86_64", 0x0303},
      {"aarch64", 0x0a03},
      {"ppc64le", 0x0503},
      {"s390x", 0x0403},
      {"riscv64", 0x1003},
  });
  const auto* abi = std::find_if(kAbis.begin(), kAbis.end(),
                                 [&](const Abi& known) { return known.machine == machine; });
  if (abi == kAbis.end()) return std::nullopt;
  return abi->flags;
}

/// Names of glibc-hwcaps subdirectories; an entry's capability is an index into them.
std::vector<std::string> capability_names(std::span<const std::byte> cache,
                                          std::uint32_t extensions) {
  constexpr std::uint32_t kExtensionMagic = 0xEAA42174;
  constexpr std::uint32_t kCapabilityTag = 1;
  constexpr std::uint32_t kMostExtensions = 64;
  constexpr std::uint32_t kMostNames = 4096;
  std::vector<std::string> names;
  if (extensions == 0 || read_value<std::uint32_t>(cache, extensions) != kExtensionMagic) {
    return names;
  }
  const auto count = read_value<std::uint32_t>(cache, std::uint64_t{extensions} + 4).value_or(0);
  for (std::uint64_t i = 0; i < std::min(count, kMostExtensions); ++i) {
    const auto at = extensions + 8 + i * 16;
    const auto tag = read_value<std::uint32_t>(cache, at);
    const auto offset = read_value<std::uint32_t>(cache, at + 8);
    const auto size = read_value<std::uint32_t>(cache, at + 12);
    if (!tag || !offset || !size) break;
    if (*tag != kCapabilityTag) continue;
    for (std::uint64_t name = 0; name < std::min(*size / 4, kMostNames); ++name) {
      const auto where = read_value<std::uint32_t>(cache, *offset + name * 4);
      if (!where) return names;
      names.emplace_back(read_c_string(cache, *where).value_or(std::string_view()));
    }
  }
  return names;
}

std::string capability_of(const Entry& entry, const std::vector<std::string>& names) {
  if (entry.capability == 0) return {};
  const auto index = static_cast<std::uint32_t>(entry.capability);
  if ((entry.capability & kNamedCapability) != 0 && index < names.size() && !names[index].empty()) {
    return names[index];
  }
  return "legacy:" + std::to_string(entry.capability);
}

} // namespace

Result<std::vector<CacheEntry>>
parse_ld_cache(std::span<const std::byte> bytes, std::string_view machine,
               const std::function<bool(std::string_view)>& wanted) {
  const auto abi = abi_flags(machine);
  if (!abi) return fail("ld.so.cache: no ABI known for machine " + std::string(machine));
  // Older distributions put a block of the old format before; offsets count from the new header.
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto start = text.starts_with(kMagic) || text.starts_with(kOldMagic)
                         ? text.find(kMagic)
                         : std::string_view::npos;
  if (start == std::string_view::npos) return fail("ld.so.cache: not a cache of glibc");
  const auto cache = bytes.subspan(start);
  const auto header = read_value<Header>(cache, 0);
  if (!header) return fail("ld.so.cache: shorter than its header");
  if ((header->flags & kEndianMask) == kBigEndian) return fail("ld.so.cache: big-endian");
  if (header->count > (cache.size() - sizeof(Header)) / sizeof(Entry)) {
    return fail("ld.so.cache: shorter than its table of libraries");
  }

  const auto names = capability_names(cache, header->extensions);
  std::vector<CacheEntry> entries;
  for (std::uint64_t i = 0; i < header->count; ++i) {
    const auto entry = read_value<Entry>(cache, sizeof(Header) + i * sizeof(Entry));
    if (!entry || entry->flags != *abi) continue;
    const auto soname = read_c_string(cache, entry->key);
    const auto path = read_c_string(cache, entry->value);
    if (!soname || !path || (wanted && !wanted(*soname))) continue;
    entries.push_back({std::string(*soname), std::string(*path), capability_of(*entry, names)});
  }
  return entries;
}

} // namespace gpuwhy
