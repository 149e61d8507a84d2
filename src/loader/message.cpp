#include "loader/message.h"

namespace gpuwhy::loader {

std::string message(const Found& found) {
  // Found while mapping, where the loader has only the name left.
  const bool by_name = found.detail.starts_with("object file has no ");
  switch (found.outcome) {
  case Outcome::missing: return found.name + ": " + found.detail;
  case Outcome::bad_file: return (by_name ? found.name : found.path) + ": " + found.detail;
  case Outcome::dependency_missing: {
    // A file that cannot be used is named by its path, one that is not there by the name asked for.
    const bool stopped =
        !by_name && !found.trace.empty() && found.trace.back().result == Asked::Result::stopped;
    return (stopped ? found.trace.back().place : found.dependency) + ": " + found.detail;
  }
  case Outcome::found:
  case Outcome::crashes:
  case Outcome::unknown: return {};
  }
  return {};
}

} // namespace gpuwhy::loader
