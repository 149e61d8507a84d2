#include "rules/F_framework/releases.h"

#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"

namespace gpuwhy::rules {
namespace {

std::vector<std::string> texts(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

std::vector<Release> tensorflow_for(const Version& python) {
  std::vector<Release> list;
  for (const auto& each : tensorflow_releases()) {
    if (!each.supports_python(python)) continue;
    const std::string extras = each.pins.empty() ? "" : "[and-cuda]";
    const std::string version(each.version);
    list.push_back({version, each.cuda, texts(each.capabilities), each.registers_from,
                    "tensorflow" + extras + "==" + version});
  }
  return list;
}

std::vector<Release> jax_for(const Version& python) {
  std::vector<Release> list;
  for (const auto& each : jax_releases()) {
    if (python < *each.python) continue;
    for (const int cuda : {12, 13}) {
      const auto* plugin = each.plugin(cuda);
      if (plugin == nullptr) continue;
      const std::string version(each.version);
      list.push_back({version,
                      plugin->cuda,
                      texts(plugin->capabilities),
                      {},
                      "jax[cuda" + std::to_string(cuda) + "]==" + version});
    }
  }
  return list;
}

/// PyPI has one variant of each release.
std::vector<Release> torch_for(const Version& python) {
  std::vector<Release> list;
  for (const auto& each : torch_builds()) {
    if (!each.is_default || !each.supports_python(python)) continue;
    Release release{
        std::string(each.version), each.cuda, {}, {}, "torch==" + std::string(each.version) + ".*"};
    for (const auto target : each.sass) {
      std::string name = "sm_" + std::string(target);
      std::erase(name, '.');
      release.capabilities.push_back(std::move(name));
    }
    for (const auto target : each.ptx) {
      std::string name = "compute_" + std::string(target);
      std::erase(name, '.');
      release.capabilities.push_back(std::move(name));
    }
    list.push_back(std::move(release));
  }
  return list;
}

} // namespace

std::vector<Release> releases_for(const Case& c) {
  const auto python = Version::parse(c.python == nullptr ? "" : c.python->version.value_or(""));
  if (!python) return {};
  if (c.kind() == "jax") return jax_for(*python);
  if (c.kind() == "torch") return torch_for(*python);
  return tensorflow_for(*python);
}

Edit install_release(const Case& c, const Release& release) {
  Edit edit;
  edit.commands = {install_command(c, {release.requirement})};
  edit.apply = [interpreter = c.python->interpreter, kind = std::string(c.kind()),
                release](Facts& after) {
    if (kind == "jax") {
      put_jax(after, interpreter, release.version, release.cuda.major());
    } else if (kind == "torch") {
      put_torch(after, interpreter, release.version);
    } else {
      put_gpu_framework(after, interpreter, release.version);
    }
  };
  return edit;
}

} // namespace gpuwhy::rules
