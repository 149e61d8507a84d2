"""A machine that does not exist, for one process: a root of its own in a mount namespace.

    python3 machine.py MACHINE.json COMMAND...

/sys, /proc and /dev show the GPUs, modules and device nodes of MACHINE.json; the cell's files are
at /srv/cell; /usr is the real one. The command runs there as an ordinary user unless the machine
says otherwise. Needs root. Status 77: this machine does not allow it; the reason is on stderr.

The device nodes are further names of /dev/null, since no driver here owns NVIDIA's numbers: they
can be opened, which is all that the stub driver asks of them.
"""

import ctypes
import json
import os
import shutil
import stat
import subprocess
import sys

CELL = "/srv/cell"
HOME = CELL + "/home"
USER = 1000
SKIP = 77
NULL_DEVICE = os.makedev(1, 3)

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_REMOUNT, MS_RDONLY, MS_BIND, MS_REC, MS_PRIVATE = 2, 32, 1, 4096, 16384, 1 << 18


class Refused(Exception):
    pass


def _call(name, *arguments):
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise Refused(f"{name}: {os.strerror(number)}")


def _mount(source, target, kind=None, flags=0, data=None):
    encode = lambda text: text.encode() if text is not None else None
    _call("mount", encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(data))


def _tmpfs(target, mode="755"):
    os.makedirs(target, exist_ok=True)
    _mount("tmpfs", target, "tmpfs", MS_NOSUID, "mode=" + mode)


def _bind(source, target, read_only=False):
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    _mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        _mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY)


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


class Root:
    """The pieces of a private root, laid out below `top`."""

    def __init__(self, top, machine, cell):
        self.top, self.machine, self.cell = top, machine, cell

    def path(self, inside):
        return self.top + inside

    def build(self):
        _tmpfs(self.top)
        for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            source = "/" + name
            if os.path.islink(source):
                os.symlink(os.readlink(source), self.path(source))
            elif os.path.isdir(source):
                _bind(source, self.path(source))
        for prefix in self.machine["visible"]:
            _bind(prefix, self.path(prefix))
        for name in ("tmp", "run", "var", "root", "home"):
            os.makedirs(self.path("/" + name))
        os.chmod(self.path("/tmp"), 0o1777)
        _bind(self.cell, self.path(CELL))
        os.makedirs(self.path(HOME), exist_ok=True)
        os.chown(self.path(HOME), USER, USER)
        if self.machine["venv"]:
            _bind(self.machine["venv"], self.path(CELL + "/venv"), read_only=True)
        for inside in ("/usr/local", "/opt"):
            _tmpfs(self.path(inside))
        laid_over = os.path.join(self.cell, "root")
        for inside in ("usr/local", "opt"):
            if os.path.isdir(os.path.join(laid_over, inside)):
                _bind(os.path.join(laid_over, inside), self.path("/" + inside))
        _write(self.path("/var/lib/dpkg/status"), "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n\n")
        if self.machine["container"]:
            _write(self.path("/.dockerenv"), "")
        self.build_etc()
        self.build_dev()
        self.build_proc()
        self.build_sys()

    def build_etc(self):
        os.makedirs(self.path("/etc"))
        for name in ("os-release", "passwd", "group", "nsswitch.conf", "debian_version"):
            if os.path.exists("/etc/" + name):
                shutil.copy("/etc/" + name, self.path("/etc/" + name))
        for name in ("alternatives",):
            if os.path.isdir("/etc/" + name):
                _bind("/etc/" + name, self.path("/etc/" + name))
        system = ["/usr/local/lib", "/usr/local/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"]
        lines = lambda folders: "".join(folder + "\n" for folder in folders)
        conf = self.path("/etc/ld.so.conf")
        if self.machine["cached"] is not None:
            _write(conf, lines([*self.machine["cached"], *system]))
            subprocess.run(["/sbin/ldconfig", "-X", "-r", self.top], check=True, capture_output=True)
        os.makedirs(self.path("/etc/ld.so.conf.d"))
        _write(conf, "include /etc/ld.so.conf.d/*.conf\n")
        _write(self.path("/etc/ld.so.conf.d/libc.conf"), lines(system))
        _write(self.path("/etc/ld.so.conf.d/cell.conf"), lines(self.machine["configured"]))

    def build_dev(self):
        dev = self.path("/dev")
        _tmpfs(dev)
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            _bind("/dev/" + name, f"{dev}/{name}")
        _tmpfs(dev + "/shm", "1777")
        os.symlink("/proc/self/fd", dev + "/fd")
        for name, mode in self.machine["nodes"].items():
            os.mknod(f"{dev}/{name}", stat.S_IFCHR, NULL_DEVICE)
            os.chmod(f"{dev}/{name}", mode)

    def build_proc(self):
        proc = self.path("/proc")
        _bind("/proc", proc)
        with open("/proc/devices") as file:
            devices = file.read()
        if self.machine["uvm"]:
            number = os.major(NULL_DEVICE)
            devices = devices.replace("Character devices:\n", f"Character devices:\n{number:3} nvidia-uvm\n")
        _write(self.path("/run/devices"), devices)
        _bind(self.path("/run/devices"), proc + "/devices")
        _tmpfs(proc + "/driver")
        module = self.machine["module"]
        if module:
            _write(proc + "/driver/nvidia/version",
                   f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {module}  Mon Jan  1 00:00:00 UTC 2024\n"
                   "GCC version:  gcc version 12.2.0\n")

    def build_sys(self):
        sys_ = self.path("/sys")
        _bind("/sys", sys_)
        _tmpfs(sys_ + "/module")
        module = self.machine["module"]
        if module:
            _write(sys_ + "/module/nvidia/version", module + "\n")
            if self.machine["uvm"]:
                os.makedirs(sys_ + "/module/nvidia_uvm")
        if self.machine["nouveau"]:
            os.makedirs(sys_ + "/module/nouveau")
        pci = sys_ + "/bus/pci/devices"
        _tmpfs(pci)
        for slot, gpu in enumerate(self.machine["gpus"], 1):
            folder = f"{pci}/0000:{slot:02x}:00.0"
            _write(folder + "/class", "0x030000\n")
            _write(folder + "/vendor", f"0x{gpu['vendor']}\n")
            _write(folder + "/device", f"0x{gpu['device']}\n")
            _write(folder + "/numa_node", "0\n")
            _write(folder + "/power_state", "D0\n")
            _write(folder + "/power/runtime_status", "active\n")
            if gpu["driver"]:
                os.symlink("../../../../bus/pci/drivers/" + gpu["driver"], folder + "/driver")

    def enter(self):
        os.chroot(self.top)
        os.chdir(HOME)
        if not self.machine["root"]:
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)


def main():
    with open(sys.argv[1]) as file:
        machine = json.load(file)
    cell = os.path.dirname(os.path.abspath(sys.argv[1]))
    try:
        if os.geteuid() != 0:
            raise Refused("a mount namespace needs root")
        _call("unshare", CLONE_NEWNS)
        _mount(None, "/", None, MS_REC | MS_PRIVATE)
        root = Root(machine["top"], machine, cell)
        root.build()
        root.enter()
    except Exception as error:  # whatever it is, it must not pass for an answer of the command
        print(f"no private root: {type(error).__name__}: {error}", file=sys.stderr)
        return SKIP
    environment = {"PATH": "/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8", **machine["variables"]}
    os.execve(sys.argv[2], sys.argv[2:], environment)


if __name__ == "__main__":
    sys.exit(main())
