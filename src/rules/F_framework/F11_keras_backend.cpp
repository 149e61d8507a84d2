// Keras runs on a backend that has no GPU here: one that never has, one that is not installed, or
// one whose build cannot use a GPU while another backend in the same environment can. Truth:
// keras/src/backend/config.py and keras/src/backend/__init__.py of Keras 3.15;
// tensorflow/python/util/lazy_loader.py of 2.18.
#include "base/text.h"
#include "base/version.h"
#include "facts/program_run.h"
#include "rules/E_environment/unset.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_path.h"

#include <algorithm>
#include <array>
#include <optional>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 6> kExplains = {"F02", "F12", "F13", "F14", "F10", "F05"};
constexpr std::array<std::string_view, 3> kWithGpu = {"tensorflow", "jax", "torch"};
constexpr std::array<std::string_view, 2> kWithoutGpu = {"numpy", "openvino"};
constexpr std::array<std::string_view, 3> kTrueWords = {"1", "true", "True"};
const Version kFirstWithKeras3{{2, 16}};

template <class Names> bool holds(const Names& names, std::string_view name) {
  for (const auto each : names) {
    if (each == name) return true;
  }
  return false;
}

const Framework* installed(const Case& c, std::string_view name) {
  for (const auto& framework : c.python->frameworks) {
    if (framework.name == name) return &framework;
  }
  return nullptr;
}

bool has_gpu_build(const Framework& framework) {
  const auto* build = framework.build.get();
  return build != nullptr && build->cuda.value_or(false) && framework.broken.empty();
}

/// Another backend of the environment that was built for GPUs.
std::string_view better(const Case& c) {
  for (const auto name : kWithGpu) {
    const auto* framework = installed(c, name);
    if (name != c.backend && framework != nullptr && has_gpu_build(*framework)) return name;
  }
  return {};
}

bool by_variable(const Case& c) {
  const auto* variable = c.facts.environment.find("KERAS_BACKEND");
  return variable != nullptr && !variable->value.empty();
}

/// Where the choice was made.
Evidence chosen(const Case& c) {
  if (by_variable(c)) {
    return {"KERAS_BACKEND=" + c.backend + set_where(c, "KERAS_BACKEND"),
            source_of(c, "KERAS_BACKEND")};
  }
  const auto& configured = c.keras->configured_backend;
  if (configured.known())
    return {"keras.json says \"backend\": \"" + c.backend + "\"", configured.source()};
  return {"nothing names a backend, so Keras takes tensorflow", configured.source()};
}

Edit choose(const Case& c, std::string_view name) {
  const std::string backend(name);
  Edit edit;
  if (const auto* statement = set_by_program(c.facts, "KERAS_BACKEND")) {
    edit.words = statement->place + ": set KERAS_BACKEND to " + backend;
    edit.apply = [backend](Facts& facts) { edit::set_variable(facts, "KERAS_BACKEND", backend); };
    return edit;
  }
  edit.words =
      "let Keras run on " + std::string(display_name(backend)) + ": set KERAS_BACKEND=" + backend;
  edit.commands = {"export KERAS_BACKEND=" + backend};
  edit.apply = [backend](Facts& facts) { edit::set_variable(facts, "KERAS_BACKEND", backend); };
  return edit;
}

/// The same in the file that chose, where one did.
std::optional<Edit> choose_in_file(const Case& c, std::string_view name) {
  const auto& configured = c.keras->configured_backend;
  const bool plain = std::all_of(c.backend.begin(), c.backend.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || letter == '_';
  });
  if (by_variable(c) || !configured.known() || !plain) return std::nullopt;
  const std::string backend(name);
  const auto& file = configured.source().where;
  Edit edit;
  edit.words = "let Keras run on " + std::string(display_name(backend)) +
               ": write \"backend\": \"" + backend + "\" into " + file;
  edit.commands = {
      "sed -i " +
      shell_word("s/\"backend\": *\"" + c.backend + "\"/\"backend\": \"" + backend + "\"/") + " " +
      shell_word(file)};
  edit.apply = [backend](Facts& facts) {
    for (auto& python : facts.pythons) {
      for (auto& framework : python.frameworks) {
        if (framework.name != "keras" || !framework.configured_backend.known()) continue;
        framework.configured_backend =
            Fact<std::string>::known(backend, framework.configured_backend.source());
      }
    }
  };
  return edit;
}

Edit install_backend(const Case& c) {
  Edit edit;
  edit.words =
      "install the backend, " + std::string(display_name(c.backend)) + ", with its CUDA libraries";
  const auto interpreter = c.python->interpreter;
  if (c.backend == "jax") {
    const int cuda = jax_cuda_for(c);
    edit.commands = {install_command(c, {"jax[cuda" + std::to_string(cuda) + "]"})};
    edit.apply = [interpreter, cuda](Facts& facts) { put_jax(facts, interpreter, "", cuda); };
  } else if (c.backend == "torch") {
    edit.commands = {install_command(c, {"torch"})};
    edit.apply = [interpreter](Facts& facts) { put_torch(facts, interpreter, ""); };
  } else {
    const auto version = release_for(*c.python);
    edit.commands = {
        install_command(c, {"tensorflow[and-cuda]" + (version.empty() ? "" : "<=" + version)})};
    if (!version.empty())
      edit.apply = [interpreter, version](Facts& facts) {
        put_gpu_framework(facts, interpreter, version);
      };
  }
  return edit;
}

