// Turns what the injected library told so far into what happened since the last look.
#pragma once

#include "system/injection.h"
#include "use/timeline.h"

#include <map>
#include <memory>
#include <optional>

namespace gpuwhy::watch {

class CallCounts {
public:
  /// Counts from then on; `variables()` are for the program.
  void prepare();
  std::vector<std::string> variables() const;
  std::optional<use::CudaTick> look();
  /// Why there are no counts, or that there are.
  use::SourceState state() const { return state_; }
  void refuse(std::string reason) { state_.problem = std::move(reason); }

private:
  std::unique_ptr<Injection> injection_;
  std::map<int, std::vector<std::byte>> last_; // by process
  use::SourceState state_;
};

} // namespace gpuwhy::watch
