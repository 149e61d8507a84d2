#include "collect/privacy.h"

#include "base/text.h"
#include "collect/machine.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

namespace gpuwhy {
namespace {

/// Accounts and hosts of images and services: they tell nothing, and are words of paths elsewhere.
constexpr std::array<std::string_view, 30> kPublicNames{
    "root",   "ubuntu", "debian", "user",  "admin",   "jovyan",  "vscode", "runner", "colab",      "ec2-user",
    "centos", "fedora", "docker", "node",  "nobody",  "nvidia",  "cuda",   "python", "tensorflow", "keras",
    "conda",  "mamba",  "guest",  "local", "default", "student", "lib",    "bin",    "localhost",  "home"};

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

std::string replace_word(std::string text, std::string_view word, std::string_view by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    const auto end = at + word.size();
    const bool whole = (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
    if (whole) text.replace(at, word.size(), by);
    at += whole ? by.size() : word.size();
  }
  return text;
}

bool is_private(std::string_view name) {
  return name.size() >= 2 && std::find(kPublicNames.begin(), kPublicNames.end(), name) == kPublicNames.end();
}

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The names in a line, as a shell would cut them.
template <class Visit> void for_each_name(std::string_view line, Visit visit) {
  for (std::size_t at = 0; at < line.size();) {
    if (!is_name_character(line[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && is_name_character(line[end])) ++end;
    visit(line.substr(at, end - at), at, end);
    at = end;
  }
}

bool tells_something(std::string_view line) {
  const auto word = trim(line).substr(0, trim(line).find_first_of(" \t"));
  if (word == "." || word == "source") return true;
  bool allowed = false;
  for_each_name(line, [&](std::string_view name, std::size_t, std::size_t) {
    allowed = allowed || is_allowed_variable(name);
  });
  return allowed;
}

/// NAME=value of a variable that is not on the list: the value goes.
std::string without_other_values(std::string_view line) {
  std::string kept;
  std::size_t done = 0;
  for_each_name(line, [&](std::string_view name, std::size_t, std::size_t end) {
    if (end < done || end >= line.size() || line[end] != '=' || is_allowed_variable(name)) return;
    const auto stop = line.find_first_of(" \t;&|", end);
    kept += std::string(line.substr(done, end + 1 - done));
    done = stop == std::string_view::npos ? line.size() : stop;
  });
  return kept + std::string(line.substr(done));
}

/// Files that people keep settings in, and secrets: all that the collector of variables reads.
bool is_startup_file(std::string_view path) {
  const auto name = base_name(path);
  static constexpr std::array<std::string_view, 5> kFolders{"/profile.d/", "/activate.d/", "/environment.d/", "/conf.d/",
                                                            "/etc/zsh/"};
  for (const auto folder : kFolders) {
    if (contains(path, folder)) return true;
  }
  static constexpr std::array<std::string_view, 20> kNames{
      ".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc",      ".zshenv",     ".zprofile",
      ".zlogin", ".envrc",        ".env",        "profile",  "bash.bashrc", "environment", "config.fish",
      "zshenv",   "zshrc",        "activate",      "postactivate", ".pam_environment", "bashrc"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.ends_with(".sh") || name.ends_with(".fish") ||
         name.starts_with(".bash") || name.starts_with(".zsh") || name.starts_with(".login") || name.ends_with("cshrc");
}

/// conda keeps an environment's variables in conda-meta/state, a JSON object.
std::string only_allowed_state(const std::string& text) {
  auto state = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!state.is_object()) return {};
  auto kept = nlohmann::ordered_json::object();
  if (const auto variables = state.find("env_vars"); variables != state.end() && variables->is_object()) {
    for (const auto& [name, value] : variables->items()) {
      if (is_allowed_variable(name)) kept[name] = value;
    }
  }
  return nlohmann::ordered_json{{"env_vars", kept}}.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// Of dpkg's list, the packages that could bear on a driver or CUDA; the others say what somebody works on.
std::string only_driver_packages(std::string_view status) {
  std::string kept;
  std::size_t at = 0;
  while (at < status.size()) {
    const auto end = std::min(status.find("\n\n", at), status.size());
    const auto stanza = status.substr(at, end - at);
    const auto name = stanza.substr(0, stanza.find('\n'));
    for (const std::string_view part : {"nvidia", "cuda", "cudnn", "cublas", "nccl", "linux-image", "nouveau"}) {
      if (!contains(name, part)) continue;
      kept += std::string(stanza) + "\n\n";
      break;
    }
    at = end + 2;
  }
  return kept;
}

std::string only_lines_about_gpus(std::string_view log) {
  std::string kept;
  for (const auto line : split_lines(log)) {
    if (is_log_about_gpus(line)) kept += std::string(line) + "\n";
  }
  return kept;
}

} // namespace

std::function<std::string(std::string)> make_redactor(const Identity& identity) {
  std::vector<std::pair<std::string, std::string>> words;
  const auto add = [&](std::string_view word, const char* by) {
    if (is_private(word)) words.emplace_back(word, by);
  };
  add(identity.user_name, "user");
  if (parent_path(identity.home) != "/") add(base_name(identity.home), "user"); // not /root, /tmp
  add(identity.host, "host");
  add(std::string_view(identity.host).substr(0, identity.host.find('.')), "host");
  return [words](std::string text) {
    for (const auto& [word, by] : words) text = replace_word(std::move(text), word, by);
    return text;
  };
}

std::string only_allowed_lines(std::string_view text) {
  std::string kept;
  for (const auto line : split_lines(text)) {
    kept += tells_something(line) ? without_other_values(line) : trim(line).empty() ? "" : "#";
    kept += '\n';
  }
  return kept;
}

TapePolicy private_tape(const Identity& identity) {
  TapePolicy policy;
  policy.redact = make_redactor(identity);
  policy.allow_variable = is_allowed_variable;
  policy.contents = [](std::string_view path, std::string text) {
    if (path.empty()) return only_lines_about_gpus(text);
    if (path == "/var/lib/dpkg/status") return only_driver_packages(text);
    if (path.ends_with("/conda-meta/state")) return only_allowed_state(text);
    return is_startup_file(path) ? only_allowed_lines(text) : text;
  };
  return policy;
}

} // namespace gpuwhy
