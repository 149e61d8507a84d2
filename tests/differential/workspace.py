"""One cell: a hard-linked copy of an environment, a machine around it, and the edits that break them.

Every edit is written down; the list of them is what the cell is, and what an answer is kept under.
Paths are told as the cell's processes see them (machine.py): the environment is /srv/cell/venv.
Originals are never changed: a file is unlinked before another takes its name.
"""

import glob
import os
import shutil
import subprocess

from machine import CELL

VENV = CELL + "/venv"
SITE = VENV + "/lib/python3.11/site-packages"
DRIVER = "/usr/local/nvidia/lib64"  # where NVIDIA's container images have the driver's libraries
DRIVER_VERSION = "580.159.04"
GPU = {"vendor": "10de", "device": "2684", "driver": "nvidia"}  # GeForce RTX 4090
LEAST_DRIVER_SIZE = 32 << 20  # a libcuda of a few KB is taken for the toolkit's stub


class Workspace:
    """`environments` and `wheels` give the folder of one by its name."""

    _site = SITE[len(VENV) + 1:]

    def __init__(self, folder, environment, stub, environments, wheels):
        self.folder, self.stub = folder, stub
        self.environments, self.wheels = environments, wheels
        self.log = []
        self.variables = {"STUB_CUDA_CHECK_NODES": "1"}
        self.machine = {
            "gpus": [dict(GPU)], "module": DRIVER_VERSION, "uvm": True, "nouveau": False,
            "nodes": {"nvidia0": 0o666, "nvidiactl": 0o666, "nvidia-uvm": 0o666},
            "container": False, "root": False, "visible": [],
            "configured": [DRIVER], "cached": [DRIVER],  # ld.so.conf.d, and what ldconfig saw of it
        }
        self.original = environments(environment)
        self.copied = False
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        os.makedirs(self.host("/usr/local"))
        self.install_driver(DRIVER_VERSION)
        self.log.clear()  # what every cell has is not what it is

    # ---- names ----

    def host(self, inside):
        """Where this machine has what the cell sees under `inside`. The environment is copied when first touched."""
        if inside.startswith(VENV) and not self.copied:
            subprocess.run(["cp", "-al", self.original, self.folder + "/venv"], check=True)
            self.copied = True
        if inside == CELL or inside.startswith(CELL + "/"):
            return self.folder + inside[len(CELL):]
        return self.folder + "/root" + inside

    def find(self, name, under=None):
        """The only file of that name below `under` (site-packages if not given), as the cell sees it."""
        top = self.host(under or SITE)
        found = [path for path in glob.glob(f"{glob.escape(top)}/**/{glob.escape(name)}", recursive=True)]
        assert len(found) == 1, f"{name}: {found}"
        return (under or SITE) + found[0][len(top):]

    def note(self, *words):
        self.log.append([str(word) for word in words])

    # ---- files ----

    def remove(self, path):
        self.note("remove", path)
        host = self.host(path)
        if os.path.isdir(host) and not os.path.islink(host):
            shutil.rmtree(host)
        else:
            os.unlink(host)

    def write(self, path, content, mode=0o644):
        """In place of what is there."""
        self.note("write", path, repr(content), mode)
        self._put(path, content.encode() if isinstance(content, str) else content, mode)

    def _put(self, path, content, mode=0o644):
        host = self.host(path)
        os.makedirs(os.path.dirname(host), exist_ok=True)
        if os.path.lexists(host):
            os.unlink(host)
        with open(host, "wb") as file:
            file.write(content)
        os.chmod(host, mode)

    def cut(self, path, size):
        """The file's first `size` bytes; negative: all but so many."""
        self.note("cut", path, size)
        with open(self.host(path), "rb") as file:
            self._put(path, file.read() if size < 0 else file.read(size))
        if size < 0:
            os.truncate(self.host(path), os.path.getsize(self.host(path)) + size)

    def patch(self, path, offset, content):
        self.note("patch", path, offset, content.hex())
        with open(self.host(path), "rb") as file:
            whole = bytearray(file.read())
        whole[offset:offset + len(content)] = content
        self._put(path, bytes(whole))

    def link(self, path, target):
        self.note("link", path, target)
        host = self.host(path)
        os.makedirs(os.path.dirname(host), exist_ok=True)
        if os.path.lexists(host):
            os.unlink(host)
        os.symlink(target, host)

    def rename(self, path, new):
        self.note("rename", path, new)
        os.makedirs(os.path.dirname(self.host(new)), exist_ok=True)
        os.rename(self.host(path), self.host(new))

    def mode(self, path, mode):
        """Of a directory, or of a file that is copied first: a hard link shares its mode."""
        self.note("mode", path, oct(mode))
        host = self.host(path)
        if not os.path.isdir(host):
            shutil.copyfile(host, host + ".new")
            os.replace(host + ".new", host)
        os.chmod(host, mode)

    def copy_stub(self, name, path):
        """A file of the stub driver's build folder under another name."""
        self.note("stub", name, path)
        host = self.host(path)
        os.makedirs(os.path.dirname(host), exist_ok=True)
        if os.path.lexists(host):
            os.unlink(host)
        shutil.copyfile(os.path.join(self.stub, name), host)

    # ---- distributions ----

    def uninstall(self, distribution):
        """As pip does it: the files of RECORD, then the directories left empty."""
        self.note("uninstall", distribution)
        folder = self._metadata(distribution)
        site = self.host(SITE)
        parents = set()
        with open(os.path.join(folder, "RECORD")) as file:
            names = [line.rsplit(",", 2)[0].strip('"') for line in file]
        for name in names:
            path = os.path.normpath(os.path.join(site, name))
            if path.startswith(self.folder + "/") and os.path.lexists(path):
                os.unlink(path)
                parents.add(os.path.dirname(path))
        for parent in sorted(parents, key=len, reverse=True):
            while parent.startswith(site + "/") and os.path.isdir(parent) and not os.listdir(parent):
                os.rmdir(parent)
                parent = os.path.dirname(parent)

    def _metadata(self, distribution):
        name = distribution.replace("-", "_").lower()
        found = [path for path in glob.glob(self.host(SITE) + "/*.dist-info")
                 if os.path.basename(path).lower().startswith(name + "-")]
        assert len(found) == 1, f"{distribution}: {found}"
        return found[0]

    def nvidia_wheels(self):
        return sorted(os.path.basename(path).split("-")[0].replace("_", "-")
                      for path in glob.glob(self.host(SITE) + "/nvidia_*.dist-info"))

    def install_wheel(self, wheel, site=SITE):
        """The unpacked files of a wheel (environments.WHEELS), over what is there."""
        self.note("wheel", wheel, site)
        self._lay(self.wheels(wheel), self.host(site))

    def install_from(self, environment, *names):
        """Directories of another environment's site-packages, over what is there."""
        self.note("from", environment, *names)
        for name in names:
            self._lay(os.path.join(self.environments(environment), self._site, name),
                      os.path.join(self.host(SITE), name))

    def copy_real(self, environment, name, path):
        """A library of another environment's site-packages."""
        self.note("real", environment, name, path)
        host = self.host(path)
        os.makedirs(os.path.dirname(host), exist_ok=True)
        os.link(os.path.join(self.environments(environment), self._site, name), host)

    def duplicate(self, path, new):
        self.note("duplicate", path, new)
        os.makedirs(os.path.dirname(self.host(new)), exist_ok=True)
        os.link(self.host(path), self.host(new))

    def make_directory(self, path):
        self.note("directory", path)
        os.makedirs(self.host(path))

    @staticmethod
    def _lay(source, target):
        os.makedirs(target, exist_ok=True)
        subprocess.run(["cp", "-al", "--remove-destination", source + "/.", target], check=True)

    # ---- the machine ----

    def install_driver(self, version, folder=DRIVER, nvml=True):
        self.note("driver", version, folder, nvml)
        for name in ["libcuda", *(["libnvidia-ml"] if nvml else [])]:
            self.copy_stub(f"lib/{name}.so.1", f"{folder}/{name}.so.{version}")
            os.truncate(self.host(f"{folder}/{name}.so.{version}"), LEAST_DRIVER_SIZE)
            self.link(f"{folder}/{name}.so.1", f"{name}.so.{version}")

    def set(self, **variables):
        self.variables.update(variables)

    def library_path(self, *folders):
        """Appended to LD_LIBRARY_PATH."""
        before = self.variables.get("LD_LIBRARY_PATH")
        self.variables["LD_LIBRARY_PATH"] = ":".join([*([before] if before else []), *folders])

    def configure(self, folder, cached=True, configured=True):
        """A line in /etc/ld.so.conf.d, and the directory's libraries in the loader's cache."""
        if configured:
            self.machine["configured"].append(folder)
        if cached and self.machine["cached"] is not None:
            self.machine["cached"].append(folder)

    def content(self):
        """What this cell is: equal content, equal answer."""
        return {"edits": self.log, "machine": self.machine, "variables": self.variables}
