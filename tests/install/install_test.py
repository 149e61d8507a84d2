"""What is installed, where; completions in real shells; the manual page through man's own checkers; the packages.

    python3 install_test.py GPUWHY
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GPUWHY = pathlib.Path(sys.argv[1]).resolve()
SCRATCH = tempfile.TemporaryDirectory()
BUILD = pathlib.Path(SCRATCH.name) / "build"
ROOT = pathlib.Path(SCRATCH.name) / "root"


def sh(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **options).stdout


def setUpModule():
    program = pathlib.Path(SCRATCH.name) / "any-name"
    sh("strip", "-o", program, GPUWHY)
    sh("cmake", "-S", SOURCE, "-B", BUILD, f"-DGPUWHY_PREBUILT={program}", "-DCMAKE_INSTALL_PREFIX=/opt/gpuwhy")
    sh("cmake", "--build", BUILD)
    sh("cmake", "--install", BUILD, env={**os.environ, "DESTDIR": str(ROOT)})


def installed():
    return {str(path.relative_to(ROOT / "opt/gpuwhy")) for path in ROOT.rglob("*") if path.is_file()}


FILES = {"bin/gpuwhy", "share/man/man1/gpuwhy.1", "share/bash-completion/completions/gpuwhy", "share/zsh/site-functions/_gpuwhy",
         "share/fish/vendor_completions.d/gpuwhy.fish", "share/doc/gpuwhy/README.md", "share/doc/gpuwhy/CHANGELOG.md", "share/doc/gpuwhy/copyright"}


class Files(unittest.TestCase):
    def test_places(self):
        self.assertEqual(installed(), FILES)
        self.assertEqual([path for path in ROOT.iterdir()], [ROOT / "opt"])  # nothing beside the prefix

    def test_the_program_runs(self):
        self.assertRegex(sh(ROOT / "opt/gpuwhy/bin/gpuwhy", "--version"), r"^gpuwhy [0-9.]+\n$")

    def test_packages(self):
        sh("cpack", "-G", "DEB;TGZ", "-B", SCRATCH.name, cwd=BUILD)
        deb, archive = next(pathlib.Path(SCRATCH.name).glob("*.deb")), next(pathlib.Path(SCRATCH.name).glob("*.tar.gz"))
        self.assertRegex(deb.name, r"^gpuwhy_[0-9.]+_amd64\.deb$")
        listed = {line.split()[-1] for line in sh("dpkg-deb", "--contents", deb).splitlines() if not line.startswith("d")}
        self.assertEqual(listed, {f"./usr/{name}" for name in FILES})
        fields = sh("dpkg-deb", "--field", deb)
        for field in ("Package: gpuwhy", "Architecture: amd64", "Section: science"):
            self.assertIn(field, fields)
        self.assertNotIn("Depends:", fields)  # it is static
        with tarfile.open(archive) as tar:
            names = {pathlib.PurePosixPath(*pathlib.PurePosixPath(member.name).parts[1:]) for member in tar if member.isfile()}
        self.assertEqual({str(name) for name in names}, FILES)


class Manual(unittest.TestCase):
    page = ROOT / "opt/gpuwhy/share/man/man1/gpuwhy.1"

    def test_groff(self):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", self.page], capture_output=True, text=True, check=True)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", sh("groff", "-man", "-Tutf8", self.page))
        for word in ("gpuwhy lint", "--require gpu", "EXIT STATUS", "could not tell"):
            self.assertIn(word, text)

    @unittest.skipUnless(shutil.which("mandoc"), "no mandoc here")
    def test_mandoc(self):
        done = subprocess.run(["mandoc", "-Tlint", "-Wall", self.page], capture_output=True, text=True)
        self.assertEqual(done.stdout, "")


class Shell:
    """An interactive shell on a terminal of its own: what a Tab makes of what was typed."""

    def __init__(self, words, setup):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.environ.update(PATH=f"{ROOT}/opt/gpuwhy/bin:/usr/bin:/bin", TERM="dumb", HOME=SCRATCH.name, PS1="$ ")
            os.chdir(SCRATCH.name)
            os.execvp(words[0], words)
        self.shown = ""
        self.type("\n".join([*setup, "echo read''y", ""]), "ready")

    def type(self, text, awaited, seconds=20):
        os.write(self.terminal, text.encode())
        end = time.monotonic() + seconds
        while awaited not in self.shown and time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\a\r]", "", os.read(self.terminal, 4096).decode(errors="replace"))
        seen, self.shown = self.shown, ""
        return seen

    def close(self):
        os.close(self.terminal)
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)


# Typed before the Tab, and what it must have become.
CASES = (("gpuwhy exp\t", "explain "), ("gpuwhy snapshot --no-re\t", "--no-redact "), ("gpuwhy check --requ\t", "--require"),
         ("gpuwhy check --require g\t", "gpu "), ("gpuwhy schema rep\t", "report "), ("gpuwhy lint a-file-h\t", "a-file-here.py "),
         ("gpuwhy a-file-h\t", "a-file-here.py "))


class Completions(unittest.TestCase):
    def tabs(self, words, setup):
        (pathlib.Path(SCRATCH.name) / "a-file-here.py").touch()
        for typed, completed in CASES:
            shell = Shell(words, setup)
            seen = shell.type(typed, typed.rstrip("\t").rsplit(" ", 1)[0] + " " + completed, seconds=8)
            shell.close()
            self.assertIn(typed.rstrip("\t").rsplit(" ", 1)[0] + " " + completed, seen)

    def test_bash(self):
        script = ROOT / "opt/gpuwhy/share/bash-completion/completions/gpuwhy"
        self.tabs(["bash", "--norc", "--noprofile", "-i"], ["bind 'set enable-bracketed-paste off' 2>/dev/null", f"source {script}"])

    @unittest.skipUnless(shutil.which("zsh"), "no zsh here")
    def test_zsh(self):
        folder = ROOT / "opt/gpuwhy/share/zsh/site-functions"
        self.tabs(["zsh", "-f", "-i"], ["unsetopt zle_bracketed_paste prompt_cr prompt_sp", f"fpath=({folder} $fpath)", "autoload -U compinit", "compinit -u -D"])

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_fish(self):
        script = ROOT / "opt/gpuwhy/share/fish/vendor_completions.d/gpuwhy.fish"
        (pathlib.Path(SCRATCH.name) / "a-file-here.py").touch()
        for typed, completed in CASES:
            offered = sh("fish", "--no-config", "-c", f"source {script}; complete -C '{typed.rstrip()}'", cwd=SCRATCH.name,
                         env={"PATH": f"{ROOT}/opt/gpuwhy/bin:/usr/bin:/bin", "HOME": SCRATCH.name})
            self.assertIn(completed.strip(), [line.split("\t")[0] for line in offered.splitlines()], typed)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
