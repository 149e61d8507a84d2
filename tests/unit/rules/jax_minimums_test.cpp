// L02 and L04 where JAX itself compares versions while it lists devices.
#include "support/other_frameworks.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

void set_version(Facts& facts, std::string_view folder, const std::string& version) {
  for (auto& [path, file] : facts.libraries.files) {
    if (contains(path, "/nvidia/" + std::string(folder) + "/"))
      file.version = Fact<std::string>::known(version, {path, 0});
  }
}

TEST(JaxMinimums, cuda_12_0_is_refused) {
  for (const auto& [folder, name] :
       {std::pair{"cuda_runtime", "CUDA"}, std::pair{"cublas", "cuBLAS"},
        std::pair{"cusparse", "cuSPARSE"}}) {
    Asked asked(machine_with("jax", "0.6.2"));
    EXPECT_EQ(asked.state("jax", "L02"), State::clear);
    set_version(asked.facts, folder, "12.0.1");
    const auto outcome = asked.ask("jax", "L02");
    ASSERT_EQ(outcome.state, State::found) << folder;
    EXPECT_TRUE(contains(outcome.evidence[1].text, "Outdated " + std::string(name)))
        << outcome.evidence[1].text;
    EXPECT_EQ(asked.verdict("jax").answer, Usable::no_gpu);
    EXPECT_TRUE(asked.verdict("jax").plan_reaches_gpu) << folder;
    set_version(asked.facts, folder, "12.1.0");
    EXPECT_EQ(asked.state("jax", "L02"), State::clear);
  }
}

TEST(JaxMinimums, only_where_it_checks) {
  Asked asked(machine_with("jax", "0.6.2"));
  set_version(asked.facts, "cublas", "12.0.1");
  set_version(asked.facts, "cuda_runtime", "12.0.1"); // which must load all the same
  EXPECT_EQ(asked.state("jax", "L02"), State::found);
  set_variable(asked.facts, "JAX_SKIP_CUDA_CONSTRAINTS_CHECK", "1");
  EXPECT_EQ(asked.state("jax", "L02"), State::clear);
  Asked older(machine_with("jax", "0.5.3")); // its plug-in does not check
  set_version(older.facts, "cublas", "12.0.1");
  EXPECT_EQ(older.state("jax", "L02"), State::clear);
  Asked torch(machine_with("torch", "2.6.0"));
  set_version(torch.facts, "cublas", "12.0.1");
  EXPECT_EQ(torch.state("torch", "L02"), State::clear);
}

TEST(JaxMinimums, one_patch_of_cudnn) {
  Asked asked(machine_with("jax", "0.6.2"));
  set_version(asked.facts, "cudnn", "9.10.0.56");
  EXPECT_EQ(asked.causes("jax"), Ids{"L04"});
  EXPECT_EQ(asked.verdict("jax").answer, Usable::no_gpu);
  EXPECT_TRUE(asked.verdict("jax").plan_reaches_gpu);
  EXPECT_TRUE(
      contains(asked.verdict("jax").plan.front().commands.front(), "nvidia-cudnn-cu12>=9.10.1"));
  set_version(asked.facts, "cudnn", "9.10.1.4");
  EXPECT_EQ(asked.causes("jax"), Ids{});
  set_version(asked.facts, "cudnn", "9.10.0.56");
  auto& build = asked.framework("jax").build.value();
  build.cudnn_version = Fact<std::string>::known("9.10.0");
  EXPECT_EQ(asked.state("jax", "L04"), State::clear);
}

TEST(JaxMinimums, an_older_cudnn_with_a_newer_cublas_on_several_gpus) {
  Asked asked(machine_with("jax", "0.6.2"));
  set_version(asked.facts, "cudnn", "9.8.0.87");
  set_version(asked.facts, "cublas", "12.9.1.4");
  EXPECT_EQ(asked.causes("jax"), Ids{});
  asked.facts.observed.cuda.value().count = 2;
  EXPECT_EQ(asked.ask("jax", "L04").effect, Effect::hides);
  set_version(asked.facts, "cublas", "12.8.4.1");
  EXPECT_EQ(asked.state("jax", "L04"), State::clear);
}

} // namespace
} // namespace gpuwhy::test
