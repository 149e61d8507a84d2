#include "judge/loading_seen.h"

#include "judge/judge.h"
#include "loader/places.h"

#include <algorithm>

namespace gpuwhy {
namespace {

/// The search for the bare name, as the framework does it; nothing where the run made none, or
/// several that ended differently: another part of the program asked for it too.
const use::LibrarySearch* only_search(const use::RunStatistics& run, const std::string& soname) {
  const use::LibrarySearch* only = nullptr;
  for (const auto& search : run.end.libraries) {
    if (search.name != soname) continue;
    if (only != nullptr) return nullptr;
    only = &search;
  }
  return only;
}

class Comparison {
public:
  explicit Comparison(const use::RunStatistics& run) : run_(run) {}

  void add(const std::string& soname, const loader::Found& predicted) {
    const auto* seen = only_search(run_, soname);
    if (seen == nullptr) return;
    const bool found = predicted.outcome == loader::Outcome::found;
    const bool missing = predicted.outcome == loader::Outcome::missing;
    if (!found && !missing) return;
    const bool same = found ? loader::tidy_path(seen->took) == loader::tidy_path(predicted.path)
                            : seen->missing();
    if (same) {
      ++same_;
      return;
    }
    if (found && seen->took.empty() && seen->left_lying()) return; // perhaps it was there already
    different_.push_back(
        soname + ": the loader " + (seen->took.empty() ? "found none" : "took " + seen->took) +
        ", gpuwhy expected " + (found ? predicted.path : "none") + "; please report this");
  }

  std::vector<std::string> take() {
    if (different_.empty() && same_ > 0)
      different_.push_back(std::to_string(same_) + (same_ == 1 ? " library" : " libraries") +
                           " came from where gpuwhy expected " + (same_ == 1 ? "it" : "them"));
    return std::move(different_);
  }

private:
  const use::RunStatistics& run_;
  std::size_t same_ = 0;
  std::vector<std::string> different_;
};

} // namespace

std::vector<std::string> compare_loading(const Facts& facts, const use::RunStatistics& run,
                                         const std::vector<std::string>& frameworks) {
  if (!run.end.loader.works) return {};
  for (const auto& subject : cases_of(facts)) {
    const bool ran =
        std::find(frameworks.begin(), frameworks.end(), subject.wanted) != frameworks.end();
    if (!ran || subject.framework == nullptr) continue;
    Comparison comparison(run);
    for (const auto& need : subject.libraries) comparison.add(need.soname, need.found);
    comparison.add("libcuda.so.1", subject.libcuda);
    return comparison.take();
  }
  return {};
}

} // namespace gpuwhy