Outcome report(const Case& c, std::string summary) {
  auto outcome = Outcome::found(std::move(summary));
  outcome.evidence.push_back(chosen(c));
  const auto other = better(c);
  if (!other.empty()) {
    outcome.evidence.push_back(
        {std::string(display_name(other)) + ", with GPU support, is in the same environment",
         {installed(c, other)->directory, 0}});
    outcome.edits.push_back(choose(c, other));
    if (auto in_file = choose_in_file(c, other)) outcome.edits.push_back(std::move(*in_file));
  }
  if (holds(kWithGpu, c.backend) && c.framework == nullptr)
    outcome.edits.push_back(install_backend(c));
  if (outcome.edits.empty())
    outcome.edits.push_back(
        {"install a backend with GPU support and set KERAS_BACKEND to it", {}, {}});
  return outcome;
}

/// Keras on PyTorch takes the device that this variable names.
Outcome check_device(const Case& c) {
  const auto* variable = c.facts.environment.find("KERAS_TORCH_DEVICE");
  const bool hides =
      c.backend == "torch" && variable != nullptr && variable->value.starts_with("cpu");
  if (!hides) return Outcome::clear("Keras runs on " + framework_text(c) + ": " + chosen(c).text);
  return Outcome::found("KERAS_TORCH_DEVICE=" + variable->value + " keeps Keras on the CPU")
      .because("KERAS_TORCH_DEVICE=" + variable->value, source_of(c, "KERAS_TORCH_DEVICE"))
      .mend(unset_variable(c, "KERAS_TORCH_DEVICE"));
}

/// TensorFlow since 2.16 looks for tf-keras when it is told to use the Keras of before, and
/// tf.keras fails without it.
Outcome check_legacy(const Case& c) {
  const auto* variable = c.facts.environment.find("TF_USE_LEGACY_KERAS");
  const auto version =
      Version::parse(c.framework == nullptr ? std::string() : c.framework->version.value_or(""));
  const bool asked = variable != nullptr && holds(kTrueWords, variable->value);
  if (c.kind() != "tensorflow" || !asked || !version || *version < kFirstWithKeras3)
    return Outcome::not_applicable();
  if (const auto* legacy = find_distribution(*c.python, "tf-keras"))
    return Outcome::clear("tf.keras is tf-keras " + legacy->version);
  if (!c.python->problem.empty()) return Outcome::unknown("whether tf-keras is installed");
  const auto release = std::to_string(version->major()) + "." + std::to_string(version->minor());
  Edit install;
  install.words = "install tf-keras, the Keras that the variable asks for";
  install.commands = {install_command(c, {"tf-keras~=" + release + ".0"})};
  install.apply = [interpreter = c.python->interpreter, release](Facts& facts) {
    if (auto* python = same_python(facts, interpreter)) {
      Distribution distribution;
      distribution.name = "tf-keras";
      distribution.version = release + ".0";
      edit::install_distribution(*python, std::move(distribution));
    }
  };
  return Outcome::found("TF_USE_LEGACY_KERAS asks for tf-keras, which is not installed: tf.keras "
                        "cannot be used")
      .because("TF_USE_LEGACY_KERAS=" + variable->value, source_of(c, "TF_USE_LEGACY_KERAS"))
      .with_effect(Effect::breaks)
      .mend(std::move(install))
      .mend(unset_variable(c, "TF_USE_LEGACY_KERAS"));
}

Outcome check(const Case& c) {
  if (c.keras == nullptr) return check_legacy(c);
  if (!c.keras->broken.empty()) return Outcome::not_applicable(); // F10
  if (!c.facts.environment.looked) return Outcome::unknown("whether KERAS_BACKEND is set");
  const auto version = Version::parse(c.keras->version.value_or(""));
  const bool fixed = version && version->major() < 3; // Keras 2 knows TensorFlow alone
  if (!fixed && !by_variable(c) &&
      c.keras->configured_backend.state() == Fact<std::string>::State::unknown) {
    return Outcome::unknown("the backend in keras.json: " + c.keras->configured_backend.reason());
  }
  if (holds(kWithoutGpu, c.backend)) {
    return report(c,
                  "Keras runs on the backend " + c.backend + ", which does not use an NVIDIA GPU");
  }
  if (!holds(kWithGpu, c.backend)) {
    return report(c, "Keras is told to run on \"" + c.backend + "\", which is no backend of it");
  }
  if (c.framework == nullptr) {
    return report(c, "Keras is to run on " + std::string(display_name(c.backend)) +
                         ", which is not installed for " + c.python->interpreter);
  }
  const auto* build = c.build();
  const bool cpu = build != nullptr && build->cuda.known() && !build->cuda.value();
  if (!fixed && cpu && !better(c).empty()) {
    return report(c, "Keras runs on " + framework_text(c) + ", a build without GPU support");
  }
  return check_device(c);
}

} // namespace

extern constexpr Rule F11{
    .id = "F11",
    .slug = "keras-backend",
    .title = "Keras runs on a backend without a GPU",
    .since = "0.1",
    .gate = Gate::build,
    .explanation =
        R"(Keras 3 computes nothing itself. It runs on TensorFlow, JAX or PyTorch, and for inference
on NumPy or OpenVINO, which use no NVIDIA GPU. When it is imported it takes the backend that the variable
`KERAS_BACKEND` names, else the one in `~/.keras/keras.json` (or `$KERAS_HOME/keras.json`), else TensorFlow. That file
is written at the first import and stays: one of years ago still decides today. None of the backends is installed
along with Keras.

`TF_USE_LEGACY_KERAS=1` makes TensorFlow 2.16 and later use Keras 2 from the package `tf-keras`; without that package
every use of `tf.keras` fails.)",
    .fix =
        R"(`export KERAS_BACKEND=jax` (or `torch`, `tensorflow`) before Python starts, or correct `keras.json`; and
install that backend with GPU support.)",
    .references =
        R"(- [Keras 3: configure your backend](https://keras.io/getting_started/#configuring-your-backend))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
