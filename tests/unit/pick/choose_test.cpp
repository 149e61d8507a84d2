// Which GPU is chosen, and which never.
#include "pick/choose.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30U;

NvmlDevice gpu(int index, std::uint64_t free_gib = 70) {
  NvmlDevice device;
  device.index = index;
  device.uuid = "GPU-0000000" + std::to_string(index);
  device.name = "H100";
  device.memory_total = Fact<std::uint64_t>::known(80 * kGiB);
  device.memory_free = Fact<std::uint64_t>::known(free_gib * kGiB);
  device.utilization = Fact<int>::known(0);
  device.temperature = Fact<int>::known(40);
  device.compute_mode = Fact<int>::known(0);
  device.processes = Fact<std::vector<GpuProcess>>::known({});
  return device;
}

/// GPUs whose NUMA node and NVLink group are `n / per_group`.
Facts machine(int count, int per_group = 4) {
  Facts facts;
  facts.environment.looked = true;
  NvmlProbe nvml;
  for (int i = 0; i < count; ++i) {
    auto device = gpu(i);
    for (int j = 0; j < count; ++j) {
      const bool together = i / per_group == j / per_group;
      if (i != j) device.neighbours.push_back({j, together, together ? 40 : 50});
    }
    nvml.devices.push_back(device);
  }
  facts.observed.nvml = Fact<NvmlProbe>::known(nvml);
  return facts;
}

NvmlDevice& device(Facts& facts, std::size_t index) {
  return facts.observed.nvml.value().devices[index];
}

std::vector<int> chosen(const Facts& facts, const PickWish& wish,
                        const std::map<std::string, std::string>& claimed = {}) {
  std::vector<int> indices;
  for (const auto& each : choose(candidates_of(facts), wish, claimed).chosen)
    indices.push_back(each.index);
  return indices;
}

void busy(NvmlDevice& device) {
  device.processes = Fact<std::vector<GpuProcess>>::known({{4711, kGiB}});
}

using Indices = std::vector<int>;

TEST(Choose, the_freest) {
  auto facts = machine(3);
  device(facts, 0).memory_free = Fact<std::uint64_t>::known(10 * kGiB);
  device(facts, 1).utilization = Fact<int>::known(90);
  EXPECT_EQ(chosen(facts, {}), Indices{2});
  device(facts, 2).memory_free = Fact<std::uint64_t>::known(5 * kGiB);
  EXPECT_EQ(chosen(facts, {}), Indices{0}); // less memory, but nobody works there
}

TEST(Choose, the_cooler_of_two_equals) {
  auto facts = machine(2);
  device(facts, 0).temperature = Fact<int>::known(80);
  EXPECT_EQ(chosen(facts, {}), Indices{1});
}

TEST(Choose, enough_memory) {
  auto facts = machine(2);
  device(facts, 0).memory_free = Fact<std::uint64_t>::known(4 * kGiB);
  device(facts, 1).memory_free = Fact<std::uint64_t>::known(7 * kGiB);
  const auto choice = choose(candidates_of(facts), {.min_free = 8 * kGiB}, {});
  EXPECT_TRUE(choice.chosen.empty());
  EXPECT_EQ(choice.why_not, "0 of 2 GPUs fit, 1 is wanted");
  EXPECT_EQ(choice.refused.front(), "GPU 0: 4.0 GiB free, 8.0 GiB wanted");
}

TEST(Choose, several_with_links_between_them) {
  auto facts = machine(8);
  busy(device(facts, 0));
  EXPECT_EQ(chosen(facts, {.count = 2}), (Indices{1, 2}));
  busy(device(facts, 1));
  busy(device(facts, 2)); // one idle GPU is left in the first group
  EXPECT_EQ(chosen(facts, {.count = 2}), (Indices{4, 5}));
  EXPECT_EQ(chosen(facts, {.count = 4}), (Indices{4, 5, 6, 7}));
}

TEST(Choose, on_one_node) {
  const auto facts = machine(4, 2);
  EXPECT_EQ(chosen(facts, {.count = 2, .same_node = true}), (Indices{0, 1}));
  const auto choice = choose(candidates_of(facts), {.count = 3, .same_node = true}, {});
  EXPECT_TRUE(choice.chosen.empty());
  EXPECT_FALSE(choice.why_not.empty());
  EXPECT_EQ(chosen(facts, {.count = 3}).size(), 3U);
  auto silent = machine(2);
  for (std::size_t i = 0; i < 2; ++i) device(silent, i).neighbours.clear();
  EXPECT_TRUE(chosen(silent, {.count = 2, .same_node = true}).empty()); // not known is not near
}

