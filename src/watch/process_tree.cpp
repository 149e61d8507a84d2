#include "watch/process_tree.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace gpuwhy::watch {
namespace {

constexpr std::size_t kMostProcesses = 512;
constexpr std::size_t kMostThreads = 512; // of one process
constexpr std::size_t kLargestMaps = 8U << 20U;
constexpr double kLongestMapsWait = 30; // seconds

double ticks_a_second() {
  static const long kTicks = ::sysconf(_SC_CLK_TCK);
  return static_cast<double>(kTicks > 0 ? kTicks : 100);
}

/// The fields of /proc/N/stat from the third on; the second may hold blanks and brackets.
struct Stat {
  std::string name;
  char state = '?';
  int parent = 0;
  double cpu = 0; // seconds
  double io_wait = 0;
  std::uint64_t started = 0;
  std::uint64_t rss = 0;
};

std::optional<Stat> read_stat(System& system, const std::string& path) {
  const auto text = system.read_at(path, 0, 4096);
  if (!text) return std::nullopt;
  const auto open = text->find('(');
  const auto close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open ||
      close + 2 > text->size())
    return std::nullopt;
  Stat stat;
  stat.name = printable(text->substr(open + 1, close - open - 1));
  const auto fields = split(trim(std::string_view(*text).substr(close + 1)), ' ');
  if (fields.size() < 40) return std::nullopt;
  const auto number = [&](std::size_t field) {
    return static_cast<double>(to_number(fields[field - 3]).value_or(0));
  };
  stat.state = fields[0].empty() ? '?' : fields[0][0];
  stat.parent = static_cast<int>(number(4));
  stat.cpu = (number(14) + number(15)) / ticks_a_second();
  stat.started = static_cast<std::uint64_t>(number(22));
  stat.rss =
      static_cast<std::uint64_t>(number(24)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  stat.io_wait = number(42) / ticks_a_second();
  return stat;
}

double switches_in(System& system, const std::string& path) {
  const auto text = system.read_at(path, 0, 8192);
  if (!text) return 0;
  double sum = 0;
  for (const auto line : split_lines(*text)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !contains(line.substr(0, colon), "ctxt_switches"))
      continue;
    sum += static_cast<double>(to_number(trim(line.substr(colon + 1))).value_or(0));
  }
  return sum;
}

bool opens_gpu(System& system, int pid) {
  const auto directory = "/proc/" + std::to_string(pid) + "/fd";
  const auto entries = system.list(directory);
  if (!entries) return false;
  std::size_t looked = 0;
  for (const auto& entry : *entries) {
    if (++looked > 4096) return false;
    const auto target = system.read_link(directory + "/" + entry.name);
    if (target && target->starts_with("/dev/nvidia") && *target != "/dev/nvidiactl") return true;
  }
  return false;
}

constexpr std::array<std::string_view, 24> kWatched{
    "libcuda.so",
    "libamdhip64",
    "libcudart",
    "libcudnn",
    "libcublas.so",
    "libnccl",
    "libcupti",
    "libnvrtc.so",
    "libnvidia-ptxjitcompiler",
    "libnvJitLink",
    "libtensorflow",
    "_pywrap_tensorflow",
    "libtorch_cuda",
    "libtorch_cpu",
    "libtorch.so",
    "xla_extension",
    "libjax_common",
    "xla_cuda_plugin",
    "pjrt_c_api_gpu_plugin",
    "libmxnet",
    "libonnxruntime",
    "cupy",
    "libpaddle",
    "libcufft.so",
};

} // namespace

