#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Strings = std::vector<std::string>;

Access in(Environment environment) {
  MemorySystem system;
  system.set_environment(std::move(environment));
  return collected(kScheduler, system).access;
}

TEST(Scheduler, SlurmWithAndWithoutGpus) {
  const auto granted =
      in({{"SLURM_JOB_ID", "123"}, {"SLURM_JOB_GPUS", "0,1"}, {"SLURM_GPUS_ON_NODE", "2"}});
  EXPECT_EQ(granted.scheduler.value_or(""), "slurm job 123");
  EXPECT_EQ(granted.scheduler_gpus.value(),
            (Strings{"SLURM_JOB_GPUS=0,1", "SLURM_GPUS_ON_NODE=2"}));
  const auto none = in({{"SLURM_JOB_ID", "124"}, {"CUDA_VISIBLE_DEVICES", ""}});
  ASSERT_TRUE(none.scheduler_gpus.known());
  EXPECT_TRUE(none.scheduler_gpus.value().empty());
}

TEST(Scheduler, OthersByTheirJobs) {
  EXPECT_EQ(in({{"PBS_JOBID", "7.head"}}).scheduler.value_or(""), "pbs job 7.head");
  EXPECT_EQ(in({{"LSB_JOBID", "8"}}).scheduler.value_or(""), "lsf job 8");
  EXPECT_EQ(in({{"JOB_ID", "9"}, {"SGE_ROOT", "/opt/sge"}}).scheduler.value_or(""),
            "grid engine job 9");
  EXPECT_FALSE(in({{"JOB_ID", "9"}}).scheduler.known());
}

TEST(Scheduler, KubernetesGrantsDevicesByName) {
  const auto pod = in({{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                       {"HOSTNAME", "train-0"},
                       {"NVIDIA_VISIBLE_DEVICES", "GPU-00000000-1111"}});
  EXPECT_EQ(pod.scheduler.value_or(""), "kubernetes pod train-0");
  EXPECT_EQ(pod.scheduler_gpus.value(), Strings{"NVIDIA_VISIBLE_DEVICES=GPU-00000000-1111"});
  const auto image_only =
      in({{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"NVIDIA_VISIBLE_DEVICES", "all"}});
  EXPECT_TRUE(image_only.scheduler_gpus.value().empty());
}

TEST(Scheduler, NoneAndNotLooked) {
  EXPECT_EQ(in({{"PATH", "/bin"}}).scheduler.state(), Fact<std::string>::State::absent);
  EXPECT_EQ(in({}).scheduler.state(), Fact<std::string>::State::not_looked);
}

TEST(Scheduler, ValuesAreMadePrintable) {
  const auto job = in({{"SLURM_JOB_ID", "1\x1b[2J\nx" + std::string(5'000, 'y')}});
  EXPECT_EQ(job.scheduler.value().find('\x1b'), std::string::npos);
  EXPECT_LT(job.scheduler.value().size(), 300U);
}

} // namespace
} // namespace gpuwhy
