#include "watch/run_program.h"

#include "base/text.h"
#include "system/program.h"
#include "use/signs.h"
#include "watch/loader_searches.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gpuwhy::watch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWaitForNvml{
    400}; // before the program starts: a warm driver needs a tenth of it
constexpr milliseconds kStatusInterval{1'000};
constexpr std::size_t kReadOfErrors = 256U << 10U; // bytes

bool is_set(const std::vector<std::string>& environment, std::string_view name) {
  return std::any_of(environment.begin(), environment.end(), [&](const std::string& entry) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
  });
}

std::optional<std::string> value_of(const std::vector<std::string>& environment,
                                    std::string_view name) {
  for (const auto& entry : environment) {
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  }
  return std::nullopt;
}

/// What the kernel said since `before`.
std::string since(const std::string& before, const std::string& now) {
  const auto last_line = before.empty() ? std::string::npos : before.rfind('\n', before.size() - 2);
  const auto tail = last_line == std::string::npos ? before : before.substr(last_line + 1);
  const auto found = tail.empty() ? std::string::npos : now.rfind(tail);
  return found == std::string::npos ? std::string() : now.substr(found + tail.size());
}

/// Prepares the counting of CUDA calls; adds what is needed to the program's environment.
void prepare_counts(CallCounts& calls, const RunOptions& options,
                    std::vector<std::string>& environment) {
  if (!options.count_calls) return calls.refuse("not wanted");
  if (is_privileged(options.command.front())) {
    return calls.refuse("the program changes its user: nothing is loaded into it");
  }
  if (is_set(environment, "CUDA_INJECTION64_PATH")) {
    return calls.refuse("CUDA_INJECTION64_PATH is set already: another profiler");
  }
  calls.prepare();
  for (auto& variable : calls.variables()) environment.push_back(std::move(variable));
}

/// Prepares the view of the loader's searches; likewise.
void prepare_searches(LoaderSearches& searches, const RunOptions& options,
                      std::vector<std::string>& environment) {
  if (!options.see_libraries) return searches.refuse("not asked for: --libraries");
  if (is_privileged(options.command.front())) {
    return searches.refuse("the program changes its user: nothing is loaded into it");
  }
  if (is_set(environment, "LD_AUDIT")) {
    return searches.refuse("LD_AUDIT is set already: another tool watches the loader");
  }
  searches.prepare();
  for (auto& variable : searches.variables(value_of(environment, "GLIBC_TUNABLES"))) {
    const auto name = std::string_view(variable).substr(0, variable.find('=') + 1);
    std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(name); });
    environment.push_back(std::move(variable));
  }
}

void append(std::vector<use::Sign>& to, std::vector<use::Sign> more) {
  for (auto& sign : more) {
    if (std::find(to.begin(), to.end(), sign) == to.end()) to.push_back(std::move(sign));
  }
}

} // namespace

tl::expected<RunResult, int> run_program(System& system, const RunOptions& options,
                                         Listener listener) {
  Observation observation(system, std::move(listener));
  ProgramStart start;
  start.arguments = options.command;
  start.environment = environment_strings();
  start.output_to_errors = options.output_to_errors;
  use::RunStart about;
  about.command = options.command;
  about.visible_devices = value_of(start.environment, "CUDA_VISIBLE_DEVICES");
  prepare_counts(observation.calls(), options, start.environment);
  LoaderSearches searches;
  prepare_searches(searches, options, start.environment);
  const auto log_before = system.kernel_log();
  adopt_orphans();
  observation.look_before(kWaitForNvml);

  use::SignReader output("output");
  const ErrorFile errors;
  const auto read = [&](std::string_view bytes) {
    output.read(bytes);
    if (options.output) options.output(bytes);
  };
  Program program(start, read);
  if (program.error() != 0) return tl::unexpected(program.error());
  observation.begin(std::move(about), program.process(), true);
  auto next_status = Clock::now() + kStatusInterval;
  while (!program.ended()) {
    program.attend(std::min(observation.due(), next_status), observation.descriptors());
    observation.step();
    if (Clock::now() < next_status) continue;
    next_status = Clock::now() + kStatusInterval;
    if (options.status && observation.observer() != nullptr)
      options.status(*observation.observer());
  }
  program.finish();

  use::RunEnd end;
  const int status = program.wait_status();
  if (WIFEXITED(status))
    end.exit_status = WEXITSTATUS(status);
  else
    end.signal = WTERMSIG(status);
  read(errors.written(kReadOfErrors));
  end.signs = output.signs();
  const auto log_after = system.kernel_log();
  if (log_before && log_after) {
    use::SignReader kernel("kernel log");
    kernel.read(since(*log_before, *log_after));
    append(end.signs, kernel.signs());
  }
  searches.tell(end);
  return RunResult{status, observation.finish(std::move(end))};
}

namespace {

void attach(Observation& observation, const AttachOptions& options) {
  observation.look_before(milliseconds(2'000));
  use::RunStart about;
  about.attached = true;
  about.command = options.command;
  about.visible_devices = options.visible_devices;
  observation.calls().refuse("the program runs already");
  observation.begin(std::move(about), options.process, false);
  observation.step();
}

/// Waits for the sources, for `more`, or for the time to look again, whichever comes first; true:
/// `more` can be read. `more` may be -1.
bool attend(Observation& observation, Clock::time_point until, int more) {
  const auto left =
      std::chrono::ceil<milliseconds>(std::min(observation.due(), until) - Clock::now());
  std::array<pollfd, 2> events{pollfd{observation.descriptors().front(), POLLIN, 0},
                               pollfd{more, POLLIN, 0}};
  ::poll(events.data(), events.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  observation.step();
  return events[1].revents != 0;
}

use::RunStatistics so_far(Observation& observation) {
  use::RunEnd end;
  if (observation.alive()) end.notes.emplace_back("the process still runs");
  return observation.finish(std::move(end));
}

} // namespace

use::RunStatistics watch_process(System& system, const AttachOptions& options, milliseconds time,
                                 Listener listener) {
  Observation observation(system, std::move(listener));
  attach(observation, options);
  const auto until = Clock::now() + time;
  while (Clock::now() < until && observation.alive()) attend(observation, until, -1);
  return so_far(observation);
}

void watch_on_request(System& system, const AttachOptions& options, int requests,
                      const std::function<void()>& begun, const Report& report) {
  Observation observation(system, {});
  attach(observation, options);
  begun();
  bool listened = true;
  while (listened && observation.alive()) {
    if (!attend(observation, Clock::time_point::max(), requests)) continue;
    std::array<char, 4096> bytes;
    const auto count = ::read(requests, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    const std::string_view said(bytes.data(),
                                static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (said.empty() || contains(said, "end")) break;
    const auto lines = std::count(said.begin(), said.end(), '\n');
    for (auto line = lines; line > 0 && listened; --line)
      listened = report(so_far(observation), false);
  }
  if (listened) report(so_far(observation), true);
}

} // namespace gpuwhy::watch
