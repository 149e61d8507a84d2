#include "explain/choice.h"

#include "base/text.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

namespace gpuwhy::explain {
namespace {

std::string_view unquoted(std::string_view value) {
  while (!value.empty() && (value.front() == '"' || value.front() == '\'')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '"' || value.back() == '\'')) value.remove_suffix(1);
  return value;
}

constexpr std::size_t kMostGpus = 32; // of one machine

/// What a value of CUDA_VISIBLE_DEVICES does on a machine with `gpus` GPUs (0: not known) of these
/// UUIDs (none: not known).
Choice choice_of(std::string_view value, std::size_t gpus,
                 const std::vector<std::string_view>& uuids) {
  value = unquoted(trim(value));
  if (value.empty() || value.starts_with('-') || value == "NoDevFiles" || value == "none")
    return Choice::hides_all;
  const auto first = value.substr(0, value.find(','));
  if (first.starts_with("GPU-") || first.starts_with("MIG-")) {
    const bool listed = uuids.empty() ||
                        std::any_of(uuids.begin(), uuids.end(),
                                    [&](std::string_view uuid) { return uuid.starts_with(first); });
    return listed ? Choice::valid : Choice::invalid;
  }
  const auto index = to_number(first);
  if (!index) return Choice::invalid;
  const std::size_t there = gpus != 0 ? gpus : kMostGpus;
  return static_cast<std::size_t>(*index) >= there ? Choice::beyond : Choice::valid;
}

std::vector<const Sighting*> with(const Sighting* seen, const Sighting* more) {
  if (more == nullptr) return {seen};
  return {more, seen};
}

void ordinals(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("invalid-ordinal");
  if (seen == nullptr) return;
  const auto set = chosen_devices(scene);
  if (set.shown && set.choice != Choice::hides_all) {
    out.push_back({"E02",
                   Weight::settled,
                   "CUDA_VISIBLE_DEVICES is '" + set.value +
                       "': inside the program the chosen GPUs count from 0, so the number asked "
                       "for does not exist",
                   {seen},
                   {},
                   {}});
  } else {
    out.push_back(
        {"P06", Weight::settled, std::string(seen->message->says), {seen}, {}, seen->message->ask});
  }
}

/// YOLO's word for a number that PyTorch does not have; where it has no GPU at all, that is the
/// question.
void number_asked_for(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("invalid-device");
  if (seen == nullptr || (scene.smi_gpus == 0 && scene.succeeded == nullptr)) return;
  const auto set = chosen_devices(scene);
  if (scene.text.has("torch-false") && !set.shown) return;
  const bool chosen = set.shown && set.choice == Choice::valid;
  out.push_back({chosen ? "E02" : "P06",
                 Weight::hint,
                 chosen ? set.variable + " is '" + set.value +
                              "': inside the program the chosen GPUs count from 0, so the number "
                              "asked for does not exist"
                        : std::string(seen->message->says),
                 {seen},
                 chosen ? "ask for device 0, or leave the variable away" : "",
                 {}});
  out.back().beside_success = true;
}

/// PyTorch counts by NVML, which knows nothing of slices nor of what a variable made of the list.
void device_assert(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("device-assert");
  if (seen == nullptr) return;
  if (scene.mig) {
    out.push_back({"H14",
                   Weight::probable,
                   "the GPU is cut into slices (MIG) and none is chosen: PyTorch counts more GPUs "
                   "than CUDA gives it",
                   {seen, scene.text.find("mig-mode")},
                   "set CUDA_VISIBLE_DEVICES to the UUID of a slice (nvidia-smi -L)",
                   "nvidia-smi -L"});
    return;
  }
  out.push_back({"E02",
                 Weight::probable,
                 "PyTorch counted more GPUs than CUDA gives it: CUDA_VISIBLE_DEVICES names some "
                 "twice or one that is not there, or was changed by the program",
                 {seen},
                 {},
                 seen->message->ask});
}

/// The program sees the variable as it chose it, and PyTorch counts more GPUs than it names.
void more_than_chosen(const Scene& scene, const ChosenDevices& set, Suspects& out) {
  const auto count = to_number(scene.text.said("gpu_count"));
  if (!set.shown || set.choice != Choice::valid || !count) return;
  const auto chosen = static_cast<std::int64_t>(split(set.value, ',').size());
  for (const auto* seen : scene.text.all("visible-devices")) {
    const auto& name = seen->message->name;
    const bool by_program = name == "visible-devices/print" || name == "visible-devices/environ";
    if (!by_program || seen->value("visible_devices") != set.value || *count <= chosen) continue;
    out.push_back({"P03",
                   Weight::probable,
                   "CUDA_VISIBLE_DEVICES is '" + set.value +
                       "' inside the program, and PyTorch "
                       "counts " +
                       std::to_string(*count) +
                       " GPUs: the variable was set after CUDA had started",
                   {seen, scene.text.find("gpu-count")},
                   "set the variable before the program starts, or above its first import",
                   {}});
    out.back().beside_success = true;
    return;
  }
}

/// The program or a variable chooses a GPU that is not there, or too late, and nothing complains.
void wrong_choice(const Scene& scene, const ChosenDevices& set, Suspects& out) {
  if (!set.shown || set.choice == Choice::none || set.choice == Choice::hides_all) return;
  const auto* code = scene.text.find("code-hides");
  if (set.choice != Choice::valid) {
    const bool counted = set.choice == Choice::beyond && scene.smi_gpus != 0;
    const bool fails =
        scene.no_gpu != nullptr || scene.text.has("app-on-cpu") || scene.text.has("no-device");
    out.push_back({set.in_code ? "P03" : "E02",
                   counted && fails ? Weight::probable : Weight::hint,
                   set.variable + " is '" + set.value + "', which names no GPU that exists here" +
                       (scene.smi_gpus == 0 ? std::string()
                                            : ": " + std::to_string(scene.smi_gpus) + " is shown"),
                   {set.in_code ? code : scene.text.find("visible-devices")},
                   {},
                   "nvidia-smi -L",
                   {},
                   counted && fails});
    return;
  }
  // The GPU that the code chooses is idle while another one works.
  bool chosen_idle = false;
  const Sighting* other_busy = nullptr;
  for (const auto* use : scene.text.all("gpu-use")) {
    const auto now = to_number(use->value("gpu_now")).value_or(0);
    if (use->value("gpu_index") == set.value)
      chosen_idle = now == 0;
    else
      other_busy = now > 0 ? use : other_busy;
  }
  const auto* import = scene.text.find("framework-import");
  const auto chosen = split(set.value, ',');
  const auto is_chosen = [&](std::string_view index) {
    return std::find(chosen.begin(), chosen.end(), index) != chosen.end();
  };
  bool held_elsewhere = false;
  bool on_chosen = false;
  bool on_others = false;
  for (const auto* process : scene.text.all("smi-process")) {
    if (!contains(process->value("process"), "python")) continue;
    (is_chosen(process->value("process_gpu")) ? on_chosen : on_others) = true;
  }
  // One GPU was chosen and further ones are listed.
  const bool sees_more = chosen.size() == 1 && scene.text.has("listed-device");
  for (const auto* held : scene.text.all("memory-held")) {
    held_elsewhere = held_elsewhere || (!is_chosen(held->value("held_index")) &&
                                        to_number(held->value("held_mib")).value_or(0) > 1000);
  }
  const bool complains = scene.text.mentions("gpu 0") || scene.text.mentions("gpu0") ||
                         scene.text.mentions("wrong gpu") || scene.text.mentions("cuda:0") ||
                         scene.text.mentions("first gpu");
  const bool after_call = code != nullptr && import != nullptr && import->first < code->first &&
                          (complains || held_elsewhere);
  if (set.in_code && ((chosen_idle && other_busy != nullptr) || after_call ||
                      (on_others && !on_chosen) || sees_more)) {
    out.push_back({"P03",
                   Weight::hint,
                   "the program sets CUDA_VISIBLE_DEVICES to '" + set.value +
                       "' too late: another GPU is used, so CUDA had started before",
                   {code, scene.text.find("numbered-import"), other_busy},
                   "set the variable before the program starts, or above its first import",
                   {}});
  }
}

/// With one value the framework shows no GPU, and with another one it does.
void value_by_value(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto* failing = text.find("torch-false");
  if (failing == nullptr) failing = text.find("no-gpu-listed");
  if (failing == nullptr || scene.succeeded == nullptr || failing->last >= scene.succeeded->last)
    return;
  const Sighting* bad = nullptr;
  const Sighting* good = nullptr;
  for (const auto* set : text.all("visible-devices")) {
    const auto choice =
        choice_of(set->value("visible_devices"), scene.smi_gpus, text.all_said("uuid"));
    if (set->first <= failing->first && choice != Choice::valid) bad = set;
    if (set->first > failing->last && choice == Choice::valid) good = set;
  }
  if (bad == nullptr || good == nullptr) return;
  const auto value = unquoted(bad->value("visible_devices"));
  const bool hides = choice_of(value, scene.smi_gpus, text.all_said("uuid")) == Choice::hides_all;
  out.push_back({hides ? "E01" : "E02",
                 Weight::hint,
                 "with CUDA_VISIBLE_DEVICES='" + std::string(value) +
                     "' no GPU is left, with another value it is",
                 {bad, failing, good},
                 {},
                 {}});
  out.back().beside_success = true;
}

/// The program asks for a GPU by nvidia-smi's number, and another one works.
void number_of_another(const Scene& scene, Suspects& out) {
  const auto* asked = scene.text.find("asked-device");
  if (asked == nullptr || scene.text.has("device-order")) return;
  bool idle = false;
  bool busy = false;
  std::set<std::string_view> names;
  for (const auto* use : scene.text.all("gpu-use")) {
    const auto now = to_number(use->value("gpu_now")).value_or(0);
    const bool same = use->value("gpu_index") == asked->value("asked_index");
    idle = idle || (same && now == 0);
    busy = busy || (!same && now > 0);
    if (!use->value("gpu_name").empty()) names.insert(use->value("gpu_name"));
  }
  for (const auto* listed : scene.text.all("smi-gpu")) names.insert(listed->value("gpu"));
  if (!idle || !busy || names.size() < 2) return;
  out.push_back({"E02",
                 Weight::hint,
                 "the program asks for GPU " + std::string(asked->value("asked_index")) +
                     " and another one works: nvidia-smi counts along the bus, CUDA the fastest "
                     "GPU first",
                 {asked, scene.text.find("gpu-use")},
                 "set CUDA_DEVICE_ORDER=PCI_BUS_ID, then the numbers are those of nvidia-smi",
                 {}});
  out.back().beside_success = true;
}

/// nvidia-smi counts along the bus, CUDA the fastest GPU first: the program got another one than
/// the list says.
void other_order(const Scene& scene, const ChosenDevices& set, Suspects& out) {
  const auto* got = scene.text.find("tf-gpu-name");
  const auto index = to_number(set.value);
  if (got == nullptr || !index || set.in_code) return;
  std::vector<std::string_view> names;
  for (const auto* listed : scene.text.all("smi-gpu")) {
    const auto& form = listed->message->name;
    if (form == "smi-gpu/list" || form == "smi-gpu/table") names.push_back(listed->value("gpu"));
  }
  const auto place = static_cast<std::size_t>(*index);
  const auto name = got->value("gpu");
  if (place >= names.size() || names[place] == name ||
      std::find(names.begin(), names.end(), name) == names.end())
    return;
  out.push_back({"E02",
                 Weight::hint,
                 "CUDA_VISIBLE_DEVICES is '" + set.value + "', which is the " +
                     std::string(names[place]) + " for nvidia-smi and the " + std::string(name) +
                     " for CUDA: it counts the fastest GPU first",
                 {scene.text.find("visible-devices"), got},
                 "set CUDA_DEVICE_ORDER=PCI_BUS_ID, then the numbers are those of nvidia-smi",
                 "nvidia-smi -L"});
  out.back().beside_success = true;
}

} // namespace

