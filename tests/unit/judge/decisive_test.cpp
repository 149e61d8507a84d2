#include "judge/decisive.h"

#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Kind = Difference::Kind;

/// The healthy machine; the place of the program is a kernel, the shell is as the machine.
Facts kernel() {
  Facts facts = test::healthy_facts();
  facts.place.kind = "kernel";
  facts.place.name = "gpu";
  facts.place.origin = "/k/kernel.json";
  Shell shell;
  shell.variables = facts.environment.variables;
  shell.interpreter = test::kPython;
  shell.access = facts.access;
  shell.observed = facts.observed;
  facts.place.shell = Fact<Shell>::known(shell, {"this shell", 0});
  return facts;
}

void hide(Facts& facts) {
  test::set_variable(facts, "CUDA_VISIBLE_DEVICES", "-1",
                     {test::origin("/k/kernel.json", 7, "\"CUDA_VISIBLE_DEVICES\": \"-1\"")});
  CudaProbe probe = facts.observed.cuda_unhidden.value();
  probe.init = 100;
  probe.count = 0;
  probe.devices.clear();
  facts.observed.cuda = Fact<CudaProbe>::known(probe, {"probe cuda_init", 0});
}

std::string ids(const FrameworkVerdict& verdict) {
  std::string text;
  for (const auto& cause : verdict.causes) text += cause.id + " ";
  return text;
}

TEST(Decisive, nothing_where_both_work) {
  auto facts = kernel();
  test::set_variable(facts, "TF_CPP_MIN_LOG_LEVEL", "3");
  EXPECT_EQ(differences_from_shell(facts).size(), 1U);
  EXPECT_TRUE(find_decisive(facts, "tensorflow").empty());
  const auto verdict = judge(facts);
  EXPECT_EQ(verdict.frameworks.front().answer, Usable::gpu);
  EXPECT_EQ(verdict.place->shell, Usable::gpu);
}

TEST(Decisive, nothing_where_the_shell_fails_too) {
  auto facts = kernel();
  hide(facts);
  auto& shell = facts.place.shell.value();
  shell.variables = facts.environment.variables;
  shell.variables.front().value = "";
  shell.observed = facts.observed;
  EXPECT_TRUE(find_decisive(facts, "tensorflow").empty());
  EXPECT_EQ(ids(judge(facts).frameworks.front()), "E01 ");
}

TEST(Decisive, the_variable_that_decides_among_others) {
  auto facts = kernel();
  hide(facts);
  test::set_variable(facts, "TF_CPP_MIN_LOG_LEVEL", "3");
  test::set_variable(facts, "PATH", "/usr/bin");
  const std::vector<Difference> wanted{{Kind::variable, "CUDA_VISIBLE_DEVICES"}};
  EXPECT_EQ(find_decisive(facts, "tensorflow"), wanted);

  const auto verdict = judge(facts).frameworks.front();
  EXPECT_EQ(verdict.answer, Usable::no_gpu);
  EXPECT_EQ(ids(verdict), "E08 ");
  const auto& cause = verdict.causes.front();
  EXPECT_EQ(cause.summary, "this shell would use the GPU, the Jupyter kernel gpu does not: "
                           "CUDA_VISIBLE_DEVICES is \"-1\" there and not set here");
  EXPECT_TRUE(cause.evidence[0].text.starts_with("so there: E01, CUDA_VISIBLE_DEVICES=\"-1\""));
  EXPECT_EQ(cause.evidence[1].source, (Source{"/k/kernel.json", 7}));
  EXPECT_EQ(cause.fix->words, "remove CUDA_VISIBLE_DEVICES (/k/kernel.json:7) in \"env\" of "
                              "/k/kernel.json, then restart the kernel");
  EXPECT_TRUE(cause.fix->verified);
  EXPECT_TRUE(verdict.plan_reaches_gpu);
  for (const auto& gate : verdict.route) {
    const bool failed = gate.gate == Gate::program || gate.gate == Gate::visibility;
    EXPECT_EQ(gate.state == GateResult::State::failed, failed) << name_of(gate.gate);
  }
}

