#include "facts/json.h"

#include "base/text.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
concept Struct = requires { T::fields([](auto&&...) {}); };

template <class T> struct EnumNames;
template <> struct EnumNames<LibraryFile::Status> {
  static constexpr std::string_view names[] = {
      "good",    "dangling",  "unreadable", "wrong_class", "wrong_machine", "too_short",
      "not_elf", "directory", "truncated",  "incomplete",  "special"};
};
template <> struct EnumNames<LibraryDirectory::Status> {
  static constexpr std::string_view names[] = {"present", "absent", "unreadable"};
};
template <> struct EnumNames<Severity> {
  static constexpr std::string_view names[] = {"error", "warning", "info"};
};
template <> struct EnumNames<Bearing> {
  static constexpr std::string_view names[] = {"note", "hides", "breaks"};
};

// --- writing
// ---------------------------------------------------------------------------------------------

struct Writer {
  const std::function<std::string(std::string)>& redact;

  std::string text(const std::string& value) const { return redact ? redact(value) : value; }
  Json write(const std::string& value) const { return text(value); }
  Json write(bool value) const { return value; }
  template <class T>
    requires std::is_integral_v<T>
  Json write(T value) const {
    return value;
  }
  template <class T>
    requires std::is_enum_v<T>
  Json write(T value) const {
    return EnumNames<T>::names[static_cast<std::size_t>(value)];
  }
  template <class T> Json write(const std::optional<T>& value) const {
    return value ? write(*value) : Json(nullptr);
  }
  template <class T> Json write(const std::vector<T>& values) const {
    Json array = Json::array();
    for (const auto& value : values) array.push_back(write(value));
    return array;
  }
  template <class T> Json write(const std::map<std::string, T>& values) const {
    Json object = Json::object();
    for (const auto& [key, value] : values) object[text(key)] = write(value);
    return object;
  }
  template <class T> Json write(const Fact<T>& fact) const {
    Json object = Json::object();
    switch (fact.state()) {
    case Fact<T>::State::not_looked: return nullptr;
    case Fact<T>::State::known: object["value"] = write(fact.value()); break;
    case Fact<T>::State::absent: object["absent"] = text(fact.reason()); break;
    case Fact<T>::State::unknown: object["unknown"] = text(fact.reason()); break;
    }
    if (!fact.source().where.empty()) object["source"] = text(fact.source().where);
    if (fact.source().line > 0) object["line"] = fact.source().line;
    return object;
  }
  template <Struct T> Json write(const T& value) const {
    Json object = Json::object();
    T::fields([&](const char* name, auto member, const char*) {
      Json written = write(value.*member);
      if (!written.is_null()) object[name] = std::move(written); // not looked: left out
    });
    return object;
  }
};

// --- reading
// ---------------------------------------------------------------------------------------------

/// Thrown inside this file only; read_snapshot() turns it into an Error.
struct Mismatch {
  std::string path;
  std::string wanted;
};

void read(const Json& json, std::string& value, const std::string& path) {
  if (!json.is_string()) throw Mismatch{path, "a string"};
  value = json.get<std::string>();
}
void read(const Json& json, bool& value, const std::string& path) {
  if (!json.is_boolean()) throw Mismatch{path, "true or false"};
  value = json.get<bool>();
}
template <class T>
  requires std::is_integral_v<T>
void read(const Json& json, T& value, const std::string& path) {
  if constexpr (std::is_unsigned_v<T>) {
    if (!json.is_number_unsigned()) throw Mismatch{path, "a number that is not negative"};
    value = json.get<T>();
  } else {
    if (!json.is_number_integer()) throw Mismatch{path, "a whole number"};
    const bool too_large =
        json.is_number_unsigned() &&
        json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    if (too_large || json.get<std::int64_t>() < std::numeric_limits<T>::min() ||
        json.get<std::int64_t>() > std::numeric_limits<T>::max()) {
      throw Mismatch{path, "a smaller number"};
    }
    value = static_cast<T>(json.get<std::int64_t>());
  }
}
template <class T>
  requires std::is_enum_v<T>
