// Environment variables that matter, and where each was set.
#pragma once

#include "facts/fact.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// A line that sets a variable: "/home/user/.bashrc:118".
struct VariableOrigin {
  std::string path;
  int line = 0;
  std::string text;                  // the line, as written, at most 200 bytes
  bool certain = false;              // its value accounts for what the process has
  std::vector<std::string> elements; // of a list variable: those that this line puts in, expanded

  template <class V> static void fields(V&& v) {
    v("path", &VariableOrigin::path, "File");
    v("line", &VariableOrigin::line, "Line number");
    v("text", &VariableOrigin::text, "The line");
    v("certain", &VariableOrigin::certain, "Its value accounts for the process's value");
    v("elements", &VariableOrigin::elements, "Elements of a list that the line puts in");
  }
};

struct Variable {
  std::string name;
  std::string value;
  std::vector<VariableOrigin> origins;

  template <class V> static void fields(V&& v) {
    v("name", &Variable::name, "Name");
    v("value", &Variable::value, "Value");
    v("origins", &Variable::origins, "Lines that set it");
  }
};

struct EnvironmentFacts {
  bool looked = false;             // false: the variables are not known
  std::vector<Variable> variables; // allow-listed and set, sorted by name

  const Variable* find(std::string_view name) const {
    for (const auto& variable : variables) {
      if (variable.name == name) return &variable;
    }
    return nullptr;
  }

  template <class V> static void fields(V&& v) {
    v("looked", &EnvironmentFacts::looked, "Variables were read");
    v("variables", &EnvironmentFacts::variables, "Variables that matter and are set");
  }
};

} // namespace gpuwhy
