// A library that the framework must open cannot be loaded, and no rule about libraries (F05, F15,
// L01 to L11) says why. A net below the others: without it such a machine would be called healthy.
// Truth: the loader's search, repeated (src/loader).
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/gpus.h"

namespace gpuwhy::rules {
namespace {

std::string end_of(const loader::Found& found) {
  switch (found.outcome) {
  case loader::Outcome::missing: return "is in none of the places where the loader looks";
  case loader::Outcome::bad_file: return "cannot be loaded: " + found.detail;
  case loader::Outcome::dependency_missing:
    return "needs " + found.dependency + ", which cannot be loaded";
  case loader::Outcome::crashes: return "kills the process that loads it";
  case loader::Outcome::found:
  case loader::Outcome::unknown: break;
  }
  return {};
}

Outcome check(const Case& c) {
  if (c.libraries.empty()) return Outcome::not_applicable();
  for (const auto& need : c.libraries) {
    const auto end = end_of(need.found);
    if (!need.required || end.empty()) continue;
    auto outcome = Outcome::found(need.soname + ", which " + framework_text(c) + " opens, " + end);
    for (const auto& asked : need.found.trace) {
      if (!asked.detail.empty())
        outcome.evidence.push_back({asked.place + ": " + asked.detail, {asked.place, 0}});
    }
    return std::move(outcome).mend(
        {"please report this with the output of 'gpuwhy snapshot'; LD_DEBUG=libs shows the "
         "loader's own search",
         {"LD_DEBUG=libs python3 -c 'import ctypes; ctypes.CDLL(\"" + need.soname + "\")'"},
         {}});
  }
  return Outcome::clear("no library that is needed fails without a known reason");
}

} // namespace

extern constexpr Rule U02{
    .id = "U02",
    .slug = "library-unexplained",
    .title = "A library cannot be loaded, for a reason that is not known",
    .since = "0.1",
    .gate = Gate::libraries,
    .last_resort = true,
    .explanation =
        R"(TensorFlow opens its CUDA libraries one by one while it lists the GPUs, and lists none if one of them fails. Here the search
for one of them ends without success, and none of the known causes (missing, wrong version, shadowed, corrupt, not on the
path) describes how. This page stands where gpuwhy's own knowledge ends.)",
    .fix =
        R"(Let the loader itself tell: `LD_DEBUG=libs` prints every place that it asks. Then please report the finding with the output of
`gpuwhy snapshot`.)",
    .references = R"(- [ld.so(8)](https://man7.org/linux/man-pages/man8/ld.so.8.html))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
