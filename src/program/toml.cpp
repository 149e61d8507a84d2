// pyproject.toml and lock files. Truth: the pyproject specification (PEP 621, 735), Poetry's and
// uv's tables.
#include "program/toml.h"

#include "base/text.h"
#include "program/requirements.h"

#define TOML_ENABLE_FORMATTERS 0
#include <exception>
#include <toml++/impl/preprocessor.h>
// toml++ 3.3 asserts that a key begins as one, and in a release build takes it for granted, before
// it looks. It does look afterwards and fails as it should: neither assert nor assume.
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expression) static_assert(true)
#include <toml++/toml.h>

namespace gpuwhy::program {
namespace {

std::uint32_t line_of(const toml::node& node) {
  return node.source().begin.line;
}

/// The parsed text. toml++ throws; its mode without exceptions goes on after some errors.
Result<toml::table> parse_toml(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail("line " + std::to_string(error.source().begin.line) +
                ": not TOML: " + printable(error.description()));
  } catch (const std::exception& error) {
    return fail(std::string("not TOML: ") + error.what());
  }
}

void take_list(const toml::array* list, const std::string& group, Document& document) {
  if (list == nullptr) return;
  for (const auto& item : *list) {
    const auto text = item.value<std::string_view>();
    if (!text) continue;
    if (auto requirement = parse_requirement(*text)) {
      requirement->group = group;
      requirement->line = line_of(item);
      document.requirements.push_back(std::move(*requirement));
    }
  }
}

/// Poetry: name = "^2.1", or { version = "...", extras = [...], source = "..." }.
void take_table(const toml::table* table, const std::string& group, Document& document) {
  if (table == nullptr) return;
  for (const auto& [key, value] : *table) {
    Requirement requirement;
    requirement.name = normal_name(key.str());
    requirement.line = key.source().begin.line;
    requirement.group = group;
    if (const auto version = value.value<std::string_view>()) requirement.version = *version;
    if (const auto* details = value.as_table()) {
      if (const auto version = (*details)["version"].value<std::string_view>())
        requirement.version = *version;
      if (const auto* extras = (*details)["extras"].as_array()) {
        for (const auto& extra : *extras) {
          if (const auto name = extra.value<std::string_view>()) {
            requirement.extras += (requirement.extras.empty() ? "" : ",") + std::string(*name);
          }
        }
      }
    }
    if (requirement.name == "python") {
      document.python = Entry{"python", requirement.version, requirement.line};
      continue;
    }
    document.requirements.push_back(std::move(requirement));
  }
}

/// Packages of `table` that name this index under `key`, on every platform.
std::vector<std::string> served(const toml::table* table, std::string_view key,
                                std::string_view index) {
  std::vector<std::string> names;
  if (table == nullptr) return names;
  for (const auto& [package, details] : *table) {
    const auto* source = details.as_table();
    if (source == nullptr || (*source)["marker"]) continue;
    if ((*source)[key].value<std::string_view>() == index)
      names.push_back(normal_name(package.str()));
  }
  return names;
}

/// One entry for each package that an index serves; without a name where it serves all.
void take_indexes(const toml::array* list, const toml::table* users, std::string_view key,
                  Document& document) {
  if (list == nullptr) return;
  for (const auto& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) continue;
    const auto url = (*table)["url"].value<std::string_view>();
    if (!url) continue;
    const auto priority = (*table)["priority"].value<std::string_view>().value_or("");
    const bool named_only = (*table)["explicit"].value_or(false) || priority == "explicit" ||
                            priority == "supplemental";
    auto names = served(users, key, (*table)["name"].value<std::string_view>().value_or(""));
    if (names.empty() && !named_only) names.emplace_back();
    for (auto& name : names)
      document.indexes.push_back({std::move(name), std::string(*url), line_of(item)});
  }
}

} // namespace

Result<std::map<std::string, std::vector<std::string>>> read_tool_lists(std::string_view text) {
  const auto parsed = parse_toml(text);
  if (!parsed) return tl::unexpected(parsed.error());
  std::map<std::string, std::vector<std::string>> lists;
  const auto* table = (*parsed)["tool"]["gpuwhy"].as_table();
  if (table == nullptr) return lists;
  for (const auto& [key, value] : *table) {
    const auto* list = value.as_array();
    if (list == nullptr)
      return fail("[tool.gpuwhy] " + printable(key.str()) + ": not a list of strings");
    auto& strings = lists[std::string(key.str())];
    for (const auto& item : *list) {
      const auto word = item.value<std::string_view>();
      if (!word) return fail("[tool.gpuwhy] " + printable(key.str()) + ": not a list of strings");
      strings.emplace_back(*word);
    }
  }
  return lists;
}

Result<Document> read_pyproject(std::string_view text) {
  const auto parsed = parse_toml(text);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto& root = (*parsed);
  Document document;
  document.kind = Document::Kind::pyproject;
  const auto project = root["project"];
  take_list(project["dependencies"].as_array(), "dependencies", document);
  if (const auto python = project["requires-python"]; python.is_string()) {
    document.python = Entry{"requires-python", std::string(python.value_or(std::string_view())),
                            line_of(*python.node())};
  }
  for (const auto groups :
       {project["optional-dependencies"].as_table(), root["dependency-groups"].as_table()}) {
    if (groups == nullptr) continue;
    for (const auto& [name, list] : *groups)
      take_list(list.as_array(), std::string(name.str()), document);
  }
  const auto poetry = root["tool"]["poetry"];
  take_table(poetry["dependencies"].as_table(), "dependencies", document);
  if (const auto* groups = poetry["group"].as_table()) {
    for (const auto& [name, group] : *groups) {
      if (const auto* table = group.as_table())
        take_table((*table)["dependencies"].as_table(), std::string(name.str()), document);
    }
  }
  take_indexes(poetry["source"].as_array(), poetry["dependencies"].as_table(), "source", document);
  const auto uv = root["tool"]["uv"];
  take_indexes(uv["index"].as_array(), uv["sources"].as_table(), "index", document);
  return document;
}

Result<Document> read_lock(std::string_view text) {
  const auto parsed = parse_toml(text);
  if (!parsed) return tl::unexpected(parsed.error());
  Document document;
  document.kind = Document::Kind::lock;
  const auto* packages = (*parsed)["package"].as_array();
  if (packages == nullptr) return document;
  for (const auto& item : *packages) {
    const auto* table = item.as_table();
    if (table == nullptr) continue;
    const auto name = (*table)["name"].value<std::string_view>();
    const auto version = (*table)["version"].value<std::string_view>();
    if (!name || !version) continue;
    Requirement requirement;
    requirement.name = normal_name(*name);
    requirement.version = "==" + std::string(*version);
    requirement.line = line_of(item);
    requirement.group = "lock";
    document.requirements.push_back(std::move(requirement));
  }
  return document;
}

} // namespace gpuwhy::program
