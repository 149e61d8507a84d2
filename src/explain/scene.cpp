#include "explain/scene.h"

#include "base/text.h"
#include "explain/runs.h"
#include "knowledge/causes.h"
#include "knowledge/tables.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

constexpr std::array<std::string_view, 5> kPositive = {"gpu-created", "gpu-listed", "xla-cuda",
                                                       "cudnn-loaded", "gpu-found"};

bool holds_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return contains(text, word); });
}

bool nvidia_name(const std::string& name) {
  return holds_any(name,
                   {"nvidia", "geforce", "gtx", "rtx", "tesla", "quadro", "titan", "jetson", "a100",
                    "h100", "v100", "t4", "k80", "p100", "a10", "l4", "graphics device"});
}

bool other_maker(const std::string& name) {
  return holds_any(
      name, {"radeon", "amd", "intel", "iris", "apple", "rx 5", "rx 6", "rx 7", "vega", "gfx"});
}

/// "- laptop: ...", "- machine: ...": where people say what stands before them.
bool describes_machine(std::string_view key) {
  constexpr std::array<std::string_view, 22> kWords = {
      "machine", "computer", "laptop",   "notebook", "hardware", "system", "server",   "pc",
      "os",      "host",     "graphics", "video",    "instance", "where",  "platform", "runtime",
      "cluster", "node",     "setup",    "runner",   "question", "card"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return word.size() > 2 ? contains(key, word) : key == word;
  });
}

bool other_graphics(const std::string& name) {
  return holds_any(name,
                   {"iris xe", "iris plus", "iris(r)", "uhd graphics", "hd graphics", "intel arc",
                    "arc a7", "radeon", "rx 5", "rx 6", "rx 7", "rx 9", "intel graphics",
                    "integrated intel", "intel integrated", "amd gpu", "amd graphics", "amd card"});
}

/// "an instance without a GPU"; of a container or of the framework's build it says something else.
bool denies_gpu(const Said& said) {
  const auto value = lower(said.value);
  if (said.key == "question" ||
      holds_any(value, {"docker", "container", "tensorflow", "torch", "jax"}))
    return false;
  if (value == "cpu") return said.key == "machine" || said.key == "instance";
  return holds_any(value, {"no gpu",
                           "no nvidia",
                           "without gpu",
                           "without a gpu",
                           "without any gpu",
                           "without accelerator",
                           "without an accelerator",
                           "no accelerator",
                           "no graphics card",
                           "without graphics",
                           "without a graphics",
                           "cpu-only machine",
                           "cpu-only instance",
                           "cpu-only node",
                           "cpu only machine",
                           "cpu machine",
                           "cpu basic",
                           "cpu instance",
                           "cpu runtime",
                           "cpu node",
                           "cpu cluster",
                           "(cpu)"});
}

/// All GPUs that the text names are of other makers than NVIDIA.
bool only_others(const View& text) {
  bool other = false;
  for (const std::string_view key : {"gpu", "pci_gpu", "local gpu", "laptop gpu", "host gpu"}) {
    for (const auto value : text.all_said(key)) {
      const auto name = lower(value);
      if (nvidia_name(name)) return false;
      other = other || other_maker(name);
    }
  }
  // "- laptop: ThinkPad with Iris Xe graphics"; a processor's name alone says nothing.
  const bool listed = other;
  for (const auto& said : text.reading().said) {
    if (!said.by_hand || said.key == "cpu" || said.key == "processor") continue;
    const auto value = lower(said.value);
    const bool own =
        describes_machine(said.key) || holds_any(value, {"i have", "my gpu", "my card"});
    if (holds_any(value, {"no nvidia", "any nvidia", "not nvidia", "without nvidia",
                          "not an nvidia", "without an nvidia"}))
      continue;
    if ((own || !listed) &&
        holds_any(value, {"nvidia", "geforce", "gtx", "rtx", "quadro", "tesla"}))
      return false;
    other = other || (own && other_graphics(value));
  }
  return other;
}

