#include "judge/log.h"

#include "base/text.h"
#include "base/version.h"

#include <algorithm>

namespace gpuwhy {
namespace {

struct Said {
  std::string_view key;
  std::string_view name;
};
constexpr Said kFrameworks[] = {{"tensorflow", "TensorFlow"}, {"torch", "PyTorch"}, {"jax", "JAX"}};

const FrameworkVerdict* find_framework(const Verdict& verdict, std::string_view name) {
  for (const auto& each : verdict.frameworks) {
    if (each.framework == name && each.installed && each.selected) return &each;
  }
  return nullptr;
}

/// 2.10.0 and 2.10.1 are taken for one.
bool same_release(std::string_view a, std::string_view b) {
  const auto first = Version::parse(a);
  const auto second = Version::parse(b);
  if (!first || !second) return true; // nothing to hold against each other
  return first->major() == second->major() &&
         (first->parts.size() < 2 || second->parts.size() < 2 || first->minor() == second->minor());
}

/// The words of a product's name that tell it from others: "3090", "a100", "h100".
std::vector<std::string> model_words(std::string_view name) {
  std::vector<std::string> words;
  std::string word;
  const auto end = [&] {
    const bool digit = std::any_of(word.begin(), word.end(),
                                   [](char letter) { return letter >= '0' && letter <= '9'; });
    const bool memory = word.ends_with("gb") || word.ends_with("gib") || word.ends_with("mib");
    if (digit && !memory && word.size() > 1) words.push_back(word);
    word.clear();
  };
  for (const char letter : lower(name)) {
    const bool alnum = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    if (alnum) {
      word += letter;
    } else {
      end();
    }
  }
  end();
  return words;
}

bool same_gpu(const std::string& stated, const Verdict& verdict) {
  const auto words = model_words(stated);
  if (words.empty() || verdict.gpus.empty()) return true;
  return std::any_of(verdict.gpus.begin(), verdict.gpus.end(), [&](const GpuLine& gpu) {
    const auto here = model_words(gpu.name);
    return std::find(here.begin(), here.end(), words.front()) != here.end();
  });
}

/// "it says TensorFlow 2.10, here it is 2.18"; empty: no contradiction.
std::string contradiction(const explain::StatedFact& said, const Verdict& verdict) {
  const auto differs = [&](std::string_view name, const std::string& here) {
    return "it says " + std::string(name) + " " + said.value + ", this environment has " + here;
  };
  for (const auto& [key, name] : kFrameworks) {
    if (said.key != key || !Version::parse(said.value)) continue;
    const auto* framework = find_framework(verdict, key);
    if (framework == nullptr) return differs(name, "none");
    const bool same = framework->version.empty() || same_release(said.value, framework->version);
    return same ? std::string() : differs(name, framework->version);
  }
  if (said.key == "python" && !verdict.frameworks.empty()) {
    const auto& here = verdict.frameworks.front().python_version;
    if (!here.empty() && !same_release(said.value, here)) return differs("Python", here);
  }
  if (verdict.gpus.empty()) return {};
  if (said.key == "gpu" && !same_gpu(said.value, verdict))
    return "it says " + said.value + ", this machine has " + verdict.gpus.front().name;
  const auto& driver = verdict.gpus.front().driver;
  if (said.key == "driver" && !driver.empty() && !same_release(said.value, driver))
    return "it says driver " + said.value + ", this machine has " + driver;
  return {};
}

LogCause cause_of(const explain::NamedCause& named, const FrameworkVerdict* verdict) {
  LogCause cause;
  cause.id = named.id;
  cause.slug = named.slug;
  cause.summary = named.summary;
  if (!named.evidence.empty()) cause.line = named.evidence.front().line;
  if (verdict == nullptr) return cause;
  for (const auto& each : verdict->causes) {
    if (each.id == named.id) cause.here = LogCause::Here::found;
  }
  for (const auto& each : verdict->ruled_out) { // "L03 cudnn-missing: cuDNN is found"
    if (!each.starts_with(named.id + " ")) continue;
    cause.here = LogCause::Here::ruled_out;
    cause.reason = each.substr(std::min(each.find(": ") + 2, each.size()));
  }
  return cause;
}

} // namespace

LogReport compare_log(const std::string& path, const explain::Explanation& log,
                      const Verdict& verdict) {
  LogReport report;
  report.path = path;
  report.says = log.whole.verdict == explain::Verdict::gpu      ? LogReport::Says::gpu
                : log.whole.verdict == explain::Verdict::no_gpu ? LogReport::Says::no_gpu
                                                                : LogReport::Says::cannot_tell;
  for (const auto& said : log.stated) {
    auto text = contradiction(said, verdict);
    auto& all = report.contradictions;
    if (!text.empty() && std::find(all.begin(), all.end(), text) == all.end())
      all.push_back(std::move(text));
  }
  const auto* first = verdict.frameworks.empty() ? nullptr : &verdict.frameworks.front();
  for (const auto& named : log.whole.causes) report.causes.push_back(cause_of(named, first));
  return report;
}

bool log_decides(const LogReport& log) {
  return log.contradictions.empty() && !log.causes.empty() &&
         log.causes.front().here == LogCause::Here::open;
}

} // namespace gpuwhy
