// Sonames of CUDA, cuDNN and NCCL by release, from soname_sets.tsv.
#include "knowledge/cells.h"
#include "knowledge/knowledge.h"

#include <limits>

namespace gpuwhy {
namespace {

struct SonameRow {
  std::string_view product;
  Version first;
  Version last; // of major.minor
  std::string_view name;
};

struct Sonames {
  std::vector<SonameRow> rows; // by product, then release
  std::vector<std::string> problems;
};

/// "12.x": every release of that major.
std::optional<Version> last_release(std::string_view text) {
  if (!text.ends_with(".x")) return Version::parse(text);
  auto version = Version::parse(text.substr(0, text.size() - 2));
  if (version) version->parts.push_back(std::numeric_limits<int>::max());
  return version;
}

Sonames read_sonames() {
  Sonames result;
  TableReader table("soname_sets", {"product", "first", "last", "soname", "source"});
  for (const auto& [line, cells] : table.rows) {
    const auto first = Version::parse(cells[1]);
    const auto last = last_release(cells[2]);
    if (!first || !last || *last < *first || cells[0].empty() || !cells[3].starts_with("lib")) {
      table.complain(line, "a cell does not parse");
      continue;
    }
    if (!result.rows.empty()) {
      const auto& above = result.rows.back();
      const bool after =
          above.product < cells[0] || (above.product == cells[0] && above.last < *first);
      if (!after) table.complain(line, "not after the row above");
    }
    result.rows.push_back({cells[0], *first, *last, cells[3]});
  }
  result.problems = std::move(table.problems);
  return result;
}

const Sonames& sonames() {
  static const Sonames kSonames = read_sonames();
  return kSonames;
}

bool holds(const SonameRow& row, const Version& release) {
  const Version minor{{release.major(), release.minor()}};
  return row.first <= minor && minor <= row.last;
}

} // namespace

std::string soname(std::string_view product, const Version& release) {
  for (const auto& row : sonames().rows) {
    if (row.product == product && holds(row, release)) return std::string(row.name);
  }
  return {};
}

std::vector<ProductLibrary> sonames_for(const Version& cuda, const Version& cudnn) {
  std::vector<ProductLibrary> libraries;
  for (const auto& row : sonames().rows) {
    if (row.product == "nccl") continue; // versions of its own, and not part of CUDA
    if (holds(row, row.product == "cudnn" ? cudnn : cuda)) {
      libraries.push_back({row.product, row.name});
    }
  }
  return libraries;
}

const std::vector<std::string>& soname_problems() {
  return sonames().problems;
}

} // namespace gpuwhy
