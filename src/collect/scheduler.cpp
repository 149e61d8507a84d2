// Does a batch scheduler run this process, and which GPUs does it say it gave? Only what schedulers
// set for a job is read. Truth: the environment sections of sbatch(1), qsub(1B), bsub(1),
// flux-submit(1).
#include "collect/machine.h"

#include <array>

namespace gpuwhy {
namespace {

struct Scheduler {
  std::string_view job;  // the variable that holds the job's id
  std::string_view mark; // set too, where the first is too common a name to prove anything
  std::string_view title;
  std::array<std::string_view, 8> grants;
};

constexpr std::array kSchedulers{
    Scheduler{"SLURM_JOB_ID",
              "",
              "slurm job",
              {"SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS", "SLURM_GPUS_ON_NODE",
               "SLURM_GPUS_PER_NODE", "SLURM_GPUS_PER_TASK", "SLURM_JOB_GRES",
               "GPU_DEVICE_ORDINAL"}},
    Scheduler{"PBS_JOBID", "", "pbs job", {"PBS_GPUFILE", "PBS_NGPUS"}},
    Scheduler{"LSB_JOBID", "", "lsf job", {"LSB_GPU_ALLOC_TYPE", "LSB_GPU_REQ"}},
    Scheduler{"FLUX_JOB_ID", "", "flux job", {}},
    Scheduler{"JOB_ID", "SGE_ROOT", "grid engine job", {"SGE_HGR_gpu", "SGE_HGR_cuda"}},
};

/// A device plugin writes GPU-..., MIG-... or indices; "all" and "void" come with images.
bool is_grant(std::string_view value) {
  return value.starts_with("GPU-") || value.starts_with("MIG-") ||
         (!value.empty() && value.front() >= '0' && value.front() <= '9');
}

void collect(System& system, const Scope&, Facts& facts) {
  auto& scheduler = facts.access.scheduler;
  auto& gpus = facts.access.scheduler_gpus;
  if (system.environment().empty()) return; // another root or a recording: nobody's environment
  for (const auto& known : kSchedulers) {
    const auto id = variable(system, known.job);
    if (!id || (!known.mark.empty() && !variable(system, known.mark))) continue;
    const Source source{"$" + std::string(known.job), 0};
    scheduler = Fact<std::string>::known(std::string(known.title) + " " + one_line(*id), source);
    std::vector<std::string> grants;
    for (const auto name : known.grants) {
      if (name.empty()) continue;
      if (const auto value = variable(system, name)) {
        grants.push_back(std::string(name) + "=" + one_line(*value));
      }
    }
    gpus = Fact<std::vector<std::string>>::known(std::move(grants), source);
    return;
  }
  if (variable(system, "KUBERNETES_SERVICE_HOST")) {
    const auto pod = variable(system, "HOSTNAME");
    const Source source{"$KUBERNETES_SERVICE_HOST", 0};
    scheduler = Fact<std::string>::known(
        "kubernetes pod" + (pod ? " " + one_line(*pod) : std::string()), source);
    std::vector<std::string> grants;
    const auto devices = variable(system, "NVIDIA_VISIBLE_DEVICES");
    if (devices && is_grant(*devices)) {
      grants.push_back("NVIDIA_VISIBLE_DEVICES=" + one_line(*devices));
    }
    gpus = Fact<std::vector<std::string>>::known(std::move(grants), source);
    return;
  }
  scheduler = Fact<std::string>::absent({}, "no variable of a batch scheduler is set");
  gpus = Fact<std::vector<std::string>>::absent({}, "no batch scheduler");
}

} // namespace

const Collector kScheduler{"scheduler",
                           "$SLURM_*, $PBS_*, $LSB_*, $FLUX_JOB_ID, $JOB_ID with $SGE_ROOT, "
                           "$KUBERNETES_SERVICE_HOST, $NVIDIA_VISIBLE_DEVICES",
                           collect};

} // namespace gpuwhy
