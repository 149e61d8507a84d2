#include "watch/observation.h"

#include "system/program.h"

#include <algorithm>
#include <poll.h>
#include <unistd.h>

namespace gpuwhy::watch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNvmlInterval{100};
constexpr milliseconds kLookInterval{500};
constexpr milliseconds kLongestWaitForGpus{10'000};
constexpr milliseconds kLongestWaitForMemory{1'000};
/// Looking at a large process tree takes time; it shall never take more than this part of a
/// processor.
constexpr int kLookShare = 50;

double since_epoch(Clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

} // namespace

Observation::Observation(System& system, Listener listener)
    : system_(system), listener_(std::move(listener)), nvml_(system.environment(), kNvmlInterval) {}

void Observation::look_before(milliseconds longest) {
  const auto until = Clock::now() + longest;
  nvml_.start(longest);
  while (nvml_.state().works && newest_.empty() && Clock::now() < until) {
    pollfd event{nvml_.descriptor(), POLLIN, 0};
    ::poll(&event, 1, 20);
    for (auto& line : nvml_.take()) newest_ = std::move(line.gpus);
  }
}

void Observation::begin(use::RunStart start, int process, bool owned) {
  start_ = std::move(start);
  start_.before = newest_;
  tree_.emplace(system_, process, owned);
  tree_->add_helper(::getpid()); // a process may watch itself through us
  begun_ = Clock::now();
  next_look_ = begun_;
  settle(nvml_.state().works);
}

double Observation::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begun_).count();
}

/// Fixes which GPUs there are, once that is known or has been waited for long enough.
void Observation::settle(bool now) {
  const bool late = Clock::now() - begun_ > kLongestWaitForGpus;
  const bool hopeless = !nvml_.state().works && nvml_.descriptor() < 0;
  if (observer_ || (!now && !late && !hopeless)) return;
  start_.gpus = nvml_.gpus();
  start_.driver = nvml_.driver();
  start_.nvml = nvml_.state();
  observer_.emplace(start_);
  if (listener_.start) listener_.start(start_);
  for (auto& tick : std::exchange(waiting_, {})) publish(std::move(tick));
}

void Observation::publish(use::Tick tick) {
  if (!observer_) {
    if (waiting_.size() < 1000) waiting_.push_back(std::move(tick));
    return;
  }
  observer_->add(tick);
  if (listener_.tick) listener_.tick(tick);
}

void Observation::look() {
  const auto started = Clock::now();
  if (const int helper = nvml_.process(); helper > 0) tree_->add_helper(helper);
  auto tick = tree_->look(seconds());
  for (const int zombie : tree_->zombies()) reap(zombie);
  tick.cuda = calls_.look();
  publish(std::move(tick));
  next_look_ = Clock::now() +
               std::max<Clock::duration>(kLookInterval, (Clock::now() - started) * kLookShare);
}

void Observation::step() {
  for (auto& line : nvml_.take()) {
    use::Tick tick;
    tick.time = std::max(0.0, line.time - since_epoch(begun_));
    newest_ = line.gpus;
    tick.gpus = std::move(line.gpus);
    publish(std::move(tick));
  }
  settle(nvml_.state().works);
  if (Clock::now() >= next_look_) look();
}

use::RunStatistics Observation::finish(use::RunEnd end) {
  end.time = seconds();
  look();
  settle(true);
  const bool ended = end.exit_status || end.signal != 0;
  const auto own = observer_->processes();
  const auto until = Clock::now() + kLongestWaitForMemory;
  while (ended && nvml_.state().works && Clock::now() < until) {
    pollfd event{nvml_.descriptor(), POLLIN, 0};
    ::poll(&event, 1, 50);
    bool listed = false;
    bool told = false;
    for (auto& line : nvml_.take()) {
      for (const auto& gpu : line.gpus) {
        if (!gpu.processes) continue;
        told = true;
        listed |=
            std::any_of(gpu.processes->begin(), gpu.processes->end(),
                        [&](const use::GpuProcess& process) { return own.contains(process.pid); });
      }
      newest_ = std::move(line.gpus);
    }
    if (told && !listed) break;
  }
  if (ended && nvml_.state().works) end.after = newest_;
  end.nvml = nvml_.state();
  end.cuda = calls_.state();
  end.left_behind = living();
  return observer_->finish(std::move(end));
}

} // namespace gpuwhy::watch
