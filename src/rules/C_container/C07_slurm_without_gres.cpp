// A job of a batch scheduler that asked for no GPU. Truth: the variables that Slurm, PBS, LSF and
// Grid Engine set for a granted GPU (Access::scheduler_gpus); the driver's answer in the job.
#include "base/text.h"
#include "rules/C_container/project_files.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 5> kExplains{"E01", "E02", "H08", "C01", "H18"};

struct Request {
  std::string_view job; // as Access::scheduler begins
  std::string_view command;
};
constexpr std::array kRequests = {Request{"slurm", "sbatch --gres=gpu:1 JOB.sh"},
                                  Request{"pbs", "qsub -l select=1:ngpus=1 JOB.sh"},
                                  Request{"lsf", "bsub -gpu 'num=1' JOB"},
                                  Request{"grid engine", "qsub -l gpu=1 JOB.sh"}};

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto& scheduler = facts.access.scheduler;
  if (!scheduler.known()) return Outcome::not_applicable();
  const auto request = std::find_if(kRequests.begin(), kRequests.end(), [&](const Request& each) {
    return scheduler.value().starts_with(each.job);
  });
  if (request == kRequests.end()) return Outcome::not_applicable();
  const auto& granted = facts.access.scheduler_gpus;
  if (granted.open())
    return Outcome::unknown(missing_text("GPUs that the scheduler granted", granted));
  if (!granted.value_or({}).empty())
    return Outcome::clear("the scheduler granted " + join(granted.value(), ", "));
  const auto* probe = facts.observed.cuda.get();
  if (probe != nullptr && probe->init == 0 && probe->count > 0)
    return Outcome::clear("no GPU was granted to the " + scheduler.value() +
                          ", but the driver shows one");
  if (probe == nullptr && facts.access.nodes.open())
    return Outcome::unknown("whether this job sees a GPU: the driver was not asked");
  return Outcome::found("the " + scheduler.value() + " was granted no GPU")
      .because(scheduler.value(), scheduler.source())
      .because("no variable of a granted GPU is set", granted.source())
      .mend({"ask the scheduler for a GPU", {std::string(request->command)}, {}});
}

} // namespace

extern constexpr Rule C07{
    .id = "C07",
    .slug = "slurm-without-gres",
    .title = "The batch job was granted no GPU",
    .since = "0.1",
    .gate = Gate::access,
    .explanation =
        R"(A node of a cluster may have GPUs that a job cannot see: the scheduler hides those that the job did not ask
for, with control groups or with an empty `CUDA_VISIBLE_DEVICES`. Being on a GPU partition is not yet asking for a
GPU. With Slurm a step started by `srun` inside the job may need its own `--gres`.)",
    .fix =
        R"(Slurm: `#SBATCH --gres=gpu:1` or `--gpus=1`. PBS: `#PBS -l select=1:ngpus=1`. LSF: `#BSUB -gpu "num=1"`.)",
    .references = R"(- [Slurm: generic resources](https://slurm.schedmd.com/gres.html))",
    .explains = kExplains,
    .check = check,
    .lint = lint_slurm_without_gres,
};

} // namespace gpuwhy::rules
