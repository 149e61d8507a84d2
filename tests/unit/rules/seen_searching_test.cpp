// L01, L03, L07 and L09 as a run shows them.
#include "judge/judge_run.h"
#include "use/statistics.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

use::RunStatistics run_that(std::vector<use::LibrarySearch> searches) {
  use::RunStatistics run;
  run.start.nvml.works = true;
  run.gpus.emplace_back();
  run.end.time = 10;
  run.end.loader.works = true;
  run.end.libraries = std::move(searches);
  return run;
}

use::LibrarySearch missing(const std::string& name) {
  return {5, name, {{"/lib/" + name, "default directory", false, false}}, ""};
}

std::vector<std::string> ids(const use::RunStatistics& run) {
  std::vector<std::string> all;
  for (const auto& cause : judge_run(run).causes) all.push_back(cause.id);
  return all;
}

bool cleared(const use::RunStatistics& run, std::string_view id) {
  const auto all = judge_run(run).ruled_out;
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& each) { return each.starts_with(id); });
}

TEST(SeenSearching, what_is_found_nowhere_is_named) {
  const auto run = run_that({missing("libcudnn.so.9"), missing("libnvinfer.so.8")});
  const auto verdict = judge_run(run);
  ASSERT_EQ(ids(run), std::vector<std::string>{"L03"});
  EXPECT_EQ(verdict.causes[0].summary, "the program looked for libcudnn.so.9 and found it nowhere");
  EXPECT_EQ(verdict.causes[0].evidence[0].text,
            "libcudnn.so.9: the loader tried /lib/libcudnn.so.9 (default directory)");
  EXPECT_EQ(verdict.causes[0].evidence[0].source.where, "process 5");
  EXPECT_TRUE(cleared(run, "L01"));
}

TEST(SeenSearching, each_rule_owns_its_libraries) {
  EXPECT_EQ(ids(run_that({missing("libcudart.so.12")})), std::vector<std::string>{"L01"});
  EXPECT_EQ(ids(run_that({missing("libcublas.so.12"), missing("/opt/x/libcufft.so.11")})),
            std::vector<std::string>{"L09"});
}

TEST(SeenSearching, a_file_that_was_met_and_not_loaded) {
  const auto run = run_that(
      {{5, "libcublas.so.12", {{"/x/libcublas.so.12", "LD_LIBRARY_PATH", true, true}}, ""}});
  EXPECT_EQ(ids(run), std::vector<std::string>{"L07"});
  EXPECT_TRUE(cleared(run, "L09"));
}

TEST(SeenSearching, what_came_under_another_name_is_not_missing) {
  EXPECT_TRUE(
      ids(run_that({missing("libcudart.so"), {5, "libcudart.so.12", {}, "/x/libcudart.so.12"}}))
          .empty());
  auto mapped = run_that({missing("libcudart.so")});
  mapped.processes[5] = {.pid = 5, .parent = 1, .name = "python", .libraries = {"libcudart.so.12"}};
  EXPECT_TRUE(ids(mapped).empty());
}

TEST(SeenSearching, nothing_is_said_where_nobody_looked_or_the_gpu_was_used) {
  auto unseen = run_that({missing("libcudnn.so.9")});
  unseen.end.loader.works = false;
  EXPECT_TRUE(ids(unseen).empty());
  EXPECT_FALSE(cleared(unseen, "L03"));
  auto used = run_that({missing("libcudnn.so.9")});
  used.gpus[0].used = used.gpus[0].held = true;
  const auto causes = ids(used);
  EXPECT_EQ(std::count(causes.begin(), causes.end(), "L03"), 0);
}

} // namespace
} // namespace gpuwhy
