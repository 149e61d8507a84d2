#include "places/variables_file.h"

#include <gtest/gtest.h>

namespace gpuwhy::places {
namespace {

VariablesFile read(std::string_view text, const Environment& shell = {}) {
  auto file = read_variables(text, "vars", shell);
  EXPECT_TRUE(file) << file.error().message;
  return file.value_or(VariablesFile{});
}

TEST(VariablesFile, docker_env_file) {
  const auto file =
      read("# comment\n\nA=1\nB= two words \nC=\"kept\"\nHOME\nNOT_SET\n", {{"HOME", "/home/u"}});
  EXPECT_EQ(
      file.environment,
      (Environment{{"A", "1"}, {"B", " two words "}, {"C", "\"kept\""}, {"HOME", "/home/u"}}));
  EXPECT_EQ(file.origins.at("B").path, "vars");
  EXPECT_EQ(file.origins.at("B").line, 4);
}

TEST(VariablesFile, output_of_env) {
  const auto file = read(
      "A=1\nBASH_FUNC_module%%=() {  eval `x`\n}\nTEXT=first\n  second\nLD_LIBRARY_PATH=/a:/b\n");
  EXPECT_EQ(file.environment,
            (Environment{{"A", "1"}, {"TEXT", "first\n  second"}, {"LD_LIBRARY_PATH", "/a:/b"}}));
}

TEST(VariablesFile, output_of_env_0) {
  const std::string text("A=1\0B=x\ny=z\0", 12);
  EXPECT_EQ(read(text).environment, (Environment{{"A", "1"}, {"B", "x\ny=z"}}));
}

TEST(VariablesFile, json_in_its_shapes) {
  const Environment wanted{{"A", "1"}, {"B", ""}};
  EXPECT_EQ(read(R"({"A": "1", "B": ""})").environment, wanted);
  EXPECT_EQ(read(R"(["A=1", "B="])").environment, wanted);
  EXPECT_EQ(read(R"([{"Id": "x", "Config": {"Env": ["A=1", "B="]}}])").environment, wanted);
  EXPECT_EQ(read(R"({"process": {"env": ["A=1", "B="], "cwd": "/"}})").environment, wanted);
  EXPECT_EQ(read(R"({"config": {"Env": ["A=1", "B="]}, "rootfs": {}})").environment, wanted);
  EXPECT_EQ(read("[\n\"A=1\",\n\"B=\"]").origins.at("B").line, 3);
}

TEST(VariablesFile, nothing_in_it) {
  for (const std::string text : {"", "no variable here\n", "{}", "[1, 2]", "\n\n"}) {
    EXPECT_EQ(read_variables(text, "vars", {}).error().message, "no NAME=VALUE in it") << text;
  }
  EXPECT_EQ(read_variables("{\"A\": ", "vars", {}).error().message, "starts like JSON and is none");
  EXPECT_FALSE(read_variables(std::string(1'000'000, '['), "vars", {}));
}

TEST(VariablesFile, giant_is_bounded) {
  std::string text = "{";
  for (int i = 0; i < 50'000; ++i) text += "\"N" + std::to_string(i) + "\": \"v\",";
  text += "\"Z\": \"v\"}";
  EXPECT_LE(read(text).environment.size(), 4'000U);
}

} // namespace
} // namespace gpuwhy::places