ChosenDevices chosen_devices(const Scene& scene) {
  ChosenDevices found;
  const auto shown = scene.text.all("visible-devices");
  const auto take = [&](std::string_view value, bool in_code) {
    const auto dollar = value.find('$'); // "$LOCAL_RANK": another variable's value, not shown
    if (dollar != std::string_view::npos && value.size() > dollar + 1 &&
        (std::isalpha(static_cast<unsigned char>(value[dollar + 1])) != 0 ||
         value[dollar + 1] == '{'))
      return;
    const auto choice = choice_of(value, scene.smi_gpus, scene.text.all_said("uuid"));
    const bool typed = std::any_of(shown.begin(), shown.end(), [&](const Sighting* seen) {
      return seen->message->name == "visible-devices/set" ||
             seen->message->name == "visible-devices/listing";
    });
    if (in_code && found.shown && found.value == unquoted(value)) { // one line
      if (typed) return;
      found.in_code = true;
    }
    if (found.shown && (choice == Choice::valid || (found.choice != Choice::valid && !in_code)))
      return;
    found = {true, choice, std::string(unquoted(value)), found.variable, in_code};
  };
  for (const auto value : scene.text.all_said("visible_devices")) take(value, false);
  if (!shown.empty() && shown.front()->message->name == "visible-devices/rocm")
    found.variable =
        contains(shown.front()->text, "HIP_") ? "HIP_VISIBLE_DEVICES" : "ROCR_VISIBLE_DEVICES";
  // The command prompt of Windows leaves the quotes in the value.
  for (const auto* seen : shown) {
    if (!seen->value("visible_devices").starts_with('"') || !contains(seen->text, ">set "))
      continue;
    found.shown = true;
    found.choice = Choice::invalid;
    found.value = std::string(seen->value("visible_devices"));
  }
  for (const std::string_view key : {"cuda visible devices", "env"}) {
    const auto value = scene.text.said(key);
    if (!value.empty() && key != "env") take(value, false);
  }
  for (const auto value : scene.text.all_said("code_devices")) take(value, true);
  return found;
}

