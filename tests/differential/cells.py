"""The cells: an environment, the faults seeded in it, and which of them must be named first.

The first fault of a cell that has a cause is its root; the causes of the others must be named behind it.
`peer` is the case of a rival that got it wrong (env-doctor S1 to S11, and so on).
"""

import faults as f


class Cell:
    def __init__(self, environment, *seeded, peer="", quick=False, root=None):
        self.environment, self.seeded, self.peer, self.quick = environment, seeded, peer, quick
        causes = [each.cause for each in seeded if each.cause]
        self.cause = root or (causes[0] if causes else None)
        self.others = [cause for cause in causes if cause != self.cause]

    @property
    def name(self):
        return " ".join([self.environment, *(each.name for each in self.seeded)]) if self.seeded else self.environment + " healthy"

    @property
    def text(self):
        return "; ".join(each.text for each in self.seeded) or "healthy"


CPU, PLAIN = "cpu-2.18", "plain-2.12"
T15, T16, T18, T21 = "cuda-2.15", "cuda-2.16", "cuda-2.18", "cuda-2.21"

CELLS = [
    # Nothing wrong, or nothing that matters
    Cell(T18, peer="env-doctor S11"),
    Cell(T15),
    Cell(T16, f.every_wheel_on_path),
    Cell(T21, f.cusolver_on_path),
    Cell(PLAIN, f.toolkit, quick=True),
    Cell(T18, f.as_root),
    Cell(T18, f.container_with_gpu),
    Cell(T18, f.driver_of_older_minor, peer="env-doctor S1, ai-infradr, NVCheckup"),
    Cell(T15, f.gpu_same_major, peer="env-doctor S2"),
    Cell(T18, f.gpu_from_ptx),
    Cell(T18, f.jax_variable, peer="env-doctor S10"),
    Cell(T18, f.cuda_home_wrong),
    Cell(T18, f.void_in_container_variable),
    Cell(T18, f.by_python_path, peer="NVCheckup: user site and PYTHONPATH are not looked at"),
    Cell(T18, f.shown_first),
    Cell(T18, f.shown_by_uuid),
    Cell(T18, f.shown_with_blank),
    Cell(T18, f.only_gpu_small),
    Cell(T18, f.library_path_harmless),
    Cell(T18, f.cudnn_shadowed_by_other_class),
    Cell(T18, f.removed("libcurand.so.10", None, "cuRAND removed: not opened by this release")),
    Cell(T18, f.without(None, "the wheels of NCCL, CUPTI and NVRTC removed: not opened while listing",
                        "nvidia-nccl-cu12", "nvidia-cuda-cupti-cu12", "nvidia-cuda-nvrtc-cu12")),
    Cell(T18, f.nvml_gone(None)),

    # The GPU, its driver, and the way to it
    Cell(T18, f.no_gpu),
    Cell(T18, f.amd_gpu),
    Cell(T18, f.no_driver, peer="env-doctor S9"),
    Cell(T18, f.no_libcuda),
    Cell(T18, f.nouveau),
    Cell(T18, f.driver_mismatch, peer="env-doctor S3, rapids-cli, NVCheckup"),
    Cell(T18, f.nodes_missing),
    Cell(T18, f.nodes_forbidden, peer="rapids-cli"),
    Cell(T18, f.uvm_missing),
    Cell(T18, f.driver_too_old),
    Cell(T18, f.stub_first),
    Cell(T15, f.stub_cached),
    Cell(T18, f.container_without_gpu),
    Cell(T18, f.container_without_libraries),
    Cell(T18, f.container_without_compute),
    Cell(T18, f.gpu_too_old),
    Cell(T15, f.gpu_too_new),
    Cell(T18, f.second_gpu_small),
    Cell(T18, f.limit_above_all),
    Cell(T18, f.libcuda_dangles),
    Cell(T21, f.cusolver_on_path, f.nvml_gone("H03")),
    Cell(T21, f.cusolver_on_path, f.nvml_gone("C02", container=True)),
    Cell(T21, f.cusolver_on_path, f.driver_mismatch),
    Cell(T21, f.cusolver_on_path, f.nvml_not_ready),
    Cell(T18, f.driver_not_ready),
    Cell(T18, f.driver_not_cached),

    # Environment variables
    Cell(T18, f.hidden_by_minus_one, peer="env-doctor S4, torch-check, ai-infradr"),
    Cell(T18, f.hidden_by_empty, peer="cuda-doctor"),
    Cell(T15, f.hidden_by_blanks),
    Cell(T15, f.hidden_by_name),
    Cell(T18, f.named_twice),
    Cell(T18, f.no_such_index),
    Cell(T15, f.no_such_uuid),
    Cell(T18, f.no_such_mig),
    Cell(T15, f.docker_word),
    Cell(T18, f.bracketed),
    Cell(T15, f.second_first),
    Cell(T18, f.unknown_order),

    # Libraries
    Cell(T18, f.removed("libcudart.so.12", "L01"), peer="env-doctor S5"),
    Cell(T18, f.removed("libcudnn.so.9", "L03")),
    Cell(T15, f.removed("libcudnn.so.8", "L03")),
    Cell(T18, f.removed("libcublas.so.12", "L09")),
    Cell(T15, f.removed("libcusparse.so.12", "L09")),
    Cell(T18, f.removed("libcusolver.so.11", "L09")),
    Cell(T15, f.removed("libcufft.so.11", "L09")),
    Cell(T18, f.removed("libcublasLt.so.12", "L09")),
    Cell(T18, f.without("L09", "the nvJitLink wheel is missing", "nvidia-nvjitlink-cu12")),
    Cell(T18, f.extras_absent, peer="env-doctor S6, NVCheckup"),
    Cell(T15, f.extras_half_removed),
    Cell(PLAIN, quick=True, root="F05"),
    Cell(T18, f.wheels_in_user_site),
    Cell(T18, f.cut("libcudnn.so.9", 0, "libcudnn.so.9 is empty")),
    Cell(T15, f.cut("libcufft.so.11", 100, "libcufft.so.11 ends within its header's tables")),
    Cell(T18, f.cut("libcudnn.so.9", -40000, "libcudnn.so.9 lacks its end: the process is killed")),
    Cell(T18, f.cublas_is_text),
    Cell(T18, f.cudart_of_aarch64),
    Cell(T15, f.cufft_of_32_bits),
    Cell(T15, f.cusparse_dangles),
    Cell(T18, f.cufft_unreadable),
    Cell(T18, f.cudnn_directory_unreadable),
    Cell(T18, f.cusolver_is_directory),
    Cell(T18, f.cudnn_older_minor),
    Cell(T18, f.cudnn_other_major),
    Cell(T18, f.nvjitlink_older),
    Cell(T18, f.cudart_of_cuda_13),
    Cell(T18, f.cudnn_shadowed_by_older),
    Cell(T18, f.cusolver_shadowed),
    Cell(T18, f.cudnn_shadowed_by_empty),
    Cell(T16, f.short_runpath),
    Cell(T21, f.short_runpath),
    Cell(T21, f.cusolver_on_path, f.removed("libcudnn.so.9", "L03")),
    Cell(T21, f.cusolver_on_path, f.removed("libcudnn_graph.so.9", "L03", "a part of cuDNN that this release opens is removed")),
    Cell(PLAIN, f.toolkit_not_cached, peer="libtree (a)", quick=True),
    Cell(PLAIN, f.toolkit_not_configured, peer="libtree (b)", quick=True),
    Cell(PLAIN, f.toolkit_in_hwcaps, peer="libtree (c)", quick=True),
    Cell(PLAIN, f.toolkit_by_library_path),
    Cell(PLAIN, f.toolkit_nowhere),
    Cell(PLAIN, f.toolkit_without_curand),
    Cell(PLAIN, f.toolkit_without_cudnn),
    Cell(PLAIN, f.no_loader_cache),
    Cell(PLAIN, f.toolkit_of_cuda_12),

    # The framework
    Cell(CPU, f.cpu_build, peer="env-doctor S7", quick=True),
    Cell(T18, f.cpu_over_gpu),
    Cell(CPU, f.not_installed, peer="env-doctor S8, S9"),
    Cell(T18, f.gpu_over_cpu),
    Cell(T18, f.module_shadows),
    Cell(T18, f.framework_library_gone),
    Cell(T15, f.framework_cut),

    # In pairs: the earlier gate is the root, the other is named behind it
    Cell(T18, f.driver_too_old, f.hidden_by_minus_one, root="E01", peer="NVCheckup: blames the driver"),
    Cell(T18, f.nouveau, f.removed("libcudnn.so.9", "L03")),
    Cell(T18, f.container_without_gpu, f.extras_absent),
    Cell(T15, f.stub_first, f.removed("libcublas.so.12", "L09")),
    Cell(T18, f.removed("libcudnn.so.9", "L03"), f.hidden_by_empty),
    Cell(CPU, f.cpu_build, f.hidden_by_minus_one, quick=True),
    Cell(CPU, f.no_driver, f.cpu_build),
    Cell(T15, f.removed("libcudart.so.12", "L01"), f.cusparse_dangles),
    Cell(T18, f.uvm_missing, f.nvjitlink_older),
    Cell(PLAIN, f.toolkit_without_cudnn, f.no_such_index),
    Cell(T18, f.cudnn_older_minor, f.hidden_by_empty, root="E01"),
    Cell(T21, f.short_runpath, f.removed("libcudnn.so.9", "L03"), root="L03"),
]
