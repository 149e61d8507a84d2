#include "render/wording.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

struct Product {
  std::string_view framework;
  std::string_view name;
  std::string_view question; // Python that prints the GPUs that the framework lists
};

constexpr std::array<Product, 3> kProducts{{
    {"tensorflow", "TensorFlow",
     "import tensorflow as tf; print(tf.config.list_physical_devices(\"GPU\"))"},
    {"jax", "JAX", "import jax; print(jax.devices())"},
    {"torch", "PyTorch", "import torch; print(torch.cuda.is_available())"},
}};

const Product* product_of(std::string_view framework) {
  const auto* found = std::find_if(kProducts.begin(), kProducts.end(), [&](const Product& each) {
    return each.framework == framework;
  });
  return found == kProducts.end() ? nullptr : found;
}

bool has_effect(const FrameworkVerdict& verdict, Effect effect) {
  return std::any_of(verdict.causes.begin(), verdict.causes.end(),
                     [&](const Cause& cause) { return cause.effect == effect; });
}

/// 24080 MiB is sold, and known, as 24 GiB; a slice of 4864 MiB is 4.8 GiB.
std::string memory_words(std::uint64_t bytes) {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
  if (bytes < kGiB) return std::to_string((bytes + kMiB / 2) / kMiB) + " MiB";
  if (bytes >= 10 * kGiB) return std::to_string((bytes + kGiB / 2) / kGiB) + " GiB";
  const auto tenths = (bytes * 10 + kGiB / 2) / kGiB;
  const auto rest = tenths % 10 == 0 ? std::string() : "." + std::to_string(tenths % 10);
  return std::to_string(tenths / 10) + rest + " GiB";
}

std::string quoted(std::string_view word) {
  constexpr std::string_view kPlain = "/._-+=:,@%";
  const bool plain = std::all_of(word.begin(), word.end(), [&](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || kPlain.find(letter) != std::string_view::npos;
  });
  if (plain) return std::string(word);
  return "'" + replace_all(std::string(word), "'", "'\\''") + "'";
}

} // namespace

std::string_view product_name(std::string_view framework) {
  if (framework == "keras") return "Keras";
  const auto* product = product_of(framework);
  if (product == nullptr) return framework == "keras" ? "Keras" : framework;
  return product->name;
}

std::string framework_words(const FrameworkVerdict& verdict) {
  std::string words(product_name(verdict.framework));
  if (!verdict.version.empty()) words += " " + verdict.version;
  return words;
}

std::string python_words(const FrameworkVerdict& verdict) {
  return verdict.python_version.empty() ? "Python" : "Python " + verdict.python_version;
}

std::string place_words(const FrameworkVerdict& verdict) {
  const auto& kind = verdict.environment_kind;
  const bool own =
      !verdict.environment.empty() && !kind.empty() && kind != "system" && kind != "other";
  return own ? kind + " " + verdict.environment : verdict.interpreter;
}

Tone tone_of(const FrameworkVerdict& verdict) {
  switch (verdict.answer) {
  case Usable::no_gpu: return Tone::bad;
  case Usable::unknown: return Tone::open;
  case Usable::gpu: break;
  }
  if (has_effect(verdict, Effect::breaks)) return Tone::bad;
  return has_effect(verdict, Effect::slows) ? Tone::limited : Tone::good;
}

std::string answer_words(const FrameworkVerdict& verdict) {
  const std::string name(product_name(verdict.framework));
  if (verdict.interpreter.empty()) return "no Python was found here, and so no " + name;
  const auto python = python_words(verdict);
  const auto place = place_words(verdict);
  if (!verdict.installed) {
    const auto where = python + " (" + place + ")";
    if (verdict.answer == Usable::unknown)
      return "could not tell whether " + where + " has " + name;
    if (!verdict.program.empty())
      return printable(verdict.program) + " needs " + name + ", and none was found for " + where;
    return "no " + name + " was found for " + where;
  }
  const auto subject = framework_words(verdict) + " (" + python + ", " + place + ")";
  const auto program = verdict.program.empty() ? std::string() : " " + printable(verdict.program);
  const auto for_program = program.empty() ? program : " for" + program;
  switch (verdict.answer) {
  case Usable::no_gpu: return subject + " will run" + program + " on the CPU, not on the GPU";
  case Usable::unknown:
    return "could not tell whether " + subject + " will use the GPU" + for_program;
  case Usable::gpu: break;
  }
  if (has_effect(verdict, Effect::breaks))
    return subject + " will list the GPU, then fail when it uses it";
  if (has_effect(verdict, Effect::slows))
    return subject + " will use the GPU, but not as well as it could";
  return subject + " will use the GPU" + for_program;
}