/// All that the bus shows is what a virtual machine draws its screen with.
bool only_virtual(const View& text) {
  const auto adapters = text.all_said("pci_gpu");
  return !adapters.empty() &&
         std::all_of(adapters.begin(), adapters.end(), [](std::string_view adapter) {
           return holds_any(lower(adapter),
                            {"vmware", "virtualbox", "innotek", "red hat", "qxl", "virtio",
                             "cirrus", "hyper-v", "bochs", "parallels", "1234:1111",
                             "1af4:", "1b36:", "15ad:", "80ee:", "1414:", "amazon.com"});
         });
}

/// Of what people write in passing only a sentence that names no other system counts.
bool shows_windows(const View& text) {
  const auto seen = text.all("windows");
  return std::any_of(seen.begin(), seen.end(), [](const Sighting* sighting) {
    return sighting->message->name != "windows/words" ||
           !holds_any(lower(sighting->text), {"linux", "ubuntu", "debian", "wsl", "docker", "mac"});
  });
}

void read_place(Scene& scene) {
  const auto& text = scene.text;
  const auto os = lower(text.said("os"));
  scene.wsl = text.has("wsl") || contains(os, "wsl") || text.mentions("wsl2");
  if (const auto stated = lower(text.said("wsl")); !stated.empty())
    scene.wsl = scene.wsl || !(stated.starts_with("no") || stated == "false");
  for (const std::string_view denial :
       {"no wsl", "not wsl", "without wsl", "not in wsl", "not using wsl"})
    scene.wsl = scene.wsl && !text.mentions(denial);
  // "Ubuntu 22.04, dual boot with Windows"
  const bool linux_first = os.starts_with("ubuntu") || os.starts_with("debian") ||
                           os.starts_with("fedora") || os.starts_with("arch") ||
                           os.starts_with("linux") || os.starts_with("centos");
  const bool windows_words =
      (contains(os, "windows") && !linux_first) || os.starts_with("win") || shows_windows(text);
  scene.windows = windows_words && !scene.wsl;
  scene.macos =
      !scene.windows && (text.has("macos") || contains(os, "macos") || contains(os, "mac os") ||
                         contains(os, "darwin") || contains(lower(text.said("gpu")), "apple m"));
  scene.jetson = text.has("jetson") || text.mentions("jetson");
  // A local runtime of Colab's, in a container or not, is the user's own machine.
  const bool local = text.says("container_start") || text.mentions("local runtime");
  scene.colab = (text.has("colab-place") || text.mentions("colab")) && !local;
  scene.kaggle = text.has("kaggle-place");
  scene.virtual_machine =
      text.has("vm-place") || text.says("guest") || text.mentions("virtual machine");
  scene.virtual_display = only_virtual(text);
  scene.notebook = text.has("ide-place") || text.mentions("jupyter") || text.mentions("notebook") ||
                   text.mentions("pycharm");
  scene.mig = text.has("mig-mode") ||
              (text.has("mig-heading") && text.has("mode-enabled") && !text.has("ecc-heading"));
  scene.login_node = text.has("login-node") || text.mentions("login node");
  scene.aarch64 =
      (text.has("aarch64") || text.mentions("aarch64") || text.mentions("arm64")) && !scene.jetson;
  const auto* passed = text.find("passthrough");
  scene.virtual_machine = scene.virtual_machine || passed != nullptr;
}

/// "nvidia-smi in the container shows the GPU"
bool smi_inside(const std::string& value) {
  return contains(value, "nvidia-smi") &&
         holds_any(value, {"in the container", "inside the container", "inside docker",
                           "inside of the container", "within the container"}) &&
         !holds_any(value, {"not", "n't", "fail", "error", "missing", "cannot"});
}

