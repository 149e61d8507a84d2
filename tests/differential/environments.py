"""The real environments: TensorFlow's wheels from PyPI, pinned and hashed in requirements/*.txt.

Several gigabytes are downloaded once into the cache folder (--cache, $GPUWHY_CACHE).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))

# Each has its requirements/NAME.txt.
ENVIRONMENTS = ("cpu-2.18", "plain-2.12", "cuda-2.15", "cuda-2.16", "cuda-2.18", "cuda-2.21")


def python():
    """A Python 3.11, the one of the wheels; the system's if it is one."""
    for candidate in ("/usr/bin/python3.11", shutil.which("python3.11"), sys.executable):
        if candidate and os.path.exists(candidate):
            answer = subprocess.run([candidate, "-c", "import sys; print(*sys.version_info[:2], sys.base_prefix)"],
                                    capture_output=True, text=True)
            if answer.stdout.startswith("3 11 "):
                return candidate, answer.stdout.split(" ", 2)[2].strip()
    sys.exit("a Python 3.11 is needed for the wheels")


class Environments:
    def __init__(self, cache):
        self.cache = cache
        self.interpreter, self.prefix = python()

    def visible(self):
        """Directories that a private root needs beyond /usr."""
        return [] if self.prefix == "/usr" else [self.prefix]

    def pip(self, *arguments):
        command = ["nice", "-n", "5", self.interpreter, "-m", "pip", *arguments, "--quiet", "--progress-bar", "off",
                   "--disable-pip-version-check", "--cache-dir", os.path.join(self.cache, "pip")]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def get(self, name):
        """The folder of an environment, made if it is not there or if its requirements changed."""
        requirements = os.path.join(HERE, "requirements", name + ".txt")
        folder = os.path.join(self.cache, "venvs", name)
        stamp = os.path.join(folder, "requirements.sha256")
        wanted = digest(requirements)
        if os.path.exists(stamp):
            with open(stamp) as file:
                if file.read() == wanted:
                    return folder
        print(f"making {name} from its wheels", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([self.interpreter, "-m", "venv", "--without-pip", folder], check=True)
        self.pip("--python", os.path.join(folder, "bin/python"), "install", "--no-deps", "--require-hashes",
                 "--only-binary", ":all:", "-r", requirements)
        with open(stamp, "w") as file:
            file.write(wanted)
        return folder

    def wheel(self, name):
        """The unpacked files of requirements/wheel-NAME.txt: one wheel, perhaps of another platform."""
        requirements = os.path.join(HERE, "requirements", f"wheel-{name}.txt")
        folder = os.path.join(self.cache, "wheels", name)
        stamp = folder + ".sha256"
        wanted = digest(requirements)
        if os.path.exists(stamp):
            with open(stamp) as file:
                if file.read() == wanted:
                    return folder
        shutil.rmtree(folder, ignore_errors=True)
        with open(requirements) as file:
            platform = next(line.split()[2] for line in file if line.startswith("# platform "))
        packed = folder + ".packed"
        self.pip("download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--platform", platform,
                 "-d", packed, "-r", requirements)
        [file] = os.listdir(packed)
        with zipfile.ZipFile(os.path.join(packed, file)) as archive:
            archive.extractall(folder)
        shutil.rmtree(packed)
        with open(stamp, "w") as file:
            file.write(wanted)
        return folder


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def build_stub(cache):
    """The stub driver (tests/stub_driver); its folder, and what it was made from."""
    source = os.path.join(SOURCE, "tests", "stub_driver")
    folder = os.path.join(cache, "stub")
    shutil.rmtree(folder, ignore_errors=True)  # it remembers the checkout that it was made from
    for command in (["cmake", "-S", source, "-B", folder, "-DCMAKE_BUILD_TYPE=Release"], ["cmake", "--build", folder]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made_from = "".join(digest(os.path.join(source, name)) for name in sorted(os.listdir(source))
                        if name.endswith((".c", ".h", "CMakeLists.txt")))
    return folder, hashlib.sha256(made_from.encode()).hexdigest()
