"""How a running program used the GPU: what 'gpuwhy pid --on-request' reports, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from ._report import Cause, Json, Report


@dataclass(frozen=True)
class GpuUse:
    """One GPU while it was watched."""

    index: int
    name: str
    used: bool  # kernels of the program ran on it
    busy: float  # per cent of the steady phase with a kernel
    multiprocessors_busy: float | None  # per cent
    memory_total: int | None  # bytes
    memory_peak: int  # of all programs
    own_memory_peak: int  # of this one

    @staticmethod
    def read(json: Json) -> GpuUse:
        memory = json["memory"]
        return GpuUse(json["index"], json["name"], json["used"], json["busy"], json["multiprocessors_busy"],
                      memory["total"], memory["peak"], memory["own_peak"])


@dataclass(frozen=True, repr=False)
class RunReport:
    """What was seen of a run. `answer` is "used", "poorly_used", "not_used" or "unknown"."""

    answer: str
    sentence: str
    causes: tuple[Cause, ...]
    gpus: tuple[GpuUse, ...]
    seconds: float
    cores: float  # processor time over time
    at_most_faster: float | None  # if the GPU never had to wait
    unknown: tuple[str, ...]
    check: Report | None  # of the environment, where the run alone does not show why
    json: Json  # the whole document

    @staticmethod
    def read(json: Json, check: Report | None = None) -> RunReport:
        program = json["program"]
        return RunReport(json["verdict"], json["sentence"], tuple(map(Cause.read, json["causes"])),
                         tuple(map(GpuUse.read, json["gpus"])), program["seconds"], program["cores"],
                         json["at_most_faster"], tuple(json["unknown"]), check, json)

    @property
    def used(self) -> bool | None:
        """None: that could not be told."""
        return None if self.answer == "unknown" else self.answer != "not_used"

    @property
    def gpu(self) -> GpuUse | None:
        """The GPU that did most."""
        return max((gpu for gpu in self.gpus if gpu.used), key=lambda gpu: gpu.busy, default=None)

    @property
    def cause(self) -> Cause | None:
        """The largest obstacle: of the run, else of the environment where the GPU was not used."""
        if self.causes:
            return self.causes[0]
        return self.check.cause if self.check and self.used is not True else None

    @property
    def line(self) -> str:
        """All of it in one line."""
        from ._render import run_line

        return run_line(self)

    def __repr__(self) -> str:
        from ._render import run_text

        return run_text(self)

    def _repr_html_(self) -> str:
        from ._render import run_html

        return run_html(self)
