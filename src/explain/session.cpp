#include "explain/session.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kMostPlaces = 128;
constexpr std::size_t kLongestPrompt = 100;

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

bool among(std::string_view word, const auto& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string_view> words_of(std::string_view command) {
  auto words = split(command, ' ');
  std::erase_if(words, [](std::string_view word) {
    const auto sign = word.find('=');
    const bool assigns = sign != std::string_view::npos && word.find_first_of("-/") > sign;
    return word.empty() || word == "sudo" || assigns; // "X=1 docker run"
  });
  return words;
}

bool opens_shell(const std::vector<std::string_view>& words) {
  constexpr std::array<std::string_view, 8> kShells = {"bash",      "sh",      "zsh",      "fish",
                                                       "/bin/bash", "/bin/sh", "bash -il", "-l"};
  return !words.empty() && among(words.back(), kShells);
}

enum class Move { none, once, stays, back };

/// Where a command leads: docker, kubectl and the like into a container, ssh and the scheduler to
/// another machine; a log that is shown was written in another place.
Move move_of(std::string_view command) {
  const auto words = words_of(command);
  if (words.empty()) return Move::none;
  const auto first = base_name(words.front());
  const auto second = words.size() > 1 ? words[1] : std::string_view();
  if (first == "exit" || first == "logout") return Move::back;
  constexpr std::array<std::string_view, 4> kEngines = {"docker", "podman", "nerdctl",
                                                        "nvidia-docker"};
  constexpr std::array<std::string_view, 5> kRuns = {"run", "exec", "compose", "start", "logs"};
  constexpr std::array<std::string_view, 5> kOthers = {"singularity", "apptainer", "lxc", "enroot",
                                                       "kubectl"};
  constexpr std::array<std::string_view, 5> kIn = {"run", "exec", "shell", "start", "logs"};
  constexpr std::array<std::string_view, 8> kShells = {"salloc",  "chroot",  "wsl",  "distrobox",
                                                       "toolbox", "wsl.exe", "qsub", "virsh"};
  if (first == "ssh") {
    const auto host = std::find_if(words.begin() + 1, words.end(), [](std::string_view word) {
      return word.front() != '-' && (contains(word, "@") || !to_number(word));
    });
    return host != words.end() && host + 1 != words.end() ? Move::once : Move::stays;
  }
  if ((among(first, kEngines) && among(second, kRuns)) || first == "docker-compose" ||
      (among(first, kOthers) && among(second, kIn)))
    return opens_shell(words) || second == "shell" ? Move::stays : Move::once;
  if (among(first, kShells)) return Move::stays;
  if (first == "srun")
    return opens_shell(words) || contains(command, "--pty") ? Move::stays : Move::once;
  constexpr std::array<std::string_view, 4> kShow = {"cat", "tail", "less", "head"};
  const bool log =
      among(first, kShow) && (words.back().ends_with(".out") || words.back().ends_with(".log") ||
                              words.back().ends_with(".err"));
  if (log || first == "journalctl" || first == "sbatch" ||
      (first == "systemctl" && second == "status"))
    return Move::once;
  return Move::none;
}

/// "On the host:", "## In the container", "--- compute node ---"
bool heads_place(std::string_view line) {
  line = trim(line);
  constexpr std::size_t kLongest = 60;
  const bool marked = line.ends_with(':') || line.starts_with('#') || line.starts_with("**") ||
                      line.starts_with("--") || line.starts_with("==");
  if (!marked || line.size() > kLongest) return false;
  const auto text = lower(line);
  constexpr std::array<std::string_view, 17> kWords = {
      "container", "docker", "host",  "node",   "inside",  "wsl",    "windows", "job",  "ssh",
      "pod",       "guest",  "login", "laptop", "desktop", "server", "machine", "colab"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return contains(text, word); });
}

} // namespace

