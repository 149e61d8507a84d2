#include "base/text.h"
#include "judge/plan.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

template <std::size_t N>
bool any_in(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return contains(text, part); });
}

constexpr std::array<std::string_view, 10> kDriver{
    "reboot",      "nvidia-driver", "ubuntu-drivers", "cuda-drivers", "akmod-nvidia",
    "nvidia-open", "modprobe",      "rmmod",          "wsl --",       "mhwd"};
constexpr std::array<std::string_view, 9> kElsewhere{
    "-m venv ", "uv venv ",   "conda create", "conda activate", "bin/activate",
    "docker ",  "podman run", "srun ",        "sbatch "};
constexpr std::array<std::string_view, 4> kPackages{"-m pip ", "uv pip ", "conda install",
                                                    "conda remove"};
constexpr std::array<std::string_view, 5> kShell{"export ", "unset ", "ln -s ", "mv ", "sed -i "};

Reach reach_of_command(std::string_view command) {
  if (any_in(command, kDriver)) return Reach::driver;
  if (command.starts_with("sudo ") || contains(command, "| sudo ")) return Reach::system;
  if (any_in(command, kElsewhere)) return Reach::environment;
  if (any_in(command, kPackages)) return Reach::packages;
  const bool of_shell = std::any_of(kShell.begin(), kShell.end(), [&](std::string_view start) {
    return command.starts_with(start);
  });
  return of_shell ? Reach::shell : Reach::environment;
}

} // namespace

Reach reach_of(const std::string& words, const std::vector<std::string>& commands) {
  if (commands.empty()) {
    const auto said = lower(words);
    if (contains(said, "driver")) return Reach::driver;
    return contains(said, "newer gpu") || contains(said, "a machine with") ? Reach::hardware
                                                                           : Reach::environment;
  }
  Reach most = Reach::shell;
  for (const auto& command : commands) most = std::max(most, reach_of_command(command));
  return most;
}

} // namespace gpuwhy
