// Compose files, Kubernetes manifests, conda environments, GitHub workflows. Truth: the Compose
// specification, the Kubernetes API, conda's environment files. yaml-cpp throws: caught here.
#include "program/yaml.h"

#include "base/text.h"
#include "program/requirements.h"

#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace gpuwhy::program {
namespace {

constexpr std::size_t kMostItems = 20'000;

std::uint32_t line_of(const YAML::Node& node) {
  return node.Mark().line < 0 ? 1 : static_cast<std::uint32_t>(node.Mark().line) + 1;
}

std::string scalar(const YAML::Node& node) {
  return node && node.IsScalar() ? node.Scalar() : std::string();
}

/// A member of a map, through `<<` merges; an undefined node without.
YAML::Node member(const YAML::Node& map, const char* name, int depth = 0) {
  if (!map || !map.IsMap() || depth > 4) return YAML::Node(YAML::NodeType::Undefined);
  for (const auto& pair : map) {
    if (pair.first.IsScalar() && pair.first.Scalar() == name) return pair.second;
  }
  for (const auto& pair : map) {
    if (!pair.first.IsScalar() || pair.first.Scalar() != "<<") continue;
    if (pair.second.IsMap()) return member(pair.second, name, depth + 1);
    if (pair.second.IsSequence()) {
      for (const auto& part : pair.second) {
        const auto found = member(part, name, depth + 1);
        if (found) return found;
      }
    }
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

std::string joined(const YAML::Node& node) {
  if (!node) return {};
  if (node.IsScalar()) return node.Scalar();
  std::string words;
  if (node.IsSequence()) {
    for (const auto& part : node) words += (words.empty() ? "" : " ") + scalar(part);
  }
  return words;
}

/// `environment:` as a map or as a list of NAME=VALUE; `env:` of Kubernetes as a list of name and
/// value.
void take_environment(const YAML::Node& node, Document& document, Workload& workload) {
  const auto add = [&](std::string name, std::string value, std::uint32_t line) {
    Entry entry{std::move(name), std::move(value), line};
    if (entry.name == "NVIDIA_DRIVER_CAPABILITIES") workload.capabilities = entry;
    if (entry.name == "NVIDIA_VISIBLE_DEVICES" && entry.value != "none" && entry.value != "void" &&
        !entry.value.empty()) {
      workload.asks_gpu = workload.asks_gpu || contains(workload.command, "runtime:nvidia");
    }
    document.variables.push_back(std::move(entry));
  };
  if (node && node.IsMap()) {
    for (const auto& pair : node) add(scalar(pair.first), scalar(pair.second), line_of(pair.first));
  } else if (node && node.IsSequence()) {
    for (const auto& item : node) {
      if (item.IsMap()) {
        const auto value = member(item, "value");
        if (value) add(scalar(member(item, "name")), scalar(value), line_of(item));
        continue;
      }
      const auto text = scalar(item);
      const auto equals = text.find('=');
      if (equals != std::string::npos)
        add(text.substr(0, equals), text.substr(equals + 1), line_of(item));
    }
  }
}

bool compose_asks_gpu(const YAML::Node& service, Workload& workload) {
  if (scalar(member(service, "runtime")) == "nvidia" || member(service, "gpus")) return true;
  const auto options = joined(member(service, "devices"));
  if (contains(options, "nvidia") || contains(options, "/dev/dri")) return true;
  const auto devices =
      member(member(member(member(service, "deploy"), "resources"), "reservations"), "devices");
  if (!devices || !devices.IsSequence()) return false;
  for (const auto& device : devices) {
    const auto capabilities = joined(member(device, "capabilities"));
    if (contains(capabilities, "gpu") || contains(capabilities, "compute")) return true;
    if (scalar(member(device, "driver")) == "nvidia") {
      workload.capabilities = Entry{"capabilities", capabilities, line_of(device)};
      return true;
    }
  }
  return false;
}

void take_compose(const YAML::Node& root, Document& document) {
  const auto services = member(root, "services");
  if (!services || !services.IsMap()) return;
  for (const auto& pair : services) {
    if (document.workloads.size() > kMostItems) return;
    Workload workload;
    workload.kind = Workload::Kind::container_service;
    workload.name = scalar(pair.first);
    workload.line = line_of(pair.first);
    const auto image = member(pair.second, "image");
    workload.image = scalar(image);
    if (image) document.images.push_back({workload.name, workload.image, line_of(image)});
    workload.command = joined(member(pair.second, "command"));
    workload.asks_gpu = compose_asks_gpu(pair.second, workload);
    take_environment(member(pair.second, "environment"), document, workload);
    document.workloads.push_back(std::move(workload));
  }
}

bool limits_gpu(const YAML::Node& container) {
  const auto resources = member(container, "resources");
  for (const char* part : {"limits", "requests"}) {
    const auto amounts = member(resources, part);
    if (!amounts || !amounts.IsMap()) continue;
    for (const auto& pair : amounts) {
      const auto name = scalar(pair.first);
      const bool gpu = contains(name, "gpu") || contains(name, "nvidia.com/mig");
      if (gpu && scalar(pair.second) != "0") return true;
    }
  }
  const auto claims = member(resources, "claims");
  return claims && claims.IsSequence() && claims.size() > 0;
}

void take_pod(const YAML::Node& spec, const std::string& name, Document& document) {
  for (const char* part : {"containers", "initContainers"}) {
    const auto containers = member(spec, part);
    if (!containers || !containers.IsSequence()) continue;
    for (const auto& container : containers) {
      if (document.workloads.size() > kMostItems) return;
      Workload workload;
      workload.kind = Workload::Kind::pod;
      workload.name = name;
      const auto image = member(container, "image");
      workload.image = scalar(image);
      workload.line = image ? line_of(image) : line_of(container);
      workload.command =
          joined(member(container, "command")) + " " + joined(member(container, "args"));
      workload.asks_gpu =
          limits_gpu(container) || scalar(member(spec, "runtimeClassName")) == "nvidia";
      document.images.push_back({name, workload.image, workload.line});
      take_environment(member(container, "env"), document, workload);
      document.workloads.push_back(std::move(workload));
    }
  }
}

/// The pod's specification lies at different depths in a Pod, a Deployment, a Job and a CronJob.
void take_kubernetes(const YAML::Node& root, Document& document, int depth = 0) {
  if (!root || !root.IsMap() || depth > 6) return;
  const auto name = scalar(member(member(root, "metadata"), "name"));
  if (const auto spec = member(root, "spec")) {
    if (member(spec, "containers")) take_pod(spec, name, document);
    if (const auto inner = member(spec, "template")) take_kubernetes(inner, document, depth + 1);
    if (const auto inner = member(spec, "jobTemplate")) take_kubernetes(inner, document, depth + 1);
    for (const char* replicas : {"tfReplicaSpecs", "pytorchReplicaSpecs"}) {
      const auto specs = member(spec, replicas);
      if (!specs || !specs.IsMap()) continue;
      for (const auto& pair : specs)
        take_kubernetes(member(pair.second, "template"), document, depth + 1);
    }
  }
  const auto items = member(root, "items");
  if (items && items.IsSequence()) {
    for (const auto& item : items) take_kubernetes(item, document, depth + 1);
  }
}

void take_conda(const YAML::Node& root, Document& document) {
  const auto dependencies = member(root, "dependencies");
  if (!dependencies || !dependencies.IsSequence()) return;
  for (const auto& item : dependencies) {
    if (item.IsScalar()) {
      auto requirement = parse_conda(item.Scalar());
      if (!requirement) continue;
      requirement->line = line_of(item);
      requirement->group = "conda";
      if (requirement->name == "python")
        document.python = Entry{"python", requirement->version, requirement->line};
      document.requirements.push_back(std::move(*requirement));
    }
    const auto pip = member(item, "pip");
    if (!pip || !pip.IsSequence()) continue;
    for (const auto& line : pip) {
      const auto text = scalar(line);
      if (text.starts_with("--")) {
        const auto blank = text.find_first_of(" =");
        if (blank != std::string::npos) {
          document.indexes.push_back({text.substr(0, blank),
                                      std::string(trim(std::string_view(text).substr(blank + 1))),
                                      line_of(line)});
        }
        continue;
      }
      auto requirement = parse_requirement(text);
      if (!requirement) continue;
      requirement->line = line_of(line);
      requirement->group = "pip";
      document.requirements.push_back(std::move(*requirement));
    }
  }
  const auto variables = member(root, "variables");
  Workload none;
  take_environment(variables, document, none);
}

void take_workflow(const YAML::Node& root, Document& document) {
  Workload none;
  take_environment(member(root, "env"), document, none);
  const auto jobs = member(root, "jobs");
  if (!jobs || !jobs.IsMap()) return;
  for (const auto& pair : jobs) {
    if (document.workloads.size() > kMostItems) return;
    Workload workload;
    workload.kind = Workload::Kind::ci_job;
    workload.name = scalar(pair.first);
    workload.line = line_of(pair.first);
    workload.image = joined(member(pair.second, "runs-on"));
    const auto container = member(pair.second, "container");
    if (container && container.IsMap()) {
      workload.command = scalar(member(container, "options"));
      workload.asks_gpu = contains(workload.command, "--gpus");
      document.images.push_back(
          {workload.name, scalar(member(container, "image")), line_of(member(container, "image"))});
    }
    take_environment(member(pair.second, "env"), document, workload);
    document.workloads.push_back(std::move(workload));
  }
}

/// Where the documents of a text start. yaml-cpp reads a lone "," as a document of no length, again
/// and again without an end.
class Starts : public YAML::EventHandler {
public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos <= last_) throw YAML::ParserException(mark, "this is no document");
    last_ = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

private:
  int last_ = -1;
};

/// Throws where the text has no last document.
void require_an_end(const std::string& text) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  Starts starts;
  while (parser.HandleNextDocument(starts)) continue;
}

} // namespace

