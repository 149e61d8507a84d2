// Libraries that are opened when they are used: without them the GPU is listed, and something
// fails.
#include "support/other_frameworks.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

void lose(Facts& facts, const std::string& below) {
  edit::remove_library(facts, kSite + "/nvidia/" + below);
}

/// PyTorch with the objects of its wheel: libtorch_python needs libtorch_cuda, which needs NVSHMEM
/// through an object of its own; the linear algebra is loaded when it runs.
Facts torch_with_its_objects() {
  auto facts = machine_with("torch", "2.6.0");
  auto& build = facts.pythons.front().frameworks.front().build.value();
  const auto directory = kSite + "/torch/lib";
  const auto opener = facts.libraries.files.at(build.opener);
  const auto put = [&](const std::string& name, std::vector<std::string> needed) {
    auto file = opener;
    file.path = file.real_path = file.identity = directory + "/" + name;
    file.soname = name;
    file.needed = std::move(needed);
    edit::add_library(facts, directory, file);
    build.carriers.push_back(file.path);
  };
  std::erase_if(facts.libraries.files.at(build.opener).needed, [](const std::string& name) {
    return contains(name, "cusolver") || contains(name, "nvshmem") || contains(name, "nvrtc");
  });
  facts.libraries.files.at(build.opener).needed.emplace_back("libtorch_nvshmem.so");
  put("libtorch_python.so", {"libtorch_cuda.so"});
  build.loader_chain.insert(build.loader_chain.begin(), directory + "/libtorch_python.so");
  put("libtorch_nvshmem.so", {"libnvshmem_host.so.3"});
  put("libtorch_cuda_linalg.so", {"libcusolver.so.11"});
  for (auto* file : {&facts.libraries.files.at(directory + "/libtorch_nvshmem.so")}) {
    file->runpath.push_back("$ORIGIN/../../nvidia/nvshmem/lib");
  }
  edit::add_library(facts, kSite + "/nvidia/nvshmem/lib",
                    library(kSite + "/nvidia/nvshmem/lib/libnvshmem_host.so.3"));
  return facts;
}

TEST(InUse, torch_needs_what_its_own_objects_need) {
  Asked asked(torch_with_its_objects());
  EXPECT_EQ(asked.causes("torch"), Ids{});
  lose(asked.facts, "nvshmem/lib/libnvshmem_host.so.3");
  EXPECT_EQ(asked.causes("torch"), Ids{"L09"});
  EXPECT_EQ(asked.verdict("torch").answer, Usable::no_gpu);
}

TEST(InUse, torch_without_cusolver_lists_the_gpu) {
  Asked asked(torch_with_its_objects());
  lose(asked.facts, "cusolver/lib/libcusolver.so.11");
  const auto verdict = asked.verdict("torch");
  EXPECT_EQ(verdict.answer, Usable::gpu);
  ASSERT_EQ(asked.causes("torch"), Ids{"L09"});
  EXPECT_EQ(verdict.causes.front().effect, Effect::breaks);
  EXPECT_TRUE(contains(verdict.causes.front().summary, "what uses libcusolver.so.11 fails"))
      << verdict.causes.front().summary;
  EXPECT_TRUE(verdict.plan_reaches_gpu);
  // With another one that hides the GPU, hiding is what is said.
  lose(asked.facts, "cublas/lib/libcublas.so.12");
  EXPECT_EQ(asked.verdict("torch").answer, Usable::no_gpu);
}

TEST(InUse, jax_asks_for_the_libraries_while_it_lists) {
  for (const auto& [version, hides] :
       {std::pair{"0.6.2", true}, std::pair{"0.6.1", true}, std::pair{"0.6.0", false},
        std::pair{"0.5.3", false}, std::pair{"0.4.30", false}}) {
    Asked asked(machine_with("jax", version));
    lose(asked.facts, "cufft/lib/libcufft.so.11");
    const auto verdict = asked.verdict("jax");
    EXPECT_EQ(verdict.answer, hides ? Usable::no_gpu : Usable::gpu) << version;
    ASSERT_EQ(asked.causes("jax"), Ids{"L09"}) << version;
    EXPECT_EQ(verdict.causes.front().effect, hides ? Effect::hides : Effect::breaks) << version;
  }
}

TEST(InUse, jax_that_skips_its_checks) {
  Asked asked(machine_with("jax", "0.6.2"));
  lose(asked.facts, "cufft/lib/libcufft.so.11");
  set_variable(asked.facts, "JAX_SKIP_CUDA_CONSTRAINTS_CHECK", "1");
  EXPECT_EQ(asked.ask("jax", "L09").effect, Effect::breaks);
  set_variable(asked.facts, "JAX_SKIP_CUDA_CONSTRAINTS_CHECK", ""); // as if it were not set
  EXPECT_NE(asked.ask("jax", "L09").effect, Effect::breaks);
  EXPECT_EQ(asked.state("jax", "L09"), State::found);
}

TEST(InUse, a_library_that_is_cut_where_loading_does_not_look) {
  for (const auto* framework : {"jax", "torch"}) {
    Asked asked(machine_with(framework, framework == std::string("jax") ? "0.6.2" : "2.6.0"));
    auto& file = asked.facts.libraries.files.at(kSite + "/nvidia/cufft/lib/libcufft.so.11");
    file.status = LibraryFile::Status::incomplete;
    file.detail = "143271176 of at least 286539496 bytes";
    const auto verdict = asked.verdict(framework);
    EXPECT_EQ(verdict.answer, Usable::gpu) << framework;
    ASSERT_EQ(asked.causes(framework), Ids{"L07"}) << framework;
    EXPECT_EQ(verdict.causes.front().effect, Effect::breaks);
    EXPECT_TRUE(verdict.plan_reaches_gpu) << framework;
    file.status = LibraryFile::Status::good;
    EXPECT_EQ(asked.state(framework, "L07"), State::clear);
  }
}

TEST(InUse, a_part_of_cudnn_that_is_asked_for_its_version) {
  const auto graph = "cudnn/lib/libcudnn_graph.so.9";
  Asked jax(machine_with("jax", "0.6.2"));
  lose(jax.facts, graph);
  EXPECT_EQ(jax.ask("jax", "L03").effect, Effect::hides);
  Asked older(machine_with("jax", "0.5.3"));
  lose(older.facts, graph);
  EXPECT_EQ(older.ask("jax", "L03").effect, Effect::breaks);
  Asked torch(machine_with("torch", "2.6.0"));
  lose(torch.facts, graph);
  const auto outcome = torch.ask("torch", "L03");
  EXPECT_EQ(outcome.effect, Effect::breaks);
  EXPECT_TRUE(contains(outcome.text, "the first convolution ends the program")) << outcome.text;
}

} // namespace
} // namespace gpuwhy::test