TEST(Choose, many_gpus_in_bounded_time) {
  const auto facts = machine(64, 8);
  EXPECT_EQ(chosen(facts, {.count = 8, .same_node = true}), (Indices{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Choose, never_what_is_excluded_or_claimed) {
  const auto facts = machine(3);
  EXPECT_EQ(chosen(facts, {.excluded = {"0", "GPU-00000001"}}), Indices{2});
  EXPECT_EQ(chosen(facts, {}, {{"GPU-00000000", "somebody has it"}}), Indices{1});
  EXPECT_EQ(unknown_names(candidates_of(facts), {.excluded = {"0", "7", "GPU-x"}}),
            (std::vector<std::string>{"7", "GPU-x"}));
}

TEST(Choose, not_what_cannot_be_used) {
  auto facts = machine(3);
  device(facts, 0).compute_mode = Fact<int>::known(2);
  device(facts, 1).compute_mode = Fact<int>::known(3);
  busy(device(facts, 1));
  device(facts, 2).error = Fact<int>::known(15);
  const auto choice = choose(candidates_of(facts), {}, {});
  EXPECT_TRUE(choice.chosen.empty());
  EXPECT_EQ(choice.refused,
            (std::vector<std::string>{"GPU 0: its compute mode is prohibited",
                                      "GPU 1: it is in exclusive mode and process 4711 has it",
                                      "GPU 2: the driver cannot reach it (NVML error 15)"}));
}

TEST(Choose, instances_instead_of_a_gpu_in_mig_mode) {
  auto facts = machine(1);
  device(facts, 0).mig = Fact<bool>::known(true);
  EXPECT_TRUE(chosen(facts, {}).empty()); // no instance
  device(facts, 0).instances = {{"MIG-a", 10 * kGiB, 3 * kGiB}, {"MIG-b", 10 * kGiB, 9 * kGiB}};
  const auto choice = choose(candidates_of(facts), {}, {});
  ASSERT_EQ(choice.chosen.size(), 1U);
  EXPECT_EQ(choice.chosen.front().uuid, "MIG-b");
  EXPECT_TRUE(chosen(facts, {.count = 2}).empty());
  EXPECT_TRUE(chosen(facts, {.by_index = true}).empty());
}

TEST(Candidates, stay_within_what_is_visible) {
  auto facts = machine(3);
  facts.environment.variables = {{"CUDA_VISIBLE_DEVICES", "1", {}}};
  CudaProbe cuda;
  cuda.devices.resize(1);
  cuda.devices[0].uuid = "GPU-00000001";
  facts.observed.cuda = Fact<CudaProbe>::known(cuda);
  EXPECT_EQ(chosen(facts, {}), Indices{1});
  cuda.devices.clear();
  cuda.init = 100;
  facts.observed.cuda = Fact<CudaProbe>::known(cuda);
  EXPECT_FALSE(candidates_of(facts).problem.empty());
  EXPECT_FALSE(candidates_of(facts).open);
  facts.observed.cuda = Fact<CudaProbe>::unknown("hangs");
  EXPECT_TRUE(candidates_of(facts).open);
}

Facts slurm(int count, std::vector<std::string> grants) {
  auto facts = machine(count);
  facts.access.scheduler = Fact<std::string>::known("slurm job 17");
  facts.access.scheduler_gpus = Fact<std::vector<std::string>>::known(std::move(grants));
  return facts;
}

TEST(Candidates, stay_within_an_allocation) {
  EXPECT_EQ(chosen(slurm(8, {"SLURM_JOB_GPUS=5,6"}), {.count = 2}), (Indices{5, 6}));
  EXPECT_TRUE(chosen(slurm(8, {"SLURM_JOB_GPUS=5,6"}), {.count = 3}).empty());
  EXPECT_EQ(chosen(slurm(8, {"SLURM_JOB_GPUS=0-7", "SLURM_STEP_GPUS=3"}), {}),
            Indices{3}); // the step's share
  EXPECT_EQ(chosen(slurm(2, {"SLURM_JOB_GPUS=5,6"}), {.count = 2}),
            (Indices{0, 1})); // a cgroup hides the rest
  const auto none = candidates_of(slurm(8, {}));
  EXPECT_EQ(none.problem, "the slurm job 17 was given no GPU: ask for one with --gres=gpu:1");
  auto pod = machine(3);
  pod.access.scheduler = Fact<std::string>::known("kubernetes pod x");
  pod.access.scheduler_gpus =
      Fact<std::vector<std::string>>::known({"NVIDIA_VISIBLE_DEVICES=GPU-00000002"});
  EXPECT_EQ(chosen(pod, {}), Indices{2});
}

TEST(Candidates, say_why_there_are_none) {
  Facts facts;
  EXPECT_TRUE(candidates_of(facts).open);
  NvmlProbe nvml;
  nvml.load_error = "libnvidia-ml.so.1: cannot open shared object file";
  facts.observed.nvml = Fact<NvmlProbe>::known(nvml);
  EXPECT_FALSE(candidates_of(facts).open);
  EXPECT_FALSE(candidates_of(facts).problem.empty());
  nvml = {};
  nvml.init = 9;
  nvml.init_name = "NVML_ERROR_DRIVER_NOT_LOADED";
  facts.observed.nvml = Fact<NvmlProbe>::known(nvml);
  EXPECT_EQ(candidates_of(facts).problem,
            "the NVIDIA driver does not start: NVML_ERROR_DRIVER_NOT_LOADED");
}

} // namespace
} // namespace gpuwhy
