// Which reader a project file gets.
#include "program/documents.h"

#include "base/text.h"
#include "program/requirements.h"
#include "program/toml.h"
#include "program/yaml.h"

#include <nlohmann/json.hpp>

namespace gpuwhy::program {
namespace {

using Json = nlohmann::json;

/// devcontainer.json is JSON with comments.
Result<Document> read_devcontainer(std::string_view text) {
  std::size_t depth = 0;
  for (const char letter : text) {
    depth += letter == '{' || letter == '[' ? 1 : 0;
  }
  if (depth > 2000) return fail("not a devcontainer file: nested too deep");
  const Json root = Json::parse(text, nullptr, false, true);
  if (!root.is_object()) return fail("not JSON");
  Document document;
  document.kind = Document::Kind::devcontainer;
  Workload workload;
  workload.kind = Workload::Kind::dev_container;
  const auto line_of = [&](std::string_view word) {
    std::uint32_t line = 1;
    for (const auto each : split_lines(text)) {
      if (contains(each, word)) return line;
      ++line;
    }
    return std::uint32_t{1};
  };
  if (const auto image = root.find("image"); image != root.end() && image->is_string()) {
    workload.image = image->get<std::string>();
    workload.line = line_of("\"image\"");
    document.images.push_back({"", workload.image, workload.line});
  }
  if (const auto arguments = root.find("runArgs"); arguments != root.end()) {
    workload.command = arguments->dump(-1, ' ', false, Json::error_handler_t::replace);
    workload.asks_gpu =
        contains(workload.command, "--gpus") || contains(workload.command, "nvidia");
  }
  if (const auto host = root.find("hostRequirements"); host != root.end() && host->is_object()) {
    workload.asks_gpu = workload.asks_gpu || host->contains("gpu");
  }
  for (const char* part : {"containerEnv", "remoteEnv"}) {
    const auto variables = root.find(part);
    if (variables == root.end() || !variables->is_object()) continue;
    for (const auto& [name, value] : variables->items()) {
      if (value.is_string())
        document.variables.push_back({name, value.get<std::string>(), line_of("\"" + name + "\"")});
    }
  }
  document.workloads.push_back(std::move(workload));
  return document;
}

} // namespace

std::optional<Document::Kind> document_kind(std::string_view path, std::string_view text) {
  const auto name = lower(base_name(path));
  if (name.starts_with("dockerfile") || name.starts_with("containerfile") ||
      name.ends_with(".dockerfile")) {
    return Document::Kind::dockerfile;
  }
  if (name == "devcontainer.json" || name == ".devcontainer.json")
    return Document::Kind::devcontainer;
  if (name == "pyproject.toml") return Document::Kind::pyproject;
  if (name == "uv.lock" || name == "poetry.lock") return Document::Kind::lock;
  if (name.ends_with(".yml") || name.ends_with(".yaml")) return yaml_kind(path, text);
  if ((name.ends_with(".txt") || name.ends_with(".in")) && contains(name, "requirements"))
    return Document::Kind::requirements;
  if (name.ends_with(".sbatch") || name.ends_with(".slurm")) return Document::Kind::sbatch;
  if (name.ends_with(".sh") && contains(text, "#SBATCH")) return Document::Kind::sbatch;
  return std::nullopt;
}

Result<Document> read_document(Document::Kind kind, std::string_view text) {
  switch (kind) {
  case Document::Kind::dockerfile: return read_dockerfile(text);
  case Document::Kind::requirements: return read_requirements(text);
  case Document::Kind::sbatch: return read_script(text);
  case Document::Kind::pyproject: return read_pyproject(text);
  case Document::Kind::lock: return read_lock(text);
  case Document::Kind::devcontainer: return read_devcontainer(text);
  default: return read_yaml(kind, text);
  }
}

} // namespace gpuwhy::program
