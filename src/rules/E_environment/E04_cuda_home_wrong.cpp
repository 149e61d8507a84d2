// CUDA_HOME and its kin. TensorFlow on Linux reads none of them at run time, so that a wrong one is
// no cause; XLA alone can be pointed to a toolkit, by a flag. Truth:
// xla/tsl/platform/default/cuda_root_path.cc of TensorFlow 2.21 (tensorflow_loading.md 6 and 9).
#include "base/text.h"
#include "facts/program_run.h"
#include "rules/L_libraries/library_path.h"
#include "rules/rule.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 3> kNotRead = {"CUDA_HOME", "CUDA_PATH", "CUDA_DIR"};
constexpr std::string_view kFlag = "--xla_gpu_cuda_data_dir=";

/// Value of the flag in XLA_FLAGS; the last one counts.
std::string data_directory(std::string_view flags) {
  std::string directory;
  for (const auto word : split(flags, ' ')) {
    if (word.starts_with(kFlag)) directory = word.substr(kFlag.size());
  }
  return directory;
}

/// Known to be not there: the directory itself or its libraries.
bool gone(const Case& c, const std::string& directory) {
  const auto& directories = c.facts.libraries.directories;
  for (const auto* below : {"", "/lib64", "/nvvm/libdevice"}) {
    const auto found = directories.find(directory + below);
    if (found != directories.end()) return found->second.status == LibraryDirectory::Status::absent;
  }
  return false;
}

Outcome wrong_flag(const Case& c, const Variable& flags, const std::string& directory) {
  std::vector<std::string> kept;
  for (const auto word : split(flags.value, ' ')) {
    if (!word.starts_with(kFlag) && !word.empty()) kept.emplace_back(word);
  }
  Edit edit;
  edit.words =
      "take " + std::string(kFlag) + directory + " out of XLA_FLAGS" + set_where(c, "XLA_FLAGS");
  if (set_by_program(c.facts, "XLA_FLAGS") == nullptr)
    edit.commands = {kept.empty() ? "unset XLA_FLAGS"
                                  : "export XLA_FLAGS='" + join(kept, " ") + "'"};
  edit.apply = [value = join(kept, " ")](Facts& facts) {
    if (value.empty())
      edit::unset_variable(facts, "XLA_FLAGS");
    else
      edit::set_variable(facts, "XLA_FLAGS", value);
  };
  return Outcome::found("XLA_FLAGS sends XLA to " + directory +
                        " for libdevice and ptxas, which does not exist")
      .because(flags.value, source_of(c, "XLA_FLAGS"))
      .because("no such directory", {directory, 0})
      .mend(std::move(edit));
}

Outcome check(const Case& c) {
  if (c.kind() == "torch") return Outcome::not_applicable(); // has no XLA
  if (!c.facts.environment.looked)
    return Outcome::unknown("the environment variables of the program");
  if (const auto* flags = c.facts.environment.find("XLA_FLAGS")) {
    const auto directory = data_directory(flags->value);
    if (!directory.empty() && gone(c, directory)) return wrong_flag(c, *flags, directory);
  }
  for (const auto name : kNotRead) {
    const auto* variable = c.facts.environment.find(name);
    if (variable == nullptr) continue;
    return Outcome::clear(std::string(name) + "=" + variable->value +
                          " is not read when the framework runs");
  }
  return Outcome::clear("no variable points XLA to a CUDA directory");
}

} // namespace

extern constexpr Rule E04{
    .id = "E04",
    .slug = "cuda-home-wrong",
    .title = "XLA is sent to a CUDA directory that does not exist",
    .since = "0.1",
    .gate = Gate::libraries,
    .effect = Effect::slows,
    .explanation = R"(`CUDA_HOME`, `CUDA_PATH` and `CUDA_DIR` are for building software.
TensorFlow on Linux does not read them when it runs: setting them neither helps nor harms it,
although an XLA message mentions `CUDA_DIR`.

What XLA does read is `--xla_gpu_cuda_data_dir` in `XLA_FLAGS`. If it names a directory without
`nvvm/libdevice`, compiling with `jit_compile` fails or falls back.)",
    .fix = R"(Correct the flag, or take it out: the pip wheels contain what XLA needs.)",
    .references = R"(- [XLA flags](https://openxla.org/xla/flags_guidance))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
