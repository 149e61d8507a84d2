#include "render/html_run.h"
#include "use/recording.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

/// A run on one GPU, a look a second: its memory grows by 64 MiB a second from 1 GiB on.
std::string growing(int seconds) {
  std::string text =
      R"({"schema":"gpuwhy.run/1","command":["python3"],"gpus":[{"name":"A GPU","uuid":"GPU-0","pci":"0000:01:00.0"}],"nvml":{"works":true}})"
      "\n";
  text += R"({"t":0.1,"processes":[{"pid":7,"parent":1,"name":"python3","opens_gpu":true}]})"
          "\n";
  for (int i = 1; i <= seconds; ++i) {
    const auto memory = std::to_string((1024 + 64 * i) * (1LL << 20));
    text += R"({"t":)" + std::to_string(i) + R"(,"gpus":[{"i":0,"busy":90,"rx":2000,"mem":)" +
            memory + R"(,"procs":[{"pid":7,"sm":90,"memory":)" + memory + "}]}]}\n";
  }
  return text + R"({"end":{"t":)" + std::to_string(seconds + 1) +
         R"(,"exit_status":0,"nvml":{"works":true}}})" + "\n";
}

ChartSheet sheet_of(const std::string& text) {
  const auto run = use::read_run(text);
  EXPECT_TRUE(run.has_value()) << (run ? "" : run.error().message);
  return run ? run_charts(*run) : ChartSheet{};
}

const Chart* find(const ChartSheet& sheet, std::string_view id) {
  const auto found = std::find_if(sheet.charts.begin(), sheet.charts.end(),
                                  [&](const Chart& each) { return each.id == id; });
  return found == sheet.charts.end() ? nullptr : &*found;
}

TEST(RunCharts, ALeakIsALineWithItsSlopeAndUnit) {
  const auto sheet = sheet_of(growing(40));
  const auto* memory = find(sheet, "gpu0-memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->unit, "GiB");
  ASSERT_EQ(memory->series.size(), 3U);
  const auto& slope = memory->series.back();
  EXPECT_EQ(slope.summary, "3.75 GiB a minute");
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < slope.values.size(); ++i) {
    if (slope.values[i]) ends.push_back(i);
  }
  ASSERT_EQ(ends.size(), 2U);
  const double seconds = sheet.seconds[ends[1]] - sheet.seconds[ends[0]];
  EXPECT_NEAR((*slope.values[ends[1]] - *slope.values[ends[0]]) / seconds, 64.0 / 1024, 1e-6);
  for (const auto end : ends)
    EXPECT_NEAR(*slope.values[end], *memory->series[1].values[end], 0.01)
        << "it lies on the points";
}

TEST(RunCharts, LevelMemoryHasNoSlope) {
  auto text = growing(40);
  for (int i = 1; i <= 40; ++i) {
    const auto bytes = std::to_string((1024 + 64 * i) * (1LL << 20));
    for (auto at = text.find(bytes); at != std::string::npos; at = text.find(bytes))
      text.replace(at, bytes.size(), "209715200");
  }
  const auto sheet = sheet_of(text);
  const auto* memory = find(sheet, "gpu0-memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->unit, "MiB") << "200 MiB are no gibibyte";
  EXPECT_EQ(memory->series.front().summary, "at most 200 MiB");
  EXPECT_EQ(memory->series.size(), 2U);
  EXPECT_TRUE(memory->note.empty());
}

TEST(RunCharts, WhatNobodyToldIsNoChart) {
  const auto sheet = sheet_of(growing(40));
  EXPECT_EQ(find(sheet, "calls"), nullptr);
  EXPECT_EQ(find(sheet, "cores"), nullptr);
  EXPECT_EQ(find(sheet, "gpu0-power"), nullptr);
  const auto* copies = find(sheet, "gpu0-pcie");
  ASSERT_NE(copies, nullptr);
  ASSERT_EQ(copies->series.size(), 1U) << "the driver told one direction";
  EXPECT_EQ(copies->series.front().summary, "at most 2.05 MB/s");
}

TEST(RunCharts, ALongRunIsABoundedSheet) {
  const auto sheet = sheet_of(growing(5000));
  EXPECT_LE(sheet.seconds.size(), 801U);
  EXPECT_GE(sheet.seconds.size(), 400U);
  EXPECT_EQ(sheet.end, 5001);
  Html html;
  html_chart(html, sheet, 0);
  EXPECT_LT(html.take().size(), 10'000U);
}

TEST(RunCharts, TimesReadAsPeopleSayThem) {
  EXPECT_EQ(run_time(13.04), "13.0 s");
  EXPECT_EQ(run_time(720), "12 min");
  EXPECT_EQ(run_time(8640), "2 h 24 min");
  EXPECT_EQ(run_time(7199.9), "2 h 0 min");
  EXPECT_EQ(short_number(0.0446), "0.045");
  EXPECT_EQ(short_number(97.26), "97.3");
  EXPECT_EQ(short_number(1391.4), "1391");
}

} // namespace
} // namespace gpuwhy