std::optional<Document::Kind> yaml_kind(std::string_view path, std::string_view text) {
  const auto name = lower(base_name(path));
  const auto starts = [&](std::string_view word) { // a key of the top level
    return text.starts_with(word) || contains(text, "\n" + std::string(word));
  };
  if (contains(path, ".github/workflows/")) return Document::Kind::workflow;
  if (contains(name, "compose") && starts("services:")) return Document::Kind::compose;
  if (starts("apiVersion:") && contains(text, "kind:")) return Document::Kind::kubernetes;
  if (starts("services:") && contains(text, "image:")) return Document::Kind::compose;
  const bool environment =
      contains(name, "environment") || contains(name, "conda") || starts("channels:");
  if (environment && starts("dependencies:")) return Document::Kind::conda;
  return std::nullopt;
}

Result<Document> read_yaml(Document::Kind kind, std::string_view text) {
  Document document;
  document.kind = kind;
  try {
    const std::string all(text);
    require_an_end(all);
    for (const auto& root : YAML::LoadAll(all)) {
      switch (kind) {
      case Document::Kind::compose: take_compose(root, document); break;
      case Document::Kind::kubernetes: take_kubernetes(root, document); break;
      case Document::Kind::conda: take_conda(root, document); break;
      case Document::Kind::workflow: take_workflow(root, document); break;
      default: break;
      }
    }
  } catch (const std::exception& error) {
    return fail(std::string("not YAML: ") + printable(error.what()));
  }
  return document;
}

} // namespace gpuwhy::program
