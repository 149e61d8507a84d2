#include "rules/L_libraries/seen_searching.h"

#include "base/text.h"
#include "rules/L_libraries/library_faults.h"
#include "use/statistics.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr std::size_t kShown = 4; // files that were tried

bool named(std::string_view path, std::string_view name) {
  return base_name(path).starts_with(name);
}

/// From wherever: by its name, by a path, before we looked.
bool got(const use::RunStatistics& run, std::string_view name) {
  const auto& all = run.end.libraries;
  return run.maps(name) || std::any_of(all.begin(), all.end(), [&](const auto& search) {
           return named(search.took, name);
         });
}

Evidence evidence_of(const use::LibrarySearch& search) {
  std::vector<std::string> tried;
  for (const auto& each : search.tried) {
    const bool tells = search.missing() || each.present;
    if (tells && tried.size() < kShown) tried.push_back(each.path + " (" + each.rule + ")");
  }
  std::string text = search.name + ": the loader ";
  if (search.left_lying())
    text += "met " + join(tried, ", ") + " and loaded nothing";
  else if (tried.empty())
    text += "found it nowhere";
  else
    text += "tried " + join(tried, ", ") +
            (search.tried.size() > kShown
                 ? " and " + std::to_string(search.tried.size() - kShown) + " more"
                 : "");
  return {std::move(text), {"process " + std::to_string(search.pid), 0}};
}

bool asks(const use::RunStatistics& run) {
  return run.end.loader.works && !run.any_used() && !run.any_held();
}

/// The searches that ended so, each library once.
template <class Ended>
std::vector<const use::LibrarySearch*>
searches(const use::RunStatistics& run, std::span<const std::string_view> names, Ended ended) {
  std::vector<const use::LibrarySearch*> all;
  for (const auto name : names) {
    if (got(run, name)) continue;
    for (const auto& search : run.end.libraries) {
      if (!named(search.name, name) || !ended(search)) continue;
      all.push_back(&search);
      break;
    }
  }
  return all;
}

std::string names_of(const std::vector<const use::LibrarySearch*>& found) {
  std::vector<std::string> names;
  for (const auto* each : found) names.emplace_back(base_name(each->name));
  return listing(names);
}

} // namespace

Outcome not_found_in_run(const use::RunStatistics& run, std::span<const std::string_view> names) {
  if (!asks(run)) return Outcome::not_applicable();
  const auto found =
      searches(run, names, [](const use::LibrarySearch& search) { return search.missing(); });
  if (found.empty()) return Outcome::clear("no search of the run for such a library failed");
  const auto sonames = names_of(found);
  auto outcome = Outcome::found("the program looked for " + sonames + " and found " +
                                (found.size() == 1 ? "it" : "them") + " nowhere");
  for (const auto* each : found) outcome.evidence.push_back(evidence_of(*each));
  return std::move(outcome).mend({"install what brings " + sonames +
                                      " into the program's environment; gpuwhy check names the "
                                      "package and the command",
                                  {},
                                  {}});
}

Outcome not_loaded_in_run(const use::RunStatistics& run, std::span<const std::string_view> names) {
  if (!asks(run)) return Outcome::not_applicable();
  const auto found =
      searches(run, names, [](const use::LibrarySearch& search) { return search.left_lying(); });
  if (found.empty()) return Outcome::clear("every such library that the run met was loaded");
  auto outcome = Outcome::found("the program met " + names_of(found) + " and could not load " +
                                (found.size() == 1 ? "it" : "them"));
  for (const auto* each : found) outcome.evidence.push_back(evidence_of(*each));
  return std::move(outcome).mend(
      {"install the package again that the file belongs to, or take its directory out of the "
       "search; gpuwhy check says what is wrong with the file",
       {},
       {}});
}

} // namespace gpuwhy::rules
