// The healthy machine with JAX, PyTorch or Keras in TensorFlow's place, asked through the judge's
// own cases.
//
//   Asked asked(machine_with("torch", "2.6.0"));
//   EXPECT_EQ(asked.causes("torch"), Ids{});
#pragma once

#include "judge/judge.h"
#include "rules/F_framework/installation.h"
#include "support/case_builder.h"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::test {

using State = Outcome::State;
using Ids = std::vector<std::string>;

/// The healthy machine with another framework in TensorFlow's place.
inline Facts machine_with(std::string_view framework, std::string_view version) {
  auto facts = healthy_facts();
  facts.pythons.front().frameworks.clear();
  edit::uninstall_distribution(facts.pythons.front(), "tensorflow");
  if (framework == "jax") rules::put_jax(facts, kPython, version, 12);
  if (framework == "torch") rules::put_torch(facts, kPython, version);
  facts.libraries.cuda_tools = Fact<std::vector<std::string>>::known(
      {kSite + "/nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc"});
  // Where a collector looks for wheels, there or not.
  for (const std::string folder :
       {"cu13", "cuda_cupti", "cufile", "cusparselt", "nvshmem", "nvtx"}) {
    const auto directory = kSite + "/nvidia/" + folder + "/lib";
    facts.libraries.directories.try_emplace(
        directory, LibraryDirectory{.path = directory,
                                    .status = LibraryDirectory::Status::absent,
                                    .origin = "wheel"});
  }
  return facts;
}

inline Facts with_keras(Facts facts, const std::string& version,
                        const std::string& configured = {}) {
  Framework keras;
  keras.name = "keras";
  keras.directory = kSite + "/keras";
  keras.version = Fact<std::string>::known(version);
  const Source file{"/home/u/.keras/keras.json", 3};
  keras.configured_backend = configured.empty() ? Fact<std::string>::absent(file)
                                                : Fact<std::string>::known(configured, file);
  facts.pythons.front().frameworks.push_back(keras);
  return facts;
}

struct Asked {
  explicit Asked(Facts made) : facts(std::move(made)) {}

  Framework& framework(std::string_view name) {
    for (auto& each : facts.pythons.front().frameworks) {
      if (each.name == name) return each;
    }
    throw std::runtime_error("no such framework");
  }
  Outcome ask(std::string_view framework, std::string_view id) const {
    for (const auto& c : cases_of(facts)) {
      if (c.wanted == framework) return rule(id).check(c);
    }
    throw std::runtime_error("no such case");
  }
  State state(std::string_view framework, std::string_view id) const {
    return ask(framework, id).state;
  }
  FrameworkVerdict verdict(std::string_view framework) const {
    for (auto& each : judge(facts).frameworks) {
      if (each.framework == framework) return each;
    }
    throw std::runtime_error("no such verdict");
  }
  Ids causes(std::string_view framework) const {
    Ids ids;
    for (const auto& cause : verdict(framework).causes) ids.push_back(cause.id);
    return ids;
  }

  Facts facts;
};

} // namespace gpuwhy::test
