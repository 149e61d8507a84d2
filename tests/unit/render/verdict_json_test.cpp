// What is written against its schema.
#include "render/verdict_json.h"

#include "base/text.h"
#include "unit/render/samples.h"
#include "unit/render/validator.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

TEST(VerdictJson, FollowsItsSchema) {
  const auto schema = Json::parse(report_schema());
  for (const auto& verdict :
       {samples::healthy(), samples::one_cause(), samples::three_causes(), samples::not_known(),
        samples::nothing_installed(), samples::many_environments(), samples::unverified(),
        samples::warning(), samples::no_hardware(), samples::hostile(), Verdict{}}) {
    const auto document = Json::parse(verdict_json(verdict));
    EXPECT_EQ(Validator(schema).check(document), "");
  }
}

TEST(VerdictJson, FollowsItsSchemaWithSuppositionsToo) {
  const auto schema = Json::parse(report_schema());
  WhatIf what_if;
  what_if.changes = {{"unset CUDA_VISIBLE_DEVICES", "it is no longer set", true}};
  what_if.before = samples::three_causes();
  what_if.after = samples::healthy();
  EXPECT_EQ(Validator(schema).check(Json::parse(what_if_json(what_if))), "");
}

TEST(VerdictJson, TheValidatorFindsFaults) {
  const auto schema = Json::parse(report_schema());
  const auto good = Json::parse(verdict_json(samples::three_causes()));
  const auto spoiled = [&](auto&& spoil) {
    auto document = good;
    spoil(document);
    return Validator(schema).check(document);
  };
  EXPECT_NE(spoiled([](Json& document) { document["schema"] = "gpuwhy.report/2"; }), "");
  EXPECT_NE(spoiled([](Json& document) { document["verdicts"][0].erase("route"); }), "");
  EXPECT_NE(spoiled([](Json& document) { document["verdicts"][0]["verdict"] = "yes"; }), "");
  EXPECT_NE(spoiled([](Json& document) { document["verdicts"][0]["causes"][0]["fix"] = "none"; }),
            "");
  EXPECT_NE(spoiled([](Json& document) { document["gpus"][0]["memory"] = "24 GiB"; }), "");
  EXPECT_NE(spoiled([](Json& document) { document["verdicts"][0]["surprise"] = 1; }), "");
}

TEST(VerdictJson, SaysWhatTheVerdictHolds) {
  const auto document = Json::parse(verdict_json(samples::three_causes()));
  EXPECT_EQ(document["schema"], "gpuwhy.report/1");
  EXPECT_EQ(document["command"], "check");
  const auto& verdict = document["verdicts"][0];
  EXPECT_EQ(verdict["verdict"], "no_gpu");
  EXPECT_EQ(verdict["selected"], true);
  EXPECT_EQ(verdict["plan_reaches_gpu"], true);
  ASSERT_EQ(verdict["causes"].size(), 3U);
  const auto& last = verdict["causes"][2];
  EXPECT_EQ(last["id"], "E01");
  EXPECT_EQ(last["gate"], "visibility");
  EXPECT_EQ(last["effect"], "hides");
  EXPECT_EQ(last["evidence"][0], Json::parse(R"({"text": "export CUDA_VISIBLE_DEVICES=-1",
                                                 "source": "/home/ada/.profile", "line": 7})"));
  EXPECT_EQ(last["fix"]["commands"][0], "unset CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(verdict["route"][1],
            Json::parse(R"({"gate": "driver", "state": "failed", "reason": ""})"));
}

TEST(VerdictJson, WhatIsNotKnownIsNull) {
  const auto document = Json::parse(verdict_json(samples::nothing_installed()));
  EXPECT_TRUE(document["verdicts"][0]["version"].is_null());
  EXPECT_EQ(document["verdicts"][0]["installed"], false);
  const auto three = Json::parse(verdict_json(samples::three_causes()));
  EXPECT_TRUE(three["gpus"][0]["memory"].is_null());
  EXPECT_TRUE(three["verdicts"][0]["causes"][0]["evidence"][0]["line"].is_null());
}

TEST(VerdictJson, BytesThatAreNotUtf8AreReplaced) {
  auto verdict = samples::healthy();
  verdict.frameworks.front().environment = "/tmp/\xff\xfe";
  verdict.problems = {"\xc3"};
  const auto document = Json::parse(verdict_json(verdict)); // throws on invalid UTF-8
  EXPECT_EQ(document["verdicts"][0]["environment"], "/tmp/\xef\xbf\xbd\xef\xbf\xbd");
}

} // namespace
} // namespace gpuwhy