void read_container(Scene& scene) {
  const auto& text = scene.text;
  scene.container =
      (text.has("container") || text.says("image") || text.says("container") ||
       text.says("docker") || text.mentions("docker") || text.mentions("kubernetes") ||
       text.mentions("singularity") || text.mentions("apptainer")) &&
      !scene.colab;
  const auto gives = [](std::string_view start) {
    // "apptainer exec tf.sif --nv ...": behind the image the flag is the program's.
    if (const auto image = start.find(".sif "); image < start.find(" --nv")) return false;
    return holds_any(start,
                     {"--gpus", "--nv", "--runtime=nvidia", "--runtime nvidia", "nvidia-docker",
                      "--device nvidia.com", "--device=nvidia.com", "nvidia.com/gpu:", "--rocm"});
  };
  for (const auto& said : text.reading().said) {
    const bool start = said.key == "container_start" || said.by_hand;
    if (start && gives(said.value)) scene.container_gets_gpu = true;
    if (said.by_hand && smi_inside(lower(said.value))) scene.container_gets_gpu = true;
  }
  if (text.has("pod-asks")) scene.container_gets_gpu = true; // or a compose file does
}

void read_slurm(Scene& scene) {
  const auto& text = scene.text;
  scene.slurm = text.has("slurm") || text.mentions("slurm") || text.mentions("srun");
  scene.slurm_asked = text.has("slurm-asks") || text.mentions("--gres");
  scene.slurm_told = text.has("slurm-script");
  // Where the script itself is shown, only what it says and what is typed count, not the prose.
  const auto asks = text.all("slurm-asks");
  const bool typed = std::any_of(asks.begin(), asks.end(), [](const Sighting* ask) {
    return contains(ask->text, "#SBATCH") || contains(ask->text, "#PBS") ||
           contains(ask->text, "#BSUB") || contains(ask->text, "#$ ") ||
           contains(lower(ask->text), "request") || contains(ask->text, "run ") ||
           contains(ask->text, "TRES") || contains(ask->text, "alloc ") ||
           contains(ask->text, "sbatch ");
  });
  if (scene.slurm_told) scene.slurm_asked = typed;
}

void read_gpus(Scene& scene) {
  const auto& text = scene.text;
  const auto stated = lower(text.said("has gpu"));
  if (!stated.empty()) scene.has_gpu = stated == "true" || stated == "yes";
  const auto gpu = lower(text.said("gpu"));
  // "GPUs: None detected." is what a program found, not what the machine has.
  const bool found = holds_any(gpu, {"detected", "available", "found"});
  if (!found && (gpu == "none" || gpu == "no" || gpu.starts_with("none ") ||
                 gpu.starts_with("none,") || gpu.starts_with("no gpu")))
    scene.has_gpu = false;
  const auto adapters = text.all_said("pci_gpu");
  const bool console = !adapters.empty() &&
                       std::all_of(adapters.begin(), adapters.end(), [](std::string_view adapter) {
                         return holds_any(lower(adapter), {"aspeed", "matrox"});
                       });
  const auto& all = text.reading().said;
  const bool names_one = std::any_of(all.begin(), all.end(), [](const Said& said) {
    return said.by_hand && (describes_machine(said.key) || contains(said.key, "gpu")) &&
           nvidia_name(lower(said.value));
  });
  // A server's own console; "lspci | grep VGA" leaves out a GPU that is a "3D controller".
  if (console && !names_one) scene.has_gpu = false;
  for (const auto& said : text.reading().said) {
    if (said.by_hand && describes_machine(said.key) && denies_gpu(said) && !nvidia_name(gpu))
      scene.has_gpu = false;
  }
  scene.other_gpu_only = only_others(text);
  const auto smi = lower(text.said("nvidia-smi"));
  const bool smi_said = !smi.empty() && !holds_any(smi, {"fail", "not ", "error", "no devices",
                                                         "couldn't", "mismatch", "unknown"});
  scene.smi_works = text.has("smi-header") || text.has("smi-gpu") || smi_said;
  // Each tells its index or its UUID, so that it counts once however often it is shown.
  const auto listed = text.all("smi-gpu");
  scene.smi_gpus = listed.size();
  for (const auto* seen : listed) { // of a table that was cut
    if (const auto index = to_number(seen->value("smi_index")); index && *index >= 0)
      scene.smi_gpus = std::max(scene.smi_gpus, static_cast<std::size_t>(*index) + 1);
  }
  if (scene.smi_gpus == 0) {
    if (const auto count = to_number(text.said("gpu_count")); count && *count > 0)
      scene.smi_gpus = static_cast<std::size_t>(*count);
  }
  if (scene.smi_gpus == 0) scene.smi_gpus = text.all("gpu-use").size();
  // "--gpus device=3", "--gpus 2": the container has these, whatever the host has.
  if (const auto start = std::string(text.said("container_start"));
      scene.smi_gpus == 0 && contains(start, "--gpus")) {
    auto given = start.substr(start.find("--gpus") + 6);
    given.resize(std::min(given.find(' ', 1), given.size()));
    std::erase_if(given, [](char c) { return c == '\'' || c == '"' || c == '=' || c == ' '; });
    if (const auto at = given.find("device"); at != std::string::npos)
      scene.smi_gpus = 1 + static_cast<std::size_t>(std::count(given.begin(), given.end(), ','));
    else if (const auto count = to_number(given); count && *count > 0)
      scene.smi_gpus = static_cast<std::size_t>(*count);
  }
  // "2x RTX 2080", as people state what the machine has; a job may get fewer.
  const bool whole = !scene.slurm && !scene.container;
  if (scene.smi_gpus == 0 && whole && gpu.size() > 2 &&
      (gpu[1] == 'x' || gpu.substr(1, 2) == " x")) {
    if (const auto count = to_number(gpu.substr(0, 1)); count && *count > 0)
      scene.smi_gpus = static_cast<std::size_t>(*count);
  }
  scene.module_runs =
      text.has("kernel-version") || text.has("kernel-module") || text.has("nvidia-loaded");
  scene.gpu = text.said("gpu");
  if (scene.gpu.empty()) scene.gpu = text.said("pci_gpu");
  for (const std::string_view key : {"capability", "sm"}) {
    auto written = std::string(text.said(key));
    if (key == "sm" && written.size() >= 2) written.insert(written.size() - 1, ".");
    if (const auto version = Version::parse(written))
      scene.capability = ComputeCapability{version->major(), version->minor()};
  }
  if (!scene.capability && !scene.gpu.empty()) scene.capability = capability_of_name(scene.gpu);
}

