// The environment variables that bear on the question, and where they were set. No other variable
// leaves the process: what is not on this list may be a secret.
#include "base/text.h"
#include "collect/privacy.h"
#include "collect/software.h"
#include "collect/variable_origins.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kLongestValue = 128U << 10U; // the kernel allows no longer one
constexpr std::size_t kLongestRequirement = 200;   // NVIDIA_REQUIRE_CUDA lists every driver branch

constexpr std::array kNames = {
    // the dynamic loader
    "LD_LIBRARY_PATH"sv,
    "LD_PRELOAD"sv,
    "LD_AUDIT"sv,
    // CUDA: the driver reads the first three, build scripts and users the others
    "CUDA_VISIBLE_DEVICES"sv,
    "CUDA_DEVICE_ORDER"sv,
    "CUDA_MODULE_LOADING"sv,
    "CUDA_HOME"sv,
    "CUDA_PATH"sv,
    "CUDA_ROOT"sv,
    "CUDA_DIR"sv,
    "CUDNN_PATH"sv,
    "CUDA_CACHE_DISABLE"sv,
    "CUDA_CACHE_MAXSIZE"sv,
    "CUDA_CACHE_PATH"sv,
    "CUDA_FORCE_PTX_JIT"sv,
    "CUDA_DISABLE_PTX_JIT"sv,
    "CUDA_LAUNCH_BLOCKING"sv,
    "CUDA_MPS_PIPE_DIRECTORY"sv,
    "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"sv,
    "HIP_VISIBLE_DEVICES"sv,
    "ROCR_VISIBLE_DEVICES"sv,
    "GPU_DEVICE_ORDINAL"sv,
    "__NV_PRIME_RENDER_OFFLOAD"sv,
    // containers
    "NVIDIA_VISIBLE_DEVICES"sv,
    "NVIDIA_DRIVER_CAPABILITIES"sv,
    "NVIDIA_REQUIRE_CUDA"sv,
    "NVIDIA_DISABLE_REQUIRE"sv,
    // TensorFlow, XLA, Keras, JAX, PyTorch
    "TF_CPP_MIN_LOG_LEVEL"sv,
    "TF_CPP_MAX_VLOG_LEVEL"sv,
    "TF_CPP_VMODULE"sv,
    "TF_FORCE_GPU_ALLOW_GROWTH"sv,
    "TF_GPU_ALLOCATOR"sv,
    "TF_GPU_THREAD_MODE"sv,
    "TF_GPU_THREAD_COUNT"sv,
    "TF_MIN_GPU_MULTIPROCESSOR_COUNT"sv,
    "TF_DEVICE_MIN_SYS_MEMORY_IN_MB"sv,
    "TF_PER_DEVICE_MEMORY_LIMIT_MB"sv,
    "TF_GPU_HOST_MEM_LIMIT_IN_MB"sv,
    "TF_PLUGGABLE_DEVICE_LIBRARY_PATH"sv,
    "TF_CUDA_PATHS"sv,
    "TF_CUDA_COMPUTE_CAPABILITIES"sv,
    "TF_XLA_FLAGS"sv,
    "TF_ENABLE_ONEDNN_OPTS"sv,
    "TF_USE_LEGACY_KERAS"sv,
    "TF_DETERMINISTIC_OPS"sv,
    "TF_CUDNN_USE_AUTOTUNE"sv,
    "TF_CUDNN_USE_RUNTIME_FUSION"sv,
    "TF_ENABLE_GPU_GARBAGE_COLLECTION"sv,
    "TF_GPU_CUPTI_USE_CONCURRENT_KERNEL"sv,
    "TF_XLA_MAX_CLUSTER_SIZE"sv,
    "XLA_FLAGS"sv,
    "XLA_PYTHON_CLIENT_PREALLOCATE"sv,
    "XLA_PYTHON_CLIENT_MEM_FRACTION"sv,
    "XLA_PYTHON_CLIENT_ALLOCATOR"sv,
    "KERAS_BACKEND"sv,
    "KERAS_TORCH_DEVICE"sv,
    "KERAS_HOME"sv,
    "JAX_PLATFORMS"sv,
    "JAX_PLATFORM_NAME"sv,
    "JAX_CUDA_VISIBLE_DEVICES"sv,
    "JAX_SKIP_CUDA_CONSTRAINTS_CHECK"sv,
    "JAX_ENABLE_X64"sv,
    "PYTORCH_NVML_BASED_CUDA_CHECK"sv,
    "PYTORCH_CUDA_ALLOC_CONF"sv,
    // Python and its environments
    "VIRTUAL_ENV"sv,
    "CONDA_PREFIX"sv,
    "CONDA_DEFAULT_ENV"sv,
    "CONDA_SHLVL"sv,
    "CONDA_OVERRIDE_CUDA"sv,
    "PYENV_VERSION"sv,
    "PYTHONPATH"sv,
    "PYTHONHOME"sv,
    "PYTHONNOUSERSITE"sv,
    "PYTHONSAFEPATH"sv,
    "PYTHONUSERBASE"sv,
    "PATH"sv,
    "SHELL"sv,
    // notebooks and schedulers
    "COLAB_GPU"sv,
    "COLAB_RELEASE_TAG"sv,
    "COLAB_TPU_ADDR"sv,
    "KAGGLE_KERNEL_RUN_TYPE"sv,
    "JPY_PARENT_PID"sv,
    "SLURM_JOB_ID"sv,
    "KUBERNETES_SERVICE_HOST"sv,
    "PBS_JOBID"sv,
    "LSB_JOBID"sv,
    "SGE_HGR_gpu"sv,
    "GPU_DEVICES"sv,
    "_CONDOR_AssignedGPUs"sv,
};

void collect(System& system, const Scope&, Facts& facts) {
  facts.environment.looked = true;
  for (const auto& [name, value] : system.environment()) {
    if (!is_allowed_variable(name)) continue;
    const auto longest = name == "NVIDIA_REQUIRE_CUDA" ? kLongestRequirement : kLongestValue;
    facts.environment.variables.push_back({name, value.substr(0, longest), {}});
  }
  find_origins(system, facts.environment.variables);
}

} // namespace

bool is_allowed_variable(std::string_view name) {
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  return name.starts_with("SLURM_") &&
         (contains(name, "GPU") || contains(name, "GRES") || name == "SLURM_STEP_ID");
}

const Collector kEnvironmentVariables{
    "environment_variables",
    "allow-listed variables; start-up files of bash, zsh, fish and csh, /etc/environment, "
    "environment.d, "
    ".pam_environment, conda's activate.d and state, bin/activate, .envrc",
    collect};

} // namespace gpuwhy
