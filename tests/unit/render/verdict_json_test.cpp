// What is written against the schema that is published with it, and the published file against the
// program.
#include "render/verdict_json.h"

#include "base/text.h"
#include "unit/render/samples.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  return type == "null" && value.is_null();
}

/// The part of JSON Schema that ours uses; stricter: a key that the schema does not name is an
/// error.
class Validator {
public:
  explicit Validator(const Json& schema) : schema_(schema) {}

  std::string check(const Json& value) { return check(value, schema_, "$"); }

private:
  std::string check(const Json& value, const Json& schema, const std::string& path) {
    if (schema.contains("$ref")) {
      const auto name = schema["$ref"].get<std::string>().substr(std::string("#/$defs/").size());
      return check(value, schema_["$defs"][name], path);
    }
    if (schema.contains("const"))
      return value == schema["const"] ? "" : path + ": not the constant";
    if (schema.contains("enum")) {
      const auto& words = schema["enum"];
      return std::find(words.begin(), words.end(), value) != words.end()
                 ? ""
                 : path + ": " + value.dump();
    }
    if (schema.contains("anyOf")) {
      std::string error;
      for (const auto& each : schema["anyOf"]) {
        error = check(value, each, path);
        if (error.empty()) return {};
      }
      return error;
    }
    if (!schema.contains("type")) return path + ": the schema says nothing";
    const auto& type = schema["type"];
    const auto fits = [&](const Json& each) { return has_type(value, each.get<std::string>()); };
    if (type.is_array() ? std::none_of(type.begin(), type.end(), fits) : !fits(type))
      return path + ": wrong type";
    if (value.is_array()) return check_items(value, schema["items"], path);
    return value.is_object() ? check_fields(value, schema, path) : "";
  }

  std::string check_items(const Json& value, const Json& schema, const std::string& path) {
    for (std::size_t index = 0; index < value.size(); ++index) {
      auto error = check(value[index], schema, path + "[" + std::to_string(index) + "]");
      if (!error.empty()) return error;
    }
    return {};
  }

  std::string check_fields(const Json& value, const Json& schema, const std::string& path) {
    for (const auto& name : schema["required"]) {
      if (!value.contains(name.get<std::string>())) return path + ": lacks " + name.dump();
    }
    for (const auto& [name, item] : value.items()) {
      if (!schema["properties"].contains(name)) return path + ": has " + name;
      auto error = check(item, schema["properties"][name], path + "." + name);
      if (!error.empty()) return error;
    }
    return {};
  }

  const Json& schema_;
};

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

/// GPUWHY_ACCEPT=1 writes the file; read the difference before committing it.
TEST(VerdictJson, ThePublishedSchemaIsThisOne) {
  const std::string path = GPUWHY_SOURCE_DIR "/docs/schema/report.schema.json";
  if (const char* accept = std::getenv("GPUWHY_ACCEPT");
      accept != nullptr && std::string_view(accept) == "1") {
    std::ofstream(path) << report_schema();
  }
  std::ifstream file(path);
  std::stringstream published;
  published << file.rdbuf();
  EXPECT_EQ(published.str(), report_schema())
      << path << " is out of date: run the tests with GPUWHY_ACCEPT=1";
}

} // namespace
} // namespace gpuwhy
