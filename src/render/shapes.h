// Objects of a JSON report as tables of their fields: `Shape<T>::fields` names each with its value
// and its prose. The writer and the schema both come from it, so that they cannot differ.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gpuwhy::shapes {

using Json = nlohmann::ordered_json;

inline constexpr const char* kDraft = "https://json-schema.org/draft/2020-12/schema";

/// `all`: the words of an enum, in its order.
template <class T> struct Words;
/// `name`: under $defs; `fields(v)`: v(name, member or function, prose) for each field. With a
/// member `row` it is written as an array of its fields' values.
template <class T> struct Shape;

/// A field that is left out where there is nothing to say.
template <class T> struct Omitted {
  std::optional<T> value;
};

/// null where there is nothing to say.
template <class T> auto or_null(std::string T::*member) {
  return [member](const T& object) {
    const auto& text = object.*member;
    return text.empty() ? std::optional<std::string>() : text;
  };
}

/// A field of the object that the member `pointer` of a wrapper points at.
template <auto pointer, class Get> auto through(Get get) {
  return [get](const auto& wrapper) { return std::invoke(get, *(wrapper.*pointer)); };
}

template <class T>
concept Shaped = requires { Shape<T>::name; };
template <class T>
concept Row = requires { Shape<T>::row; };
template <class T> inline constexpr bool kLeavable = false;
template <class T> inline constexpr bool kLeavable<Omitted<T>> = true;

/// Of a row.
template <class T> std::vector<std::string> columns() {
  std::vector<std::string> names;
  Shape<T>::fields([&](const char* name, auto, const char*) { names.emplace_back(name); });
  return names;
}

/// A struct, so that its overloads see one another.
struct Writer {
  template <class T> static Json write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return Words<T>::all[static_cast<std::size_t>(value)];
    } else if constexpr (Row<T>) {
      Json array = Json::array();
      Shape<T>::fields([&](const char*, auto get, const char*) {
        array.push_back(write(std::invoke(get, value)));
      });
      return array;
    } else if constexpr (Shaped<T>) {
      Json object = Json::object();
      Shape<T>::fields([&](const char* name, auto get, const char*) {
        put(object, name, std::invoke(get, value));
      });
      return object;
    } else {
      return value;
    }
  }
  template <class T> static Json write(const std::optional<T>& value) {
    return value ? write(*value) : Json(nullptr);
  }
  template <class T> static Json write(const std::vector<T>& values) {
    Json array = Json::array();
    for (const auto& value : values) array.push_back(write(value));
    return array;
  }
  template <class T> static Json write(const std::map<std::string, T>& values) {
    Json object = Json::object();
    for (const auto& [name, value] : values) object[name] = write(value);
    return object;
  }

private:
  template <class T> static void put(Json& object, const char* name, const T& value) {
    object[name] = write(value);
  }
  template <class T> static void put(Json& object, const char* name, const Omitted<T>& field) {
    if (field.value) object[name] = write(*field.value);
  }
};

template <class T> struct Schema {
  /// A shaped type is described once, under $defs.
  static Json of(Json& definitions) {
    if constexpr (Shaped<T>) {
      if (!definitions.contains(Shape<T>::name)) {
        definitions[Shape<T>::name] = nullptr; // keeps its place before those that it uses
        definitions[Shape<T>::name] = Row<T> ? row(definitions) : object(definitions);
      }
      return {{"$ref", std::string("#/$defs/") + Shape<T>::name}};
    } else if constexpr (std::is_same_v<T, bool>) {
      return {{"type", "boolean"}};
    } else if constexpr (std::is_same_v<T, std::string>) {
      return {{"type", "string"}};
    } else if constexpr (std::is_enum_v<T>) {
      Json names = Json::array();
      for (const auto word : Words<T>::all) names.push_back(word);
      return {{"enum", names}};
    } else if constexpr (std::is_floating_point_v<T>) {
      return {{"type", "number"}};
    } else {
      static_assert(std::is_integral_v<T>);
      return {{"type", "integer"}};
    }
  }
  static Json object(Json& definitions) {
    Json properties = Json::object();
    Json required = Json::array();
    each_field(definitions, [&](const char* name, Json property, bool always) {
      properties[name] = std::move(property);
      if (always) required.push_back(name);
    });
    return {{"type", "object"}, {"required", required}, {"properties", properties}};
  }

private:
  static Json row(Json& definitions) {
    Json items = Json::array();
    each_field(definitions,
               [&](const char*, Json item, bool) { items.push_back(std::move(item)); });
    return {
        {"type", "array"}, {"prefixItems", items}, {"minItems", items.size()}, {"items", false}};
  }
  template <class Take> static void each_field(Json& definitions, Take&& take) {
    Shape<T>::fields([&](const char* name, auto get, const char* prose) {
      using Value = std::remove_cvref_t<std::invoke_result_t<decltype(get), const T&>>;
      Json property = {{"description", prose}};
      property.update(Schema<Value>::of(definitions));
      take(name, std::move(property), !kLeavable<Value>);
    });
  }
};
template <class T> struct Schema<std::vector<T>> {
  static Json of(Json& definitions) {
    return {{"type", "array"}, {"items", Schema<T>::of(definitions)}};
  }
};
template <class T> struct Schema<std::map<std::string, T>> {
  static Json of(Json& definitions) {
    return {{"type", "object"}, {"additionalProperties", Schema<T>::of(definitions)}};
  }
};
template <class T> struct Schema<Omitted<T>> {
  static Json of(Json& definitions) { return Schema<T>::of(definitions); }
};
template <class T> struct Schema<std::optional<T>> {
  static Json of(Json& definitions) {
    Json one = Schema<T>::of(definitions);
    if (!one.contains("type")) return {{"anyOf", {one, {{"type", "null"}}}}};
    one["type"] = {one["type"], "null"};
    return one;
  }
};

} // namespace gpuwhy::shapes