TEST(Decisive, the_path_that_only_the_shell_has) {
  auto facts = kernel();
  test::Bench bench;
  bench.facts = facts;
  // cuDNN lies where only LD_LIBRARY_PATH of the shell leads.
  bench.remove_wheel("cudnn");
  for (const std::string part : {"", "_graph", "_ops", "_cnn", "_adv", "_heuristic",
                                 "_engines_precompiled", "_engines_runtime_compiled"}) {
    test::add_file(bench.facts,
                   test::library("/opt/cudnn/lib/libcudnn" + part + ".so.9", "9.3.0.75"));
  }
  auto& shell = bench.facts.place.shell.value();
  Variable path{"LD_LIBRARY_PATH",
                "/opt/cudnn/lib",
                {test::origin("/home/u/.bashrc", 118, "export LD_LIBRARY_PATH=/opt/cudnn/lib")}};
  shell.variables.push_back(path);
  const std::vector<Difference> wanted{{Kind::variable, "LD_LIBRARY_PATH"}};
  EXPECT_EQ(find_decisive(bench.facts, "tensorflow"), wanted);
  const auto cause = judge(bench.facts).frameworks.front().causes.front();
  EXPECT_EQ(cause.id, "E08");
  EXPECT_TRUE(cause.evidence[0].text.starts_with("so there: L0"));
  EXPECT_EQ(cause.evidence[1].source, (Source{"/home/u/.bashrc", 118}));
}

TEST(Decisive, the_interpreter) {
  auto facts = kernel();
  auto other = facts.pythons.front();
  facts.pythons.front().selected = false;
  other.interpreter = "/usr/bin/python3";
  other.prefix = "/usr";
  other.chosen_by = "kernel gpu (/k/kernel.json)";
  other.frameworks.clear();
  other.distributions.clear();
  facts.pythons.insert(facts.pythons.begin(), other);
  const std::vector<Difference> wanted{{.kind = Kind::interpreter}};
  EXPECT_EQ(find_decisive(facts, "tensorflow"), wanted);
  const auto verdict = judge(facts).frameworks.front();
  EXPECT_EQ(ids(verdict), "F07 "); // says the same in more detail
  EXPECT_NE(
      verdict.causes.front().summary.find("the Jupyter kernel gpu runs with /usr/bin/python3"),
      std::string::npos);
}

TEST(Decisive, the_right_to_open_the_device) {
  auto facts = kernel();
  facts.place.kind = "service";
  facts.place.name = "t.service";
  DeviceNode node;
  node.path = "/dev/nvidiactl";
  node.mode = "0666";
  node.usable = Fact<bool>::known(true, {"/dev/nvidiactl", 0});
  auto& shell = facts.place.shell.value();
  shell.access.nodes = Fact<std::vector<DeviceNode>>::known({node}, {"/dev", 0});
  node.usable = Fact<bool>::known(false, {"/etc/systemd/system/t.service", 4});
  node.problem = "EPERM";
  facts.access.nodes = Fact<std::vector<DeviceNode>>::known({node}, {"/dev", 0});
  facts.observed = {};
  const std::vector<Difference> wanted{{.kind = Kind::access}};
  EXPECT_EQ(find_decisive(facts, "tensorflow"), wanted);
  const auto cause = judge(facts).frameworks.front().causes.front();
  EXPECT_EQ(cause.id, "E08");
  EXPECT_NE(cause.fix->words.find("DeviceAllow=char-nvidia* rw"), std::string::npos);
}

TEST(Decisive, two_that_are_needed_together) {
  auto facts = kernel();
  hide(facts);
  test::set_variable(facts, "JAX_PLATFORMS", "cpu");
  test::Bench bench;
  bench.facts = facts;
  bench.remove_wheel("cudnn");
  for (const std::string part : {"", "_graph", "_ops", "_cnn", "_adv", "_heuristic",
                                 "_engines_precompiled", "_engines_runtime_compiled"}) {
    test::add_file(bench.facts,
                   test::library("/opt/cudnn/lib/libcudnn" + part + ".so.9", "9.3.0.75"));
  }
  bench.facts.place.shell.value().variables.push_back({"LD_LIBRARY_PATH", "/opt/cudnn/lib", {}});
  const std::vector<Difference> wanted{{Kind::variable, "CUDA_VISIBLE_DEVICES"},
                                       {Kind::variable, "LD_LIBRARY_PATH"}};
  EXPECT_EQ(find_decisive(bench.facts, "tensorflow"), wanted);
}

} // namespace
} // namespace gpuwhy