std::optional<Suspect> chosen_away(const Scene& scene, const Sighting& seen) {
  const auto& text = scene.text;
  const auto set = chosen_devices(scene);
  if (const auto* code = text.find("code-hides"); code != nullptr && set.in_code) {
    return Suspect{"P03",
                   Weight::settled,
                   "the program itself sets CUDA_VISIBLE_DEVICES to '" + set.value + "'",
                   with(&seen, code),
                   {},
                   {}};
  }
  const auto* shown = text.find("visible-devices");
  if (set.shown && set.value == "NoDevFiles")
    return Suspect{"C07", Weight::settled, "Slurm gave the job no GPU", with(&seen, shown), {}, {}};
  if (set.choice == Choice::hides_all && scene.slurm && !scene.slurm_asked && set.value.empty()) {
    return Suspect{"C07",
                   Weight::probable,
                   "Slurm gave the job no GPU: CUDA_VISIBLE_DEVICES is empty",
                   with(&seen, shown),
                   {},
                   {}};
  }
  if (set.choice == Choice::hides_all) {
    return Suspect{"E01",
                   Weight::settled,
                   set.variable + " is '" + set.value + "', which hides every GPU",
                   with(&seen, shown),
                   "unset " + set.variable,
                   {}};
  }
  if (set.choice == Choice::invalid || set.choice == Choice::beyond) {
    return Suspect{"E02",
                   Weight::settled,
                   set.variable + " is '" + set.value + "', which names no GPU that exists here",
                   with(&seen, shown),
                   {},
                   {}};
  }
  return std::nullopt;
}

