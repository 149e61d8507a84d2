// The probe that works, on the stub driver: every way in which a driver or library can go wrong
// ends at the layer where it went wrong, within the deadline, and leaves no process behind.
#include "collect/prove_layers.h"

#include "base/text.h"
#include "support/stub_machine.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <sys/wait.h>

namespace gpuwhy {
namespace {

using namespace std::chrono_literals;

using State = LayerRun::State;

struct Tried {
  std::vector<LayerRun> runs;
  std::chrono::steady_clock::duration taken;

  const LayerRun* find(Layer layer) const {
    for (const auto& run : runs) {
      if (run.layer == layer) return &run;
    }
    return nullptr;
  }
};

Tried try_layers(const Environment& extra, LayerRequest request = {}) {
  if (request.deadline == 0ms) request.deadline = 100s; // a busy machine is no fault
  StubMachine machine(extra);
  const auto start = std::chrono::steady_clock::now();
  Tried tried{run_layers(machine, request), {}};
  tried.taken = std::chrono::steady_clock::now() - start;
  // Whatever happened, nothing of it is left: no child runs, none waits to be reaped.
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  return tried;
}

/// A deadline cannot tell a hang from a machine too busy for the layers before it, so it grows
/// until `layer` is the one that it ends.
Tried try_hang(const Environment& extra, Layer layer, LayerRequest request) {
  for (request.deadline = 400ms;; request.deadline *= 2) {
    auto tried = try_layers(extra, request);
    EXPECT_GE(tried.taken, request.deadline);
    const bool early = !tried.runs.empty() && tried.runs.back().state == State::timed_out &&
                       tried.runs.back().layer < layer;
    if (!early || request.deadline > 50s) return tried;
  }
}

/// The first layer that did not pass, if it is the last one of the foundation that ran.
void expect_failure(const Tried& tried, Layer layer, State state) {
  ASSERT_FALSE(tried.runs.empty());
  EXPECT_EQ(text_of(tried.runs.back().layer).name, text_of(layer).name);
  EXPECT_EQ(tried.runs.back().state, state) << tried.runs.back().text << tried.runs.back().said;
  for (std::size_t i = 0; i + 1 < tried.runs.size(); ++i)
    EXPECT_EQ(tried.runs[i].state, State::passed);
}

TEST(ProveLayers, pass_on_a_driver_that_works) {
  const auto tried = try_layers({{"STUB_CUDA_DEVICES", "2"}});
  for (const auto layer : {Layer::driver, Layer::device, Layer::context, Layer::memory,
                           Layer::kernel, Layer::peer, Layer::training}) {
    const auto* run = tried.find(layer);
    ASSERT_NE(run, nullptr) << text_of(layer).name;
    EXPECT_EQ(run->state, State::passed)
        << text_of(layer).name << ": " << run->step << " " << run->text;
  }
  EXPECT_EQ(tried.find(Layer::device)->figure("devices"), 2);
  EXPECT_EQ(tried.find(Layer::driver)->figure("driver_version"), 13000);
  EXPECT_GT(tried.find(Layer::memory)->figure("to_device_bytes_per_second"), 0);
  const auto* training = tried.find(Layer::training);
  EXPECT_LT(training->figure("last_loss"), training->figure("first_loss") / 2);
  EXPECT_LT(training->figure("worst_difference"), 1e-3);
}

TEST(ProveLayers, quick_effort_gives_the_same_layers) {
  LayerRequest request;
  request.effort = Effort::quick;
  request.at_once = true;
  const auto tried = try_layers({}, request);
  for (const auto layer : {Layer::driver, Layer::kernel, Layer::training}) {
    ASSERT_NE(tried.find(layer), nullptr);
    EXPECT_EQ(tried.find(layer)->state, State::passed) << tried.find(layer)->text;
  }
  EXPECT_EQ(tried.find(Layer::peer)->state, State::skipped); // one GPU has no peer
}

TEST(ProveLayers, driver_that_is_not_there) {
  const auto tried = try_layers({{"LD_LIBRARY_PATH", "/nonexistent"}});
  expect_failure(tried, Layer::driver, State::failed);
  EXPECT_EQ(tried.runs.back().step, "dlopen");
  EXPECT_NE(tried.runs.back().text.find("libcuda.so.1"), std::string::npos);
}

TEST(ProveLayers, driver_that_hangs_in_init_is_ended) {
  for (const auto effort : {Effort::quick, Effort::normal}) {
    LayerRequest request;
    request.effort = effort;
    request.deadline = 700ms;
    const auto tried = try_layers({{"STUB_CUDA_HANG", "1"}}, request);
    expect_failure(tried, Layer::driver, State::timed_out);
    EXPECT_GE(tried.taken, 700ms);
    EXPECT_NE(tried.runs.back().text.find("0.7 s"), std::string::npos) << tried.runs.back().text;
  }
}

TEST(ProveLayers, driver_that_crashes_in_init) {
  const auto tried = try_layers({{"STUB_CUDA_CRASH", "1"}});
  expect_failure(tried, Layer::driver, State::crashed);
  EXPECT_EQ(tried.runs.back().ended_by, "SIGABRT");
}

TEST(ProveLayers, driver_that_prints_is_no_answer) {
  const auto tried = try_layers({{"STUB_CUDA_PRINT", "1"}});
  EXPECT_EQ(tried.find(Layer::kernel)->state, State::passed);
}

TEST(ProveLayers, code_of_init_is_named) {
  for (const auto& [code, name] : {std::pair{"100", "CUDA_ERROR_NO_DEVICE"},
                                   {"803", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"},
                                   {"34", "CUDA_ERROR_STUB_LIBRARY"},
                                   {"999", "CUDA_ERROR_UNKNOWN"}}) {
    const auto tried = try_layers({{"STUB_CUDA_INIT", code}});
    expect_failure(tried, Layer::driver, State::failed);
    EXPECT_EQ(tried.runs.back().step, "cuInit");
    EXPECT_EQ(tried.runs.back().api, "cuda");
    EXPECT_EQ(std::to_string(tried.runs.back().code), code);
    EXPECT_EQ(tried.runs.back().code_name, name);
  }
}

TEST(ProveLayers, hidden_by_the_environment) {
  const auto tried = try_layers({{"CUDA_VISIBLE_DEVICES", ""}});
  expect_failure(tried, Layer::driver, State::failed);
  EXPECT_EQ(tried.runs.back().code, 100);
}

TEST(ProveLayers, no_permission_for_the_device_nodes) {
  // Of a folder without nodes the stub driver sees none; an unreadable node answers the same code.
  const auto tried =
      try_layers({{"STUB_CUDA_CHECK_NODES", "1"}, {"STUB_CUDA_DEV", "/nonexistent"}});
  expect_failure(tried, Layer::driver, State::failed);
  EXPECT_EQ(tried.runs.back().code, 100);
}

struct Seed {
  const char* fault;
  Layer layer;
  State state;
  int code;
};

std::string test_name(const testing::TestParamInfo<Seed>& seed) {
  return replace_all(seed.param.fault, ":", "_");
}

class ProveFaults : public testing::TestWithParam<Seed> {};

TEST_P(ProveFaults, end_at_their_layer) {
  const auto& seed = GetParam();
  for (const auto effort : {Effort::quick, Effort::normal}) {
    LayerRequest request;
    request.effort = effort;
    const Environment fault{{"STUB_CUDA_FAULT", seed.fault}};
    const auto tried = seed.state == State::timed_out ? try_hang(fault, seed.layer, request)
                                                      : try_layers(fault, request);
    expect_failure(tried, seed.layer, seed.state);
    if (seed.code != 0) {
      EXPECT_EQ(tried.runs.back().code, seed.code);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ProveFaults,
    testing::Values(Seed{"cuDevicePrimaryCtxRetain:46", Layer::context, State::failed, 46},
                    Seed{"cuDevicePrimaryCtxRetain:hang", Layer::context, State::timed_out, 0},
                    Seed{"cuDevicePrimaryCtxRetain:crash", Layer::context, State::crashed, 0},
                    Seed{"cuMemAlloc:2", Layer::memory, State::failed, 2},
                    Seed{"cuMemcpyDtoH:999", Layer::memory, State::failed, 999},
                    Seed{"cuMemcpyDtoH:hang", Layer::memory, State::timed_out, 0},
                    Seed{"cuMemcpyDtoD:wrong", Layer::memory, State::failed, 0},
                    Seed{"cuModuleLoadDataEx:222", Layer::kernel, State::failed, 222},
                    Seed{"cuLaunchKernel:719", Layer::kernel, State::failed, 719},
                    Seed{"cuLaunchKernel:hang", Layer::kernel, State::timed_out, 0},
                    Seed{"cuLaunchKernel:wrong", Layer::kernel, State::failed, 0}),
    test_name);

TEST(ProveLayers, full_memory) {
  const auto tried = try_layers({{"STUB_CUDA_FREE", "1000000"}});
  expect_failure(tried, Layer::memory, State::failed);
  EXPECT_EQ(tried.runs.back().step, "cuMemAlloc");
  EXPECT_EQ(tried.runs.back().code_name, "CUDA_ERROR_OUT_OF_MEMORY");
}

TEST(ProveLayers, libraries_fail_each_by_itself) {
  LayerRequest request;
  request.effort = Effort::quick;
  request.at_once = true;
  request.libraries[Layer::cublas] = {GPUWHY_STUB_BROKEN "/libcrash.so"}; // dies while it is loaded
  request.libraries[Layer::cufft] = {"/nonexistent/libcufft.so.11"};
  request.libraries[Layer::cudnn] = {GPUWHY_STUB_CUDNN "/libcudnn.so.9"}; // has hardly any function
  const auto tried = try_layers({}, request);
  EXPECT_EQ(tried.find(Layer::cublas)->state, State::crashed);
  EXPECT_EQ(tried.find(Layer::cublas)->ended_by, "SIGABRT");
  EXPECT_EQ(tried.find(Layer::cufft)->state, State::failed);
  EXPECT_EQ(tried.find(Layer::cufft)->step, "dlopen");
  EXPECT_EQ(tried.find(Layer::cudnn)->state, State::failed);
  EXPECT_EQ(tried.find(Layer::training)->state, State::passed);
  EXPECT_EQ(tried.find(Layer::nccl), nullptr); // not asked for
}

TEST(ProveLayers, other_gpus_are_left_in_peace) {
  LayerRequest request;
  request.effort = Effort::quick;
  request.alone = "GPU 1 is in exclusive mode: not tried";
  const auto tried = try_layers({{"STUB_CUDA_DEVICES", "2"}}, request);
  EXPECT_EQ(tried.find(Layer::peer)->state, State::skipped);
  EXPECT_EQ(tried.find(Layer::peer)->text, request.alone);
  EXPECT_EQ(tried.find(Layer::training)->state, State::passed);
}

TEST(ProveLayers, reads_what_it_is_given_with_care) {
  const std::vector<Layer> asked{Layer::driver, Layer::device};
  const auto read = [&](std::string output, int status = 0) {
    ProcessResult result;
    result.output = std::move(output);
    result.exit_status = status;
    return read_layer_runs(asked, result, 1s);
  };
  const std::string head = R"({"schema":"gpuwhy.probe.prove/1",)";
  EXPECT_EQ(read("").back().state, State::crashed);
  EXPECT_EQ(read("garbage\n{}\n[1]\n").back().state, State::crashed);
  EXPECT_EQ(read(head + R"("begin":"driver"})"
                        "\n",
                 1)
                .back()
                .ended_by,
            "status 1");
  const auto runs = read(
      head +
      R"("layer":"driver","state":"failed","code":1e99,"step":"\u001b[2J","figures":{"a":1,"b":"x"},"details":[1,"y"]})");
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].code, 0);
  EXPECT_EQ(runs[0].step, "\\x1b[2J");
  EXPECT_EQ(runs[0].figures.size(), 1U);
  EXPECT_EQ(runs[0].details, std::vector<std::string>{"y"});
  // A layer that nobody asked for is no answer.
  EXPECT_EQ(read(head + R"("layer":"memory","state":"passed"})").back().layer, Layer::driver);
}

} // namespace
} // namespace gpuwhy
