#include "elf/library.h"

#include "support/memory_system.h"
#include "unit/elf/tiny_elf.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Status = LibraryFile::Status;

class Library : public testing::Test {
protected:
  Library() {
    Identity identity;
    identity.machine = "x86_64";
    system.set_identity(identity);
  }

  LibraryFile classify(const std::string& bytes) {
    system.add_file("/lib/libx.so.1", bytes);
    return classify_library(system, "/lib/libx.so.1");
  }

  MemorySystem system;
};

TEST_F(Library, good_behind_links) {
  TinyElf elf;
  elf.names = {{DT_SONAME, "libcudnn.so.9"}, {DT_NEEDED, "libc.so.6"}};
  system.add_file("/lib/libcudnn.so.9.3.0", elf.bytes());
  system.add_link("/lib/libcudnn.so.9", "libcudnn.so.9.3.0");
  const auto file = classify_library(system, "/lib/libcudnn.so.9");
  EXPECT_EQ(file.status, Status::good) << file.detail;
  EXPECT_EQ(file.real_path, "/lib/libcudnn.so.9.3.0");
  EXPECT_EQ(file.soname, "libcudnn.so.9");
  EXPECT_EQ(file.version.value_or(""), "9.3.0");
  EXPECT_FALSE(file.identity.empty());
}

TEST_F(Library, links_that_lead_nowhere) {
  system.add_link("/lib/liba.so", "liba.so.1.2");
  system.add_link("/lib/libb.so", "libb.so");
  const auto broken = classify_library(system, "/lib/liba.so");
  EXPECT_EQ(broken.status, Status::dangling);
  EXPECT_EQ(broken.detail, "points to liba.so.1.2, which is missing");
  const auto loop = classify_library(system, "/lib/libb.so");
  EXPECT_EQ(loop.status, Status::dangling);
  EXPECT_EQ(loop.detail, "a loop of links");
}

TEST_F(Library, what_is_no_file) {
  system.add_directory("/lib/liba.so");
  system.add_fifo("/lib/libb.so");
  system.add_file("/lib/libc.so", TinyElf{}.bytes());
  system.unreadable("/lib/libc.so");
  EXPECT_EQ(classify_library(system, "/lib/liba.so").status, Status::directory);
  EXPECT_EQ(classify_library(system, "/lib/libb.so").status, Status::special);
  EXPECT_EQ(classify_library(system, "/lib/libc.so").status, Status::unreadable);
}

TEST_F(Library, what_is_no_elf) {
  const std::string more(80, ' ');
  EXPECT_EQ(classify("").status, Status::too_short);
  EXPECT_EQ(classify("INPUT(libx.so.1.2)").status, Status::too_short);
  EXPECT_EQ(classify("/* GNU ld script */" + more).detail, "a linker script");
  EXPECT_EQ(classify("<!DOCTYPE html>" + more).detail, "an HTML page");
  EXPECT_EQ(classify("version https://git-lfs.github.com/spec/v1\n" + more).detail,
            "a git-lfs pointer: the file itself was never downloaded");
  EXPECT_EQ(classify(std::string(100, '\0')).detail, "zero bytes");
  EXPECT_EQ(classify("hello" + more).status, Status::not_elf);
}

TEST_F(Library, for_another_processor) {
  TinyElf elf;
  elf.machine = EM_AARCH64;
  EXPECT_EQ(classify(elf.bytes()).status, Status::wrong_machine);
  EXPECT_EQ(classify(elf.bytes()).detail, "ELF 64-bit AArch64");
  elf.machine = EM_386;
  auto bytes = elf.bytes();
  bytes[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(classify(bytes).status, Status::wrong_class);
  EXPECT_EQ(classify(bytes).detail, "ELF 32-bit Intel 80386");
}

TEST_F(Library, truncated) {
  TinyElf elf;
  elf.names = {{DT_SONAME, "libx.so.1"}};
  elf.padding = 1000;
  const auto bytes = elf.bytes();
  const auto file = classify(bytes.substr(0, bytes.size() - 500));
  EXPECT_EQ(file.status, Status::truncated);
  EXPECT_EQ(file.detail, std::to_string(bytes.size() - 500) + " of at least " +
                             std::to_string(bytes.size()) + " bytes");
}

// As nvcc's linker leaves it: kernels in a segment of their own behind all that loading touches.
TEST_F(Library, cut_where_loading_does_not_look) {
  TinyElf elf;
  elf.names = {{DT_SONAME, "libx.so.1"}};
  elf.kernels = std::string(100'000, 'k');
  const auto bytes = elf.bytes();
  const auto file = classify(bytes.substr(0, bytes.size() - 50'000));
  EXPECT_EQ(file.status, Status::incomplete);
  EXPECT_EQ(file.soname, "libx.so.1");
  EXPECT_EQ(classify(bytes).status, Status::good);
  // A relocation into the lost part: the loader writes there, and dies.
  elf.relocated = bytes.size() - 100;
  EXPECT_EQ(classify(elf.bytes().substr(0, elf.bytes().size() - 50'000)).status, Status::truncated);
  elf.relocated = 0;
  EXPECT_EQ(classify(bytes.substr(0, 240)).status,
            Status::truncated); // the dynamic section is gone
}

TEST(Version, needs_two_components) {
  EXPECT_EQ(version_in_file_name("libcublas.so.12.5.3.2"), "12.5.3.2");
  EXPECT_EQ(version_in_file_name("libcuda.so.580.159.04"), "580.159.04");
  EXPECT_EQ(version_in_file_name("libcudnn.so.9"), std::nullopt);
  EXPECT_EQ(version_in_file_name("libcuda.so"), std::nullopt);
  EXPECT_EQ(version_in_file_name("libx.so.1.2.bak"), std::nullopt);
  EXPECT_EQ(version_in_file_name("libcuda.so.1.1"), std::nullopt);
}

} // namespace
} // namespace gpuwhy
