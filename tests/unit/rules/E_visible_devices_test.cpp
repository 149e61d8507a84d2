// The parser of CUDA_VISIBLE_DEVICES against the driver's answers (facts/cuda.json,
// observed_behaviour), then E01, E02, E04.
#include "rules/E_environment/visible_devices.h"
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using rules::DeviceIdentity;
using rules::visible_devices;
using State = Outcome::State;
using Ids = std::vector<std::string>;
using Ordinals = std::vector<int>;

const std::string kFirst = "GPU-153e4ec0-1111-2222-3333-444455556666";
const std::string kSecond = "GPU-153e4eff-1111-2222-3333-444455556666";

struct Observed {
  std::string value;
  int error;
};

class OneGpu : public testing::TestWithParam<Observed> {};

TEST_P(OneGpu, is_as_the_driver_answered) {
  const auto visible = visible_devices(GetParam().value, {{kFirst, {}}});
  EXPECT_EQ(visible.error, GetParam().error) << "\"" << GetParam().value << "\"";
  EXPECT_EQ(visible.ordinals.size(), GetParam().error == 0 ? 1U : 0U)
      << "\"" << GetParam().value << "\"";
}

INSTANTIATE_TEST_SUITE_P(
    Driver580, OneGpu,
    testing::Values(Observed{"", 100}, Observed{" ", 100}, Observed{"0", 0}, Observed{"1", 100},
                    Observed{"0,1", 0}, Observed{"1,0", 100}, Observed{"-1", 100},
                    Observed{"0,-1", 0}, Observed{"-1,0", 100}, Observed{"0,0", 101},
                    Observed{"00", 0}, Observed{"+0", 0}, Observed{"0x0", 0}, Observed{" 0", 0},
                    Observed{"0 ", 0}, Observed{"0abc", 0}, Observed{"0;1", 0},
                    Observed{"abc", 100}, Observed{"NoDevFiles", 100}, Observed{"none", 100},
                    Observed{"void", 100}, Observed{"all", 100}, Observed{",0", 100},
                    Observed{"0,", 0}, Observed{kFirst, 0}, Observed{"GPU-153e4ec0", 0},
                    Observed{"GPU-", 100}, Observed{"GPU-ffffffff", 100},
                    Observed{"0," + kFirst, 0}, Observed{kFirst + ",0", 0},
                    Observed{"MIG-" + kFirst, 100}, Observed{"99999999999", 100},
                    Observed{"99999999999999999999999999", 100}, Observed{"\"0\"", 100},
                    Observed{"'0'", 100}, Observed{"[0]", 100}));

TEST(VisibleDevices, several_in_the_order_asked_for) {
  const std::vector<DeviceIdentity> devices = {{kFirst, {}}, {kSecond, {}}, {"GPU-99", {}}};
  EXPECT_EQ(visible_devices("2,0", devices).ordinals, (Ordinals{2, 0}));
  EXPECT_EQ(visible_devices("0,1,2,3", devices).ordinals, (Ordinals{0, 1, 2}));
  EXPECT_EQ(visible_devices("0,1,2,3", devices).refused, "3");
  EXPECT_EQ(visible_devices("0,x,1", devices).ordinals, (Ordinals{0}));
  EXPECT_EQ(visible_devices("1,2,1", devices).error, 101);
  EXPECT_EQ(visible_devices("1," + kSecond + ",2", devices).ordinals, (Ordinals{1, 2}));
  EXPECT_EQ(visible_devices("GPU-153e4e", devices).error, 100) << "ambiguous";
  EXPECT_EQ(visible_devices("GPU-153e4ef,GPU-99", devices).ordinals, (Ordinals{1, 2}));
}

TEST(VisibleDevices, mig_instances) {
  const std::vector<DeviceIdentity> devices = {{kFirst, {"MIG-aaaa-1", "MIG-bbbb-2"}},
                                               {kSecond, {}}};
  EXPECT_EQ(visible_devices("MIG-bbbb-2", devices).ordinals, (Ordinals{0}));
  EXPECT_EQ(visible_devices("MIG-cccc", devices).error, 100);
  EXPECT_EQ(visible_devices("MIG-" + kFirst + "/1/0", devices).ordinals, (Ordinals{0}));
  EXPECT_EQ(visible_devices("MIG-" + kSecond + "/1/0", devices).error, 100);
}

TEST(VisibleDevices, unknown_uuids_leave_it_open) {
  EXPECT_FALSE(visible_devices("GPU-1234", {{"", {}}}).complete);
  EXPECT_TRUE(visible_devices("0", {{"", {}}}).complete);
}

TEST(VisibleDevices, never_more_than_there_are) {
  const std::string letters = "01,-+ GPx";
  for (int number = 0; number < 9 * 9 * 9 * 9; ++number) {
    std::string value;
    for (int rest = number, digit = 0; digit < 4; ++digit, rest /= 9)
      value += letters[static_cast<std::size_t>(rest % 9)];
    const auto visible = visible_devices(value, {{kFirst, {}}, {kSecond, {}}});
    EXPECT_LE(visible.ordinals.size(), 2U) << value;
    EXPECT_EQ(visible.ordinals.empty(), visible.error != 0) << value;
    if (rules::hides_on_purpose(value) || rules::begins_with_nonsense(value)) {
      EXPECT_EQ(visible.error, 100) << value;
    }
  }
}

/// As the driver would answer with the variable.
void hidden(Bench& bench, int error) {
  CudaProbe probe;
  probe.init = error;
  probe.init_name = error == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_INVALID_DEVICE";
  bench.facts.observed.cuda = Fact<CudaProbe>::known(probe, {"probe cuda_init", 0});
}

