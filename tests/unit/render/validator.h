// The part of JSON Schema that ours uses.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace gpuwhy {

using Json = nlohmann::ordered_json;

inline bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

/// Stricter than the standard: a key that the schema does not name is an
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
    if (value.is_array() && schema.contains("prefixItems")) return check_row(value, schema, path);
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

  std::string check_row(const Json& value, const Json& schema, const std::string& path) {
    const auto& items = schema["prefixItems"];
    if (value.size() != items.size()) return path + ": wrong length";
    for (std::size_t index = 0; index < value.size(); ++index) {
      auto error = check(value[index], items[index], path + "[" + std::to_string(index) + "]");
      if (!error.empty()) return error;
    }
    return {};
  }

  std::string check_fields(const Json& value, const Json& schema, const std::string& path) {
    if (schema.contains("additionalProperties")) { // a map
      for (const auto& [name, item] : value.items()) {
        auto error = check(item, schema["additionalProperties"], path + "." + name);
        if (!error.empty()) return error;
      }
      return {};
    }
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

} // namespace gpuwhy