std::optional<Prompt> prompt_in(std::string_view line) {
  const auto mark_at = [&](std::size_t from) {
    for (auto at = from; at < line.size() && at < kLongestPrompt; ++at) {
      const bool mark = line[at] == '$' || line[at] == '#' || line[at] == '%' || line[at] == '>';
      if (mark && (at + 1 == line.size() || line[at + 1] == ' ')) return at;
    }
    return std::string_view::npos;
  };
  if (line.starts_with("$ ") || line.starts_with("# ") || line.starts_with("% ") ||
      line.starts_with("+ "))
    return Prompt{{}, trim(line.substr(2))};
  if (line.starts_with("!")) return Prompt{{}, trim(line.substr(1))};
  const bool windows = line.starts_with("PS ") || line.substr(0, 3).ends_with(":\\");
  if (const auto mark = line.find('>'); windows && mark < kLongestPrompt)
    return Prompt{{}, trim(line.substr(mark + 1))};
  const auto at = line.find('@');
  if (at == std::string_view::npos || at == 0 || at > 60 || !in_name(line[at - 1]))
    return std::nullopt;
  auto end = at + 1;
  while (end < line.size() && in_name(line[end])) ++end;
  if (end == at + 1 || end == line.size()) return std::nullopt;
  const auto mark = mark_at(end);
  if (mark == std::string_view::npos) return std::nullopt;
  return Prompt{line.substr(at + 1, end - at - 1), trim(line.substr(mark + 1))};
}

void Session::go(Place place, std::uint64_t number) {
  place.line = number;
  if (places_.size() < kMostPlaces) places_.push_back(std::move(place));
}

void Session::enter(std::string_view command, bool stays, std::uint64_t number) {
  outer_.push_back(places_.back());
  constexpr std::size_t kLongestCommand = 300;
  go({0, ++ids_, {}, std::string(command.substr(0, kLongestCommand))}, number + 1);
  once_ = !stays;
  fresh_ = true;
}

/// To where the shell was before, or to a place that the text has not shown.
void Session::back(std::uint64_t number) {
  const Place place = outer_.empty() ? Place{0, ++ids_, {}, {}} : outer_.back();
  if (!outer_.empty()) outer_.pop_back();
  go(place, number);
}

void Session::named(std::string_view host, std::uint64_t number) {
  auto& here = places_.back();
  if (here.host.empty()) here.host = std::string(host);
  if (here.host == host) return;
  const auto is_it = [&](const Place& place) { return place.host == host; };
  const auto known = std::find_if(places_.rbegin(), places_.rend(), is_it);
  const Place place = known != places_.rend() ? *known : Place{0, ++ids_, std::string(host), {}};
  outer_.erase(std::find_if(outer_.begin(), outer_.end(), is_it), outer_.end());
  go(place, number);
}

bool Session::line(std::string_view body, std::uint64_t number) {
  if (places_.size() >= kMostPlaces) return false;
  const auto prompt = prompt_in(body);
  if (!prompt) {
    if (!heads_place(body)) return false;
    outer_.clear();
    go({0, ++ids_, {}, {}}, number);
    fresh_ = once_ = false;
    return true;
  }
  if (fresh_) {
    const bool outside = prompt->host.empty() ? once_ : prompt->host == outer_.back().host;
    if (outside) back(number);
    fresh_ = once_ = false;
  }
  if (!prompt->host.empty()) named(prompt->host, number);
  switch (move_of(prompt->command)) {
  case Move::none: break;
  case Move::back: back(number + 1); break;
  case Move::once: enter(prompt->command, false, number); break;
  case Move::stays: enter(prompt->command, true, number); break;
  }
  return true;
}

bool other_session(const Place& one, const Place& other) {
  return one.id != other.id && !one.host.empty() && one.host == other.host;
}

const Place& place_at(const std::vector<Place>& places, std::uint64_t line) {
  const auto behind = std::find_if(places.begin(), places.end(),
                                   [&](const Place& place) { return place.line > line; });
  return behind == places.begin() ? places.front() : *(behind - 1);
}

} // namespace gpuwhy::explain
