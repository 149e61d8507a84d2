// What the loader searched for CUDA and the frameworks in a run that we start (run --libraries).
#pragma once

#include "system/loader_trace.h"
#include "use/tick.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gpuwhy::watch {

/// The searches in one process's records, in order; what is broken ends them. False: not all are
/// there.
bool decode_searches(int pid, std::span<const std::byte> records,
                     std::vector<use::LibrarySearch>& searches);
/// Searches for the same name with the same end are one, which tried what any of them tried.
void merge_searches(std::vector<use::LibrarySearch>& all, std::vector<use::LibrarySearch> more);

class LoaderSearches {
public:
  /// Sees from then on; `variables()` are for the program.
  void prepare();
  std::vector<std::string> variables(const std::optional<std::string>& tunables) const;
  void refuse(std::string reason) { state_.problem = std::move(reason); }
  /// What was seen, and how it went.
  void tell(use::RunEnd& end);

private:
  std::unique_ptr<LoaderTrace> trace_;
  use::SourceState state_;
};

} // namespace gpuwhy::watch
