// Dockerfiles and shell scripts: lines that go on, instructions, assignments. Truth: the Dockerfile
// reference; sbatch(1).
#include "program/requirements.h"

#include "base/text.h"

namespace gpuwhy::program {
namespace {

struct Line {
  std::string text;
  std::uint32_t number = 1;
};

/// Lines that end in a backslash are one; comments and blank lines between them are left out.
std::vector<Line> logical_lines(std::string_view text, bool keep_comments) {
  std::vector<Line> lines;
  bool open = false;
  std::uint32_t number = 0;
  for (const auto raw : split_lines(text)) {
    ++number;
    auto line = trim(raw);
    if (line.starts_with('#') && !keep_comments) continue;
    if (open && line.empty()) continue;
    const bool more = line.ends_with('\\');
    if (more) line = trim(line.substr(0, line.size() - 1));
    if (open) {
      lines.back().text += " " + std::string(line);
    } else if (!line.empty()) {
      lines.push_back({std::string(line), number});
    }
    open = more && (open || !line.empty());
  }
  return lines;
}

std::string unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

/// NAME=VALUE NAME="VALUE" ..., or NAME VALUE.
void take_env(std::string_view rest, std::uint32_t line, Document& document) {
  const auto blank = rest.find_first_of(" \t");
  const auto equals = rest.find('=');
  if (equals == std::string_view::npos || (blank != std::string_view::npos && blank < equals)) {
    if (blank == std::string_view::npos) return;
    document.variables.push_back(
        {std::string(rest.substr(0, blank)), unquoted(rest.substr(blank)), line});
    return;
  }
  for (std::size_t at = 0; at < rest.size();) {
    const auto mid = rest.find('=', at);
    if (mid == std::string_view::npos) return;
    const auto name = std::string(trim(rest.substr(at, mid - at)));
    std::size_t end = mid + 1;
    char quote = 0;
    while (end < rest.size() && (quote != 0 || (rest[end] != ' ' && rest[end] != '\t'))) {
      if (quote == 0 && (rest[end] == '"' || rest[end] == '\'')) {
        quote = rest[end];
      } else if (quote != 0 && rest[end] == quote) {
        quote = 0;
      }
      ++end;
    }
    document.variables.push_back({name, unquoted(rest.substr(mid + 1, end - mid - 1)), line});
    while (end < rest.size() && (rest[end] == ' ' || rest[end] == '\t')) ++end;
    at = end;
  }
}

/// "=gpu:0", "=0", " gpu:a100:0"
bool asks_for_none(std::string_view value) {
  const auto last = trim(value.substr(value.find_last_of(":= ") + 1));
  return last == "0";
}

void take_option(std::string_view option, Workload& job) {
  for (const std::string_view name :
       {"--gres", "--gpus", "--gpus-per-node", "--gpus-per-task", "--gpus-per-socket", "-G"}) {
    if (!option.starts_with(name)) continue;
    const auto value = option.substr(name.size());
    if ((name != "--gres" || contains(value, "gpu")) && !asks_for_none(value)) job.asks_gpu = true;
  }
  if (option.starts_with("--constraint") || option.starts_with("-C") ||
      option.starts_with("--tres-per-")) {
    job.asks_gpu = job.asks_gpu || contains(option, "gpu");
  }
  if (option.starts_with("--partition") || option.starts_with("-p")) {
    job.image = trim(option.substr(
        option.find_first_of("= ") == std::string_view::npos ? 2 : option.find_first_of("= ") + 1));
  }
}

} // namespace

Document read_dockerfile(std::string_view text) {
  Document document;
  document.kind = Document::Kind::dockerfile;
  for (const auto& line : logical_lines(text, false)) {
    const auto end = line.text.find_first_of(" \t");
    if (end == std::string::npos) continue;
    const auto instruction = lower(line.text.substr(0, end));
    const auto rest = trim(std::string_view(line.text).substr(end));
    if (instruction == "from") {
      auto image = rest;
      while (image.starts_with("--"))
        image = trim(image.substr(std::min(image.find(' '), image.size())));
      document.images.push_back(
          {"", std::string(image.substr(0, image.find_first_of(" \t"))), line.number});
    } else if (instruction == "env") {
      take_env(rest, line.number, document);
    } else if (instruction == "run" || instruction == "cmd" || instruction == "entrypoint") {
      document.commands.push_back({instruction, std::string(rest), line.number});
      requirements_of_command(rest, line.number, document);
    }
  }
  return document;
}

Document read_script(std::string_view text) {
  Document document;
  document.kind = Document::Kind::sbatch;
  Workload job;
  job.kind = Workload::Kind::batch_job;
  bool is_job = false;
  std::uint32_t number = 0;
  for (const auto raw : split_lines(text)) {
    ++number;
    const auto line = trim(raw);
    if (!line.starts_with("#SBATCH")) continue;
    if (!is_job) job.line = number;
    is_job = true;
    take_option(trim(line.substr(7)), job);
  }
  for (const auto& line : logical_lines(text, false)) {
    auto rest = std::string_view(line.text);
    if (rest.starts_with("export ")) rest = trim(rest.substr(7));
    const auto equals = rest.find('=');
    const auto blank = rest.find_first_of(" \t");
    if (equals != std::string_view::npos && equals > 0 &&
        (blank == std::string_view::npos || equals < blank)) {
      take_env(rest, line.number, document);
    }
    document.commands.push_back({"", line.text, line.number});
    requirements_of_command(line.text, line.number, document);
    job.command += line.text + "\n";
  }
  if (is_job) document.workloads.push_back(std::move(job));
  return document;
}

} // namespace gpuwhy::program