TEST(E01, values_that_hide_all) {
  for (const std::string value : {"", " ", "-1", "NoDevFiles", "-1,0", "-2"}) {
    Bench bench;
    set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", value,
                 {origin("/home/u/.bashrc", 12, "export CUDA_VISIBLE_DEVICES=" + value)});
    hidden(bench, 100);
    EXPECT_EQ(bench.found("FLE"), Ids{"E01"}) << value;
    const auto outcome = bench.ask("E01");
    EXPECT_EQ(outcome.evidence.front().source.str(), "/home/u/.bashrc:12");
    EXPECT_TRUE(contains(outcome.evidence.back().text, "CUDA_ERROR_NO_DEVICE"))
        << outcome.evidence.back().text;
    EXPECT_TRUE(contains(outcome.edits.front().words, "/home/u/.bashrc:12"));
    EXPECT_TRUE(bench.first_edit_mends("E01"));
    EXPECT_EQ(bench.found("FLE"), Ids{});
  }
}

TEST(E01, without_a_driver_to_ask) {
  Bench bench;
  bench.facts.observed = {};
  set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", "-1");
  EXPECT_EQ(bench.state("E01"), State::found);
}

TEST(E01, look_alikes_and_unknown) {
  Bench bench;
  EXPECT_EQ(bench.state("E01"), State::clear);
  set_variable(bench.facts, "NVIDIA_VISIBLE_DEVICES", "void");
  EXPECT_EQ(bench.state("E01"), State::clear);
  set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", "0,-1");
  EXPECT_EQ(bench.state("E01"), State::clear);
  bench.facts.environment.looked = false;
  for (const auto* id : {"E01", "E02", "E04"}) EXPECT_EQ(bench.state(id), State::unknown) << id;
}

TEST(E02, values_that_name_nothing) {
  for (const std::string value : {"1", "all", "none", "[0]", "GPU-deadbeef", "7,0", ",0", "0,0"}) {
    Bench bench;
    set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", value,
                 {origin("/etc/environment", 3, "CUDA_VISIBLE_DEVICES=" + value)});
    hidden(bench, value == "0,0" ? 101 : 100);
    EXPECT_EQ(bench.found("FLE"), Ids{"E02"}) << value;
    EXPECT_EQ(bench.ask("E02").evidence.front().source.str(), "/etc/environment:3");
    EXPECT_TRUE(bench.first_edit_mends("E02")) << value;
    EXPECT_EQ(bench.found("FLE"), Ids{}) << value;
  }
}

TEST(E02, values_that_work) {
  for (const std::string value : {"0", "0,1", "GPU-153e4ec0", "00", "0;1"}) {
    Bench bench;
    set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", value);
    EXPECT_EQ(bench.found("FLE"), Ids{}) << value;
    EXPECT_EQ(bench.state("E02"), State::clear) << value;
  }
}

TEST(E02, device_order) {
  Bench bench;
  set_variable(bench.facts, "CUDA_DEVICE_ORDER", "PCI_BUS_ID");
  EXPECT_EQ(bench.state("E02"), State::clear);
  set_variable(bench.facts, "CUDA_DEVICE_ORDER", "PCI");
  hidden(bench, 101);
  EXPECT_EQ(bench.found("FLE"), Ids{"E02"});
  EXPECT_TRUE(contains(bench.ask("E02").text, "CUDA_DEVICE_ORDER=\"PCI\""));
  EXPECT_TRUE(bench.first_edit_mends("E02"));
}

TEST(E02, unknown_where_the_gpus_are_not_known) {
  Bench bench;
  bench.facts.observed = {};
  set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", "1");
  EXPECT_EQ(bench.state("E02"), State::unknown);
  set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", "all"); // on no machine
  EXPECT_EQ(bench.state("E02"), State::found);
}

TEST(E02, a_mig_instance_is_believed_to_the_driver) {
  Bench bench;
  NvmlProbe nvml;
  NvmlDevice device;
  device.uuid = kFirst;
  device.mig = Fact<bool>::known(true);
  nvml.devices = {device};
  bench.facts.observed.nvml = Fact<NvmlProbe>::known(nvml);
  set_variable(bench.facts, "CUDA_VISIBLE_DEVICES", "MIG-1234");
  EXPECT_EQ(bench.state("E02"), State::clear); // observed: one device
  hidden(bench, 100);
  EXPECT_EQ(bench.state("E02"), State::found);
  bench.facts.observed.cuda = {};
  EXPECT_EQ(bench.state("E02"), State::unknown);
}

TEST(E04, variables_that_tensorflow_does_not_read) {
  Bench bench;
  set_variable(bench.facts, "CUDA_HOME", "/usr/local/cuda-9.0");
  EXPECT_EQ(bench.state("E04"), State::clear);
  EXPECT_TRUE(contains(bench.ask("E04").text, "not read"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(E04, the_flag_that_xla_reads) {
  Bench bench;
  set_variable(bench.facts, "XLA_FLAGS", "--xla_a=1 --xla_gpu_cuda_data_dir=/opt/gone");
  EXPECT_EQ(bench.state("E04"), State::clear) << "nobody looked at /opt/gone";
  bench.facts.libraries.directories["/opt/gone"] = {.path = "/opt/gone",
                                                    .status = LibraryDirectory::Status::absent,
                                                    .names = {},
                                                    .capabilities = {},
                                                    .origin = "XLA_FLAGS"};
  EXPECT_EQ(bench.state("E04"), State::found);
  EXPECT_EQ(rule("E04").effect, Effect::slows);
  EXPECT_TRUE(bench.first_edit_mends("E04"));
  EXPECT_EQ(bench.facts.environment.find("XLA_FLAGS")->value, "--xla_a=1");
}

} // namespace
} // namespace gpuwhy::test
