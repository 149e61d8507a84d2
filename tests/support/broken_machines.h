// Machines that are broken in one way each, and what the tests of properties ask about them.
#pragma once

#include "support/machine_bench.h"

#include <nlohmann/json.hpp>
#include <set>

namespace gpuwhy::test {

using Json = nlohmann::ordered_json;

struct Named {
  std::string name;
  Facts facts;
};

/// One machine a way of breaking it.
inline std::vector<Named> machines() {
  std::vector<Named> all;
  const auto add = [&](const std::string& name, void (*breaks)(Machine&)) {
    Machine machine;
    breaks(machine);
    all.push_back({name, machine.facts});
  };
  add("healthy", [](Machine&) {});
  add("no gpu", [](Machine& m) { m.no_gpus(); });
  add("amd", [](Machine& m) { m.replace_gpu("amd", "Radeon RX 7900 XTX"); });
  add("no driver", [](Machine& m) { m.remove_driver(); });
  add("not loaded", [](Machine& m) { m.unload_module(); });
  add("nouveau", [](Machine& m) {
    m.remove_driver();
    m.gpu().driver = Fact<std::string>::known("nouveau");
    m.facts.driver.nouveau_loaded = Fact<bool>::known(true);
  });
  add("prime-select intel", [](Machine& m) {
    m.unload_module();
    m.facts.driver.prime_select = Fact<std::string>::known("intel");
  });
  add("no permission", [](Machine& m) {
    m.refuse("/dev/nvidiactl", "EACCES", "0660");
    m.cuinit_answers(100);
  });
  add("no uvm", [](Machine& m) {
    m.remove_node("/dev/nvidia-uvm");
    m.cuinit_answers(999);
  });
  add("mismatch", [](Machine& m) {
    m.facts.driver.module.value().version = "535.183.01";
    m.cuinit_answers(803);
  });
  add("docker without gpu", [](Machine& m) { m.put_in_container("docker"); });
  add("docker without libraries", [](Machine& m) {
    const auto nodes = m.facts.access.nodes;
    m.put_in_container("docker");
    m.facts.access.nodes = nodes;
  });
  add("wsl", [](Machine& m) { m.put_in_wsl(); });
  add("wsl without driver", [](Machine& m) {
    m.put_in_wsl();
    m.facts.access.wsl_driver = Fact<std::string>::absent(Source{});
  });
  add("stub in front", [](Machine& m) {
    m.add("/usr/local/cuda/lib64/stubs/libcuda.so.1");
    m.facts.libraries.files.at("/usr/local/cuda/lib64/stubs/libcuda.so.1").size = 70'368;
    m.library_path("/usr/local/cuda/lib64/stubs");
    m.cuinit_answers(34);
    for (auto* probe : {m.facts.observed.cuda.get(), m.facts.observed.cuda_unhidden.get()}) {
      probe->library = "/usr/local/cuda/lib64/stubs/libcuda.so.1";
    }
  });
  add("unexplained", [](Machine& m) { m.cuinit_answers(802); });
  add("hidden", [](Machine& m) {
    set_variable(m.facts, "CUDA_VISIBLE_DEVICES", "-1");
    m.facts.observed.cuda.value().init = 100;
    m.facts.observed.cuda.value().count = 0;
    m.facts.observed.cuda.value().devices.clear();
  });
  add("no wheels", [](Machine& m) { m.remove_all_wheels(); });
  add("no cudnn", [](Machine& m) { m.remove_wheel("cudnn"); });
  add("old cudnn in front", [](Machine& m) {
    m.add("/opt/x/libcudnn.so.9", LibraryFile::Status::good, {}, "9.0.0");
    m.library_path("/opt/x");
  });
  add("cut library in front", [](Machine& m) {
    m.add("/opt/x/libcufft.so.11", LibraryFile::Status::too_short, "file too short");
    m.library_path("/opt/x");
  });
  add("cpu build", [](Machine& m) {
    m.build().cuda = Fact<bool>::known(false);
    m.framework().distributions = {"tensorflow-cpu"};
    m.python().distributions = {distribution("tensorflow-cpu", "2.18.0")};
  });
  add("not installed", [](Machine& m) {
    m.python().frameworks.clear();
    m.python().distributions.clear();
  });
  add("no python", [](Machine& m) { m.facts.pythons.clear(); });
  add("too many multiprocessors asked",
      [](Machine& m) { set_variable(m.facts, "TF_MIN_GPU_MULTIPROCESSOR_COUNT", "500"); });
  return all;
}

inline std::set<std::string> found_in(const FrameworkVerdict& verdict) {
  std::set<std::string> ids;
  for (const auto& result : verdict.route) {
    if (result.state != GateResult::State::failed) continue;
    for (const auto id : split(result.reason, ' ')) ids.emplace(id);
  }
  return ids;
}

inline std::string text_of(const Verdict& verdict) {
  std::string text;
  for (const auto& each : verdict.frameworks) {
    text += each.interpreter + std::to_string(static_cast<int>(each.answer));
    for (const auto& cause : each.causes) {
      text += "\n" + cause.id + " " + cause.summary;
      for (const auto& evidence : cause.evidence)
        text += "\n  " + evidence.text + " " + evidence.source.str();
      if (cause.fix)
        text += "\n  " + cause.fix->words + join(cause.fix->commands, ";") +
                (cause.fix->verified ? " verified" : "");
    }
    for (const auto& other : each.alternatives) {
      for (const auto& step : other.steps) text += "\n or " + step.words + join(step.commands, ";");
    }
    for (const auto& missing : each.unknown) text += "\n? " + missing;
    for (const auto& out : each.ruled_out) text += "\n- " + out;
  }
  return text;
}

/// Places of facts in a snapshot's JSON: objects that say value or absent.
inline void collect_facts(const Json& json, const std::string& path,
                          std::vector<std::string>& paths) {
  if (json.is_object()) {
    const bool variable = json.contains("name"); // has a value too
    const bool fact = !variable && (json.contains("value") || json.contains("absent"));
    if (fact) paths.push_back(path);
    for (const auto& [key, item] : json.items()) {
      collect_facts(item, path + "/" + replace_all(replace_all(key, "~", "~0"), "/", "~1"), paths);
    }
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i)
      collect_facts(json[i], path + "/" + std::to_string(i), paths);
  }
}

inline bool hides(const Ruling& ruling) {
  return ruling.outcome.effect.value_or(ruling.rule->effect) == Effect::hides;
}

/// With its cause hidden a consequence may show, and a last resort does; a new cause may not.
inline bool may_show(const Rule& rule, const std::set<std::string>& known) {
  return known.contains(std::string(rule.id)) || rule.last_resort ||
         std::any_of(known.begin(), known.end(), [&](const std::string& cause) {
           const auto& explains = find_rule(cause)->explains;
           return std::find(explains.begin(), explains.end(), rule.id) != explains.end();
         });
}

} // namespace gpuwhy::test
