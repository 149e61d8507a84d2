// What the ladder says of layers that passed, failed, hung and crashed, and where it sees the
// fault. The figures of the H100 were measured on a virtual machine (driver 580.159.04, CUDA 13.0,
// 2026-11-26).
#include "prove/ladder.h"

#include "collect/prove_layers.h"
#include "judge/judge.h"
#include "knowledge/limits.h"
#include "render/prove_text.h"
#include "support/case_builder.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace gpuwhy {
namespace {

using namespace std::chrono_literals;
using test::Bench;

/// What the probe printed on the H100, one line an answer.
std::vector<LayerRun> h100_runs() {
  std::ifstream file(GPUWHY_SOURCE_DIR "/tests/data/prove/h100.jsonl");
  std::stringstream text;
  text << file.rdbuf();
  ProcessResult result;
  result.output = text.str();
  std::vector<Layer> asked;
  for (const auto& each : kLayers) asked.push_back(each.layer);
  return read_layer_runs(asked, result, 10s);
}

LayerRun passed(Layer layer) {
  LayerRun run;
  run.layer = layer;
  run.state = LayerRun::State::passed;
  return run;
}

LayerRun failed(Layer layer, std::string step, std::string api = {}, int code = 0,
                std::string name = {}, std::string text = {}) {
  LayerRun run;
  run.layer = layer;
  run.state = LayerRun::State::failed;
  run.step = std::move(step);
  run.api = std::move(api);
  run.code = code;
  run.code_name = std::move(name);
  run.text = std::move(text);
  return run;
}

std::vector<LayerRun> foundation() {
  std::vector<LayerRun> runs;
  for (const auto& each : kLayers) {
    if (is_foundation(each.layer)) runs.push_back(passed(each.layer));
  }
  return runs;
}

/// The first `count` layers pass, then `last`.
std::vector<LayerRun> up_to(Layer layer, LayerRun last) {
  std::vector<LayerRun> runs;
  for (const auto& each : kLayers) {
    if (each.layer == layer) break;
    runs.push_back(passed(each.layer));
  }
  runs.push_back(std::move(last));
  return runs;
}

struct Judged {
  Facts facts;
  Proof proof;
};

Proof prove_on(const Facts& facts, const std::vector<LayerRun>& runs,
               Effort effort = Effort::normal) {
  const auto cases = cases_of(facts);
  const auto verdict = judge(facts);
  const auto libraries = libraries_to_prove(cases.front());
  return prove(facts, cases.front(), verdict.frameworks.front(), effort, 0, libraries, runs);
}

const Rung& rung(const Proof& proof, Layer layer) {
  return proof.rungs[static_cast<std::size_t>(layer)];
}

NvmlDevice gen5() {
  NvmlDevice device;
  device.uuid = "GPU-153e4ec0-0000-4000-8000-000000000001";
  device.pcie_generation = Fact<int>::known(5);
  device.pcie_lanes = Fact<int>::known(16);
  device.pcie_lanes_now = Fact<int>::known(16);
  return device;
}

TEST(Ladder, every_layer_of_an_h100_passes_with_its_figures) {
  const auto runs = h100_runs();
  ASSERT_EQ(runs.size(), kLayers.size());
  const auto device = gen5();
  const auto words = [&](Layer layer) {
    const auto& run = runs[static_cast<std::size_t>(layer)];
    return summary_of(run, measures_of(run, runs, &device));
  };
  EXPECT_EQ(words(Layer::driver), "starts in 105 ms, CUDA 13.0");
  EXPECT_EQ(words(Layer::device),
            "NVIDIA H100 80GB HBM3, compute capability 9.0, 132 multiprocessors, 79.2 GiB");
  EXPECT_EQ(words(Layer::context), "118 ms, 78.7 GiB free of 79.2 GiB");
  EXPECT_EQ(words(Layer::memory),
            "54.8 GB/s (87 % of PCIe 5.0 x16) to the GPU, 54.8 GB/s back, 2.43 TB/s (73 % of "
            "the memory's limit) on it");
  EXPECT_EQ(words(Layer::kernel), "compiled by the driver in 98.0 ms, a launch takes 3.90 us");
  EXPECT_EQ(words(Layer::cudart), "CUDA runtime 13.0");
  EXPECT_EQ(words(Layer::cublas), "825 TFLOP/s (77 % of the chip's limit) in bfloat16");
  EXPECT_EQ(words(Layer::cudnn), "cuDNN 9.19.0, convolution at 58.4 TFLOP/s");
  EXPECT_EQ(words(Layer::cufft), "agrees with the processor");
  EXPECT_EQ(words(Layer::nccl), "NCCL 2.28.9, 1 GPU");
  EXPECT_EQ(words(Layer::training),
            "160 steps, loss 2.323 to 0.00084, as on the processor within 6e-06");
}

TEST(Ladder, all_passed_and_check_agrees) {
  const auto proof = prove_on(Bench().facts, foundation());
  EXPECT_FALSE(proof.failed.has_value());
  EXPECT_EQ(proof.suspect, Suspect::nobody);
  EXPECT_EQ(proof.conclusion, "the machine and the libraries work, and 'gpuwhy check' expects "
                              "tensorflow 2.18.0 to use the GPU");
}

TEST(Ladder, machine_is_fine_and_python_is_not) {
  Bench bench;
  bench.build().cuda = Fact<bool>::known(false);
  const auto proof = prove_on(bench.facts, foundation());
  EXPECT_FALSE(proof.failed.has_value());
  EXPECT_EQ(proof.suspect, Suspect::program);
  EXPECT_TRUE(contains(proof.conclusion,
                       "the machine is fine; the fault is in the Python environment: F02"))
      << proof.conclusion;
}

TEST(Ladder, library_that_the_loader_does_not_find_fails_without_a_try) {
  Bench bench;
  bench.remove_wheel("cudnn");
  const auto proof = prove_on(bench.facts, foundation());
  ASSERT_EQ(proof.failed, Layer::cudnn);
  EXPECT_TRUE(contains(rung(proof, Layer::cudnn).summary, "libcudnn.so.9 is not in any of the"));
  EXPECT_EQ(proof.suspect, Suspect::libraries);
  ASSERT_TRUE(proof.explanation.has_value());
  EXPECT_TRUE(proof.explanation->found_by_check);
  EXPECT_EQ(rung(proof, Layer::cublas).state, Rung::State::not_reached); // nobody ran it here
}

TEST(Ladder, library_that_fails_at_work) {
  const auto proof = prove_on(
      Bench().facts, up_to(Layer::cudnn, failed(Layer::cudnn, "cudnnOpsVersionCheck", "cudnn", 1002,
                                                "CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH")));
  ASSERT_EQ(proof.failed, Layer::cudnn);
  EXPECT_EQ(rung(proof, Layer::cudnn).summary,
            "cudnnOpsVersionCheck: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH (1002)");
  EXPECT_EQ(proof.conclusion, "the machine is fine up to cuBLAS; the fault is in cuDNN as "
                              "tensorflow 2.18.0 gets it in /home/u/tf");
  ASSERT_TRUE(proof.explanation.has_value()); // the files look right; the code says what to look at
  EXPECT_EQ(proof.explanation->id, "L04");
  EXPECT_FALSE(proof.explanation->found_by_check);
  EXPECT_EQ(rung(proof, Layer::cudnn).evidence.front(),
            test::kSite + "/nvidia/cudnn/lib/libcudnn.so.9");
}

TEST(Ladder, foundation_that_fails_stops_the_climb) {
  const auto proof =
      prove_on(Bench().facts, up_to(Layer::memory, failed(Layer::memory, "cuMemcpyDtoH", "cuda",
                                                          999, "CUDA_ERROR_UNKNOWN")));
  ASSERT_EQ(proof.failed, Layer::memory);
  EXPECT_EQ(proof.suspect, Suspect::machine);
  EXPECT_EQ(rung(proof, Layer::cublas).state, Rung::State::not_reached);
  EXPECT_EQ(proof.conclusion, "the machine is fine up to a context on the GPU; the fault is in the "
                              "machine, not in Python: GPU memory fails");
  ASSERT_TRUE(proof.explanation.has_value()); // by the code alone: nothing was found
  EXPECT_EQ(proof.explanation->id, "H09");
  EXPECT_FALSE(proof.explanation->found_by_check);
}

TEST(Ladder, hang_and_crash_are_named) {
  LayerRun hang = failed(Layer::driver, "");
  hang.state = LayerRun::State::timed_out;
  hang.text = "the CUDA driver did not come to an end within 10 s; the process was ended";
  EXPECT_EQ(rung(prove_on(Bench().facts, {hang}), Layer::driver).summary, hang.text);
  LayerRun crash = failed(Layer::cublas, "");
  crash.state = LayerRun::State::crashed;
  crash.ended_by = "SIGABRT";
  crash.said = "Could not load library libcublasLt.so.12\x1b[31m\n";
  const auto proof = prove_on(Bench().facts, up_to(Layer::cublas, crash));
  EXPECT_EQ(rung(proof, Layer::cublas).summary, "the process ended with SIGABRT");
  EXPECT_EQ(rung(proof, Layer::cublas).evidence.back(),
            "Could not load library libcublasLt.so.12\\x1b[31m");
}

TEST(Ladder, full_memory_names_who_has_it) {
  Bench bench;
  auto& nvml = bench.facts.observed.nvml;
  auto device = gen5();
  device.processes = Fact<std::vector<GpuProcess>>::known({{4711, 1}});
  NvmlProbe probe = nvml.value_or({});
  probe.devices = {device};
  nvml = Fact<NvmlProbe>::known(probe);
  auto cuda = bench.facts.observed.cuda.value();
  cuda.devices.front().pci.clear();
  bench.facts.observed.cuda = Fact<CudaProbe>::known(cuda);
  const auto full = failed(Layer::memory, "cuMemAlloc", "cuda", 2, "CUDA_ERROR_OUT_OF_MEMORY");
  const auto proof = prove_on(bench.facts, up_to(Layer::memory, full));
  EXPECT_EQ(proof.conclusion, "the machine is fine up to a context on the GPU; the GPU's memory is "
                              "full, taken by process 4711");
  // The same code from cuInit is about the host's memory.
  const auto limited = prove_on(
      bench.facts, {failed(Layer::driver, "cuInit", "cuda", 2, "CUDA_ERROR_OUT_OF_MEMORY")});
  EXPECT_TRUE(contains(limited.conclusion, "ulimit -v")) << limited.conclusion;
}

TEST(Ladder, hidden_by_a_variable) {
  Bench bench;
  test::set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", "");
  auto cuda = bench.facts.observed.cuda.value();
  cuda.init = 100;
  cuda.count = 0;
  cuda.devices.clear();
  bench.facts.observed.cuda = Fact<CudaProbe>::known(cuda);
  const auto proof =
      prove_on(bench.facts, {failed(Layer::driver, "cuInit", "cuda", 100, "CUDA_ERROR_NO_DEVICE")});
  EXPECT_EQ(proof.suspect, Suspect::program);
  ASSERT_TRUE(proof.explanation.has_value());
  EXPECT_EQ(proof.explanation->id, "E01");
  EXPECT_TRUE(contains(proof.conclusion, "the environment of this process hides the GPU"));
}

TEST(Ladder, slow_links_are_remarked_but_only_where_measured_well) {
  auto runs = h100_runs();
  runs[static_cast<std::size_t>(Layer::memory)].figures["to_device_bytes_per_second"] = 3e9;
  Bench bench;
  auto device = gen5();
  device.pcie_lanes_now = Fact<int>::known(4);
  NvmlProbe probe = bench.facts.observed.nvml.value_or({});
  probe.devices = {device};
  bench.facts.observed.nvml = Fact<NvmlProbe>::known(probe);
  auto cuda = bench.facts.observed.cuda.value();
  cuda.devices.front().pci.clear();
  bench.facts.observed.cuda = Fact<CudaProbe>::known(cuda);
  const std::string lanes = "the GPU's link runs with 4 of 16 PCIe lanes";
  EXPECT_EQ(prove_on(bench.facts, runs).remarks,
            (std::vector<std::string>{"copies to the GPU are slow: 3.00 GB/s, 4 % of PCIe 5.0 x16",
                                      lanes}));
  EXPECT_EQ(prove_on(bench.facts, runs, Effort::quick).remarks, std::vector<std::string>{lanes});
}

TEST(Ladder, objections) {
  auto device = gen5();
  EXPECT_FALSE(objection_to(nullptr, 8ULL << 30U).has_value());
  EXPECT_FALSE(is_idle(nullptr)); // not known is not idle
  EXPECT_FALSE(is_idle(&device)); // its compute mode is not known
  device.compute_mode = Fact<int>::known(0);
  EXPECT_TRUE(is_idle(&device));
  EXPECT_FALSE(objection_to(&device, 8ULL << 30U).has_value()); // idle
  device.memory_used = Fact<std::uint64_t>::known(20ULL << 30U);
  EXPECT_FALSE(objection_to(&device, 512ULL << 20U).has_value()); // little is taken
  ASSERT_TRUE(objection_to(&device, 8ULL << 30U).has_value());
  EXPECT_TRUE(objection_to(&device, 8ULL << 30U)->may_ask);
  EXPECT_FALSE(is_idle(&device));
  device.compute_mode = Fact<int>::known(3);
  device.processes = Fact<std::vector<GpuProcess>>::known({{4711, 1}});
  const auto exclusive = objection_to(&device, 512ULL << 20U);
  ASSERT_TRUE(exclusive.has_value());
  EXPECT_FALSE(exclusive->may_ask);
  EXPECT_EQ(exclusive->reason, "GPU 0 is in exclusive mode and process 4711 has it");
}

TEST(Ladder, libraries_are_opened_as_the_framework_gets_them) {
  Bench bench;
  const auto cases = cases_of(bench.facts);
  const auto libraries = libraries_to_prove(cases.front());
  const auto& solver = libraries.at(Layer::cusolver).files;
  ASSERT_EQ(solver.size(), 5U); // what it needs stands before it
  EXPECT_EQ(base_name(solver.back()), "libcusolver.so.11");
  EXPECT_LT(
      std::find(solver.begin(), solver.end(), test::kSite + "/nvidia/cublas/lib/libcublasLt.so.12"),
      std::find(solver.begin(), solver.end(), test::kSite + "/nvidia/cublas/lib/libcublas.so.12"));
  EXPECT_EQ(libraries.at(Layer::nccl).files,
            std::vector<std::string>{test::kSite + "/nvidia/nccl/lib/libnccl.so.2"});
  // Without a framework: the wheels of the environment.
  bench.python().frameworks.clear();
  const auto alone = cases_of(bench.facts);
  EXPECT_EQ(libraries_to_prove(alone.front()).at(Layer::cudnn).files,
            std::vector<std::string>{test::kSite + "/nvidia/cudnn/lib/libcudnn.so.9"});
}

TEST(Ladder, report_for_programs) {
  const auto proof =
      prove_on(Bench().facts, up_to(Layer::cudnn, failed(Layer::cudnn, "cudnnCreate", "cudnn", 1001,
                                                         "CUDNN_STATUS_NOT_INITIALIZED")));
  const auto json = nlohmann::json::parse(prove_json(proof));
  EXPECT_EQ(json["schema"], "gpuwhy.report/1");
  EXPECT_EQ(json["failed_layer"], "cudnn");
  EXPECT_EQ(json["suspect"], "libraries");
  EXPECT_EQ(json["layers"].size(), kLayers.size());
  EXPECT_EQ(json["layers"][7]["failure"]["code"], 1001);
  EXPECT_EQ(json["layers"][6]["state"], "passed");
}

TEST(Ladder, text_for_a_person) {
  Bench bench;
  const auto proof =
      prove_on(bench.facts, up_to(Layer::context,
                                  failed(Layer::context, "cuDevicePrimaryCtxRetain", "cuda", 46,
                                         "CUDA_ERROR_DEVICE_UNAVAILABLE", "busy or unavailable")));
  Style style;
  style.unicode = false;
  const auto text = prove_text(proof, style, false);
  EXPECT_TRUE(contains(text, "NO context   cuDevicePrimaryCtxRetain: CUDA_ERROR_DEVICE_UNAVAILABLE "
                             "(46): busy or unavailable\n"))
      << text;
  EXPECT_TRUE(contains(text, "not reached: memory, kernel, cudart")) << text;
  EXPECT_TRUE(contains(text, "NO The machine is fine up to the GPU's description;")) << text;
  for (const auto line : split_lines(text)) EXPECT_LE(display_width(line), style.width);
}

TEST(Limits, of_links_and_chips) {
  EXPECT_TRUE(chip_problems().empty()) << join(chip_problems(), "\n");
  EXPECT_NEAR(pcie_limit(5, 16).value(), 63.0e9, 0.1e9);
  EXPECT_NEAR(pcie_limit(3, 16).value(), 15.75e9, 0.01e9);
  EXPECT_FALSE(pcie_limit(0, 16).has_value());
  EXPECT_FALSE(pcie_limit(9, 16).has_value());
  EXPECT_EQ(nvlink_limit(6).value(), 25e9);
  EXPECT_EQ(nvlink_limit(7).value(), 50e9);
  EXPECT_FALSE(nvlink_limit(0).has_value());
  // NVIDIA's data sheet of the H100 SXM: 989 TFLOP/s at its boost clock of 1830 MHz.
  ASSERT_NE(find_chip_rate({9, 0}), nullptr);
  EXPECT_NEAR(find_chip_rate({9, 0})->half.value() * 132 * 1.83e9, 989e12, 2e12);
  EXPECT_EQ(find_chip_rate({1, 0}), nullptr);
}

} // namespace
} // namespace gpuwhy
