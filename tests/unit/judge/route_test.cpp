// A tick on the route means that something was looked at and found in order.
#include "judge/judge.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

GateResult at(const Verdict& verdict, Gate gate) {
  const auto& route = verdict.frameworks.front().route;
  const auto found = std::find_if(route.begin(), route.end(),
                                  [&](const GateResult& each) { return each.gate == gate; });
  return found == route.end() ? GateResult{} : *found;
}

/// One Python without TensorFlow.
Facts machine(std::vector<PciGpu> gpus) {
  Facts facts;
  facts.hardware.gpus =
      Fact<std::vector<PciGpu>>::known(std::move(gpus), {"/sys/bus/pci/devices", 0});
  facts.environment.looked = true;
  PythonEnvironment python;
  python.interpreter = python.executable = "/usr/bin/python3";
  python.kind = "system";
  python.prefix = "/usr";
  python.version = Fact<std::string>::known("3.11.2", {"/usr/bin/python3", 0});
  python.selected = true;
  facts.pythons.push_back(python);
  return facts;
}

TEST(Route, WithoutAGpuNothingWentThroughTheDriver) {
  const auto verdict = judge(machine({}));
  EXPECT_EQ(at(verdict, Gate::hardware).state, GateResult::State::failed);
  for (const auto gate : {Gate::driver, Gate::access, Gate::libcuda}) {
    EXPECT_EQ(at(verdict, gate).state, GateResult::State::unknown) << name_of(gate);
    EXPECT_EQ(at(verdict, gate).reason, "not reached: there is no GPU") << name_of(gate);
  }
}

TEST(Route, WithoutAFrameworkThereIsNoBuildToAsk) {
  PciGpu gpu;
  gpu.vendor = "nvidia";
  gpu.driver = Fact<std::string>::known("nvidia", {"/sys/bus/pci/devices", 0});
  const auto verdict = judge(machine({gpu}));
  EXPECT_FALSE(verdict.frameworks.front().installed);
  EXPECT_EQ(at(verdict, Gate::program).state, GateResult::State::failed);
  EXPECT_NE(at(verdict, Gate::driver).state, GateResult::State::failed);
  for (const auto gate : {Gate::build, Gate::libraries, Gate::architecture}) {
    EXPECT_EQ(at(verdict, gate).state, GateResult::State::unknown) << name_of(gate);
  }
  EXPECT_EQ(at(verdict, Gate::visibility).state, GateResult::State::passed);
}

} // namespace
} // namespace gpuwhy
