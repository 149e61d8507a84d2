// What explain writes against its schema.
#include "render/explanation.h"

#include "explain/explainer.h"
#include "unit/render/validator.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

Json written(std::string_view text) {
  explain::Explainer explainer;
  explainer.feed(text);
  return Json::parse(explanation_json(explainer.finish()));
}

TEST(ExplanationJson, FollowsItsSchema) {
  const auto schema = Json::parse(explanation_schema());
  const auto* two_ranks =
      "[rank0]: CUDA out of memory. Tried to allocate 2 GiB\n"
      "[rank1]: CUDA error: no kernel image is available for execution on the device\n";
  for (const std::string_view text :
       {"", "no GPU here\n", "- gpu: \x1b[31mRTX 3090\nlibcudnn.so.8: file too short\n",
        "Created device /job:localhost/replica:0/task:0/device:GPU:0 with 14000 MB memory\n",
        two_ranks}) {
    EXPECT_EQ(Validator(schema).check(written(text)), "") << text;
  }
  auto spoiled = written("CUDA out of memory. Tried to allocate 2 GiB\n");
  spoiled["causes"][0].erase("fix");
  EXPECT_NE(Validator(schema).check(spoiled), "");
}

TEST(ExplanationJson, SectionsAreThereWhereRanksDiffer) {
  const auto report = written("[rank0]: CUDA out of memory. Tried to allocate 2 GiB\n"
                              "[rank1]: CUDA error: no kernel image is available for execution on "
                              "the device\n");
  ASSERT_EQ(report["sections"].size(), 2U);
  EXPECT_EQ(report["sections"][0]["ranks"], Json::parse(R"(["0"])"));
  EXPECT_TRUE(written("")["sections"].empty());
}

} // namespace
} // namespace gpuwhy