bool tells_what_works(const Said& said) {
  return said.by_hand &&
         (said.key == "works" ||
          holds_any(lower(said.value), {"it works", "works with", "is used", "does work"}));
}

/// "pip install tensorflow[and-cuda]"; not "with tensorflow[and-cuda] it works".
void read_wheels(Scene& scene) {
  const auto& all = scene.text.reading().said;
  for (const auto& said : all) {
    const bool extra = said.by_hand && contains(said.value, "and-cuda");
    if (said.key != "nvidia_wheel" && !extra) continue;
    const bool other = std::any_of(all.begin(), all.end(), [&](const Said& told) {
      return told.line == said.line && tells_what_works(told);
    });
    (other ? scene.works_with_wheels : scene.wheels) = true;
  }
}

void read_versions(Scene& scene) {
  const auto& text = scene.text;
  for (const std::string_view key : {"tensorflow", "tensorflow_gpu"}) {
    if (const auto version = version_in(text.said(key)); version && !scene.tensorflow)
      scene.tensorflow = version;
  }
  if (scene.tensorflow) scene.release = find_tensorflow(*scene.tensorflow);
  if (scene.release != nullptr) {
    scene.wanted_cuda = scene.release->cuda.major();
  } else if (contains(text.said("cudart_source"), "tensorflow/tsl/")) {
    scene.wanted_cuda = 11; // TSL stood there in 2.12 and 2.13 only
  } else if (contains(text.said("cudart_source"), "local_xla/")) {
    scene.wanted_cuda = 12; // from 2.17 on
  }
  scene.cuda = version_in(text.said("cuda"));
  if (!scene.cuda) scene.cuda = version_in(text.said("cuda_folder"));
  // "nvidia/cuda:12.2.0-runtime-ubuntu22.04" has this CUDA.
  if (const auto image = text.said("image"); !scene.cuda && contains(image, "nvidia/cuda:"))
    scene.cuda = version_in(image.substr(image.find("nvidia/cuda:") + 12));
  scene.cudnn = version_in(text.said("cudnn"));
  if (!scene.cudnn && text.says("cudnn_major")) {
    scene.cudnn = Version::parse(std::string(text.said("cudnn_major")) + "." +
                                 std::string(text.said("cudnn_minor")));
  }
  if (!scene.cudnn) scene.cudnn = version_in(text.said("cudnn_wheel"));
  // 8907 is 8.9.7, and 90100 is 9.1.0.
  if (const auto number = to_number(text.said("cudnn_number")); number && !scene.cudnn) {
    const auto major = *number < 10000 ? *number / 1000 : *number / 10000;
    const auto minor = *number / 100 % (*number < 10000 ? 10 : 100);
    scene.cudnn = Version::parse(std::to_string(major) + "." + std::to_string(minor));
  }
  read_wheels(scene);
}

