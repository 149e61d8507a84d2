// The processes of a run, as /proc shows them: how busy, on what, and what of CUDA they have
// loaded. Truth: proc(5). Bounded: so many processes and threads are looked at, no more.
#pragma once

#include "system/system.h"
#include "use/tick.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gpuwhy::watch {

class ProcessTree {
public:
  /// Watches `root` and what descends from it; with `orphans` also what descends from this process
  /// and is not in `helpers`: processes whose parents ended come to a subreaper.
  ProcessTree(System& system, int root, bool orphans);

  void add_helper(int pid) { helpers_.insert(pid); }
  /// What happened since the last look. `time` is in seconds; the first look has no HostTick.
  use::Tick look(double time);
  bool alive() const { return !known_.empty(); }
  std::vector<int> living() const;
  /// Children of ours, other than the root, that have ended and wait to be reaped.
  const std::vector<int>& zombies() const { return zombies_; }

private:
  struct Thread {
    double cpu = 0;
    double io_wait = 0;
  };
  struct Known {
    use::ProcessTick told;
    std::uint64_t started = 0; // clock ticks since the machine's start: tells a re-used number
    double cpu = 0;
    double switches = 0;
    std::map<int, Thread> threads;
    double next_maps = 0; // when to look at its libraries again
    double wait_maps = 0.5;
    bool seen = false;
  };
  struct Sums {
    double cpu = 0, busiest = 0, io_wait = 0, main = 0, switches = 0;
    std::uint64_t rss = 0;
    int threads = 0;
  };

  std::vector<int> pids();
  void children_of(int pid, std::vector<int>& to, int depth);
  void look_at(int pid, double time, double elapsed, Sums& sums, use::Tick& tick);
  void look_at_threads(int pid, double elapsed, Known& known, Sums& sums);
  bool look_at_libraries(int pid, Known& known);

  System& system_;
  int root_;
  bool orphans_;
  std::set<int> helpers_;
  std::map<int, Known> known_;
  std::vector<int> zombies_;
  std::optional<double> last_;
};

/// The sonames among a process's mappings that matter: CUDA, cuDNN, NCCL, the frameworks.
std::vector<std::string> libraries_in(std::string_view maps);
/// "tensorflow", "torch", "jax": what those libraries stand for.
std::vector<std::string> frameworks_of(const std::vector<std::string>& libraries);

} // namespace gpuwhy::watch
