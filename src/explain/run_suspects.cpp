// Two runs in one text, one with the GPU and one without: what the one command has that the other
// has not is the cause.
#include "base/text.h"
#include "explain/runs.h"
#include "explain/suspect.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy::explain {
namespace {

/// The value that the command gives a variable: "-1" of "CUDA_VISIBLE_DEVICES=-1 python x.py".
std::optional<std::string_view> given(std::string_view command, std::string_view variable) {
  const std::string wanted = std::string(variable) + "=";
  const auto at = command.find(wanted);
  if (at == std::string_view::npos) return std::nullopt;
  const auto value = command.substr(at + wanted.size());
  return value.substr(0, value.find_first_of(" \t"));
}

bool takes_away(std::string_view command, std::string_view variable) {
  return contains(command, "env -u " + std::string(variable)) ||
         (given(command, variable) && given(command, variable)->empty());
}

bool asks_for_gpu(std::string_view command) {
  constexpr std::array<std::string_view, 8> kWays = {
      "--gpus", "--nv ", "--runtime=nvidia", "nvidia.com/gpu",
      "--gres", "-G ",   "--gpus-per",       "--runtime nvidia"};
  return std::any_of(kWays.begin(), kWays.end(),
                     [&](std::string_view way) { return contains(command, way); });
}

/// What one line of Python imports: "jax" and "numpyro" of 'python -c "import numpyro, jax; ..."'.
std::set<std::string_view> imports_of(std::string_view command) {
  std::set<std::string_view> found;
  for (auto at = command.find("import "); at != std::string_view::npos;
       at = command.find("import ", at + 1)) {
    auto names = command.substr(at + 7);
    names = names.substr(0, names.find_first_of(";\"'"));
    for (const auto part : split(names, ',')) {
      const auto name = trim(part);
      found.insert(name.substr(0, name.find(' ')));
    }
  }
  return found;
}

/// The package that is imported where the GPU is lost, beside all that is where it is there.
std::string_view imported_too(std::string_view fails, std::string_view works) {
  const auto with = imports_of(fails);
  const auto without = imports_of(works);
  if (without.empty() || !std::includes(with.begin(), with.end(), without.begin(), without.end()))
    return {};
  const auto more = std::find_if(with.begin(), with.end(), [&](std::string_view name) {
    return without.count(name) == 0 && name != "os" && name != "sys" && name != "time";
  });
  return more == with.end() ? std::string_view() : *more;
}

struct Difference {
  std::string_view id;
  std::string summary;
  std::string fix;
};

/// Of a run that fails and one that works; nothing where the commands do not tell.
std::optional<Difference> difference(std::string_view fails, std::string_view works) {
  struct Variable {
    std::string_view name;
    std::string_view id;
  };
  constexpr std::array<Variable, 7> kVariables = {{{"CUDA_VISIBLE_DEVICES", "E02"},
                                                   {"JAX_PLATFORMS", "E06"},
                                                   {"JAX_PLATFORM_NAME", "E06"},
                                                   {"XLA_FLAGS", "E06"},
                                                   {"LD_LIBRARY_PATH", "L06"},
                                                   {"LD_PRELOAD", "L06"},
                                                   {"KERAS_BACKEND", "F11"}}};
  for (const auto& [name, id] : kVariables) {
    const auto value = given(fails, name);
    const bool only_here = value && given(works, name) != value;
    if (!only_here && !takes_away(works, name)) continue;
    if (takes_away(fails, name) && !value) continue;
    const bool hides =
        name == "CUDA_VISIBLE_DEVICES" && (!value || value->empty() || value->starts_with('-'));
    return Difference{hides ? "E01" : id,
                      "with " + std::string(name) +
                          (value ? "=" + std::string(*value) : std::string(" as it is set")) +
                          " the GPU is not there, without it is",
                      "unset " + std::string(name)};
  }
  if (asks_for_gpu(works) && !asks_for_gpu(fails)) {
    const bool scheduler = contains(works, "srun ") || contains(works, "salloc ");
    const bool container = contains(works, "docker ") || contains(works, "podman ") ||
                           contains(works, "singularity ") || contains(works, "apptainer ");
    if (scheduler)
      return Difference{"C07", "the run that asks the scheduler for a GPU gets one", {}};
    if (container)
      return Difference{"C01", "the container that is started with the GPU has it", {}};
  }
  const bool torch_too = contains(fails, "torch") && !contains(works, "torch");
  if (torch_too && contains(works, "import") &&
      (contains(works, "tensorflow") || contains(works, "jax")))
    return Difference{"L06",
                      "with PyTorch in the same process the GPU is lost: its libraries are loaded "
                      "first",
                      "import PyTorch last, or give each framework its own environment"};
  if (const auto package = imported_too(fails, works); !package.empty()) {
    const bool jax = contains(fails, "jax");
    return Difference{jax ? "P01" : "P02",
                      "with " + std::string(package) +
                          " imported too the GPU is not shown: that package chooses the processor",
                      "look for how " + std::string(package) + " is told to use the GPU" +
                          (jax ? " (it sets JAX's platform), before anything else of it runs"
                               : " (set_visible_devices)")};
  }
  const bool switched = contains(works, "optirun ") || contains(works, "primusrun ") ||
                        contains(works, "prime-run ") || contains(works, "__NV_PRIME");
  if (switched && !contains(fails, "run "))
    return Difference{
        "H15", "the laptop's GPU is there only where it is switched on for the program", {}};
  const bool root_fails = contains(fails, "sudo ");
  const bool root_works = contains(works, "sudo ");
  if (root_works && !root_fails)
    return Difference{"H08", "root gets the GPU and a plain user does not", {}};
  if (root_fails && !root_works)
    return Difference{
        "E08", "a plain user gets the GPU and root, with other variables, does not", {}};
  return std::nullopt;
}

/// One program, one machine: it gets the GPU here and not there, and no message tells why.
void elsewhere(const Scene& scene, Suspects& out) {
  for (const std::string_view signal : {"torch-false", "no-gpu-listed", "app-on-cpu"}) {
    const auto all = scene.text.all(signal);
    if (all.empty() || scene.text.reading().is_past(*all.back())) continue;
    const auto* seen = all.back();
    if (!scene.worked_in_another_run(*seen)) continue;
    const auto steps = scene.text.all("slurm");
    const bool srun = std::any_of(steps.begin(), steps.end(), [&](const Sighting* run) {
      return contains(run->text, "srun ") && run->first <= seen->last;
    });
    if (srun && !scene.slurm_asked) {
      out.push_back({"C07",
                     Weight::probable,
                     "the GPU is there outside of srun: the step asks the scheduler for none",
                     {seen},
                     {},
                     "scontrol show step",
                     {},
                     true});
    } else if (const auto* root = scene.text.find("root-run");
               root != nullptr && scene.succeeded != nullptr &&
               root->first <= scene.succeeded->first && scene.succeeded->last < seen->first) {
      out.push_back({"H08",
                     Weight::probable,
                     "root gets the GPU and a plain user does not",
                     {seen, root},
                     {},
                     "ls -l /dev/nvidia*",
                     {},
                     true});
    } else if (const auto* other = scene.text.find("other-user")) {
      out.push_back({"E08",
                     Weight::probable,
                     "one user gets the GPU and another does not, on the same machine",
                     {seen, other},
                     {},
                     "id"});
    }
  }
}

/// Two sessions on one machine or in one container (kubectl exec and ssh): what one has the other
/// has, but for its variables.
void sessions(const Scene& scene, Suspects& out) {
  const auto& reading = scene.text.reading();
  if (scene.succeeded == nullptr) return;
  for (const std::string_view signal :
       {"libcuda-missing", "cuinit-303", "library-missing", "dlopen-some", "cudart-stub",
        "torch-false", "no-gpu-listed"}) {
    const auto* seen = scene.text.find(signal);
    if (seen == nullptr ||
        !other_session(reading.place_of(scene.succeeded->last), reading.place_of(seen->first)))
      continue;
    out.push_back({"E08",
                   Weight::probable,
                   "another session on the same machine gets the GPU: this one was started without "
                   "its variables",
                   {seen, scene.succeeded},
                   "save the variables where this kind of session reads them (/etc/environment, "
                   "~/.bashrc)",
                   "env | sort, in both sessions",
                   {},
                   true});
    return;
  }
}

/// One way in asked for a GPU, or set other variables, and another did not: srun with --gres and
/// without, docker with --gpus and without.
void ways_in(const Scene& scene, Suspects& out) {
  const auto& reading = scene.text.reading();
  auto listed = scene.text.all("smi-gpu");
  if (scene.succeeded != nullptr) listed.push_back(scene.succeeded);
  for (const std::string_view signal : {"no-devices-found", "smi-not-found", "driver-not-found",
                                        "no-device", "torch-false", "no-gpu-listed"}) {
    const auto* seen = scene.text.find(signal);
    if (seen == nullptr) continue;
    const auto& here = reading.place_of(seen->first);
    for (const auto* works : listed) {
      const auto& there = reading.place_of(works->first);
      if (here.command.empty() || there.command.empty() || here.id == there.id) continue;
      auto told = difference(here.command, there.command);
      if (!told) continue;
      out.push_back({std::string(told->id),
                     Weight::probable,
                     std::move(told->summary),
                     {seen, works},
                     std::move(told->fix),
                     {},
                     {},
                     true});
      return;
    }
  }
}

/// "C:/Python36/python.exe" of "PS C:\\work> & C:/Python36/python.exe x.py".
std::string_view interpreter_of(std::string_view command) {
  for (const auto word : split(command, ' ')) {
    const auto name = word.substr(word.find_last_of(">") + 1); // behind a prompt
    const auto base = name.substr(name.find_last_of("/\\") + 1);
    if (base.starts_with("python")) return name;
  }
  return {};
}

bool by_path(std::string_view interpreter) {
  return contains(interpreter, "/") || contains(interpreter, "\\");
}

/// A build without the GPU in one environment, and one with it in another.
void environments(const Scene& scene, const Sighting& success, Suspects& out) {
  const auto works = command_of(scene.text, success.last_run);
  for (const std::string_view signal : {"not-built-with-cuda", "torch-cpu", "jax-no-cuda"}) {
    const auto* seen = scene.text.find(signal);
    if (seen == nullptr || seen->last_run == success.last_run) continue;
    const auto fails = command_of(scene.text, seen->last_run);
    if (fails.empty() || works.empty()) continue;
    const auto one = interpreter_of(fails);
    const auto other = interpreter_of(works);
    const bool other_program = one != other && (by_path(one) || by_path(other));
    if (!other_program && contains(fails, "activate ") == contains(works, "activate ")) continue;
    out.push_back({other_program ? "F07" : std::string(seen->message->cause),
                   Weight::probable,
                   std::string(seen->message->says) +
                       (other_program ? ": this run takes another Python than the one that works"
                                      : " in this environment; in the other one it works"),
                   {seen, &success},
                   {},
                   {},
                   {},
                   true});
    return;
  }
}

} // namespace

