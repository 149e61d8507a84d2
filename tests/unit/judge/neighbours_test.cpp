// Two frameworks in one process: who loads a library first decides for both.
#include "support/other_frameworks.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

/// TensorFlow and PyTorch of one environment, an older cuDNN on LD_LIBRARY_PATH. TensorFlow's
/// RUNPATH is asked after that variable; PyTorch's RPATH before it.
Facts both_frameworks() {
  auto facts = healthy_facts();
  rules::put_torch(facts, kPython, "2.6.0");
  for (auto& [path, file] : facts.libraries.files) { // one wheel serves both: the newer
    if (contains(path, "/nvidia/cudnn/"))
      file.version = Fact<std::string>::known("9.3.0", {path, 0});
  }
  auto old = library("/opt/old/libcudnn.so.9", "9.0.0");
  old.soname = "libcudnn.so.9";
  edit::add_library(facts, "/opt/old", old);
  set_variable(facts, "LD_LIBRARY_PATH", "/opt/old");
  return facts;
}

void import_in(Facts& facts, const std::vector<std::string>& names) {
  ProgramFacts program;
  program.path = program.entry = "/home/u/train.py";
  int line = 0;
  for (const auto& name : names) program.imports.push_back({name, name, ++line});
  facts.program = std::move(program);
}

std::string cudnn_of(const Facts& facts, std::string_view framework) {
  for (const auto& c : cases_of(facts)) {
    if (c.wanted == framework) return c.library("cudnn")->found.path;
  }
  return {};
}

const std::string kOwnCudnn = kSite + "/nvidia/cudnn/lib/libcudnn.so.9";

TEST(Neighbours, alone_each_finds_its_own) {
  const auto facts = both_frameworks();
  EXPECT_EQ(cudnn_of(facts, "tensorflow"), "/opt/old/libcudnn.so.9");
  EXPECT_EQ(cudnn_of(facts, "torch"), kOwnCudnn);
  EXPECT_EQ(Asked(facts).ask("tensorflow", "L04").state, State::found);
}

TEST(Neighbours, what_torch_loaded_when_it_was_imported_serves_tensorflow) {
  // In either order: TensorFlow opens cuDNN when it lists GPUs, after all imports.
  for (const auto& order : {Ids{"torch", "tensorflow"}, Ids{"tensorflow", "torch"}}) {
    auto facts = both_frameworks();
    import_in(facts, order);
    EXPECT_EQ(cudnn_of(facts, "tensorflow"), kOwnCudnn);
    EXPECT_EQ(cudnn_of(facts, "torch"), kOwnCudnn);
    EXPECT_NE(Asked(facts).ask("tensorflow", "L04").state, State::found);
  }
}

TEST(Neighbours, the_runtime_is_of_whoever_is_imported_first) {
  auto facts = both_frameworks();
  auto runtime = library("/opt/old/libcudart.so.12", "12.1.0");
  runtime.soname = "libcudart.so.12";
  edit::add_library(facts, "/opt/old", runtime);
  const auto cudart = [&](std::string_view framework) {
    for (const auto& c : cases_of(facts)) {
      if (c.wanted == framework) return c.library("cudart")->found;
    }
    return loader::Found{};
  };
  const auto wheel = kSite + "/nvidia/cuda_runtime/lib/libcudart.so.12";
  import_in(facts, {"torch", "tensorflow"});
  EXPECT_EQ(cudart("tensorflow").path, wheel);
  EXPECT_EQ(cudart("tensorflow").because,
            "PyTorch, which the program imports (/home/u/train.py:1)");
  import_in(facts, {"tensorflow", "torch"});
  EXPECT_EQ(cudart("tensorflow").path, "/opt/old/libcudart.so.12");
  EXPECT_EQ(cudart("torch").path, "/opt/old/libcudart.so.12");
}

TEST(Neighbours, a_program_that_does_not_import_the_subject_says_nothing_of_it) {
  auto facts = both_frameworks();
  import_in(facts, {"torch"});
  EXPECT_EQ(cudnn_of(facts, "tensorflow"), "/opt/old/libcudnn.so.9");
  facts.program.problem = "train.py: Permission denied";
  EXPECT_EQ(cudnn_of(facts, "tensorflow"), "/opt/old/libcudnn.so.9");
}

// cuBLAS asks for cuBLASLt too, by a search path of its own that comes after LD_LIBRARY_PATH.
TEST(Neighbours, what_torch_itself_needs_is_found_for_torch_before_it_is_found_for_another) {
  auto facts = machine_with("torch", "2.6.0");
  facts.libraries.files.at(kSite + "/nvidia/cublas/lib/libcublas.so.12").needed = {
      "libcublasLt.so.12"};
  auto other = library("/opt/old/libcublasLt.so.12", "12.1.0");
  other.soname = "libcublasLt.so.12";
  edit::add_library(facts, "/opt/old", other);
  set_variable(facts, "LD_LIBRARY_PATH", "/opt/old");
  for (const auto& c : cases_of(facts)) {
    if (c.wanted != "torch") continue;
    EXPECT_EQ(c.library("cublasLt")->found.path, kSite + "/nvidia/cublas/lib/libcublasLt.so.12");
  }
}

TEST(Neighbours, keras_imports_its_backend) {
  auto facts = with_keras(both_frameworks(), "3.8.0", "torch");
  import_in(facts, {"keras", "tensorflow"});
  EXPECT_EQ(cudnn_of(facts, "tensorflow"), kOwnCudnn);
  EXPECT_EQ(cudnn_of(facts, "keras"), kOwnCudnn);
  set_variable(facts, "KERAS_BACKEND", "tensorflow");
  EXPECT_EQ(cudnn_of(facts, "tensorflow"), "/opt/old/libcudnn.so.9");
}

} // namespace
} // namespace gpuwhy::test
