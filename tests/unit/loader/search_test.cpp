// What tests/loader cannot show against the real loader: open questions, reasons, secure mode,
// musl.
#include "unit/loader/inventory.h"

#include "loader/message.h"

#include <gtest/gtest.h>

namespace gpuwhy::loader {
namespace {

using Names = std::vector<std::string>;

TEST(Search, says_by_which_rule_a_library_was_found) {
  auto libraries = machine();
  add_library(libraries, "/sp/tensorflow/libframework.so.2").runpath = {
      "$ORIGIN/", "$ORIGIN/../nvidia/cudnn/lib"};
  add_library(libraries, "/sp/nvidia/cudnn/lib/libcudnn.so.9");
  Process process(libraries, setting());
  const auto found =
      process.open({"libcudnn.so.9", "/sp/tensorflow/libframework.so.2", {"/bin/python"}});
  EXPECT_EQ(found.outcome, Outcome::found);
  EXPECT_EQ(found.path, "/sp/nvidia/cudnn/lib/libcudnn.so.9");
  EXPECT_EQ(found.step, Step::runpath);
  EXPECT_EQ(found.because, "RUNPATH[1] of libframework.so.2");
  EXPECT_EQ(found.loaded, Names{"/sp/nvidia/cudnn/lib/libcudnn.so.9"});
  ASSERT_EQ(found.trace.size(), 2u);
  EXPECT_EQ(found.trace[0].place, "/sp/tensorflow/libcudnn.so.9");
  EXPECT_EQ(found.trace[0].result, Asked::Result::missing);
  EXPECT_EQ(found.trace[1].result, Asked::Result::found);
}

TEST(Search, names_each_place_that_has_no_inventory_in_one_round) {
  auto libraries = machine();
  libraries.directories.clear();
  Process process(libraries, setting("/a:/b"));
  const auto found = process.open({"libx.so.1", "/bin/python", {}});
  EXPECT_EQ(found.outcome, Outcome::unknown);
  EXPECT_EQ(found.not_looked, (Names{"/a/", "/b/", "/usr/lib/"}));
}

TEST(Search, goes_on_behind_an_open_question_but_stays_unknown) {
  auto libraries = machine();
  add_library(libraries, "/b/libx.so.1", {"liby.so.1"}).runpath = {"/c"};
  Process process(libraries, setting("/a:/b"));
  const auto found = process.open({"libx.so.1", "/bin/python", {}});
  EXPECT_EQ(found.outcome, Outcome::unknown);
  EXPECT_EQ(found.path, "/b/libx.so.1");
  EXPECT_EQ(found.not_looked, (Names{"/a/", "/c/"}));
  EXPECT_TRUE(found.loaded.empty());
}

TEST(Search, a_question_behind_the_find_does_not_matter) {
  auto libraries = machine();
  add_library(libraries, "/a/libx.so.1");
  Process process(libraries, setting("/a:/b"));
  EXPECT_EQ(process.open({"libx.so.1", "/bin/python", {}}).outcome, Outcome::found);
}

TEST(Search, a_listed_file_that_was_not_examined_is_open) {
  auto libraries = machine();
  add_library(libraries, "/a/libx.so.1");
  libraries.files.erase("/a/libx.so.1");
  Process process(libraries, setting("/a"));
  EXPECT_EQ(process.open({"libx.so.1", "/bin/python", {}}).not_looked, Names{"/a/libx.so.1"});
}

TEST(Search, an_opener_that_was_not_examined_is_open) {
  auto libraries = machine();
  Process process(libraries, setting());
  const auto found = process.open({"libx.so.1", "/opt/libopener.so", {"/bin/python"}});
  EXPECT_EQ(found.outcome, Outcome::unknown);
  EXPECT_EQ(found.not_looked, Names{"/opt/libopener.so"});
}

TEST(Search, a_cache_that_could_not_be_read_is_open_and_no_cache_is_not) {
  auto libraries = machine();
  libraries.cache = Fact<std::vector<CacheEntry>>::unknown("/etc/ld.so.cache: Permission denied");
  EXPECT_EQ(Process(libraries, setting()).open({"libx.so.1", "/bin/python", {}}).not_looked,
            Names{"/etc/ld.so.cache"});
  libraries.cache = Fact<std::vector<CacheEntry>>::absent(Source{}, "no cache");
  EXPECT_EQ(Process(libraries, setting()).open({"libx.so.1", "/bin/python", {}}).outcome,
            Outcome::missing);
}

TEST(Search, capability_directories_need_their_own_entry) {
  auto libraries = machine();
  add_library(libraries, "/a/libx.so.1");
  libraries.directories["/a"].capabilities = {"x86-64-v2", "x86-64-v4"};
  EXPECT_EQ(Process(libraries, setting("/a")).open({"libx.so.1", "/bin/python", {}}).not_looked,
            Names{"/a/glibc-hwcaps/x86-64-v2/"});
  add_library(libraries, "/a/glibc-hwcaps/x86-64-v2/libx.so.1");
  EXPECT_EQ(Process(libraries, setting("/a")).open({"libx.so.1", "/bin/python", {}}).path,
            "/a/glibc-hwcaps/x86-64-v2/libx.so.1");
}

TEST(Search, secure_mode_ignores_the_variable) {
  auto libraries = machine();
  add_library(libraries, "/a/libx.so.1");
  auto secure = setting("/a");
  secure.secure = true;
  EXPECT_EQ(Process(libraries, secure).open({"libx.so.1", "/bin/python", {}}).outcome,
            Outcome::missing);
}

TEST(Search, a_truncated_dependency_kills_the_process) {
  auto libraries = machine();
  add_library(libraries, "/a/libx.so.1", {"liby.so.1"});
  add_library(libraries, "/a/liby.so.1").status = LibraryFile::Status::truncated;
  const auto found = Process(libraries, setting("/a")).open({"libx.so.1", "/bin/python", {}});
  EXPECT_EQ(found.outcome, Outcome::crashes);
  EXPECT_EQ(found.dependency, "liby.so.1");
  EXPECT_EQ(message(found), "");
}

TEST(Search, failure_leaves_nothing_loaded) {
  auto libraries = machine();
  add_library(libraries, "/a/libx.so.1", {"libgood.so.1", "libgone.so.1"});
  add_library(libraries, "/a/libgood.so.1");
  Process process(libraries, setting("/a"));
  const auto found = process.open({"libx.so.1", "/bin/python", {}});
  EXPECT_EQ(found.outcome, Outcome::dependency_missing);
  EXPECT_EQ(found.path, "/a/libx.so.1");
  EXPECT_EQ(message(found),
            "libgone.so.1: cannot open shared object file: No such file or directory");
  EXPECT_EQ(process.open({"libgood.so.1", "/bin/python", {}}).step, Step::library_path);
}

TEST(Search, libraries_that_need_each_other_end) {
  auto libraries = machine();
  add_library(libraries, "/a/libx.so.1", {"liby.so.1"});
  add_library(libraries, "/a/liby.so.1", {"libx.so.1"});
  const auto found = Process(libraries, setting("/a")).open({"libx.so.1", "/bin/python", {}});
  EXPECT_EQ(found.loaded, (Names{"/a/libx.so.1", "/a/liby.so.1"}));
}

TEST(Search, dots_are_folded_only_where_no_link_is_in_the_way) {
  auto libraries = machine();
  auto& opener = add_library(libraries, "/env/pkg/libopen.so");
  opener.runpath = {"$ORIGIN/../x"};
  opener.real_path = "/store/pkg/libopen.so";
  Process process(libraries, setting());
  EXPECT_EQ(process.open({"libx.so.1", "/env/pkg/libopen.so", {"/bin/python"}}).not_looked,
            Names{"/env/pkg/../x/"});
}

TEST(Search, musl_has_no_cache_and_inherits_runpath) {
  auto libraries = machine();
  libraries.cache = Fact<std::vector<CacheEntry>>::known({{"libx.so.1", "/c/libx.so.1", ""}});
  add_library(libraries, "/b/libx.so.1").soname = "other";
  auto& program = libraries.files["/bin/python"];
  program.runpath = {"$ORIGIN/../b"};
  add_library(libraries, "/o/libopen.so");
  auto musl = setting();
  musl.musl = true;
  Process process(libraries, musl);
  EXPECT_EQ(process.open({"libx.so.1", "/o/libopen.so", {"/bin/python"}}).path, "/b/libx.so.1");
  EXPECT_EQ(process.open({"other", "/o/libopen.so", {"/bin/python"}}).outcome, Outcome::missing);
}

TEST(Expand, knows_the_three_tokens) {
  const auto libraries = machine();
  EXPECT_EQ(expand("$ORIGIN/../lib", "/a/b", libraries), "/a/b/../lib");
  EXPECT_EQ(expand("${ORIGIN}/$LIB/${PLATFORM}", "/a", libraries), "/a/lib64/x86_64");
  EXPECT_EQ(expand("$ORIGINAL $LIBS ${LIB $", "/a", libraries), "$ORIGINAL $LIBS ${LIB $");
}

TEST(Expand, splits_the_variable_at_colon_and_semicolon) {
  EXPECT_EQ(split_library_path("/a:;/b:"), (Names{"/a", "", "/b", ""}));
  EXPECT_TRUE(split_library_path("").empty());
}

} // namespace
} // namespace gpuwhy::loader
