// The snapshot: every field survives, and what is no snapshot is told with its place.
#include "facts/json.h"
#include "support/machine_bench.h"

#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

namespace gpuwhy::test {
namespace {

template <class T>
concept Struct = requires { T::fields([](auto&&...) {}); };

/// Puts another value into every field, so that one that is lost is missed.
struct Filler {
  int next = 1;

  void fill(std::string& value) { value = "text " + std::to_string(next++) + " \"\\\n\x01 ü"; }
  void fill(bool& value) { value = true; }
  template <class T>
    requires std::is_integral_v<T>
  void fill(T& value) {
    value = static_cast<T>(next++);
  }
  template <class T>
    requires std::is_enum_v<T>
  void fill(T& value) {
    value = static_cast<T>(2);
  }
  template <class T> void fill(std::vector<T>& values) {
    values.resize(2);
    for (auto& value : values) fill(value);
  }
  template <class T> void fill(std::optional<T>& value) { fill(value.emplace()); }
  template <class T> void fill(std::map<std::string, T>& values) {
    for (const auto* key : {"/a/b", "/c \"~d"}) fill(values[key]);
  }
  template <class T> void fill(Fact<T>& fact) {
    T value{};
    fill(value);
    fact = Fact<T>::known(std::move(value), {"/source/" + std::to_string(next++), next++});
  }
  template <Struct T> void fill(T& value) {
    T::fields([&](const char*, auto member, const char*) { fill(value.*member); });
  }
};

TEST(Snapshot, every_field_survives) {
  Facts facts;
  Filler().fill(facts);
  const auto text = write_snapshot(facts);
  const auto read = read_snapshot(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(write_snapshot(*read), text);
}

TEST(Snapshot, the_states_of_a_fact) {
  Facts facts;
  facts.driver.prime_select = Fact<std::string>::absent({"/etc/x", 3}, "no such file");
  facts.driver.lockdown = Fact<std::string>::unknown("Permission denied", {"/sys/x", 0});
  const auto read = read_snapshot(write_snapshot(facts));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->driver.prime_select.absent());
  EXPECT_EQ(read->driver.prime_select.source().str(), "/etc/x:3");
  EXPECT_EQ(read->driver.lockdown.state(), Fact<std::string>::State::unknown);
  EXPECT_EQ(read->driver.lockdown.reason(), "Permission denied");
  EXPECT_EQ(read->driver.secure_boot.state(), Fact<bool>::State::not_looked);
}

TEST(Snapshot, a_machine_and_an_empty_one) {
  for (const auto& facts : {Machine().facts, Facts{}}) {
    const auto text = write_snapshot(facts);
    const auto read = read_snapshot(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(write_snapshot(*read), text);
  }
}

TEST(Snapshot, bytes_that_are_not_utf_8_do_not_stop_it) {
  Facts facts;
  facts.platform.working_directory = "/caf\xe9";
  EXPECT_TRUE(read_snapshot(write_snapshot(facts)));
}

TEST(Snapshot, redaction_reaches_every_string) {
  Facts facts;
  Filler().fill(facts);
  const auto text = write_snapshot(
      facts, [](const std::string& value) { return std::string(value.empty() ? "" : "X"); });
  EXPECT_FALSE(contains(text, "text "));
  EXPECT_FALSE(contains(text, "/source/"));
  EXPECT_FALSE(contains(text, "/a/b"));
}

std::string error_of(const std::string& text) {
  const auto read = read_snapshot(text);
  return read ? "no error" : read.error().message;
}

TEST(Snapshot, broken_json_has_a_line_and_a_column) {
  EXPECT_EQ(error_of(""), "broken JSON at line 1, column 1");
  EXPECT_EQ(error_of("{\n \"schema\": tru }"), "broken JSON at line 2, column 15");
  EXPECT_EQ(error_of("{\n\n\"a\" 1}"), "broken JSON at line 3, column 5");
  EXPECT_TRUE(contains(error_of(std::string(100'000, '[')), "broken JSON"))
      << error_of(std::string(100'000, '['));
}

TEST(Snapshot, what_is_no_snapshot) {
  EXPECT_EQ(error_of("[]"), "not a gpuwhy snapshot: the key \"schema\" is missing");
  EXPECT_EQ(error_of("{\"schema\": 1}"), "not a gpuwhy snapshot: the key \"schema\" is missing");
  EXPECT_EQ(error_of("{\"schema\": \"gpuwhy.snapshot/1\"}"),
            "not a gpuwhy snapshot: the key \"facts\" is missing");
  EXPECT_EQ(error_of("{\"schema\": \"gpuwhy.snapshot/99\"}"),
            "schema \"gpuwhy.snapshot/99\" is not \"gpuwhy.snapshot/1\": take the snapshot again "
            "with this version of gpuwhy");
}

TEST(Snapshot, the_schema_s_name_is_printed_safely) {
  EXPECT_FALSE(contains(error_of("{\"schema\": \"\\u001b]0;owned\\u0007\"}"), "\x1b"));
}

TEST(Snapshot, a_wrong_type_has_a_path) {
  const auto of = [](const std::string& facts) {
    return error_of("{\"schema\": \"gpuwhy.snapshot/1\", \"facts\": " + facts + "}");
  };
  EXPECT_EQ(of("[]"), "facts: expected an object");
  EXPECT_EQ(of("{\"platform\": 3}"), "facts.platform: expected an object");
  EXPECT_EQ(of("{\"pythons\": [{}, {\"kind\": 1}]}"), "facts.pythons[1].kind: expected a string");
  EXPECT_EQ(of("{\"driver\": {\"module\": {\"value\": {\"version\": null}}}}"),
            "facts.driver.module.value.version: expected a string");
  EXPECT_EQ(of("{\"driver\": {\"module\": {}}}"),
            "facts.driver.module: expected one of value, absent, unknown");
  EXPECT_EQ(of("{\"access\": {\"uvm_major\": {\"value\": 99999999999}}}"),
            "facts.access.uvm_major.value: expected a smaller number");
  EXPECT_EQ(of("{\"libraries\": {\"files\": {\"/a\": {\"status\": \"odd\"}}}}"),
            "facts.libraries.files[\"/a\"].status: expected a known word, not \"odd\"");
  EXPECT_EQ(of("{\"libraries\": {\"files\": {\"/a\": {\"size\": -1}}}}"),
            "facts.libraries.files[\"/a\"].size: expected a number that is not negative");
}

TEST(Snapshot, names_that_are_not_known_are_passed_over) {
  EXPECT_TRUE(read_snapshot(
      "{\"schema\": \"gpuwhy.snapshot/1\", \"facts\": {\"later\": 1}, \"more\": []}"));
}

TEST(Snapshot, the_schema_names_every_field_that_is_written) {
  Facts facts;
  Filler().fill(facts);
  const auto document = nlohmann::json::parse(write_snapshot(facts));
  const auto schema = nlohmann::json::parse(snapshot_schema());
  const std::function<void(const nlohmann::json&, const nlohmann::json&, const std::string&)>
      compare =
          [&](const nlohmann::json& value, const nlohmann::json& rule, const std::string& path) {
            if (value.is_object()) {
              for (const auto& [key, item] : value.items()) {
                if (rule.contains("additionalProperties")) {
                  compare(item, rule["additionalProperties"], path + "/" + key);
                } else if (rule.contains("properties") && rule["properties"].contains(key)) {
                  compare(item, rule["properties"][key], path + "/" + key);
                } else {
                  ADD_FAILURE() << path << "/" << key << " is not in the schema";
                }
              }
            } else if (value.is_array()) {
              for (const auto& item : value) compare(item, rule["items"], path + "[]");
            } else if (rule.contains("type")) {
              EXPECT_EQ(rule["type"], value.is_boolean()  ? "boolean"
                                      : value.is_string() ? "string"
                                                          : "integer")
                  << path;
            }
          };
  compare(document["facts"], schema["properties"]["facts"], "");
}

} // namespace
} // namespace gpuwhy::test
