#include "use/statistics.h"
#include "use/timeline.h"

#include <gtest/gtest.h>

namespace gpuwhy::use {
namespace {

Tick busy_tick(double time, double busy) {
  Tick tick;
  tick.time = time;
  tick.gpus.push_back({.index = 0, .busy = busy, .memory = 100});
  return tick;
}

TEST(Timeline, keeps_means_and_sums_when_it_merges) {
  Timeline timeline(1, 0.1, 8);
  for (int i = 0; i < 64; ++i) {
    auto tick = busy_tick(i * 0.1 + 0.05, i < 32 ? 0 : 100);
    tick.cuda = CudaTick{.window = 0.1, .launches = 3};
    timeline.add(tick, {0}, {});
  }
  EXPECT_LE(timeline.moments().size(), 8U);
  EXPECT_DOUBLE_EQ(timeline.width(), 0.8);
  double busy = 0;
  std::uint64_t launches = 0;
  for (const auto& moment : timeline.moments()) {
    busy += moment.gpus[0].busy.sum;
    launches += moment.cuda.launches;
  }
  EXPECT_DOUBLE_EQ(busy, 3200);
  EXPECT_EQ(launches, 192U);
  EXPECT_DOUBLE_EQ(timeline.moments()[0].gpus[0].busy.value(), 0);
  EXPECT_DOUBLE_EQ(timeline.moments()[7].gpus[0].busy.value(), 100);
}

TEST(Timeline, a_year_takes_no_more_memory_than_a_minute) {
  Timeline timeline(1);
  timeline.add(busy_tick(1, 50), {0}, {});
  timeline.add(busy_tick(365 * 86'400.0, 50), {0}, {});
  timeline.add(busy_tick(1e300, 50), {0}, {}); // a clock gone wrong
  timeline.add(busy_tick(-5, 50), {0}, {});
  EXPECT_LE(timeline.moments().size(), 2400U);
}

TEST(Timeline, memory_of_a_run_is_that_of_its_processes) {
  Timeline timeline(1);
  Tick tick = busy_tick(0, 10);
  tick.gpus[0].processes = std::vector<GpuProcess>{{.pid = 7, .memory = 5, .sm = 50},
                                                   {.pid = 8, .memory = 70, .sm = 40}};
  timeline.add(tick, {0}, {7});
  EXPECT_EQ(timeline.moments()[0].gpus[0].own_memory, 5U);
  EXPECT_DOUBLE_EQ(timeline.moments()[0].gpus[0].own_sm.value(), 50);
}

TEST(Timeline, a_gpu_that_nobody_knows_is_left_out) {
  Timeline timeline(1);
  Tick tick = busy_tick(0, 10);
  tick.gpus[0].index = 5;
  timeline.add(tick, {0}, {});
  EXPECT_FALSE(timeline.moments()[0].gpus[0].busy.known());
}

RunStart one_gpu() {
  RunStart start;
  start.gpus.push_back({.index = 0, .name = "Test GPU"});
  start.nvml.works = true;
  return start;
}

TEST(Statistics, the_steady_phase_leaves_out_start_and_end) {
  RunObserver observer(one_gpu());
  Tick first = busy_tick(0, 90); // the program before us: NVML looks back
  first.processes.push_back({.pid = 7, .opens_gpu = false});
  observer.add(first);
  for (int i = 1; i < 300; ++i) {
    auto tick = busy_tick(i * 0.1, i > 100 && i < 200 ? 80 : 0);
    tick.gpus[0].processes = std::vector<GpuProcess>{};
    if (i > 50) tick.gpus[0].processes->push_back({.pid = 7, .memory = 1000});
    observer.add(tick);
  }
  const auto run = observer.finish({.time = 30});
  ASSERT_TRUE(run.gpus[0].steady);
  EXPECT_NEAR(run.gpus[0].steady->from, 10.1, 0.3);
  EXPECT_NEAR(run.gpus[0].steady->to, 20, 0.3);
  EXPECT_NEAR(run.gpus[0].busy, 80, 1);
  EXPECT_TRUE(run.gpus[0].used);
  EXPECT_NEAR(*run.opened, 5.1, 0.2);
}

TEST(Statistics, anothers_work_is_not_the_runs) {
  auto start = one_gpu();
  GpuTick before{.index = 0, .busy = 100};
  before.processes = std::vector<GpuProcess>{{.pid = 99, .memory = 1 << 30}};
  start.before.push_back(before);
  RunObserver observer(start);
  for (int i = 0; i < 100; ++i) {
    auto tick = busy_tick(i * 0.1, 100);
    tick.gpus[0].processes = std::vector<GpuProcess>{{.pid = 99, .memory = 1 << 30}};
    if (i == 10) tick.processes.push_back({.pid = 7, .opens_gpu = true});
    observer.add(tick);
  }
  const auto run = observer.finish({.time = 10});
  EXPECT_FALSE(run.any_used());
  EXPECT_TRUE(run.gpus[0].by_others);
}

} // namespace
} // namespace gpuwhy::use
