"""Builds trees of tiny libraries with the exact linker flags of one rule, and runs both sides on them."""

import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
OPENER = "void* dlopen(const char*, int);\nvoid* open_from(const char* n) { return dlopen(n, 2); }\n"


def run(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)


class Tree:
    """One case: a folder, its libraries, its program and the environment in which it starts."""

    def __init__(self, folder, driver_object):
        self.root = folder
        self.driver_object = driver_object
        self.exe = self.path("bin/program")
        self.library_path = None
        self.cwd = self.root
        self.cache = None  # a private cache, laid over /etc/ld.so.cache
        self.real_program = None
        os.makedirs(self.path("bin"))
        os.makedirs(self.path("stubs"))

    def path(self, name):
        return os.path.join(self.root, name)

    def tags(self, rpath=None, runpath=None, needed=(), flags=()):
        options = list(flags)
        if rpath is not None:
            options += ["-Wl,--disable-new-dtags", "-Wl,-rpath," + rpath]
        if runpath is not None:
            options += ["-Wl,--enable-new-dtags", "-Wl,-rpath," + runpath]
        if needed:
            options += ["-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined"]
        return options + [self.stub(name) for name in needed]

    def stub(self, soname):
        path = self.path("stubs/" + soname)
        if not os.path.exists(path):
            self.compile(path, "int nothing;", ["-Wl,-soname," + soname])
        return path

    def compile(self, path, source, options):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        run(["gcc", "-shared", "-fPIC", "-nostdlib", "-x", "c", "-", "-x", "none", "-o", path] + options,
            input=source)

    def lib(self, name, soname=None, source="int here;", **tags):
        """A library; `soname` defaults to its file name, "" gives none."""
        path = self.path(name)
        soname = os.path.basename(name) if soname is None else soname
        named = ["-Wl,-soname," + soname] if soname else []
        self.compile(path, source, named + self.tags(**tags))
        return path

    def opener(self, name, **tags):
        return self.lib(name, source=OPENER, **tags)

    def program(self, **tags):
        run(["gcc", self.driver_object, "-o", self.exe] + self.tags(**tags))

    def file(self, name, content=b""):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def link(self, name, target):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
        return path

    def copy(self, source, name):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(self.path(source), path)
        return path

    def make_cache(self, *folders):
        conf = self.file("ld.so.conf", "".join(self.path(folder) + "\n" for folder in folders))
        self.cache = self.path("ld.so.cache")
        run(["ldconfig", "-X", "-C", self.cache, "-f", conf])

    def real(self, operations):
        if not os.path.exists(self.exe):
            self.program()
        environment = {"PATH": os.environ["PATH"], "LD_DEBUG": "libs"}
        if self.library_path is not None:
            environment["LD_LIBRARY_PATH"] = self.library_path
        program = self.real_program or self.exe
        command = [program] + operations
        if self.cache:
            # The shell needs its libraries too: it mounts first, and the program alone gets the variables.
            script = 'mount --bind "$0" /etc/ld.so.cache; exec env "$@"'
            command = ["unshare", "-m", "sh", "-c", script, self.cache] + [
                f"{name}={value}" for name, value in environment.items()] + command
            environment = {"PATH": os.environ["PATH"]}
        done = subprocess.run(command, env=environment, cwd=self.cwd, capture_output=True, text=True,
                              timeout=60)
        lines = done.stdout.splitlines()
        if done.returncode < 0:
            lines.append("crash")
        return lines, done.stderr

    def predicted(self, predict, operations):
        command = [predict, self.exe, self.cwd, self.library_path or "", self.cache or "/etc/ld.so.cache"]
        done = run(command + operations)
        lines = done.stdout.splitlines()
        return ([line for line in lines if not line.startswith("  asked ")],
                [line[8:].split("\t") for line in lines if line.startswith("  asked ")])
