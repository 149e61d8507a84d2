// Which file a layer opens: the one that the framework in question would get. Pure.
#pragma once

#include "facts/layer.h"
#include "rules/rule.h"

#include <map>
#include <string>
#include <vector>

namespace gpuwhy {

/// How one library is opened, or why it cannot be.
struct LibraryChoice {
  std::vector<std::string> files; // what it needs first, the library last; empty: there is none
  std::string soname;
  std::string missing; // why the framework will not get it; empty: it will, or does not ask for it
  std::string not_asked; // why there is nothing to try
};

/// For every layer that is a library. Of a framework: what the loader's simulation found for it.
/// Without one: the libraries of the environment's wheels, else those that any program here would
/// get.
std::map<Layer, LibraryChoice> libraries_to_prove(const Case& subject);

} // namespace gpuwhy
