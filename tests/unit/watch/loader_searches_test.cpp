#include "watch/loader_searches.h"

#include "loader_audit.h"

#include <gtest/gtest.h>

#include <link.h>

namespace gpuwhy::watch {
namespace {

using Searches = std::vector<use::LibrarySearch>;

class Records {
public:
  Records& add(gpuwhy_loader_kind kind, std::string_view name = {}, unsigned flag = 0,
               gpuwhy_loader_presence presence = GPUWHY_LOADER_ABSENT) {
    gpuwhy_loader_record record{};
    record.magic = GPUWHY_LOADER_MAGIC;
    record.kind = static_cast<std::uint8_t>(kind);
    record.presence = static_cast<std::uint8_t>(presence);
    record.flag = static_cast<std::uint16_t>(flag);
    record.size = static_cast<std::uint16_t>(name.size());
    name.copy(record.name, sizeof record.name);
    const auto* begin = reinterpret_cast<const std::byte*>(&record);
    bytes.insert(bytes.end(), begin, begin + sizeof record);
    return *this;
  }
  std::vector<std::byte> bytes;
};

Searches decoded(const Records& records, bool whole = true) {
  Searches all;
  EXPECT_EQ(decode_searches(7, records.bytes, all), whole);
  return all;
}

TEST(LoaderSearches, a_name_the_files_tried_and_what_was_taken) {
  const auto all = decoded(
      Records()
          .add(GPUWHY_LOADER_BEGUN)
          .add(GPUWHY_LOADER_SEARCH, "libcudnn.so.9", LA_SER_ORIG)
          .add(GPUWHY_LOADER_TRY, "/a/libcudnn.so.9", LA_SER_LIBPATH)
          .add(GPUWHY_LOADER_TRY, "/b/libcudnn.so.9", LA_SER_RUNPATH, GPUWHY_LOADER_READABLE)
          .add(GPUWHY_LOADER_TOOK, "/b/libcudnn.so.9"));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0], (use::LibrarySearch{7,
                                        "libcudnn.so.9",
                                        {{"/a/libcudnn.so.9", "LD_LIBRARY_PATH", false, false},
                                         {"/b/libcudnn.so.9", "RPATH or RUNPATH", true, true}},
                                        "/b/libcudnn.so.9"}));
  EXPECT_FALSE(all[0].missing());
}

TEST(LoaderSearches, missing_only_where_no_file_that_was_tried_is_there) {
  const auto all =
      decoded(Records()
                  .add(GPUWHY_LOADER_SEARCH, "libcuda.so.1", LA_SER_ORIG)
                  .add(GPUWHY_LOADER_TRY, "/lib/libcuda.so.1", LA_SER_DEFAULT)
                  .add(GPUWHY_LOADER_SEARCH, "libnccl.so.2", LA_SER_ORIG)
                  .add(GPUWHY_LOADER_TRY, "/lib/libnccl.so.2", LA_SER_CONFIG, GPUWHY_LOADER_PRESENT)
                  .add(GPUWHY_LOADER_BEGUN)
                  .add(GPUWHY_LOADER_SEARCH, "/x/libcufft.so.11", LA_SER_ORIG));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0].missing());
  EXPECT_TRUE(all[1].left_lying());
  EXPECT_FALSE(all[1].missing());
  EXPECT_FALSE(all[1].tried[0].readable);
  ASSERT_EQ(all[2].tried.size(), 1U); // a path is its own only try
  EXPECT_EQ(all[2].tried[0].rule, "path");
  EXPECT_TRUE(all[2].missing());
}

/// A name of no interest is not recorded, and what is taken for it must not answer another.
TEST(LoaderSearches, what_is_taken_belongs_to_its_own_name) {
  const auto all = decoded(Records()
                               .add(GPUWHY_LOADER_SEARCH, "libcudart.so.12", LA_SER_ORIG)
                               .add(GPUWHY_LOADER_TOOK, "/x/jaxlib/libother.so")
                               .add(GPUWHY_LOADER_TRY, "/x/jaxlib/libmlir.so", LA_SER_RUNPATH));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0].took.empty());
  EXPECT_EQ(all[1].name, "/x/jaxlib/libother.so");
  EXPECT_EQ(all[2].name, "libmlir.so");
}

TEST(LoaderSearches, a_hostile_file_ends_the_reading) {
  Records records;
  records.add(GPUWHY_LOADER_SEARCH, "libcuda.so.1\x1b[2J", LA_SER_ORIG);
  records.add(GPUWHY_LOADER_TRY, std::string(5000, 'a'), 0x7fff);
  auto cut = records;
  cut.bytes.resize(cut.bytes.size() - 1);
  EXPECT_EQ(decoded(cut, false).size(), 1U);
  const auto all = decoded(records);
  EXPECT_EQ(all[0].name, "libcuda.so.1\\x1b[2J");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].tried[0].rule, "another rule");
  EXPECT_TRUE(all[1].name.ends_with("a..."));

  auto wrong = records;
  wrong.bytes[sizeof(gpuwhy_loader_record)] = std::byte{0};
  EXPECT_EQ(decoded(wrong, false).size(), 1U);
  EXPECT_EQ(decoded(Records().add(GPUWHY_LOADER_FULL), false).size(), 0U);
  Records many;
  for (int i = 0; i < 3000; ++i) many.add(GPUWHY_LOADER_SEARCH, "libcuda.so.1", LA_SER_ORIG);
  EXPECT_EQ(decoded(many).size(), 1024U);
  Records tries;
  tries.add(GPUWHY_LOADER_SEARCH, "libcuda.so.1", LA_SER_ORIG);
  for (int i = 0; i < 1000; ++i) tries.add(GPUWHY_LOADER_TRY, "/x/libcuda.so.1", LA_SER_LIBPATH);
  EXPECT_EQ(decoded(tries)[0].tried.size(), 256U);
}

TEST(LoaderSearches, workers_that_search_alike_are_one) {
  const use::LibraryTry first{"/a/libcuda.so.1", "RUNPATH", false, false};
  const use::LibraryTry second{"/b/libcuda.so.1", "RUNPATH", false, false};
  Searches all;
  merge_searches(all, {{1, "libcuda.so.1", {first}, ""}});
  merge_searches(all, {{2, "libcuda.so.1", {first, second}, ""},
                       {2, "libcuda.so.1", {second}, "/b/libcuda.so.1"}});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], (use::LibrarySearch{1, "libcuda.so.1", {first, second}, ""}));
  EXPECT_EQ(all[1].took, "/b/libcuda.so.1");
}

} // namespace
} // namespace gpuwhy::watch
