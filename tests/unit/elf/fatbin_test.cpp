#include "elf/fatbin.h"

#include "support/memory_system.h"
#include "unit/elf/tiny_elf.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Names = std::vector<std::string>;
constexpr std::uint16_t kPtx = 1, kSass = 2, kLto = 8;

Answer<Fatbin> read(const std::string& section, const FatbinLimits& limits = {}) {
  TinyElf elf;
  elf.fatbin = section;
  MemorySystem system;
  system.add_file("/x", elf.bytes());
  return read_fatbin(system, "/x", limits);
}

TEST(FatbinTest, lists_architectures_of_all_containers_by_age) {
  const auto fatbin = read(
      fatbin_container(fatbin_entry(kSass, 120) + fatbin_entry(kSass, 75)) + std::string(24, '\0') +
      fatbin_container(fatbin_entry(kSass, 90, 0x100000) + fatbin_entry(kPtx, 90) +
                       fatbin_entry(kSass, 100, 0x200000) + fatbin_entry(kLto, 60)));
  ASSERT_TRUE(fatbin);
  EXPECT_EQ(fatbin->sass, (Names{"7.5", "9.0a", "10.0f", "12.0"}));
  EXPECT_EQ(fatbin->ptx, Names{"9.0"});
  EXPECT_EQ(fatbin->containers, 2u);
  EXPECT_EQ(fatbin->entries, 6u);
  EXPECT_EQ(fatbin->stopped, "");
}

TEST(FatbinTest, a_library_without_device_code_has_none) {
  MemorySystem system;
  system.add_file("/x", TinyElf{}.bytes());
  const auto fatbin = read_fatbin(system, "/x");
  ASSERT_TRUE(fatbin);
  EXPECT_TRUE(fatbin->sass.empty() && fatbin->ptx.empty() && fatbin->stopped.empty());
}

TEST(FatbinTest, says_where_it_stopped) {
  const auto container = fatbin_container(fatbin_entry(kSass, 75) + fatbin_entry(kSass, 80));
  EXPECT_EQ(read(container, {.entries = 1})->stopped, "after 1 entries");
  EXPECT_EQ(read(container, {.reads = 1, .read_size = 64})->stopped, "after 1 reads");
  EXPECT_EQ(read(container.substr(0, 60))->stopped, "a container is larger than its section");
  EXPECT_EQ(read("no container at all, but text")->stopped,
            "bytes that are not a fatbin container");
}

TEST(FatbinTest, a_file_that_is_no_library_is_unsuitable) {
  MemorySystem system;
  system.add_file("/x", "text");
  EXPECT_EQ(read_fatbin(system, "/x").error().kind, Unavailable::Kind::unsuitable);
}

} // namespace
} // namespace gpuwhy