void choice_suspects(const Scene& scene, Suspects& out) {
  if (scene.no_gpu != nullptr && contains(scene.text.said("works"), "CUDA_VISIBLE_DEVICES")) {
    out.push_back({"E02",
                   Weight::hint,
                   "with another value of CUDA_VISIBLE_DEVICES it works, as the writer says",
                   {scene.text.find("visible-devices"), scene.no_gpu},
                   {},
                   {}});
  }
  ordinals(scene, out);
  device_assert(scene, out);
  number_asked_for(scene, out);
  const auto set = chosen_devices(scene);
  wrong_choice(scene, set, out);
  more_than_chosen(scene, set, out);
  value_by_value(scene, out);
  number_of_another(scene, out);
  if (set.choice == Choice::valid) other_order(scene, set, out);
  if (!set.shown || set.choice != Choice::hides_all) return;
  // A variable alone is a hint: it may be another program's.
  const auto* code = scene.text.find("code-hides");
  const bool on_cpu = !set.in_code && scene.text.has("app-on-cpu");
  out.push_back({set.in_code ? "P03" : "E01",
                 on_cpu ? Weight::probable : Weight::hint,
                 set.variable + " is set to '" + set.value + "', which hides every GPU",
                 {set.in_code ? code : scene.text.find("visible-devices")},
                 set.in_code ? "" : "unset " + set.variable,
                 {},
                 {},
                 on_cpu});
}

} // namespace gpuwhy::explain
