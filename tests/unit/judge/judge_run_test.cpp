// Judging without a GPU: recordings of runs on an H100 (tests/gpu/workloads.py), each with one
// known bottleneck or none. A file is named EXPECTED-WORKLOAD.jsonl.
#include "judge/judge_run.h"
#include "use/recording.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

const std::filesystem::path kRuns =
    std::filesystem::path(GPUWHY_SOURCE_DIR) / "tests/fixtures/runs";

std::vector<std::string> recordings() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kRuns))
    names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

std::string read(const std::string& name) {
  std::ifstream file(kRuns / (name + ".jsonl"), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string said(const RunVerdict& verdict) {
  if (!verdict.causes.empty()) return verdict.causes.front().id;
  return verdict.answer == Used::used      ? "used"
         : verdict.answer == Used::unknown ? "unknown"
                                           : "other";
}

class Recordings : public testing::TestWithParam<std::string> {};

TEST_P(Recordings, name_their_bottleneck) {
  const auto run = use::read_run(read(GetParam()));
  ASSERT_TRUE(run) << run.error().message;
  const auto verdict = judge_run(*run);
  const auto expected = GetParam().substr(0, GetParam().find('-'));
  EXPECT_EQ(said(verdict), expected) << verdict.sentence;
  for (const auto& cause : verdict.causes) {
    EXPECT_FALSE(cause.evidence.empty() && cause.id != "E01")
        << cause.id << " has no figure that proves it";
    EXPECT_TRUE(cause.fix) << cause.id << " says nothing to do";
  }
  const bool well = expected == "used";
  if (well) {
    EXPECT_FALSE(verdict.at_most_faster);
  }
}

INSTANTIATE_TEST_SUITE_P(OnH100, Recordings, testing::ValuesIn(recordings()),
                         [](const auto& recording) {
                           auto name = recording.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// --- what no recording shows: made by hand
// --------------------------------------------------------------------

/// A run with GPUs of this process alone, busy as `busy` says, for `seconds`.
struct MadeRun {
  use::RunStart start;
  use::RunEnd end;
  std::vector<use::Tick> ticks;

  explicit MadeRun(std::vector<double> busy, double seconds = 60) {
    start.nvml.works = true;
    end.nvml.works = true;
    end.time = seconds;
    end.exit_status = 0;
    for (std::size_t i = 0; i < busy.size(); ++i) {
      start.gpus.push_back({.index = static_cast<int>(i),
                            .name = "Made GPU",
                            .memory_total = 80ULL << 30U,
                            .power_limit = 300,
                            .power_default = 300,
                            .sm_clock_limit = 2000});
    }
    for (double time = 0; time < seconds; time += 0.5) {
      use::Tick tick;
      tick.time = time;
      for (std::size_t i = 0; i < busy.size(); ++i) {
        use::GpuTick gpu{.index = static_cast<int>(i),
                         .busy = busy[i],
                         .memory = 4ULL << 30U,
                         .power = 200,
                         .sm_clock = 1950,
                         .reasons = 0,
                         .temperature = 60};
        gpu.processes.emplace();
        if (busy[i] > 0) gpu.processes->push_back({.pid = 7, .memory = 4ULL << 30U, .sm = busy[i]});
        tick.gpus.push_back(gpu);
      }
      tick.host = use::HostTick{
          .seconds = 0.5, .cores = 1, .busiest_thread = 0.9, .rss = 1 << 30, .processes = 1};
      if (time == 0) tick.processes.push_back({.pid = 7, .name = "python3", .opens_gpu = true});
      ticks.push_back(tick);
    }
  }
  template <class F> MadeRun&& each(F change) && {
    for (auto& tick : ticks) change(tick);
    return std::move(*this);
  }
  RunVerdict verdict() const {
    use::RunObserver observer(start);
    for (const auto& tick : ticks) observer.add(tick);
    return judge_run(observer.finish(end));
  }
};

TEST(JudgeRun, a_busy_gpu_is_used) {
  const auto verdict = MadeRun({95}).verdict();
  EXPECT_EQ(verdict.answer, Used::used);
  EXPECT_TRUE(verdict.causes.empty());
}

TEST(JudgeRun, one_of_two_gpus) {
  EXPECT_EQ(said(MadeRun({95, 0}).verdict()), "P10");
  MadeRun chosen({95, 0});
  chosen.start.visible_devices = "0";
  EXPECT_EQ(said(chosen.verdict()), "used");
  EXPECT_EQ(said(MadeRun({95, 93}).verdict()), "used");
}

TEST(JudgeRun, heat_slows_and_full_power_does_not) {
  const auto with = [](std::uint64_t reasons, double clock) {
    return MadeRun({95}).each([=](use::Tick& tick) {
      tick.gpus[0].reasons = reasons;
      tick.gpus[0].sm_clock = clock;
    });
  };
  EXPECT_EQ(said(with(0x20, 1200).verdict()), "R06");
  EXPECT_EQ(said(with(0x80, 1900).verdict()), "R06");
  EXPECT_EQ(said(with(0x4, 1500).verdict()), "used"); // its own limit, at full load
  auto lowered = with(0x4, 1500);
  lowered.start.gpus[0].power_limit = 150;
  EXPECT_EQ(said(lowered.verdict()), "R06");
}

TEST(JudgeRun, a_pool_is_no_leak_and_growth_is) {
  const auto memory = [](auto level) {
    return MadeRun({95}, 120).each([=](use::Tick& tick) {
      tick.gpus[0].processes->front().memory =
          static_cast<std::uint64_t>(level(tick.time) * (1 << 20));
    });
  };
  EXPECT_EQ(said(memory([](double) { return 60'000.0; }).verdict()), "used");
  EXPECT_EQ(
      said(memory([](double time) { return time < 20 ? 1000 + time * 200 : 5000.0; }).verdict()),
      "used");
  EXPECT_EQ(said(memory([](double time) { return 1000 + time * 50; }).verdict()), "R07");
  EXPECT_EQ(said(memory([](double time) {
                   return 1000.0 + 600 * static_cast<int>(time / 12);
                 }).verdict()),
            "R07"); // a model a turn
  EXPECT_EQ(said(memory([](double time) {
                   return 3000.0 + 400 * (static_cast<int>(time) % 2);
                 }).verdict()),
            "used");
}

TEST(JudgeRun, without_counts_it_says_only_what_is_plain) {
  const auto bursts = MadeRun({95}).each(
      [](use::Tick& tick) { tick.gpus[0].busy = static_cast<int>(tick.time) % 3 == 0 ? 100 : 0; });
  EXPECT_EQ(said(bursts.verdict()), "R03");
  auto even = MadeRun({45});
  even.end.cuda.problem = "no libcupti";
  const auto verdict = even.verdict();
  EXPECT_TRUE(verdict.causes.empty());
  ASSERT_FALSE(verdict.unknown.empty());
  EXPECT_NE(verdict.unknown[0].find("no libcupti"), std::string::npos);
}

TEST(JudgeRun, memory_of_others_comes_before_running_out_of_it) {
  MadeRun run({50});
  run.start.before.push_back({.index = 0, .memory = 60ULL << 30U});
  run.end.exit_status = 1;
  run.end.signs.push_back({use::Sign::Kind::out_of_memory, "CUDA out of memory", "output"});
  const auto verdict = run.verdict();
  ASSERT_GE(verdict.causes.size(), 2U);
  EXPECT_EQ(verdict.causes[0].id, "R01");
  EXPECT_EQ(verdict.causes[1].id, "R08");
}

TEST(JudgeRun, out_of_memory_tells_what_was_asked_for) {
  for (const auto& [text, wanted] :
       {std::pair{"CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0",
                  "asked for 1.5 GiB more"},
        std::pair{"Out of memory while trying to allocate 3145728 bytes.",
                  "asked for 3.0 MiB more"},
        std::pair{"OOM when allocating tensor with shape[3]", "the driver's share"}}) {
    MadeRun run({50});
    run.end.exit_status = 1;
    run.end.signs.push_back({use::Sign::Kind::out_of_memory, text, "output"});
    const auto verdict = run.verdict();
    ASSERT_EQ(said(verdict), "R08");
    EXPECT_TRUE(verdict.causes[0].evidence.back().text.find(wanted) != std::string::npos)
        << verdict.causes[0].evidence.back().text;
  }
}

TEST(JudgeRun, memory_in_pieces_is_told_from_memory_that_is_full) {
  const auto verdict_of = [](const std::string& unused) {
    MadeRun run({50});
    run.end.exit_status = 1;
    run.end.signs.push_back(
        {use::Sign::Kind::out_of_memory,
         "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. Of the allocated "
         "memory 60.00 GiB is allocated by PyTorch, and " +
             unused + " is reserved by PyTorch but unallocated.",
         "output"});
    return run.verdict();
  };
  const auto pieces = verdict_of("9.50 GiB");
  ASSERT_EQ(said(pieces), "R08");
  EXPECT_NE(pieces.causes[0].evidence.back().text.find("9.5 GiB"), std::string::npos);
  EXPECT_EQ(pieces.causes[0].fix->commands.size(), 1U);
  const auto full = verdict_of("10.72 MiB");
  ASSERT_EQ(said(full), "R08");
  EXPECT_TRUE(full.causes[0].fix->commands.empty());
}

TEST(JudgeRun, a_gpu_that_waits_for_a_late_rank_is_not_well_used) {
  const auto made = [](double sm, double power) {
    return MadeRun({99, 4}).each([&](use::Tick& tick) {
      for (auto& gpu : tick.gpus) gpu.sm = sm;
      tick.gpus[0].power = power;
      if (tick.time == 0) tick.processes[0].libraries = {"libnccl.so.2"};
    });
  };
  const auto waits = made(20, 100).verdict();
  EXPECT_EQ(said(waits), "R03");
  EXPECT_NE(waits.causes[0].summary.find("waits in NCCL for GPU 1"), std::string::npos);
  EXPECT_FALSE(waits.at_most_faster);
  EXPECT_EQ(said(made(95, 280).verdict()), "used"); // GPU 0 does have more to do
}

TEST(JudgeRun, a_program_that_nvml_does_not_list_is_used_all_the_same) {
  const auto verdict =
      MadeRun({95}).each([](use::Tick& tick) { tick.gpus[0].processes->clear(); }).verdict();
  EXPECT_EQ(verdict.answer, Used::used);
  EXPECT_EQ(said(verdict), "R10");
}

TEST(JudgeRun, without_nvml_it_cannot_tell) {
  use::RunStart start;
  start.nvml.problem = "libnvidia-ml.so.1: not found";
  const use::RunObserver observer(start);
  const auto verdict = judge_run(observer.finish({.time = 5, .exit_status = 0}));
  EXPECT_EQ(verdict.answer, Used::unknown);
  EXPECT_NE(verdict.sentence.find("not found"), std::string::npos);
}

TEST(JudgeRun, a_lost_gpu_is_a_fault) {
  const auto verdict = MadeRun({95})
                           .each([](use::Tick& tick) {
                             if (tick.time > 40) tick.gpus[0] = {.index = 0, .error = 15};
                           })
                           .verdict();
  EXPECT_EQ(said(verdict), "R12");
}

/// A machine without NVML, and processes that have these libraries mapped.
RunVerdict without_nvml(const std::vector<std::vector<std::string>>& processes,
                        bool opens = false) {
  use::RunStatistics run;
  run.start.nvml.problem = "no libnvidia-ml.so.1";
  int pid = 10;
  for (const auto& libraries : processes) {
    run.processes[pid] = {
        .pid = pid, .name = "python3", .libraries = libraries, .opens_gpu = opens};
    ++pid;
  }
  return judge_run(run);
}

TEST(JudgeRun, without_nvml_a_process_that_has_no_libcuda_used_no_gpu) {
  EXPECT_EQ(without_nvml({{"libtorch_cpu.so"}}).answer, Used::not_used);
  EXPECT_EQ(without_nvml({{}, {"jaxlib"}}).sentence,
            "the GPU was not used: no process loaded the driver's libcuda");
  EXPECT_EQ(without_nvml({{"libtorch_cpu.so"}, {"libcuda.so.580.159.04"}}).answer, Used::unknown);
  EXPECT_EQ(without_nvml({{"libtorch_cpu.so", "libamdhip64.so.6"}}).answer, Used::unknown);
  EXPECT_EQ(without_nvml({{"libtorch_cpu.so"}}, true).answer, Used::unknown);
  EXPECT_EQ(without_nvml({{}}).answer, Used::unknown); // its libraries may have been hidden from us
}

} // namespace
} // namespace gpuwhy
