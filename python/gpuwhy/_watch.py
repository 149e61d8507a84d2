"""Watching this process use the GPU. The watching is done by the gpuwhy program in a process of its own, which is asked
over a pipe; what runs here while nobody asks is nothing."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import replace
from types import TracebackType

from ._check import check
from ._find import GpuwhyError, find_program
from ._report import Json
from ._use import RunReport

_WAIT_TO_BEGIN = 5.0  # seconds: a driver that answers slowly
_WAIT_FOR_REPORT = 5.0


class Observer:
    """gpuwhy pid --on-request, watching this process."""

    def __init__(self) -> None:
        # A session of its own: an interrupt (Ctrl-C, a notebook's stop button) is meant for this process only.
        self._child = subprocess.Popen([find_program(), "pid", "--on-request", str(os.getpid())], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        self._owner = os.getpid()
        self._bytes = b""
        self._awaited = 0
        if self._line(_WAIT_TO_BEGIN) is None:
            self.close()
            raise GpuwhyError("gpuwhy could not begin to watch this process")

    def ask(self) -> None:
        """Asks for a report on what was seen so far."""
        self._say(b"report\n")

    def answer(self, wait: float = 0) -> RunReport | None:
        """A report that was asked for, if it has come."""
        document = self._line(wait)
        if document is None:
            return None
        self._awaited -= 1
        return RunReport.read(document)

    def end(self) -> RunReport | None:
        """The report on the whole; ends the watching."""
        if os.getpid() != self._owner:  # a forked worker that leaves a block ends nothing
            return None
        self._say(b"end\n")  # closing the pipe would not do: forked workers hold it too
        last = None
        while self._awaited > 0:
            report = self.answer(_WAIT_FOR_REPORT)
            if report is None:
                break
            last = report
        self.close()
        return last

    def close(self) -> None:
        try:
            self._child.wait(0.5 if self._awaited == 0 else 0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _say(self, words: bytes) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(words)
            self._child.stdin.flush()
            self._awaited += 1
        except OSError:
            pass  # it has ended: no answer will come

    def _line(self, wait: float) -> Json | None:
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        ready = select.poll()  # select() knows no descriptor beyond 1023, and data loaders have many
        ready.register(descriptor, select.POLLIN)
        until = time.monotonic() + wait
        while b"\n" not in self._bytes:
            if not ready.poll(max(0.0, until - time.monotonic()) * 1000):
                return None
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                return None
            self._bytes += piece
        line, _, self._bytes = self._bytes.partition(b"\n")
        try:
            document = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            return None
        return document if isinstance(document, dict) else None


def explained(report: RunReport) -> RunReport:
    """With the verdict on the environment, where the run alone does not show why the GPU was not used."""
    if report.used is True or report.causes:
        return report
    try:
        return replace(report, check=check())
    except GpuwhyError:
        return report


def is_worth_a_warning(report: RunReport) -> bool:
    return report.answer in ("not_used", "poorly_used")


class Watch:
    """See watch()."""

    def __init__(self, warn_after: float | None = 30.0, quiet: bool = False) -> None:
        self.report: RunReport | None = None
        self._quiet = quiet
        self._warn_after = None if quiet else warn_after
        self._ended = threading.Event()
        self._observer: Observer | None = None
        self._warner: threading.Thread | None = None

    def __enter__(self) -> Watch:
        try:
            self._observer = Observer()
        except (GpuwhyError, OSError) as error:
            print(f"gpuwhy: {error}", file=sys.stderr)  # what is watched must run all the same
            return self
        if self._warn_after is not None:
            self._warner = threading.Thread(target=self._warn, args=(self._warn_after,), name="gpuwhy", daemon=True)
            self._warner.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        if self._warner is not None:
            self._warner.join()
        report = self._observer.end() if self._observer is not None else None
        if report is None:
            return
        self.report = explained(report)
        if not self._quiet:
            print(self.report.line)

    def _warn(self, after: float) -> None:
        """Sleeps, asks once, and ends."""
        observer = self._observer
        if self._ended.wait(after) or observer is None:
            return
        observer.ask()
        report = observer.answer(_WAIT_FOR_REPORT)
        if report is not None and is_worth_a_warning(report):
            print(f"{explained(report).line} (seen in the first {after:g} s)", file=sys.stderr)


def watch(warn_after: float | None = 30.0, quiet: bool = False) -> Watch:
    """Watches this process and its children while a block runs:

        with gpuwhy.watch() as seen:
            train()
        seen.report.used, seen.report.cause

    After `warn_after` seconds one line on standard error says so if the GPU is not used or is starved; at the end one
    line on standard output tells how busy the GPU was, its peak memory and the largest obstacle. `quiet` prints nothing.
    """
    return Watch(warn_after, quiet)