void run_suspects(const Scene& scene, Suspects& out) {
  ways_in(scene, out);
  const auto* success = scene.succeeded != nullptr ? scene.succeeded : scene.text.find("gpu-found");
  if (success == nullptr) return;
  if (scene.succeeded != nullptr) {
    elsewhere(scene, out);
    environments(scene, *scene.succeeded, out);
    sessions(scene, out);
  }
  for (const std::string_view signal : {"no-device", "no-gpu-listed", "torch-false",
                                        "libcuda-missing", "cuinit-303", "cuinit-unknown"}) {
    for (const auto* seen : scene.text.all(signal)) {
      const auto works = command_of(scene.text, success->last_run);
      const auto fails = command_of(scene.text, seen->last_run);
      const auto* reload = scene.text.find("cgroup-reload");
      if (scene.container && reload != nullptr && success->last < reload->first &&
          reload->first < seen->last) {
        out.push_back({"C06",
                       Weight::settled,
                       "systemd took the GPU from the running container when it reloaded",
                       {reload, seen},
                       {},
                       {},
                       {},
                       true});
        return;
      }
      if (works.empty() || fails.empty() || seen->last_run == success->last_run) continue;
      auto told = difference(fails, works);
      if (!told) continue;
      out.push_back({std::string(told->id),
                     Weight::probable,
                     std::move(told->summary),
                     {seen, success},
                     std::move(told->fix),
                     {},
                     {},
                     true});
      return;
    }
  }
}

} // namespace gpuwhy::explain
