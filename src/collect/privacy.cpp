#include "collect/privacy.h"

#include "base/text.h"
#include "collect/machine.h"
#include "collect/shell_words.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

namespace gpuwhy {
namespace {

/// Accounts and hosts of images and services: they tell nothing, and are words of paths elsewhere.
constexpr std::array<std::string_view, 30> kPublicNames{
    "root",    "ubuntu",   "debian",     "user",   "admin",     "jovyan", "vscode", "runner",
    "colab",   "ec2-user", "centos",     "fedora", "docker",    "node",   "nobody", "nvidia",
    "cuda",    "python",   "tensorflow", "keras",  "conda",     "mamba",  "guest",  "local",
    "default", "student",  "lib",        "bin",    "localhost", "home"};

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

std::string replace_word(std::string text, std::string_view word, std::string_view by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    const auto end = at + word.size();
    const bool whole =
        (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
    if (whole) text.replace(at, word.size(), by);
    at += whole ? by.size() : word.size();
  }
  return text;
}

bool is_private(std::string_view name) {
  return name.size() >= 2 &&
         std::find(kPublicNames.begin(), kPublicNames.end(), name) == kPublicNames.end();
}

/// NAME of a word NAME=... or NAME+=...; empty for other words.
std::string_view assigned(std::string_view word) {
  const auto equals = word.find('=');
  if (equals == std::string_view::npos) return {};
  auto name = word.substr(0, equals);
  if (name.ends_with('+')) name.remove_suffix(1);
  const auto is_letter = [](char c) {
    return is_word(c) && c != '-' && static_cast<unsigned char>(c) < 0x80;
  };
  return std::all_of(name.begin(), name.end(), is_letter) ? name : std::string_view();
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// What a command says about allowed variables, or which file it reads; empty if it says anything
/// else.
std::string allowed_part(const ShellCommand& command) {
  const auto& words = command.words;
  std::size_t at = 0;
  while (at < words.size() &&
         is_one_of(words[at].raw, {"then", "do", "else", "if", "elif", "{", "!"}))
    ++at;
  if (at == words.size()) return {};
  const auto first = words[at].raw;
  if (is_one_of(first, {".", "source"})) return std::string(command.raw);
  if (first == "set" && words.size() > at + 1 && is_one_of(words[at + 1].raw, {"-a", "-o"}))
    return std::string(command.raw);
  const bool declares =
      is_one_of(first, {"export", "declare", "typeset", "readonly", "setenv", "set"});
  const bool assigns = !assigned(first).empty();
  if (!declares && !assigns && !is_allowed_variable(first))
    return {}; // the last: pam_env's NAME DEFAULT=...
  bool allowed = false;
  bool whole = true;
  std::string kept;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto word = words[i].raw;
    const auto name = assigned(word);
    if (assigns && i >= at && name.empty()) return {}; // NAME=value COMMAND
    const bool options_of_pam =
        is_one_of(name, {"DEFAULT", "OVERRIDE"}) && is_allowed_variable(first);
    if (!name.empty() && !is_allowed_variable(name) && !options_of_pam) {
      word = word.substr(0, word.find('=') + 1);
      whole = false;
    }
    allowed = allowed || is_allowed_variable(name.empty() ? word : name);
    kept += (kept.empty() ? "" : " ") + std::string(word);
  }
  if (!allowed) return {};
  return whole ? std::string(command.raw) : kept;
}

/// Files that people keep settings in, and secrets: all that the collector of variables reads.
bool is_startup_file(std::string_view path) {
  const auto name = base_name(path);
  static constexpr std::array<std::string_view, 5> kFolders{
      "/profile.d/", "/activate.d/", "/environment.d/", "/conf.d/", "/etc/zsh/"};
  for (const auto folder : kFolders) {
    if (contains(path, folder)) return true;
  }
  static constexpr std::array<std::string_view, 20> kNames{
      ".bashrc", ".bash_profile", ".bash_login",  ".profile",         ".zshrc",
      ".zshenv", ".zprofile",     ".zlogin",      ".envrc",           ".env",
      "profile", "bash.bashrc",   "environment",  "config.fish",      "zshenv",
      "zshrc",   "activate",      "postactivate", ".pam_environment", "bashrc"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.ends_with(".sh") ||
         name.ends_with(".fish") || name.starts_with(".bash") || name.starts_with(".zsh") ||
         name.starts_with(".login") || name.ends_with("cshrc");
}

/// Files that a system or an installer wrote. What people write themselves may be read by a
/// start-up file, and is a program of theirs: of that the same lines are kept as of a start-up
/// file.
bool is_of_a_package(std::string_view path) {
  static constexpr std::array<std::string_view, 10> kFolders{
      "/proc/", "/sys/", "/dev/", "/usr/", "/lib/", "/lib64/", "/etc/", "/run/", "/var/", "/bin/"};
  static constexpr std::array<std::string_view, 7> kParts{
      "/site-packages/", "/dist-packages/", "/conda-meta/", "/.pyenv/",
      "/include/python", "/shims/",         ".so"};
  static constexpr std::array<std::string_view, 5> kNames{
      "pyvenv.cfg", ".python-version", "environments.txt", "orig-prefix.txt", "version"};
  const auto name = base_name(path);
  return std::any_of(kFolders.begin(), kFolders.end(),
                     [&](auto folder) { return path.starts_with(folder); }) ||
         std::any_of(kParts.begin(), kParts.end(),
                     [&](auto part) { return contains(path, part); }) ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.ends_with(".pth");
}

/// conda keeps an environment's variables in conda-meta/state, a JSON object.
std::string only_allowed_state(const std::string& text) {
  auto state = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!state.is_object()) return {};
  auto kept = nlohmann::ordered_json::object();
  if (const auto variables = state.find("env_vars");
      variables != state.end() && variables->is_object()) {
    for (const auto& [name, value] : variables->items()) {
      if (is_allowed_variable(name)) kept[name] = value;
    }
  }
  return nlohmann::ordered_json{{"env_vars", kept}}.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// Of dpkg's list, the packages that could bear on a driver or CUDA; the others say what somebody
/// works on.
std::string only_driver_packages(std::string_view status) {
  std::string kept;
  std::size_t at = 0;
  while (at < status.size()) {
    const auto end = std::min(status.find("\n\n", at), status.size());
    const auto stanza = status.substr(at, end - at);
    const auto name = stanza.substr(0, stanza.find('\n'));
    for (const std::string_view part :
         {"nvidia", "cuda", "cudnn", "cublas", "nccl", "linux-image", "nouveau"}) {
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
  int line = 1;
  bool begun = false; // something stands on the line already
  for (const auto& command : split_commands(text)) {
    const auto part = allowed_part(command);
    if (part.empty()) continue;
    for (; line < command.line; ++line) {
      kept += '\n';
      begun = false;
    }
    kept += (begun ? "; " : "") + part;
    begun = true;
    line += static_cast<int>(std::count(part.begin(), part.end(), '\n'));
  }
  if (begun) kept += '\n';
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
    const bool binary = text.find('\0') != std::string::npos;
    if (binary || (!is_startup_file(path) && is_of_a_package(path))) return text;
    const auto head = text.starts_with("#!") ? text.substr(0, text.find('\n')) : std::string();
    return head + only_allowed_lines(std::string_view(text).substr(head.size()));
  };
  return policy;
}

} // namespace gpuwhy