void read(const Json& json, T& value, const std::string& path) {
  std::string name;
  read(json, name, path);
  const auto& names = EnumNames<T>::names;
  const auto* found = std::find(std::begin(names), std::end(names), name);
  if (found == std::end(names)) throw Mismatch{path, "a known word, not \"" + name + "\""};
  value = static_cast<T>(found - std::begin(names));
}
template <Struct T> void read(const Json& json, T& value, const std::string& path);
template <class T> void read(const Json& json, Fact<T>& fact, const std::string& path);
template <class T> void read(const Json& json, std::optional<T>& value, const std::string& path) {
  if (!json.is_null()) read(json, value.emplace(), path);
}
template <class T> void read(const Json& json, std::vector<T>& values, const std::string& path) {
  if (!json.is_array()) throw Mismatch{path, "an array"};
  for (std::size_t i = 0; i < json.size(); ++i) {
    T value{};
    read(json[i], value, path + "[" + std::to_string(i) + "]");
    values.push_back(std::move(value));
  }
}
template <class T>
void read(const Json& json, std::map<std::string, T>& values, const std::string& path) {
  if (!json.is_object()) throw Mismatch{path, "an object"};
  for (const auto& [key, item] : json.items()) {
    T value{};
    read(item, value, path + "[\"" + key + "\"]");
    values.insert_or_assign(key, std::move(value));
  }
}
template <class T> void read(const Json& json, Fact<T>& fact, const std::string& path) {
  if (json.is_null()) return;
  if (!json.is_object()) throw Mismatch{path, "an object with value, absent or unknown"};
  Source source;
  if (json.contains("source")) read(json["source"], source.where, path + ".source");
  if (json.contains("line")) read(json["line"], source.line, path + ".line");
  std::string reason;
  if (json.contains("value")) {
    T value{};
    read(json["value"], value, path + ".value");
    fact = Fact<T>::known(std::move(value), std::move(source));
  } else if (json.contains("absent")) {
    read(json["absent"], reason, path + ".absent");
    fact = Fact<T>::absent(std::move(source), std::move(reason));
  } else if (json.contains("unknown")) {
    read(json["unknown"], reason, path + ".unknown");
    fact = Fact<T>::unknown(std::move(reason), std::move(source));
  } else {
    throw Mismatch{path, "one of value, absent, unknown"};
  }
}
template <Struct T> void read(const Json& json, T& value, const std::string& path) {
  if (!json.is_object()) throw Mismatch{path, "an object"};
  T::fields([&](const char* name, auto member, const char*) {
    if (const auto found = json.find(name); found != json.end()) {
      read(*found, value.*member, path.empty() ? name : path + "." + name);
    }
  });
}

// --- schema
// ----------------------------------------------------------------------------------------------

template <class T> struct Schema {
  static Json of() {
    if constexpr (std::is_same_v<T, bool>) {
      return {{"type", "boolean"}};
    } else if constexpr (std::is_same_v<T, std::string>) {
      return {{"type", "string"}};
    } else if constexpr (std::is_enum_v<T>) {
      Json names = Json::array();
      for (const auto name : EnumNames<T>::names) names.push_back(name);
      return {{"enum", names}};
    } else if constexpr (std::is_integral_v<T>) {
      return {{"type", "integer"}};
    } else {
      Json properties = Json::object();
      T::fields([&]<class Member>(const char* name, Member T::*, const char* prose) {
        Json property = Schema<Member>::of();
        property["description"] = prose;
        properties[name] = std::move(property);
      });
      return {{"type", "object"}, {"properties", properties}};
    }
  }
};
template <class T> struct Schema<std::optional<T>> : Schema<T> {};
template <class T> struct Schema<std::vector<T>> {
  static Json of() { return {{"type", "array"}, {"items", Schema<T>::of()}}; }
};
template <class T> struct Schema<std::map<std::string, T>> {
  static Json of() { return {{"type", "object"}, {"additionalProperties", Schema<T>::of()}}; }
};
template <class T> struct Schema<Fact<T>> {
  static Json of() {
    return {{"type", "object"},
            {"properties",
             {{"value", Schema<T>::of()},
              {"absent", {{"type", "string"}}},
              {"unknown", {{"type", "string"}}},
              {"source", {{"type", "string"}}},
              {"line", {{"type", "integer"}}}}}};
  }
};

} // namespace

std::string write_snapshot(const Facts& facts,
                           const std::function<std::string(std::string)>& redact) {
  Json document = {{"schema", kSnapshotSchema}, {"version", GPUWHY_VERSION}};
  document["facts"] = Writer{redact}.write(facts);
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Facts> read_snapshot(std::string_view text) {
  try {
    const Json document = Json::parse(text);
    if (!document.is_object() || !document.contains("schema") || !document["schema"].is_string()) {
      return fail("not a gpuwhy snapshot: the key \"schema\" is missing");
    }
    if (const auto schema = document["schema"].get<std::string>(); schema != kSnapshotSchema) {
      return fail("schema \"" + printable(schema) + "\" is not \"" + std::string(kSnapshotSchema) +
                  "\": take the snapshot again with this version of gpuwhy");
    }
    if (!document.contains("facts"))
      return fail("not a gpuwhy snapshot: the key \"facts\" is missing");
    Facts facts;
    read(document["facts"], facts, "");
    return facts;
  } catch (const Json::parse_error& error) {
    const auto end = std::min<std::size_t>(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const auto before = text.substr(0, end);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto last = before.rfind('\n');
    const auto column = last == std::string_view::npos ? end + 1 : end - last;
    return fail("broken JSON at line " + std::to_string(line) + ", column " +
                std::to_string(column));
  } catch (const Mismatch& mismatch) {
    const std::string place = mismatch.path.empty() ? "facts" : "facts." + mismatch.path;
    return fail(printable(place + ": expected " + mismatch.wanted));
  } catch (const Json::exception& error) {
    return fail(printable(std::string("unusable JSON: ") + error.what()));
  }
}

std::string snapshot_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "gpuwhy snapshot: the facts of one machine"},
                 {"type", "object"},
                 {"required", {"schema", "facts"}},
                 {"properties",
                  {{"schema", {{"const", kSnapshotSchema}}},
                   {"version", {{"type", "string"}}},
                   {"facts", Schema<Facts>::of()}}}};
  return schema.dump(2) + "\n";
}

} // namespace gpuwhy
