#include "watch/board_source.h"

#include "base/text.h"
#include "watch/process_tree.h"

#include <algorithm>
#include <unistd.h>

namespace gpuwhy::watch {
namespace {

constexpr std::size_t kHistory = 120; // seconds
constexpr std::size_t kMostProcesses = 256;

/// Seconds of processor time; fields 14 and 15 of /proc/N/stat.
std::optional<double> cpu_seconds(System& system, int pid) {
  const auto text = system.read_at("/proc/" + std::to_string(pid) + "/stat", 0, 4096);
  if (!text) return std::nullopt;
  const auto close = text->rfind(')');
  if (close == std::string::npos) return std::nullopt;
  const auto fields = split(trim(std::string_view(*text).substr(close + 1)), ' ');
  if (fields.size() < 14) return std::nullopt;
  const auto ticks = to_number(fields[11]).value_or(0) + to_number(fields[12]).value_or(0);
  return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void push(std::deque<double>& values, double value) {
  values.push_back(value);
  if (values.size() > kHistory) values.pop_front();
}

} // namespace

BoardSource::BoardSource(System& system)
    : system_(system), nvml_(system.environment(), std::chrono::milliseconds(200)),
      next_(Clock::now() + std::chrono::seconds(1)) {}

bool BoardSource::step() {
  for (auto& line : nvml_.take()) {
    for (const auto& gpu : line.gpus) {
      auto& history = history_[gpu.index];
      if (gpu.busy) {
        history.busy_sum += *gpu.busy;
        ++history.looks;
      }
      if (gpu.processes) processes_[gpu.index] = *gpu.processes;
    }
    newest_ = std::move(line.gpus);
  }
  if (Clock::now() < next_) return false;
  next_ = Clock::now() + std::chrono::seconds(1);
  publish();
  return true;
}

void BoardSource::describe(use::BoardProcess& process) {
  const auto base = "/proc/" + std::to_string(process.pid);
  const auto command = system_.read(base + "/cmdline", 65'536);
  if (!command) {
    process.unseen = "not in this process namespace";
    return;
  }
  for (const auto word : split(*command, '\0')) {
    if (!word.empty() && process.command.size() < 400)
      process.command += (process.command.empty() ? "" : " ") + printable(word);
  }
  if (const auto maps = system_.read(base + "/maps", 8U << 20U))
    process.frameworks = frameworks_of(libraries_in(*maps));
  const auto now = Clock::now();
  const auto seconds = cpu_seconds(system_, process.pid);
  if (!seconds) return;
  const auto before = cpu_.find(process.pid);
  if (before != cpu_.end()) {
    const double elapsed = std::chrono::duration<double>(now - before->second.seen).count();
    if (elapsed > 0.1) process.cores = std::max(0.0, (*seconds - before->second.seconds) / elapsed);
  }
  cpu_[process.pid] = {*seconds, now};
}

void BoardSource::publish() {
  board_.driver = nvml_.driver();
  board_.nvml = nvml_.state();
  board_.gpus.clear();
  board_.processes.clear();
  for (const auto& identity : nvml_.gpus()) {
    use::BoardGpu gpu{identity, {}, {}, {}};
    for (const auto& tick : newest_) {
      if (tick.index == identity.index) gpu.now = tick;
    }
    auto& history = history_[identity.index];
    push(history.busy, history.looks > 0 ? history.busy_sum / history.looks : -1);
    history.busy_sum = 0;
    history.looks = 0;
    const auto total = static_cast<double>(identity.memory_total.value_or(0));
    push(history.memory,
         gpu.now.memory && total > 0 ? 100 * static_cast<double>(*gpu.now.memory) / total : -1);
    gpu.busy_history.assign(history.busy.begin(), history.busy.end());
    gpu.memory_history.assign(history.memory.begin(), history.memory.end());
    board_.gpus.push_back(std::move(gpu));
    for (const auto& each : processes_[identity.index]) {
      if (board_.processes.size() >= kMostProcesses) break;
      use::BoardProcess process{.pid = each.pid,
                                .gpu = identity.index,
                                .memory = each.memory,
                                .sm = each.sm,
                                .cores = {},
                                .command = {},
                                .frameworks = {},
                                .unseen = {}};
      describe(process);
      board_.processes.push_back(std::move(process));
    }
  }
}

} // namespace gpuwhy::watch
