// fix, compat and --what-if as they are typed, on recorded machines.
#include "commands/command.h"
#include "facts/json.h"
#include "render/mending_json.h"
#include "support/machine_bench.h"
#include "unit/render/validator.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace gpuwhy::test {
namespace {

struct Ran {
  int exit = 0;
  std::string out;
  std::string errors;
};

Ran run(const std::vector<std::string>& words) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream errors;
  Console console{in, out, errors, {}};
  const auto exit = run_gpuwhy(words, console);
  return {static_cast<int>(exit), out.str(), errors.str()};
}

class Fix : public testing::Test {
protected:
  void SetUp() override {
    auto pattern = (std::filesystem::temp_directory_path() / "gpuwhy-fix-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string record(const Facts& facts) const {
    const auto path = folder_ / "machine.json";
    std::ofstream(path, std::ios::binary) << write_snapshot(facts);
    return path.string();
  }

  std::filesystem::path folder_;
};

Machine two_faults() {
  Machine machine;
  machine.remove_wheel("cudnn");
  set_variable(machine.facts, "CUDA_VISIBLE_DEVICES", "-1");
  machine.facts.observed.cuda.value().init = 100;
  machine.facts.observed.cuda.value().count = 0;
  machine.facts.observed.cuda.value().devices.clear();
  return machine;
}

TEST_F(Fix, prints_the_plan) {
  const auto ran = run({"fix", "--from", record(two_faults().facts)});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_NE(ran.out.find("1. install nvidia-cudnn-cu12"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("2. unset CUDA_VISIBLE_DEVICES"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("verified"), std::string::npos);
}

TEST_F(Fix, as_json) {
  const auto ran = run({"fix", "--json", "--from", record(two_faults().facts)});
  const auto schema = Json::parse(fix_schema());
  EXPECT_EQ(Validator(schema).check(Json::parse(ran.out)), "");
  const auto report = nlohmann::json::parse(ran.out);
  EXPECT_EQ(report["verdict"], "no_gpu");
  EXPECT_EQ(report["plan"].size(), 2U);
  EXPECT_TRUE(report["plan"][0]["by_hand"].is_null());
  EXPECT_TRUE(report["applied"].is_null());
}

TEST_F(Fix, what_is_left_to_a_person_is_said) {
  Machine machine;
  machine.remove_driver();
  const auto ran = run({"fix", "--from", record(machine.facts)});
  EXPECT_NE(ran.out.find("left to you: it needs root"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("gpuwhy does none of these steps itself"), std::string::npos) << ran.out;
}

TEST_F(Fix, wrong_usage_is_one_line) {
  const auto machine = record(two_faults().facts);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"fix", "--apply", "--from", machine},
           {"fix", "--undo", "--apply"},
           {"fix", "--plan", "9", "--from", machine},
           {"fix", "--framework", "caffe", "--from", machine},
           {"compat", "numpy==1"},
           {"check", "--what-if", "make coffee", "--from", machine}}) {
    const auto ran = run(words);
    EXPECT_EQ(ran.exit, 2) << join(words, " ");
    EXPECT_EQ(split_lines(std::string_view(ran.errors)).size(), 1U) << ran.errors;
    EXPECT_TRUE(ran.out.empty()) << ran.out;
  }
}

TEST_F(Fix, what_if_decides_the_exit_status) {
  const auto machine = record(two_faults().facts);
  const std::string cudnn = "pip install nvidia-cudnn-cu12==9.3.0.75";
  EXPECT_EQ(run({"--from", machine, "-w", "unset CUDA_VISIBLE_DEVICES"}).exit, 1);
  EXPECT_EQ(run({"--from", machine, "-w", "unset CUDA_VISIBLE_DEVICES", "-w", cudnn}).exit, 0);
  EXPECT_EQ(run({"--from", record(healthy_facts()), "-w", "pip install x"}).exit, 3);
}

TEST_F(Fix, compat_of_a_recorded_machine) {
  const auto machine = record(Machine().facts);
  const auto ran = run({"compat", "--from", machine});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_NE(ran.out.find("TensorFlow 2.20.0"), std::string::npos) << ran.out;
  EXPECT_EQ(run({"compat", "tensorflow==2.99", "--from", machine}).exit, 3);
}

} // namespace
} // namespace gpuwhy::test
