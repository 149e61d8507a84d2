"""The two questions to one cell: does the real TensorFlow list a GPU there, and what does gpuwhy say?"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import machine
from workspace import VENV

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = """
import tensorflow as tf
print("RESULT", len(tf.config.list_physical_devices("GPU")), tf.__version__)
"""
TENSORFLOW_LIMIT = 300  # seconds
GPUWHY_LIMIT = 60


class Skipped(Exception):
    """The cell cannot be had on this machine."""


class Asker:
    def __init__(self, cache, program, made_from, visible):
        self.cache, self.program, self.made_from = cache, program, made_from
        self.visible = visible

    def run(self, workspace, command, limit, extra=()):
        """`command` on the cell's machine, as its user."""
        with tempfile.TemporaryDirectory(prefix="gpuwhy-root-") as top:
            description = {**workspace.machine, "variables": workspace.variables, "top": top,
                           "visible": self.visible, "venv": None if workspace.copied else workspace.original}
            path = os.path.join(workspace.folder, "machine.json")
            with open(path, "w") as file:
                json.dump(description, file)
            try:
                done = subprocess.run([sys.executable, os.path.join(HERE, "machine.py"), path, *command],
                                      stdin=subprocess.DEVNULL, capture_output=True, timeout=limit)
            except subprocess.TimeoutExpired:
                return None
        if done.returncode == machine.SKIP:
            raise Skipped(done.stderr.decode(errors="replace").strip())
        return done

    def tensorflow(self, name, workspace):
        """{"gpus": number or None, "status": exit status, "log": stderr}; kept under the cell's content."""
        content = json.dumps([workspace.content(), self.made_from, PROGRAM, name], sort_keys=True)
        key = hashlib.sha256(content.encode()).hexdigest()
        path = os.path.join(self.cache, "answers", key + ".json")
        if os.path.exists(path):
            with open(path) as file:
                return json.load(file)
        command = ["/usr/bin/nice", "-n", "5", VENV + "/bin/python", "-B", "-c", PROGRAM]
        done = self.run(workspace, command, TENSORFLOW_LIMIT)
        if done is None:
            raise Skipped(f"TensorFlow gave no answer within {TENSORFLOW_LIMIT} s")
        result = re.search(rb"^RESULT (\d+) (\S+)", done.stdout, re.M)
        answer = {
            "gpus": int(result[1]) if result else None,
            "status": done.returncode,
            "log": done.stderr.decode(errors="replace"),
        }
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump(answer, file)
        return answer

    def gpuwhy(self, workspace):
        """The report of `gpuwhy check --json` on the cell's environment."""
        target = workspace.host("/usr/local/bin/gpuwhy")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            try:
                os.link(self.program, target)
            except OSError:
                subprocess.run(["cp", self.program, target], check=True)
        command = ["/usr/local/bin/gpuwhy", "check", "--python", VENV + "/bin/python", "--json"]
        done = self.run(workspace, command, GPUWHY_LIMIT)
        if done is None:
            return {"problem": f"no answer within {GPUWHY_LIMIT} s"}
        try:
            report = json.loads(done.stdout)
            # Where TensorFlow is gone and Keras was left behind, the answer is about Keras.
            verdict = min((each for each in report["verdicts"] if each["framework"] in ("tensorflow", "keras")),
                          key=lambda each: each["framework"] != "tensorflow", default=None)
            if verdict is None:
                raise KeyError("no verdict for TensorFlow")
        except (ValueError, KeyError, TypeError) as error:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()[-300:]
            return {"problem": f"status {done.returncode}, {error}: {said}"}
        return {"verdict": verdict["verdict"], "causes": [cause["id"] for cause in verdict["causes"]],
                "report": report, "status": done.returncode}
