"""Where programs meet gpuwhy: pre-commit, the GitHub Action, the problem matcher, a health check. Fetches pre-commit and
check-jsonschema.

    python3 ci_test.py GPUWHY
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import support  # noqa: E402

TRAIN = 'import os\nos.environ["CUDA_VISIBLE_DEVICES"] = "-1"\nimport tensorflow as tf\nmodel = tf.keras.Sequential([tf.keras.layers.Dense(1)])\n'


class Project(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("train.py", TRAIN)
        self.write("clean.py", "print(1)\n")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def environment(self, **variables):
        home = self.folder / ".home"
        home.mkdir(exist_ok=True)
        return support.package_environment(HOME=str(home), GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b",
                                           **variables)

    def sh(self, *words, check=True, cwd=None, **variables):
        done = subprocess.run([str(word) for word in words], cwd=cwd or self.folder, env=self.environment(**variables), capture_output=True, text=True)
        if check and done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return done


class PreCommit(Project):
    def hook(self, *files):
        python = support.environment("hooks")
        hooks = self.folder / ".hooks"  # a repository of its own, with our manifest
        if not hooks.exists():
            hooks.mkdir()
            (hooks / ".pre-commit-hooks.yaml").write_text((support.SOURCE / ".pre-commit-hooks.yaml").read_text())
            for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "hooks"]):
                self.sh("git", *words, cwd=hooks)
            self.sh("git", "init", "-q")
            self.sh("git", "add", "train.py", "clean.py")
        return self.sh(python, "-m", "pre_commit", "try-repo", hooks, "gpuwhy-lint-system", "--files", *files, check=False)

    def test_manifest(self):
        self.sh(support.environment("hooks"), "-m", "pre_commit", "validate-manifest", support.SOURCE / ".pre-commit-hooks.yaml")

    def test_it_stops_a_commit(self):
        done = self.hook("train.py", "clean.py")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("error[P03]", done.stdout)
        done = self.hook("clean.py")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Passed", done.stdout)


class Action(Project):
    def test_schema(self):
        self.sh(support.environment("hooks"), "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", support.SOURCE / "action.yml")

    def step(self, **variables):
        outputs = self.folder / "outputs"
        outputs.write_text("")
        done = self.sh("bash", support.SOURCE / "tools/action_lint.sh", check=False, GITHUB_OUTPUT=str(outputs), RUNNER_TEMP=str(self.folder), **variables)
        return done, dict(line.split("=", 1) for line in outputs.read_text().splitlines())

    def test_step(self):
        done, outputs = self.step(PATHS="train.py clean.py")
        self.assertEqual((done.returncode, outputs["status"]), (0, "1"))
        self.assertRegex(done.stdout, r"^::error file=train\.py,line=2,")
        results = json.loads(pathlib.Path(outputs["sarif"]).read_text())["runs"][0]["results"]
        self.assertEqual([result["ruleId"] for result in results], ["P03"])
        done, outputs = self.step(PATHS="clean.py")
        self.assertEqual((done.returncode, outputs["status"], done.stdout), (0, "0", ""))
        done, outputs = self.step(PATHS="train.py", OPTIONS="--ignore P03")
        self.assertEqual(outputs["status"], "0")
        done, outputs = self.step(PATHS="gone.py")
        self.assertEqual((done.returncode, outputs), (2, {}))
        self.assertIn("gone.py", done.stderr)

    def test_words_are_no_shell(self):
        self.step(PATHS="$(touch${IFS}pwned) `touch pwned` ;touch pwned")
        self.assertFalse((self.folder / "pwned").exists())


class ProblemMatcher(Project):
    def test_it_reads_what_lint_prints(self):
        first, second = json.loads((support.SOURCE / "editors/problem-matcher.json").read_text())["problemMatcher"][0]["pattern"]
        self.write("notes.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
            {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "a", "source": TRAIN}]}))
        for language in ("C.UTF-8", "C"):
            lines = self.sh(support.GPUWHY, "lint", "train.py", "notes.ipynb", check=False, LANG=language).stdout.splitlines()
            seen = []
            for line, following in zip(lines, lines[1:]):
                head, place = re.search(first["regexp"], line), re.search(second["regexp"], following)
                if head and place:
                    seen.append((head[first["severity"]], head[first["code"]], place[second["file"]], place[second["line"]], place[second["column"]]))
            self.assertEqual(sorted(seen), [("error", "P03", "notes.ipynb", "2", "1"), ("error", "P03", "train.py", "2", "1")])


class Requirement(Project):
    def test_health_check(self):
        examples = support.SOURCE / "examples"
        healthy = self.sh(support.GPUWHY, "check", "--require", "gpu", "--from", examples / "healthy.json", check=False)
        self.assertEqual((healthy.returncode, healthy.stdout.count("\n"), healthy.stderr), (0, 1, ""))
        broken = self.sh(support.GPUWHY, "check", "--require", "gpu", "--from", examples / "broken.json", check=False)
        self.assertEqual((broken.returncode, broken.stdout.count("\n"), broken.stderr), (1, 1, ""))
        self.assertRegex(broken.stdout, r"^gpuwhy: .* will run on the CPU, not on the GPU: .* \([A-Z][0-9]{2}\)\n$")


if __name__ == "__main__":
    os.environ.pop("PRE_COMMIT_HOME", None)
    unittest.main(argv=sys.argv[:1], verbosity=2)
