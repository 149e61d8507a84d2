"""The verdict on an environment: schema gpuwhy.report/1 of 'gpuwhy check --json' (docs/schema) as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict

Json = Dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What was seen, and where."""

    text: str
    source: str | None
    line: int | None

    @staticmethod
    def read(json: Json) -> Evidence:
        return Evidence(json["text"], json["source"], json["line"])


@dataclass(frozen=True)
class Fix:
    """How to mend a cause. `verified`: it was simulated, and the cause was gone."""

    words: str
    commands: tuple[str, ...]
    verified: bool

    @staticmethod
    def read(json: Json) -> Fix:
        return Fix(json["words"], tuple(json["commands"]), json["verified"])


@dataclass(frozen=True)
class Cause:
    """Why the GPU is not used, or not well. `effect` is "hides", "breaks" or "slows"."""

    id: str
    slug: str
    gate: str
    effect: str
    title: str
    summary: str
    evidence: tuple[Evidence, ...]
    fix: Fix | None

    @staticmethod
    def read(json: Json) -> Cause:
        return Cause(json["id"], json["slug"], json["gate"], json["effect"], json["title"], json["summary"],
                     tuple(map(Evidence.read, json["evidence"])), Fix.read(json["fix"]) if json["fix"] else None)


@dataclass(frozen=True)
class Gate:
    """A station on a program's way to the GPU. `state` is "passed", "failed" or "unknown"."""

    gate: str
    state: str
    reason: str

    @staticmethod
    def read(json: Json) -> Gate:
        return Gate(json["gate"], json["state"], json["reason"])


@dataclass(frozen=True)
class Gpu:
    name: str
    compute_capability: str | None
    memory: int | None  # bytes
    driver: str | None
    cuda: str | None

    @staticmethod
    def read(json: Json) -> Gpu:
        return Gpu(json["name"], json["compute_capability"], json["memory"], json["driver"], json["cuda"])


@dataclass(frozen=True)
class Verdict:
    """The answer for one framework in one environment. `answer` is "gpu", "no_gpu" or "unknown"."""

    framework: str
    installed: bool
    version: str | None
    interpreter: str | None
    environment: str | None
    python: str | None
    answer: str
    sentence: str
    causes: tuple[Cause, ...]
    plan: tuple[Fix, ...]
    plan_reaches_gpu: bool
    route: tuple[Gate, ...]
    unknown: tuple[str, ...]
    ruled_out: tuple[str, ...]

    @staticmethod
    def read(json: Json) -> Verdict:
        return Verdict(json["framework"], json["installed"], json["version"], json["interpreter"], json["environment"],
                       json["python"], json["verdict"], json["sentence"], tuple(map(Cause.read, json["causes"])),
                       tuple(map(Fix.read, json["plan"])), json["plan_reaches_gpu"], tuple(map(Gate.read, json["route"])),
                       tuple(json["unknown"]), tuple(json["ruled_out"]))

    @property
    def usable(self) -> bool | None:
        """True: the GPU will be used. None: that could not be told. A GPU that is listed and then fails is no use."""
        if self.answer == "unknown":
            return None
        return self.answer == "gpu" and not any(cause.effect == "breaks" for cause in self.causes)


@dataclass(frozen=True, repr=False)
class Report:
    """What check() found. Shows itself: HTML in a notebook, text elsewhere."""

    version: str  # of gpuwhy
    verdicts: tuple[Verdict, ...]
    gpus: tuple[Gpu, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]  # on this running process
    json: Json  # the whole document

    @staticmethod
    def read(json: Json, remarks: tuple[str, ...] = (), first: str | None = None) -> Report:
        """`first` names the framework that the program uses, where that is known."""
        verdicts = sorted(map(Verdict.read, json["verdicts"]), key=lambda verdict: verdict.framework != first)
        return Report(json["version"], tuple(verdicts), tuple(map(Gpu.read, json["gpus"])), tuple(json["problems"]), remarks, json)

    @property
    def verdict(self) -> Verdict | None:
        """The one in question; None if there is no environment to judge."""
        return self.verdicts[0] if self.verdicts else None

    @property
    def usable(self) -> bool | None:
        return self.verdict.usable if self.verdict else None

    @property
    def cause(self) -> Cause | None:
        """The root cause."""
        return self.verdict.causes[0] if self.verdict and self.verdict.causes else None

    def __repr__(self) -> str:
        from ._render import report_text

        return report_text(self)

    def _repr_html_(self) -> str:
        from ._render import report_html

        return report_html(self)