const Sighting* no_gpu_line(const View& text) {
  for (const std::string_view signal :
       {"no-gpu-listed", "dlopen-some", "cudart-stub", "torch-false", "strategy-cpu",
        "nonexistent-device", "jax-no-gpu", "torch-deserialize"}) {
    for (const auto* seen : text.all(signal)) {
      if (!for_comparison(text, *seen)) return seen;
    }
  }
  return nullptr;
}

/// The program was started once more and then had a failure before it reached the GPU.
bool failed_since(const View& text, const Sighting& success) {
  const auto& reading = text.reading();
  if (!reading.is_past(success)) return false;
  const auto all = text.all();
  return std::any_of(all.begin(), all.end(), [&](const Sighting* seen) {
    const auto& message = *seen->message;
    const bool failure = message.kind == Kind::cause || message.kind == Kind::consequence;
    const auto* cause = find_cause(message.cause);
    const bool on_the_way = cause == nullptr || cause->effect == "hides";
    return failure && on_the_way && !reading.is_past(*seen) &&
           message.framework == success.message->framework;
  });
}

} // namespace

Scene::Scene(const View& view) : text(view) {
  read_place(*this);
  read_container(*this);
  read_slurm(*this);
  read_gpus(*this);
  read_versions(*this);
  no_gpu = no_gpu_line(text);
  for (const auto* sighting : text.all()) {
    const auto signal = sighting->message->signal;
    if ((signal == "gpu-created" || signal == "gpu-listed") &&
        (succeeded == nullptr || succeeded->last < sighting->last)) {
      succeeded = sighting;
    }
  }
  if (succeeded != nullptr && !failed_since(text, *succeeded)) in_use = succeeded;
  // The same question again, later, with another answer: the last one counts.
  for (const std::string_view answer : {"torch-false/answer", "no-gpu-listed/answer"}) {
    if (in_use == nullptr || in_use->message->signal != "gpu-listed") break;
    const auto all = text.all();
    const bool changed = std::any_of(all.begin(), all.end(), [&](const Sighting* seen) {
      return seen->message->name == answer && seen->first > in_use->last &&
             seen->message->framework == in_use->message->framework;
    });
    if (changed) in_use = nullptr;
  }
  // One framework's success is none of the one that was asked and has no GPU.
  const bool asked =
      no_gpu != nullptr && no_gpu->message->signal == "no-gpu-listed" && !text.has("code-hides");
  if (asked && in_use != nullptr && !no_gpu->message->framework.empty() &&
      !in_use->message->framework.empty() &&
      in_use->message->framework != no_gpu->message->framework)
    in_use = nullptr;
}

bool Scene::worked_in_another_run(const Sighting& failing) const {
  const int run = failing.last_run;
  const auto framework = failing.message->framework;
  const auto all = text.all();
  return std::any_of(all.begin(), all.end(), [&](const Sighting* sighting) {
    const auto signal = sighting->message->signal;
    const bool positive = std::find(kPositive.begin(), kPositive.end(), signal) != kPositive.end();
    const auto theirs = sighting->message->framework;
    const bool same = framework.empty() || theirs.empty() || framework == theirs;
    return positive && same && sighting->first_run != run && sighting->last_run != run;
  });
}