std::string gpu_words(const GpuLine& gpu) {
  std::string words = gpu.name;
  if (!gpu.compute_capability.empty()) words += ", compute capability " + gpu.compute_capability;
  if (gpu.memory > 0) words += ", " + memory_words(gpu.memory);
  if (!gpu.driver.empty()) words += ", driver " + gpu.driver;
  if (!gpu.driver.empty() && !gpu.cuda.empty()) words += " (CUDA " + gpu.cuda + ")";
  return words;
}

std::string place_words(const PlaceLine& line) {
  auto words = (line.kind == "kernel"    ? "Jupyter kernel "
                : line.kind == "service" ? "service "
                : line.kind == "process" ? "process "
                : line.kind == "root"    ? "root directory "
                                         : "variables of ") +
               line.name;
  if (!contains(words, line.origin)) words += " (" + line.origin + ")";
  return words;
}

std::string shell_words(const PlaceLine& line, const FrameworkVerdict& verdict) {
  const bool told = verdict.answer == Usable::no_gpu && line.shell == Usable::gpu; // by the cause
  if (!line.shell || *line.shell == verdict.answer || told) return {};
  return *line.shell == Usable::gpu      ? "in this shell the GPU would be used"
         : *line.shell == Usable::no_gpu ? "in this shell the GPU would not be used"
                                         : "what this shell would do is not known";
}

std::string source_words(const Source& source) {
  if (source.where == "edit") return "once the fixes above are made"; // a simulated fact
  return source.str();
}

std::string evidence_words(const Evidence& evidence) {
  const auto& where = evidence.source.where;
  if (where.empty() || (contains(evidence.text, where) && evidence.source.line == 0))
    return evidence.text;
  return evidence.text + " (" + source_words(evidence.source) + ")";
}

std::string proof_words(const FrameworkVerdict& verdict) {
  if (!verdict.plan_reaches_gpu || verdict.plan.size() != 1) return {};
  return tone_of(verdict) == Tone::limited ? "verified: then this is gone"
                                           : "verified: then the GPU is used";
}

std::string outcome_words(const FrameworkVerdict& verdict) {
  const auto& all = verdict.causes;
  if (all.empty() || !all.front().fix) return {};
  if (verdict.plan_reaches_gpu) {
    if (verdict.plan.size() < 2) return {};
    return "the GPU is used: verified for these " + std::to_string(verdict.plan.size()) +
           " fixes together";
  }
  if (!verdict.obstacle.empty()) return {};
  const bool every_fix_verified = std::all_of(
      all.begin(), all.end(), [](const Cause& cause) { return cause.fix && cause.fix->verified; });
  if (!every_fix_verified)
    return "run gpuwhy again: whether this is enough could not be verified beforehand";
  std::string rest =
      "run gpuwhy again: this is gone then (verified), but gpuwhy could not tell what is left";
  if (!verdict.unknown.empty()) rest += ": " + verdict.unknown.front();
  return rest;
}

std::string limit_words(const FrameworkVerdict& verdict) {
  if (verdict.plan_reaches_gpu || verdict.obstacle.empty() || verdict.causes.empty()) return {};
  const bool told = verdict.obstacle == verdict.causes.front().summary;
  return "nothing that is typed on this machine mends " +
         (told ? std::string("this") : "that " + verdict.obstacle);
}

std::string no_fix_words(const Cause& cause) {
  return "gpuwhy knows none; 'gpuwhy rule " + cause.id + "' tells what is known";
}

std::string ask_framework(const FrameworkVerdict& verdict) {
  const auto* product = product_of(verdict.framework);
  if (product == nullptr || !verdict.installed || verdict.interpreter.empty()) return {};
  return quoted(verdict.interpreter) + " -c '" + std::string(product->question) + "'";
}

} // namespace gpuwhy
