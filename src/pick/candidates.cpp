// Which GPUs this process may use. A choice never leaves what somebody else has set: an allocation
// of a scheduler, or CUDA_VISIBLE_DEVICES. Truth: sbatch(1) and gres.conf(5) for Slurm's variables;
// NVIDIA's device plugin for Kubernetes; the CUDA C++ Programming Guide, "CUDA environment
// variables".
#include "base/text.h"
#include "pick/choose.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr int kExclusiveThread = 1;
constexpr int kProhibited = 2;
constexpr int kExclusiveProcess = 3;

std::string refusal_of(const NvmlDevice& device) {
  if (device.error.known())
    return "the driver cannot reach it (NVML error " + std::to_string(device.error.value()) + ")";
  const auto mode = device.compute_mode.value_or(0);
  if (mode == kProhibited) return "its compute mode is prohibited";
  const bool taken = device.processes.known() && !device.processes.value().empty();
  if (taken && (mode == kExclusiveProcess || mode == kExclusiveThread)) {
    return "it is in exclusive mode and process " +
           std::to_string(device.processes.value().front().pid) + " has it";
  }
  if (device.mig.value_or(false) && device.instances.empty())
    return "it is in MIG mode and has no instance";
  return {};
}

Candidate candidate_of(const NvmlDevice& device) {
  Candidate candidate;
  candidate.uuid = device.uuid;
  candidate.index = device.index;
  candidate.name = device.name;
  candidate.memory_total = device.memory_total.value_or(0);
  candidate.memory_free = device.memory_free.value_or(0);
  candidate.utilization = device.utilization.value_or(0);
  candidate.temperature = device.temperature.value_or(0);
  candidate.processes = device.processes.known() ? device.processes.value().size() : 0;
  candidate.nvlinks = device.nvlinks.value_or(0);
  candidate.neighbours = device.neighbours;
  candidate.refused = refusal_of(device);
  if (candidate.uuid.empty() && candidate.refused.empty())
    candidate.refused = "NVML did not tell its UUID";
  return candidate;
}

void add_candidates(const NvmlDevice& device, std::vector<Candidate>& all) {
  const auto whole = candidate_of(device);
  if (!device.mig.value_or(false) || device.instances.empty()) {
    all.push_back(whole);
    return;
  }
  for (const auto& instance : device.instances) {
    auto part = whole;
    part.uuid = instance.uuid;
    part.mig = true;
    part.memory_total = instance.memory_total;
    part.memory_free = instance.memory_free;
    part.utilization = 0; // of the whole GPU; says nothing of its parts
    part.processes = 0;
    all.push_back(std::move(part));
  }
}

void refuse_others(Candidates& candidates, const std::string& bounds,
                   const std::vector<std::string>& allowed) {
  candidates.bounds = bounds;
  for (auto& each : candidates.all) {
    if (!each.refused.empty()) continue;
    if (std::find(allowed.begin(), allowed.end(), each.uuid) == allowed.end())
      each.refused = "outside of " + bounds;
  }
}

/// What the driver itself makes of CUDA_VISIBLE_DEVICES.
void stay_visible(const Facts& facts, Candidates& candidates) {
  const auto* cuda = facts.observed.cuda.get();
  std::vector<std::string> allowed;
  if (cuda != nullptr) {
    for (const auto& device : cuda->devices) allowed.push_back(device.uuid);
  }
  refuse_others(candidates, "$CUDA_VISIBLE_DEVICES", allowed);
  if (!allowed.empty()) return;
  const bool answered =
      cuda != nullptr && (cuda->init == 0 || cuda->init == 100 || cuda->init == 101);
  candidates.problem =
      answered ? "$CUDA_VISIBLE_DEVICES hides every GPU: unset it to choose among all"
               : "$CUDA_VISIBLE_DEVICES is set, and the driver does not say what it leaves visible";
  candidates.open = !answered;
}

/// "SLURM_JOB_GPUS=0,2" -> 0 and 2; nothing where the value is not a list of numbers.
std::vector<int> granted_indices(const std::vector<std::string>& grants) {
  for (const std::string_view name : {"SLURM_STEP_GPUS=", "SLURM_JOB_GPUS="}) {
    for (const auto& grant : grants) {
      if (!grant.starts_with(name)) continue;
      std::vector<int> indices;
      for (const auto part : split(std::string_view(grant).substr(name.size()), ',')) {
        const auto dash = part.find('-');
        const auto first = to_number(part.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : to_number(part.substr(dash + 1));
        if (!first || !last || *first < 0 || *last > 1023) return {};
        for (auto index = *first; index <= *last; ++index)
          indices.push_back(static_cast<int>(index));
      }
      return indices;
    }
  }
  return {};
}

std::vector<std::string> granted_uuids(const std::vector<std::string>& grants) {
  std::vector<std::string> uuids;
  for (const auto& grant : grants) {
    constexpr std::string_view kName = "NVIDIA_VISIBLE_DEVICES=";
    if (!grant.starts_with(kName)) continue;
    for (const auto part : split(std::string_view(grant).substr(kName.size()), ',')) {
      if (part.starts_with("GPU-") || part.starts_with("MIG-")) uuids.emplace_back(part);
    }
  }
  return uuids;
}

void stay_in_job(const Facts& facts, Candidates& candidates) {
  const auto& job = facts.access.scheduler.value();
  const auto grants = facts.access.scheduler_gpus.value_or({});
  if (const auto uuids = granted_uuids(grants); !uuids.empty())
    return refuse_others(candidates, job, uuids);
  if (!job.starts_with("slurm")) { // the container or cgroup shows only what was given
    candidates.bounds = job;
    return;
  }
  const auto indices = granted_indices(grants);
  candidates.bounds = job;
  if (indices.empty()) {
    candidates.problem = "the " + job + " was given no GPU: ask for one with --gres=gpu:1";
    return;
  }
  // Where the job's cgroup hides the others, NVML numbers only those that are left.
  if (candidates.all.size() <= indices.size()) return;
  std::vector<std::string> allowed;
  for (const auto& each : candidates.all) {
    if (std::find(indices.begin(), indices.end(), each.index) != indices.end())
      allowed.push_back(each.uuid);
  }
  refuse_others(candidates, job, allowed);
}

} // namespace

Candidates candidates_of(const Facts& facts) {
  Candidates candidates;
  const auto& observed = facts.observed.nvml;
  const auto* nvml = observed.get();
  if (nvml == nullptr) {
    candidates.problem = observed.reason().empty() ? "the driver was not asked" : observed.reason();
    candidates.open = true;
    return candidates;
  }
  if (!nvml->load_error.empty()) {
    candidates.problem = "no NVIDIA driver is installed here: " + nvml->load_error;
    return candidates;
  }
  if (nvml->init != 0) {
    candidates.problem =
        "the NVIDIA driver does not start: " +
        (nvml->init_name.empty() ? "NVML error " + std::to_string(nvml->init) : nvml->init_name);
    return candidates;
  }
  for (const auto& device : nvml->devices) add_candidates(device, candidates.all);
  if (candidates.all.empty()) {
    candidates.problem = "the NVIDIA driver shows no GPU here";
    return candidates;
  }
  if (facts.environment.find("CUDA_VISIBLE_DEVICES") != nullptr) {
    stay_visible(facts, candidates);
  } else if (facts.access.scheduler.known()) {
    stay_in_job(facts, candidates);
  }
  return candidates;
}

} // namespace gpuwhy
