// What a step makes of a file's text.
#include "mend/text_edits.h"

#include <gtest/gtest.h>

namespace gpuwhy::mend {
namespace {

Action variable(const std::string& command, const std::vector<std::string>& words) {
  return action_of(command, words, true);
}
const Action kUnset = variable("unset CUDA_VISIBLE_DEVICES", {"unset", "CUDA_VISIBLE_DEVICES"});
const Action kPath = variable("export LD_LIBRARY_PATH='/a b'", {"export", "LD_LIBRARY_PATH=/a b"});

constexpr std::string_view kBegin = "# >>> gpuwhy fix >>> (gpuwhy fix --undo takes it out again)\n";

TEST(Block, stands_at_the_end) {
  EXPECT_EQ(with_block("alias l=ls", {kUnset, kPath}, Shell::posix),
            "alias l=ls\n" + std::string(kBegin) +
                "unset CUDA_VISIBLE_DEVICES\nexport LD_LIBRARY_PATH='/a b'\n"
                "# <<< gpuwhy fix <<<\n");
  EXPECT_EQ(with_block("", {kPath}, Shell::fish),
            std::string(kBegin) + "set -gx LD_LIBRARY_PATH '/a b'\n# <<< gpuwhy fix <<<\n");
}

TEST(Block, of_before_is_taken_along) {
  const auto once = with_block("a\n", {kUnset, kPath}, Shell::posix);
  const auto other = variable("export LD_LIBRARY_PATH=/c", {"export", "LD_LIBRARY_PATH=/c"});
  const auto twice = with_block(once + "b\n", {other}, Shell::posix);
  EXPECT_EQ(twice, "a\nb\n" + std::string(kBegin) +
                       "unset CUDA_VISIBLE_DEVICES\nexport LD_LIBRARY_PATH=/c\n"
                       "# <<< gpuwhy fix <<<\n");
}

TEST(Word, in_its_place_and_nothing_else) {
  const auto action = action_of(
      "sed ...", {"sed", "-i", R"(s/"backend": *"numpy"/"backend": "jax"/)", "/k.json"}, true);
  ASSERT_EQ(action.kind, Action::Kind::word);
  EXPECT_EQ(action.file, "/k.json");
  EXPECT_EQ(with_word("{\"a\": 1,\r\n \"backend\":   \"numpy\"}", action).value_or(""),
            "{\"a\": 1,\r\n \"backend\":   \"jax\"}");
  EXPECT_FALSE(with_word("{\"backend\": \"torch\"}", action));
  EXPECT_FALSE(with_word(R"({"backend": "numpy", "x": {"backend": "numpy"}})", action));
}

TEST(Kernel, gets_and_loses_variables) {
  const std::string kernel =
      "{\n \"argv\": [],\n \"env\": {\n  \"CUDA_VISIBLE_DEVICES\": \"\"\n }\n}\n";
  EXPECT_EQ(with_kernel_variables(kernel, {kUnset}).value_or(""), "{\n \"argv\": []\n}\n");
  EXPECT_EQ(with_kernel_variables("{\n \"argv\": []\n}\n", {kPath}).value_or(""),
            "{\n \"argv\": [],\n \"env\": {\n  \"LD_LIBRARY_PATH\": \"/a b\"\n }\n}\n");
  EXPECT_FALSE(with_kernel_variables("{\"argv\": []}", {kUnset})); // it comes from elsewhere
  EXPECT_FALSE(with_kernel_variables("{}", {kPath}));
  EXPECT_FALSE(with_kernel_variables("nonsense", {kPath}));
}

TEST(Actions, what_is_left_to_a_person) {
  const auto by_hand = [](const std::vector<std::string>& words, bool own = true) {
    return action_of("x", words, own).why;
  };
  EXPECT_EQ(by_hand({"sudo", "ldconfig"}), "it needs root");
  EXPECT_EQ(by_hand({"rm", "-rf", "/"}), "gpuwhy cannot undo it");
  EXPECT_EQ(by_hand({}), "only a shell can run it");
  EXPECT_EQ(by_hand({"/usr/bin/python3", "-m", "pip", "install", "x"}, false),
            "it changes the system's own Python");
  EXPECT_EQ(by_hand({"python", "-m", "pip", "install", "x"}), "gpuwhy cannot undo it"); // which?
  EXPECT_EQ(by_hand({"/v/bin/python", "-m", "pip", "install", "x"}), "");
  EXPECT_EQ(by_hand({"uv", "pip", "install", "--python", "/v/bin/python", "x"}), "");
  EXPECT_EQ(by_hand({"export", "A B=1"}), "only a shell can run it");
}

TEST(Diff, is_one_that_patch_takes) {
  EXPECT_EQ(unified_diff("f", "a\nb\nc\nd\n", "a\nb\nc\nd\ne\n"),
            "--- f\n+++ f\n@@ -2,3 +2,4 @@\n b\n c\n d\n+e\n");
  EXPECT_EQ(unified_diff("f", "", "a\n"), "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("f", "a", "a\nb\n"),
            "--- f\n+++ f\n@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n");
  EXPECT_EQ(unified_diff("f", "a\n", "a\n"), "");
}

} // namespace
} // namespace gpuwhy::mend
