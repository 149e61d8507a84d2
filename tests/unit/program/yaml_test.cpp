#include "program/yaml.h"

#include <gtest/gtest.h>

namespace gpuwhy::program {
namespace {

TEST(Yaml, ATextWithoutALastDocumentIsAnError) {
  for (const char* text : {",", "{},", "- a\n,\xff"}) {
    const auto document = read_yaml(Document::Kind::workflow, text);
    ASSERT_FALSE(document) << text;
    EXPECT_NE(document.error().message.find("this is no document"), std::string::npos);
  }
}

TEST(Yaml, DocumentsAreReadOneByOne) {
  const auto document = read_yaml(Document::Kind::workflow,
                                  "---\n---\njobs:\n  a:\n    runs-on: gpu\n---\njobs:\n  b: {}\n");
  ASSERT_TRUE(document);
  ASSERT_EQ(document->workloads.size(), 2U);
  EXPECT_EQ(document->workloads[0].image, "gpu");
  EXPECT_EQ(document->workloads[1].name, "b");
}

} // namespace
} // namespace gpuwhy::program
