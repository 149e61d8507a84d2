#include "elf/image.h"

#include "support/memory_system.h"
#include "unit/elf/tiny_elf.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Names = std::vector<std::string>;

Answer<ElfImage> read(const std::string& bytes) {
  MemorySystem system;
  system.add_file("/x", bytes);
  return read_elf(system, "/x");
}

TEST(Image, reads_names_through_addresses) {
  TinyElf elf;
  elf.names = {{DT_NEEDED, "liba.so.1"},
               {DT_NEEDED, "libb.so.2"},
               {DT_SONAME, "libx.so.1"},
               {DT_RUNPATH, "$ORIGIN:/b::"}};
  elf.flags = DF_1_NODEFLIB;
  const auto image = read(elf.bytes());
  ASSERT_TRUE(image);
  EXPECT_EQ(image->refusal, "");
  EXPECT_EQ(image->damage, "");
  EXPECT_EQ(image->soname, "libx.so.1");
  EXPECT_EQ(image->needed, (Names{"liba.so.1", "libb.so.2"}));
  EXPECT_EQ(image->runpath, (Names{"$ORIGIN", "/b", ""}));
  EXPECT_TRUE(image->rpath.empty());
  EXPECT_TRUE(image->no_default_lib);
  EXPECT_EQ(image->extent, elf.bytes().size());
}

TEST(Image, an_empty_runpath_is_told_from_none) {
  TinyElf elf;
  elf.names = {{DT_RUNPATH, ""}};
  EXPECT_EQ(read(elf.bytes())->runpath, Names{""});
}

TEST(Image, a_search_path_may_be_long_and_repeat_itself) {
  std::string path = "/first";
  for (int i = 0; i < 2'000; ++i) path += ":$ORIGIN/../nvidia/cudnn/lib";
  TinyElf elf;
  elf.names = {{DT_NEEDED, "liba.so.1"}, {DT_RUNPATH, path}};
  const auto image = read(elf.bytes());
  ASSERT_TRUE(image);
  EXPECT_EQ(image->damage, "");
  EXPECT_EQ(image->runpath, (Names{"/first", "$ORIGIN/../nvidia/cudnn/lib"}));
}

TEST(Image, a_large_library_costs_three_reads) {
  TinyElf elf;
  elf.names = {{DT_NEEDED, "liba.so.1"}, {DT_RUNPATH, std::string(1500, 'r')}};
  elf.padding = 1U << 20U;
  MemorySystem system;
  system.add_file("/x", elf.bytes());
  ASSERT_TRUE(read_elf(system, "/x"));
  EXPECT_LE(system.touched("/x"), 3);
}

TEST(Image, refuses_in_the_words_of_the_loader) {
  auto good = TinyElf{}.bytes();
  const auto with = [&](std::size_t at, char value) {
    auto bytes = good;
    bytes[at] = value;
    return read(bytes)->refusal;
  };
  EXPECT_EQ(read("")->refusal, "file too short");
  EXPECT_EQ(read(good.substr(0, 63))->refusal, "file too short");
  EXPECT_EQ(with(0, 'x'), "invalid ELF header");
  EXPECT_EQ(with(EI_DATA, ELFDATA2MSB), "ELF file data encoding not little-endian");
  EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_type), ET_REL), "only ET_DYN and ET_EXEC can be loaded");
  EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_phnum), 0), "object file has no loadable segments");
  EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_phnum), 1), "object file has no dynamic section");
}

TEST(Image, names_outside_the_file_are_damage) {
  TinyElf elf;
  elf.names = {{DT_SONAME, "libx.so.1"}};
  auto bytes = elf.bytes();
  const std::uint64_t far = 1U << 30U;
  std::memcpy(bytes.data() + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) + 8, &far, sizeof far);
  EXPECT_EQ(read(bytes)->damage, "a name lies outside its string table");
}

TEST(Image, finds_sections_by_name) {
  TinyElf elf;
  elf.fatbin = "content!";
  MemorySystem system;
  system.add_file("/x", elf.bytes());
  const auto image = read_elf(system, "/x");
  const auto section = find_section(system, "/x", *image, ".nv_fatbin");
  ASSERT_TRUE(section && *section);
  EXPECT_EQ(*system.read_at("/x", (*section)->offset, (*section)->size), "content!");
  EXPECT_FALSE(*find_section(system, "/x", *image, ".text"));
}

} // namespace
} // namespace gpuwhy
