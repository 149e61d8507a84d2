// What the kernel said about the GPU since it started: failed starts, Xid errors, modules it
// refused.
#include "collect/machine.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostLines = 50;
constexpr std::size_t kMostBytes = 400;

void collect(System& system, const Scope&, Facts& facts) {
  using Lines = Fact<std::vector<KernelLogLine>>;
  const Source source{"kernel log", 0};
  const auto log = system.kernel_log();
  if (!log) {
    facts.driver.kernel_log = unsettled<std::vector<KernelLogLine>>(log.error(), source.where);
    return;
  }
  std::vector<KernelLogLine> lines;
  const auto all = split_lines(*log);
  for (auto line = all.rbegin(); line != all.rend() && lines.size() < kMostLines; ++line) {
    if (is_log_about_gpus(*line)) lines.push_back({printable(trim(*line).substr(0, kMostBytes))});
  }
  std::reverse(lines.begin(), lines.end());
  facts.driver.kernel_log = Lines::known(std::move(lines), source);
}

} // namespace

bool is_log_about_gpus(std::string_view line) {
  // Audit lines name files of the driver each time a sandboxed program opens one.
  if (contains(line, "audit:") || contains(line, "audit(")) return false;
  if (contains(line, "NVRM") || contains(line, "Xid")) return true;
  // "lockdown:" begins a refusal; without the colon it is also in a list of security modules.
  constexpr std::array<std::string_view, 7> kParts{"nvidia",
                                                   "nouveau",
                                                   "secure boot",
                                                   "secureboot",
                                                   "lockdown:",
                                                   "locked down",
                                                   "module verification failed"};
  const std::string small = lower(line);
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return contains(small, part); });
}

const Collector kKernelLog{"kernel_log", "the kernel's log, lines about GPUs and Secure Boot",
                           collect};

} // namespace gpuwhy