std::vector<std::string> libraries_in(std::string_view maps) {
  std::set<std::string, std::less<>> names;
  for (const auto line : split_lines(maps)) {
    const auto slash = line.find('/');
    if (slash == std::string_view::npos) continue;
    const auto path = line.substr(slash);
    const auto name = base_name(path);
    if (!contains(name, ".so")) continue;
    for (const auto watched : kWatched) {
      if (name.starts_with(watched)) names.insert(printable(name.substr(0, 80)));
    }
    if (name.starts_with("_jax") || name.starts_with("_pywrap_xla") || contains(path, "/jaxlib/"))
      names.insert("jaxlib");
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> frameworks_of(const std::vector<std::string>& libraries) {
  struct Row {
    std::string_view library, framework;
  };
  constexpr std::array<Row, 11> kRows{{
      {"libtensorflow", "tensorflow"},
      {"_pywrap_tensorflow", "tensorflow"},
      {"libtorch", "torch"},
      {"jaxlib", "jax"},
      {"libjax_common", "jax"},
      {"xla_extension", "jax"},
      {"xla_cuda_plugin", "jax"},
      {"libmxnet", "mxnet"},
      {"libonnxruntime", "onnxruntime"},
      {"cupy", "cupy"},
      {"libpaddle", "paddle"},
  }};
  std::vector<std::string> frameworks;
  for (const auto& row : kRows) {
    const bool mapped =
        std::any_of(libraries.begin(), libraries.end(),
                    [&](const std::string& name) { return name.starts_with(row.library); });
    const bool listed =
        std::find(frameworks.begin(), frameworks.end(), row.framework) != frameworks.end();
    if (mapped && !listed) frameworks.emplace_back(row.framework);
  }
  return frameworks;
}

ProcessTree::ProcessTree(System& system, int root, bool orphans)
    : system_(system), root_(root), orphans_(orphans) {}

void ProcessTree::children_of(int pid, std::vector<int>& to, int depth) {
  if (depth > 64) return;
  const auto tasks = "/proc/" + std::to_string(pid) + "/task";
  const auto threads = system_.list(tasks);
  if (!threads) return;
  std::size_t looked = 0;
  for (const auto& thread : *threads) {
    if (++looked > kMostThreads || to.size() >= kMostProcesses) return;
    const auto text = system_.read_at(tasks + "/" + thread.name + "/children", 0, 16'384);
    if (!text) continue;
    for (const auto word : split(*text, ' ')) {
      const auto child = to_number(word);
      if (!child || helpers_.contains(static_cast<int>(*child))) continue;
      if (std::find(to.begin(), to.end(), static_cast<int>(*child)) != to.end()) continue;
      to.push_back(static_cast<int>(*child));
      children_of(static_cast<int>(*child), to, depth + 1);
    }
  }
}

std::vector<int> ProcessTree::pids() {
  std::vector<int> all{root_};
  children_of(root_, all, 0);
  if (orphans_) children_of(static_cast<int>(::getpid()), all, 0);
  return all;
}

void ProcessTree::look_at_threads(int pid, double elapsed, Known& known, Sums& sums) {
  const auto directory = "/proc/" + std::to_string(pid) + "/task";
  const auto entries = system_.list(directory);
  if (!entries) return;
  std::map<int, Thread> now;
  for (const auto& entry : *entries) {
    if (now.size() >= kMostThreads) break;
    const auto number = to_number(entry.name);
    const auto stat = read_stat(system_, directory + "/" + entry.name + "/stat");
    if (!number || !stat) continue;
    const Thread thread{stat->cpu, stat->io_wait};
    const auto before = known.threads.find(static_cast<int>(*number));
    now[static_cast<int>(*number)] = thread;
    if (before == known.threads.end() || elapsed <= 0) continue;
    const double cpu = std::clamp((thread.cpu - before->second.cpu) / elapsed, 0.0, 1.0);
    sums.busiest = std::max(sums.busiest, cpu);
    if (pid == root_ && *number == pid) sums.main = cpu;
    sums.io_wait = std::max(
        sums.io_wait, std::clamp((thread.io_wait - before->second.io_wait) / elapsed, 0.0, 1.0));
  }
  sums.threads += static_cast<int>(now.size());
  known.threads = std::move(now);
}

/// Whether what is told of the process has changed.
bool ProcessTree::look_at_libraries(int pid, Known& known) {
  const auto maps = system_.read("/proc/" + std::to_string(pid) + "/maps", kLargestMaps);
  auto libraries = maps ? libraries_in(*maps) : known.told.libraries;
  const bool gpu = opens_gpu(system_, pid) || known.told.opens_gpu;
  const bool changed = libraries != known.told.libraries || gpu != known.told.opens_gpu;
  known.told.libraries = std::move(libraries);
  known.told.opens_gpu = gpu;
  return changed;
}

void ProcessTree::look_at(int pid, double time, double elapsed, Sums& sums, use::Tick& tick) {
  const auto base = "/proc/" + std::to_string(pid);
  const auto stat = read_stat(system_, base + "/stat");
  if (!stat) return;
  if (stat->state == 'Z' || stat->state == 'X') {
    if (pid != root_ && stat->parent == static_cast<int>(::getpid())) zombies_.push_back(pid);
    return;
  }
  const auto found = known_.find(pid);
  const bool fresh = found == known_.end() || found->second.started != stat->started;
  auto& known = known_[pid];
  if (fresh) {
    known = {};
    known.started = stat->started;
    known.cpu = last_ ? 0 : stat->cpu; // what it did before we looked at all is not of this look
    known.told.pid = pid;
    known.told.parent = stat->parent;
  }
  known.seen = true;
  bool changed = fresh || known.told.name != stat->name;
  known.told.name = stat->name;
  if (time >= known.next_maps) {
    if (look_at_libraries(pid, known)) {
      changed = true;
      known.wait_maps = 0.5; // while a program starts, more is to come
    }
    known.next_maps = time + known.wait_maps;
    known.wait_maps = std::min(known.wait_maps * 1.5, kLongestMapsWait);
  }
  if (elapsed > 0) sums.cpu += std::max(0.0, stat->cpu - known.cpu);
  known.cpu = stat->cpu;
  sums.rss += stat->rss;
  const double switches = switches_in(system_, base + "/status");
  if (!fresh) sums.switches += std::max(0.0, switches - known.switches);
  known.switches = switches;
  look_at_threads(pid, elapsed, known, sums);
  if (changed) tick.processes.push_back(known.told);
}

use::Tick ProcessTree::look(double time) {
  use::Tick tick;
  tick.time = time;
  const double elapsed = last_ ? time - *last_ : 0;
  Sums sums;
  zombies_.clear();
  for (auto& [pid, known] : known_) known.seen = false;
  for (const int pid : pids()) look_at(pid, time, elapsed, sums, tick);
  for (auto at = known_.begin(); at != known_.end();) {
    if (at->second.seen) {
      ++at;
      continue;
    }
    at->second.told.ended = true;
    tick.processes.push_back(std::move(at->second.told));
    at = known_.erase(at);
  }
  if (elapsed > 0) {
    tick.host = use::HostTick{.seconds = elapsed,
                              .cores = sums.cpu / elapsed,
                              .busiest_thread = sums.busiest,
                              .io_wait = sums.io_wait,
                              .main_thread = sums.main,
                              .switches = sums.switches / elapsed,
                              .rss = sums.rss,
                              .processes = static_cast<int>(known_.size()),
                              .threads = sums.threads};
  }
  last_ = time;
  return tick;
}

std::vector<int> ProcessTree::living() const {
  std::vector<int> all;
  for (const auto& [pid, known] : known_) all.push_back(pid);
  return all;
}

} // namespace gpuwhy::watch
