"""Reports as text and as HTML. The HTML takes its colours from the notebook's theme and holds no script."""

from __future__ import annotations

from html import escape
from typing import Iterable

from ._report import Cause, Fix, Report
from ._use import RunReport

_COLOURS = {True: "#2e9e5b", False: "#d64545", None: "#c99700"}
_MARKS = {True: "✓", False: "✗", None: "?"}
_GATES = {"passed": "✓", "failed": "✗", "unknown": "?"}


def _memory(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


# --- text


def _cause_lines(label: str, cause: Cause) -> list[str]:
    lines = [f"  {label:<8} {cause.summary}  [{cause.id} {cause.slug}]"]
    lines += [f"           {each.text}" + (f" ({each.source})" if each.source and each.source not in each.text else "")
              for each in cause.evidence[:2]]
    if cause.fix:
        lines += [f"  {'fix':<8} {cause.fix.words}" + ("  (verified)" if cause.fix.verified else "")]
        lines += [f"               {command}" for command in cause.fix.commands]
    return lines


def report_text(report: Report) -> str:
    verdict = report.verdict
    if verdict is None:
        return "? no Python environment was judged"
    lines = [f"{_MARKS[verdict.usable]} {verdict.sentence}"]
    for number, cause in enumerate(verdict.causes):
        lines += _cause_lines("also" if number else "cause", cause)
    if verdict.usable is None:
        lines += [f"  {'unknown':<8} {each}" for each in verdict.unknown[:4]]
    lines += [f"  {'route':<8} " + "  ".join(f"{gate.gate} {_GATES[gate.state]}" for gate in verdict.route)]
    lines += [f"  {'GPU':<8} {name}" for name in [gpu.name for gpu in report.gpus] or ["none that can be seen from here"]]
    lines += [f"  {'others':<8} {other.sentence}" for other in report.verdicts[1:]]
    lines += [f"  {'note':<8} {remark}" for remark in report.remarks]
    return "\n".join(lines)


def _why(run: RunReport) -> str:
    """Why the GPU was not used, or what slowed it; empty: nothing did."""
    cause = run.cause
    if cause is not None:
        fix = f". Fix: {cause.fix.words}" if cause.fix else ""
        return f"{cause.summary} ({cause.id}){fix}"
    if run.used is False and run.check is not None:
        if run.check.usable:
            return "this environment can use it, so the program kept its work on the CPU: 'gpuwhy lint' looks into its code"
        return "why could not be told: 'gpuwhy check -v' shows what was seen"
    return ""


def run_line(run: RunReport) -> str:
    parts = [run.sentence]
    gpu = run.gpu
    if gpu is not None and (gpu.own_memory_peak or gpu.memory_peak):
        parts.append(f"peak memory {_memory(gpu.own_memory_peak or gpu.memory_peak)}")
    why = _why(run)
    if run.used:
        parts.append(f"largest obstacle: {why}" if why else "nothing held it back")
    elif why:
        parts.append(why)
    return "gpuwhy: " + "; ".join(parts)


def run_text(run: RunReport) -> str:
    lines = [f"{_MARKS[_good(run)]} {run.sentence}", f"  {'watched':<8} {run.seconds:.1f} s, {run.cores:.1f} cores busy"]
    lines += [f"  {'GPU':<8} {text}" for text in _gpu_lines(run)]
    for number, cause in enumerate(_causes(run)):
        lines += _cause_lines("also" if number else "cause", cause)
    if not _causes(run) and _why(run):
        lines += [f"  {'why':<8} {_why(run)}"]
    return "\n".join(lines)


def _good(run: RunReport) -> bool | None:
    return None if run.answer == "unknown" else run.answer == "used"


def _causes(run: RunReport) -> tuple[Cause, ...]:
    if run.causes or run.used is True or run.check is None or run.check.verdict is None:
        return run.causes
    return run.check.verdict.causes


def _gpu_lines(run: RunReport) -> list[str]:
    return [f"{gpu.index} {gpu.name}: " + (f"busy {gpu.busy:.0f} %" if gpu.used else "not used by this program") +
            (f", peak memory {_memory(gpu.own_memory_peak)}" if gpu.own_memory_peak else "") for gpu in run.gpus]


# --- HTML


def _commands(fix: Fix) -> str:
    if not fix.commands:
        return ""
    style = "margin:.3em 0;padding:.4em .6em;border:1px solid rgba(128,128,128,.35);border-radius:3px;white-space:pre-wrap"
    return f'<pre style="{style}">{escape(chr(10).join(fix.commands))}</pre>'


def _row(label: str, content: str) -> str:
    return (f'<tr><td style="text-align:left;vertical-align:top;opacity:.7;white-space:nowrap">{escape(label)}</td>'
            f'<td style="text-align:left;white-space:normal">{content}</td></tr>')


def _cause_rows(label: str, cause: Cause) -> str:
    text = f'{escape(cause.summary)} <code title="{escape(cause.title)}">{escape(cause.id)} {escape(cause.slug)}</code>'
    if cause.evidence:
        seen = "".join(f"<li>{escape(each.text)}" + (f" <small>({escape(each.source)})</small>" if each.source else "") + "</li>"
                       for each in cause.evidence)
        text += f"<details><summary>what was seen</summary><ul>{seen}</ul></details>"
    rows = _row(label, text)
    if cause.fix:
        proof = f' <span style="color:{_COLOURS[True]}">verified</span>' if cause.fix.verified else ""
        rows += _row("fix", escape(cause.fix.words) + proof + _commands(cause.fix))
    return rows


def _box(good: bool | None, sentence: str, rows: Iterable[str]) -> str:
    colour = _COLOURS[good]
    return (f'<div class="gpuwhy" style="border-left:4px solid {colour};padding:.2em .8em;margin:.3em 0">'
            f'<div style="font-weight:600"><span style="color:{colour}">{_MARKS[good]}</span> {escape(sentence)}</div>'
            f'<table style="border-collapse:collapse">{"".join(rows)}</table></div>')


def report_html(report: Report) -> str:
    verdict = report.verdict
    if verdict is None:
        return _box(None, "no Python environment was judged", [])
    rows = [_cause_rows("also" if number else "cause", cause) for number, cause in enumerate(verdict.causes)]
    if verdict.usable is None:
        rows += [_row("unknown", escape(each)) for each in verdict.unknown[:4]]
    colours = {"passed": _COLOURS[True], "failed": _COLOURS[False], "unknown": _COLOURS[None]}
    rows.append(_row("route", " ".join(
        f'<span style="white-space:nowrap">{escape(gate.gate)} '
        f'<span style="color:{colours[gate.state]}">{_GATES[gate.state]}</span></span>' for gate in verdict.route)))
    rows.append(_row("GPU", "<br>".join(escape(gpu.name) for gpu in report.gpus) or "none that can be seen from here"))
    rows += [_row("others", escape(other.sentence)) for other in report.verdicts[1:]]
    rows += [_row("note", escape(remark)) for remark in report.remarks]
    return _box(verdict.usable, verdict.sentence, rows)


def run_html(run: RunReport) -> str:
    rows = [_row("watched", f"{run.seconds:.1f} s, {run.cores:.1f} cores busy")]
    rows += [_row("GPU", escape(text)) for text in _gpu_lines(run)]
    rows += [_cause_rows("also" if number else "cause", cause) for number, cause in enumerate(_causes(run))]
    if not _causes(run) and _why(run):
        rows.append(_row("why", escape(_why(run))))
    return _box(_good(run), run.sentence, rows)