bool Scene::works_for_another(const Sighting& seen) const {
  const auto others = text.all("other-user");
  return succeeded != nullptr &&
         std::any_of(others.begin(), others.end(), [&](const Sighting* other) {
           const bool scheduled = contains(other->text, "crontab");
           return other->first < seen.first && (scheduled || succeeded->last < other->first);
         });
}

std::optional<ComputeCapability> capability_of_name(std::string_view name) {
  // "Tesla V100-SXM2-32GB" of nvidia-smi is lspci's "Tesla V100 SXM2 32GB".
  const auto wanted = replace_all(lower(name), "-", " ");
  // The model as people write it, for names that the list only has with a variant: "V100".
  std::string model = wanted;
  for (const std::string_view maker : {"nvidia ", "geforce ", "tesla ", "quadro "})
    model = replace_all(std::move(model), maker, "");
  model = std::string(trim(model.substr(0, model.find_first_of("(,"))));
  const bool telling = model.size() >= 2 && model.find_first_of("0123456789") != std::string::npos;
  std::size_t longest = 0;
  std::optional<ComputeCapability> found;
  std::optional<ComputeCapability> variant;
  for (const auto& row : table_rows(
           knowledge_table("gpu_pci_ids"),
           {"id", "chip", "architecture", "compute_capability", "product", "last_driver_branch"})) {
    auto product = replace_all(lower(row.cells[4]), "-", " ");
    for (const std::string_view prefix : {"geforce ", "tesla ", "quadro "}) {
      auto bare = replace_all(product, prefix, "");
      // "Quadro 6000" is not every name with a 6000 in it.
      if (bare.find_first_not_of("0123456789 ") != std::string::npos) product = std::move(bare);
    }
    const bool letter = product.size() == model.size() + 1 && product.starts_with(model) &&
                        std::isalpha(static_cast<unsigned char>(product.back())) != 0; // "K40m"
    if (telling && (letter || product.starts_with(model + " "))) {
      if (const auto version = Version::parse(row.cells[3]))
        variant = ComputeCapability{version->major(), version->minor()};
    }
    const auto at = product.size() < 2 ? std::string::npos : wanted.find(product);
    if (at == std::string::npos || product.size() <= longest) continue;
    const auto end = at + product.size();
    const auto part_of_word = [&](std::size_t i) {
      return i < wanted.size() && std::isalnum(static_cast<unsigned char>(wanted[i])) != 0;
    };
    if ((at > 0 && part_of_word(at - 1)) || part_of_word(end)) continue;
    const auto version = Version::parse(row.cells[3]);
    if (!version) continue;
    longest = product.size();
    found = ComputeCapability{version->major(), version->minor()};
  }
  return longest < model.size() && variant ? variant : found;
}

std::optional<Version> cuda_of_torch(const View& text) {
  if (auto stated = Version::parse(text.said("torch_cuda"))) return stated;
  const auto torch = text.said("torch");
  // "1.4.0 (CUDA 10.1)"
  if (const auto named = lower(torch).find("cuda"); named != std::string::npos) {
    if (auto stated = version_in(torch.substr(named))) return stated;
  }
  const auto at = torch.find("+cu");
  if (at == std::string_view::npos && !contains(torch, "+")) {
    const auto version = version_in(torch);
    const auto* build = version ? default_torch(*version) : nullptr;
    if (build != nullptr) return build->cuda;
  }
  if (at == std::string_view::npos || torch.size() < at + 5) return std::nullopt;
  std::string digits(torch.substr(at + 3));
  digits.insert(digits.size() - 1, ".");
  return Version::parse(digits);
}

std::optional<Version> version_in(std::string_view text) {
  for (auto at = text.find_first_of("0123456789"); at != std::string_view::npos;
       at = text.find_first_of("0123456789", at + 1)) {
    auto version = Version::parse(text.substr(at));
    if (version && version->parts.size() >= 2) return version;
    if (version && at + text.size() < 4) return version;
    at = std::min(text.find_first_not_of("0123456789.", at), text.size());
    if (at >= text.size()) break;
  }
  return Version::parse(text);
}

} // namespace gpuwhy::explain
