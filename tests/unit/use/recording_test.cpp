#include "use/recording.h"

#include "base/text.h"

#include <gtest/gtest.h>

namespace gpuwhy::use {
namespace {

RunStart start_of_run() {
  RunStart start;
  start.command = {"python3", "train \"me\".py"};
  start.gpus.push_back(
      {.index = 0, .name = "GPU", .memory_total = 80ULL << 30U, .power_limit = 700.5});
  start.nvml.works = true;
  start.visible_devices = "";
  return start;
}

Tick full_tick() {
  Tick tick;
  tick.time = 1.5;
  GpuTick gpu{.index = 0,
              .busy = 0,
              .sm = 12.5,
              .memory = 5,
              .power = 70,
              .sm_clock = 1980,
              .reasons = 4,
              .temperature = 50,
              .pcie_rx = 1,
              .pcie_tx = 2};
  gpu.processes = std::vector<GpuProcess>{{.pid = 3, .memory = 4, .sm = {}}};
  tick.gpus.push_back(gpu);
  tick.host = HostTick{.seconds = 0.5, .cores = 1.25, .rss = 7, .processes = 2, .threads = 9};
  tick.cuda = CudaTick{.window = 0.2, .launches = 100, .pauses = 1, .pause_time = 0.125};
  tick.processes.push_back(
      {.pid = 3, .parent = 1, .name = "python3", .libraries = {"libcuda.so.1"}, .opens_gpu = true});
  return tick;
}

TEST(Recording, what_is_written_is_read) {
  RunEnd end;
  end.time = 2;
  end.exit_status = 0;
  end.loader.works = true;
  end.libraries.push_back(
      {3, "libcuda.so.1", {{"/lib/libcuda.so.1", "ld.so.cache", true, false}}, ""});
  end.signs.push_back({Sign::Kind::device_error, "Xid 79", "kernel log"});
  std::vector<Tick> ticks;
  const auto text = write_start(start_of_run()) + write_tick(full_tick()) + write_end(end);
  const auto run = read_run(text, [&](const Tick& tick) { ticks.push_back(tick); });
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->start, start_of_run());
  EXPECT_EQ(run->end, end);
  ASSERT_EQ(ticks.size(), 1U);
  EXPECT_EQ(ticks[0], full_tick());
}

TEST(Recording, a_broken_end_is_told) {
  const auto text = write_start(start_of_run()) + write_tick(full_tick()) + R"({"t":2,"gp)";
  const auto run = read_run(text);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->end.notes, std::vector<std::string>{"the recording breaks off"});
  EXPECT_FALSE(run->end.exit_status);
}

TEST(Recording, hostile_lines_are_errors_that_name_the_line) {
  const auto start = write_start(start_of_run());
  for (const std::string line :
       {"[]", R"({"t":-1})", R"({"t":1,"gpus":[5]})", R"({"t":1,"gpus":[{"i":1e99}]})",
        R"({"t":1,"cuda":{"launches":-5}})", R"({"t":1e300,"host":5})", R"({"end":[]})"}) {
    const auto run = read_run(start + line + "\n" + write_tick(full_tick()));
    ASSERT_FALSE(run) << line;
    EXPECT_TRUE(run.error().message.starts_with("line 2: ")) << run.error().message;
  }
  EXPECT_FALSE(read_run(""));
  EXPECT_FALSE(read_run("{}"));
  EXPECT_FALSE(read_run("\x00\x01"));
}

TEST(Recording, names_from_a_file_cannot_drive_a_terminal) {
  auto start = start_of_run();
  start.gpus[0].name = "\x1b[2J";
  const auto run = read_run(write_start(start));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->start.gpus[0].name, "\\x1b[2J");
}

TEST(Thinner, keeps_five_minutes_whole_and_days_small) {
  Thinner thinner;
  std::size_t early = 0;
  std::size_t all = 0;
  double busy = 0;
  std::uint64_t launches = 0;
  constexpr unsigned kTicks = 200'000; // five and a half hours
  for (unsigned i = 0; i < kTicks; ++i) {
    auto tick = full_tick();
    tick.time = i * 0.1;
    tick.gpus[0].busy = i % 2 == 0 ? 0 : 100;
    const auto saved = thinner.add(tick);
    if (!saved) continue;
    ++all;
    early += saved->time < 299 ? 1U : 0U;
    busy = *saved->gpus[0].busy;
    launches += saved->cuda->launches;
  }
  if (const auto rest = thinner.rest()) launches += rest->cuda->launches;
  EXPECT_EQ(early, 2990U);
  EXPECT_LT(all, 20'000U);
  EXPECT_NEAR(busy, 50, 5);
  EXPECT_EQ(launches, std::uint64_t{100} * kTicks);
}

} // namespace
} // namespace gpuwhy::use
