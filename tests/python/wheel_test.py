"""The wheel: what it holds, how it installs, how fast it starts. Fetches scikit-build-core.

    python3 wheel_test.py GPUWHY STUB_LIB [PYTHON...]      further interpreters to install it for
"""

import base64
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

import support

WHEEL, PROGRAM = support.wheel()
INTERPRETERS = sys.argv[3:] or [sys.executable]


def best_time(words, times=15):
    """Seconds; the best of several, since other work on the machine only ever adds."""
    best = 60.0
    for _ in range(times):
        begun = time.perf_counter()
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        best = min(best, time.perf_counter() - begun)
    return best


class Contents(unittest.TestCase):
    def setUp(self):
        self.archive = zipfile.ZipFile(WHEEL)
        self.addCleanup(self.archive.close)
        self.names = self.archive.namelist()

    def test_one_wheel_for_every_python(self):
        self.assertRegex(WHEEL.name, r"^gpuwhy-[0-9.]+-py3-none-manylinux_2_17_x86_64\.whl$")

    def test_the_program_itself_is_the_script(self):
        script = next(name for name in self.names if name.endswith(".data/scripts/gpuwhy"))
        self.assertEqual(self.archive.read(script), PROGRAM.read_bytes())
        mode = self.archive.getinfo(script).external_attr >> 16
        self.assertEqual(mode & 0o111, 0o111)

    def test_it_is_typed_and_holds_nothing_else(self):
        self.assertIn("gpuwhy/py.typed", self.names)
        source = {f"gpuwhy/{path.name}" for path in (support.PACKAGE / "gpuwhy").iterdir() if path.is_file()}
        self.assertEqual({name for name in self.names if name.startswith("gpuwhy/")}, source)

    def test_the_program_needs_no_library(self):
        dynamic = subprocess.run(["readelf", "-dW", PROGRAM], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("(NEEDED)", dynamic)
        headers = subprocess.run(["readelf", "-lW", PROGRAM], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("INTERP", headers)

    def test_its_record(self):
        record = self.archive.read(next(name for name in self.names if name.endswith("/RECORD"))).decode()
        for line in record.splitlines():
            name, digest, _ = line.rsplit(",", 2)
            if digest:
                seen = base64.urlsafe_b64encode(hashlib.sha256(self.archive.read(name)).digest()).rstrip(b"=").decode()
                self.assertEqual(digest, "sha256=" + seen, name)


class Installed(unittest.TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def pip(self, interpreter, command, *words):
        """Each Python's own pip: what its users have."""
        subprocess.run([interpreter, "-m", "pip", "--disable-pip-version-check", command, "--quiet", *words], check=True,
                       env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})

    def install(self, interpreter, *words):
        self.pip(interpreter, "install", "--no-index", "--no-deps", *words, WHEEL)

    def test_in_fresh_environments(self):
        for interpreter in INTERPRETERS:
            folder = self.folder()
            subprocess.run([interpreter, "-m", "venv", folder], check=True)
            python, gpuwhy = folder / "bin/python", folder / "bin/gpuwhy"
            self.install(python)
            self.assertEqual(gpuwhy.read_bytes(), PROGRAM.read_bytes())
            code = "import gpuwhy; r = gpuwhy.check(); print(r.verdict.interpreter); print(repr(r)[0], r._repr_html_()[:4], gpuwhy.keras.GpuWhy)"
            done = subprocess.run([python, "-c", code], capture_output=True, text=True)
            self.assertEqual(done.stdout.splitlines()[0], str(python), done.stderr)
            self.assertIn("<div", done.stdout)
            module = subprocess.run([python, "-m", "gpuwhy", "--version"], capture_output=True, text=True, check=True).stdout
            self.assertEqual(module, subprocess.run([gpuwhy, "--version"], capture_output=True, text=True, check=True).stdout)
            version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip()
            bare = best_time([PROGRAM, "--version"])
            script, start, module = (best_time([gpuwhy, "--version"]), best_time([python, "-c", ""]), best_time([python, "-m", "gpuwhy", "--version"]))
            print(f"{version}: the program {bare * 1e3:.1f} ms, the wheel's {script * 1e3:.1f} ms, python -m gpuwhy {module * 1e3:.1f} ms "
                  f"(python alone {start * 1e3:.1f} ms)")
            self.assertLess(script - bare, 0.030)

    def test_elsewhere(self):
        """pip install --target and --prefix put the script where no environment says it is."""
        interpreter = INTERPRETERS[0]
        where = self.folder()
        self.install(interpreter, "--target", where / "target")
        self.install(interpreter, "--prefix", where / "prefix")
        prefixed = next((where / "prefix").glob("lib*/python*/*-packages"), None) or next((where / "prefix").glob("local/lib/python*/*-packages"))
        for place in (where / "target", prefixed):
            done = subprocess.run([interpreter, "-S", "-c", "from gpuwhy._find import find_program; print(find_program())"], capture_output=True, text=True,
                                  env={"PYTHONPATH": str(place), "PATH": "/nowhere"})
            self.assertTrue(done.stdout.startswith(str(where)), done.stdout + done.stderr)

    def test_it_uninstalls_whole(self):
        folder = self.folder()
        subprocess.run([INTERPRETERS[0], "-m", "venv", folder], check=True)
        self.install(folder / "bin/python")
        self.assertTrue(list(folder.rglob("*gpuwhy*")))
        self.pip(folder / "bin/python", "uninstall", "--yes", "gpuwhy")
        self.assertEqual(list(folder.rglob("*gpuwhy*")), [])


@unittest.skipUnless(os.geteuid() == 0, "chroot is root's")
class WithoutAnyLibrary(unittest.TestCase):
    def test_it_starts_in_an_empty_root(self):
        """No libc at all, so no glibc that could be too old; what its probes ask for, probes.ask_for_no_newer_glibc looks at."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "gpuwhy").write_bytes(PROGRAM.read_bytes())
            (root / "gpuwhy").chmod(0o755)
            done = subprocess.run(["/gpuwhy", "check"], capture_output=True, text=True, preexec_fn=lambda: os.chroot(root))
            self.assertIn(done.returncode, (1, 3), done.stderr)
            self.assertIn("no Python was found here", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
