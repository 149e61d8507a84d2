#include "mend/packages.h"

#include "base/text.h"
#include "system/subprocess.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gpuwhy::mend {
namespace {

constexpr std::chrono::seconds kPatience{120};
constexpr std::size_t kLongestList = 4U << 20U; // bytes

std::vector<std::string> tool(const Step& where, const std::string& verb) {
  if (where.uv) return {"uv", "pip", verb, "--python", where.interpreter};
  return {where.interpreter, "-m", "pip", verb};
}

/// The name in "name==1.0", as indexes compare names.
std::string name_of(std::string_view line) {
  return replace_all(replace_all(lower(line.substr(0, line.find_first_of("=@ "))), "_", "-"), ".",
                     "-");
}

/// The file that PATH leads to.
std::string find_program(const std::string& name, const Environment& environment) {
  if (contains(name, "/")) return name;
  const auto path = environment.find("PATH");
  if (path == environment.end()) return {};
  for (const auto directory : split(std::string_view(path->second), ':')) {
    auto candidate = join_path(directory, name);
    if (candidate.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

} // namespace

Result<std::vector<std::string>> frozen(const Step& where, const Environment& environment) {
  auto words = tool(where, "freeze");
  if (!where.uv) words.insert(words.end(), {"--all", "--disable-pip-version-check"});
  const auto program = find_program(words.front(), environment);
  if (program.empty()) return fail(words.front() + " is not on PATH");
  const auto done = run_executable(program, {.arguments = words,
                                             .environment = environment,
                                             .deadline = kPatience,
                                             .output_limit = kLongestList});
  if (!done) return fail(done.error().reason);
  if (done->timed_out || done->signal != 0 || done->exit_status != 0) {
    const auto lines = split_lines(std::string_view(trim(std::string_view(done->errors))));
    return fail(join(words, " ") + ": " + (lines.empty() ? "failed" : printable(lines.back())));
  }
  std::vector<std::string> packages;
  for (const auto line : split_lines(std::string_view(done->output))) {
    if (!trim(line).empty() && !line.starts_with('#')) packages.emplace_back(trim(line));
  }
  return packages;
}

std::vector<std::vector<std::string>> way_back(const Step& where,
                                               const std::vector<std::string>& before,
                                               const std::vector<std::string>& now,
                                               std::vector<std::string>& lost) {
  std::map<std::string, std::string> had;
  std::map<std::string, std::string> have;
  for (const auto& line : before) had[name_of(line)] = line;
  for (const auto& line : now) have[name_of(line)] = line;
  std::vector<std::string> away;
  std::vector<std::string> back;
  for (const auto& [name, line] : have) {
    if (!had.contains(name)) away.push_back(name);
  }
  for (const auto& [name, line] : had) {
    const auto there = have.find(name);
    if (there != have.end() && there->second == line) continue;
    if (contains(line, "==") && !contains(line, " ")) {
      back.push_back(line);
    } else {
      lost.push_back(line);
    }
  }
  std::vector<std::vector<std::string>> commands;
  // First away, then back: distributions that share files take them along when they go.
  if (!away.empty()) {
    commands.push_back(tool(where, "uninstall"));
    if (!where.uv) commands.back().push_back("-y");
    commands.back().insert(commands.back().end(), away.begin(), away.end());
  }
  if (!back.empty()) {
    commands.push_back(tool(where, "install"));
    commands.back().push_back("--no-deps");
    commands.back().insert(commands.back().end(), back.begin(), back.end());
  }
  return commands;
}

Result<int> run_command(const std::vector<std::string>& words, const Environment& environment) {
  const auto program = find_program(words.front(), environment);
  if (program.empty()) return fail(words.front() + " is not on PATH");
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> lines;
  lines.reserve(environment.size());
  for (const auto& [name, value] : environment) lines.push_back(join({name, value}, "="));
  std::vector<char*> variables;
  variables.reserve(lines.size() + 1);
  for (auto& line : lines) variables.push_back(line.data());
  variables.push_back(nullptr);
  posix_spawn_file_actions_t files;
  if (::posix_spawn_file_actions_init(&files) != 0) return fail("out of memory");
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // What it says is for a person; standard output may be a report.
  ::posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
  pid_t process = -1;
  const int error =
      ::posix_spawn(&process, program.c_str(), &files, nullptr, arguments.data(), variables.data());
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return fail(printable(program) + ": " + std::strerror(error));
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return fail(printable(program) + ": " + std::strerror(errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace gpuwhy::mend
