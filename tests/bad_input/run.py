#!/usr/bin/env python3
"""gpuwhy on what is broken, endless or hostile: run.py GPUWHY [PART OF A NAME]

Each case runs the real program with a time limit. It must end by itself with one of its four statuses, print
a whole verdict or one clear line, and let no control character through. A bad library in front must be named.
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 60  # seconds; a run takes some hundredths, on a busy machine with sanitizers more
GPUWHY = None
CASES = []


def case(function):
    CASES.append(function)
    return function


class Failure(Exception):
    pass


def is_sanitized():
    return re.search(rb"__[at]san_init", Path(GPUWHY).read_bytes()) is not None


def expect(holds, text):
    if not holds:
        raise Failure(text)


def tiny_elf(names):
    """A header, one PT_LOAD over the whole file, PT_DYNAMIC, strings."""
    tags = {"soname": 14, "needed": 1, "runpath": 29}
    strings, dynamic, start = b"\0", b"", 64 + 2 * 56
    for tag, name in names:
        dynamic += struct.pack("<QQ", tags[tag], len(strings))
        strings += name.encode() + b"\0"
    dynamic += struct.pack("<QQQQ", 5, 0x10000 + start + len(dynamic) + 32, 0, 0)
    size = start + len(dynamic) + len(strings)
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0x10000, 0x10000, size, size, 4096)
    dyn = struct.pack("<IIQQQQQQ", 2, 4, start, 0x10000 + start, 0x10000 + start, len(dynamic), len(dynamic), 8)
    return header + load + dyn + dynamic + strings


class Desk:
    """An interpreter, and a TensorFlow with CUDA in it, of empty files; and a folder on LD_LIBRARY_PATH."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.prefix = self.folder / "env"
        self.site = self.prefix / "lib/python3.11/site-packages"
        self.front = self.folder / "front"
        self.home = self.folder / "home"
        for path in (self.prefix / "bin", self.site / "tensorflow/python/platform", self.front, self.home):
            path.mkdir(parents=True)
        python = self.prefix / "bin/python3.11"
        python.write_bytes(tiny_elf([("needed", "libc.so.6")]))
        python.chmod(0o755)
        (self.prefix / "bin/python3").symlink_to("python3.11")
        (self.prefix / "lib/python3.11/os.py").touch()
        package = self.site / "tensorflow"
        (package / "__init__.py").touch()
        (package / "python/platform/build_info.py").write_text(
            "build_info = {'is_cuda_build': True, 'is_rocm_build': False, 'cuda_version': '12.5.1', 'cudnn_version': '9'}\n")
        (package / "python/_pywrap_tensorflow_internal.so").write_bytes(tiny_elf([("needed", "libtensorflow_framework.so.2")]))
        (package / "libtensorflow_framework.so.2").write_bytes(
            tiny_elf([("soname", "libtensorflow_framework.so.2"), ("runpath", "$ORIGIN/../nvidia/cudnn/lib")]))
        info = self.site / "tensorflow-2.18.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Name: tensorflow\nVersion: 2.18.0\n")
        self.environment = {"PATH": f"{self.prefix}/bin:/usr/bin:/bin", "HOME": str(self.home),
                            "LD_LIBRARY_PATH": str(self.front), "LANG": "C.UTF-8"}

    def run(self, *words, user=None, environment=None, wrap=(), check=True, **more):
        command = [*wrap, GPUWHY, *map(str, words)]
        options = {"user": user, "group": user, "extra_groups": []} if user is not None else {}
        try:
            done = subprocess.run(command, env=self.environment if environment is None else environment, capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=LIMIT, cwd=self.folder, **options, **more)
        except subprocess.TimeoutExpired:
            raise Failure(f"{words}: still running after {LIMIT} s") from None
        if check:
            self.check(words, done)
        return done

    def check(self, words, done):
        expect(done.returncode in (0, 1, 2, 3), f"{words}: status {done.returncode}: {done.stderr[-400:]!r}")
        for name, text in (("output", done.stdout), ("errors", done.stderr)):
            bad = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", text)
            expect(not bad, f"{words}: a control character in the {name}: {bad and text[max(0, bad.start() - 40):bad.end() + 40]!r}")
        if done.returncode == 2:
            expect(not done.stdout, f"{words}: output beside the error")
            expect(re.fullmatch(rb"gpuwhy: [^\n]+\n", done.stderr), f"{words}: not one clear line: {done.stderr!r}")
        else:
            expect(done.stdout, f"{words}: no output")
            expect(not done.stderr, f"{words}: {done.stderr[:300]!r}")

    def verdict(self, *words, **more):
        done = self.run("check", "--json", "--no-probes", *words, **more)
        expect(done.returncode != 2, f"{words}: {done.stderr!r}")
        return json.loads(done.stdout)

    def told(self, *words, **more):
        """All that the verdict says, as text."""
        return json.dumps(self.verdict(*words, **more))

    def in_front(self, write, name="libcudnn.so.9"):
        path = self.front / name
        if path.is_symlink() or path.exists():
            path.unlink()
        write(path)
        return path

    def expect_named(self, words=("L07",), **more):
        told = self.told(**more)
        expect(any(f'"{word}"' in told for word in words), f"the bad library is not named: {told[:1500]}")
        self.run("--no-probes", "-v", **more)


@case
def a_library_cut_at_every_byte(desk):
    whole = tiny_elf([("soname", "libcudnn.so.9")])
    sizes = [*range(0, 190), *range(190, len(whole), 7)]
    for size in sizes:
        desk.in_front(lambda path, size=size: path.write_bytes(whole[:size]))
        told = desk.told()
        expect('"L07"' in told, f"cut at {size} of {len(whole)}: not named")
    desk.in_front(lambda path: path.write_bytes(whole))
    expect('"L07"' not in desk.told(), "the whole library is called bad")


@case
def a_pipe_for_a_library(desk):
    desk.in_front(lambda path: os.mkfifo(path))
    desk.expect_named()


@case
def loops_of_links(desk):
    desk.in_front(lambda path: path.symlink_to("libcudnn.so.9"))
    (desk.front / "a").symlink_to("b")
    (desk.front / "b").symlink_to("a")
    (desk.front / "loop").symlink_to(".")
    desk.environment["LD_LIBRARY_PATH"] += f":{desk.front}/a:{desk.front}/loop/loop/loop:{desk.front}/" + "loop/" * 100
    desk.told()
    desk.run("--no-probes", "-v")
    (desk.prefix / "bin/python").symlink_to("python")
    desk.run("--no-probes", "--python", desk.prefix / "bin/python")


@case
def ten_gigabytes_of_nothing(desk):
    for head in (b"", tiny_elf([("soname", "libcudnn.so.9")])):
        def write(path):
            path.write_bytes(head)
            os.truncate(path, 10 << 30)
        desk.in_front(write)
        desk.run("--no-probes", "-v")
    (desk.site / "tensorflow/python/platform/build_info.py").unlink()
    for name in ("tensorflow/python/platform/build_info.py", "tensorflow-2.18.0.dist-info/METADATA", "x.pth"):
        path = desk.site / name
        path.touch()
        os.truncate(path, 10 << 30)
    desk.run("--no-probes", "-v")


@case
def a_directory_a_script_and_a_pointer_for_libraries(desk):
    desk.in_front(lambda path: path.mkdir())
    desk.expect_named()
    (desk.front / "libcudnn.so.9").rmdir()
    desk.in_front(lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"))
    desk.expect_named()
    desk.in_front(lambda path: path.write_bytes(tiny_elf([])[:18] + struct.pack("<H", 183) + tiny_elf([])[20:]))
    desk.expect_named()


@case
def names_that_drive_a_terminal(desk):
    for name in ("\x1b[31mred", "bell\x07", "new\nline", "title\x1b]0;x\x07", "\u202eright", "quote'\"$(touch x)"):
        folder = desk.folder / name
        folder.mkdir()
        (folder / "libcudnn.so.9").write_bytes(b"\x7fELF")
        desk.environment["LD_LIBRARY_PATH"] = str(folder)
        desk.environment["CUDA_VISIBLE_DEVICES"] = name
        desk.environment["CUDA_HOME"] = str(folder)
        for words in (("--no-probes",), ("--no-probes", "-v"), ("check", "--json", "--no-probes")):
            desk.run(*words)
        desk.run("--python", folder, "--no-probes")
        desk.run(folder / "gone.py")
        desk.run("--" + name)
        desk.run("rule", name)
        desk.run(name)


@case
def bytes_that_are_no_utf_8(desk):
    folder = os.fsencode(desk.folder) + b"/caf\xe9\xff"
    os.mkdir(folder)
    Path(os.fsdecode(folder), "libcudnn.so.9").write_bytes(b"x")
    desk.environment["LD_LIBRARY_PATH"] = os.fsdecode(folder)
    desk.run("--no-probes", "-v")
    json.loads(desk.run("check", "--json", "--no-probes").stdout)
    json.loads(desk.run("snapshot", "--no-probes").stdout)


@case
def records_that_are_none(desk):
    record = desk.folder / "record.json"
    whole = desk.run("snapshot", "--no-probes").stdout
    record.write_bytes(whole)
    expect(desk.run("--from", record).returncode in (1, 3), "a snapshot cannot be judged")
    for text, wanted in ((whole.replace(b"gpuwhy.snapshot/1", b"gpuwhy.snapshot/9"), b"gpuwhy.snapshot/9"),
                         (b"{\n  \"schema\": oops\n}", b"line 2, column 13"),
                         (whole[:len(whole) // 2], b"broken JSON at line"),
                         (whole.replace(b'"looked": true', b'"looked": 7'), b"facts.environment.looked: expected true or false"),
                         (b"", b"line 1"), (b"\0" * 1000, b"line 1"), (b"[" * 200000, b"line 1"),
                         (b'{"schema": "\\u001b[31m"}', b"schema"),
                         (b'{"schema": "gpuwhy.tape/1"}\n{"x"', b""), (b'{"schema": "gpuwhy.tape/7"}\n', b"")):
        record.write_bytes(text)
        done = desk.run("--from", record)
        expect(done.returncode == 2, f"{text[:60]!r} is taken for a record: {done.returncode}")
        expect(wanted in done.stderr, f"{text[:60]!r}: {done.stderr!r} does not say {wanted!r}")
    for path in (desk.folder, desk.folder / "gone.json", "/dev/zero"):
        expect(desk.run("--from", path).returncode == 2, f"{path} is taken for a record")


@case
def a_tape_says_what_the_machine_said(desk):
    tape = desk.folder / "tape.jsonl"
    desk.in_front(lambda path: path.write_bytes(b"\x7fELF"))
    desk.run("snapshot", "--no-probes", "--tape", tape)
    expect(b'"L07"' in desk.run("--from", tape, "--json").stdout, "the tape tells another story")


@case
def what_is_no_python(desk):
    text = desk.folder / "notes.txt"
    text.write_text("words\n")
    os.mkfifo(desk.folder / "pipe.py")
    for path in ("/bin/ls", text, desk.folder / "gone.py", desk.folder / "pipe.py", "/dev/zero", "/dev/null"):
        expect(desk.run(path).returncode == 2, f"{path} is taken for a program")
    for path in ("/bin/ls", text, desk.folder / "gone", desk.folder / "pipe.py", "/dev/zero", desk.home, ""):
        desk.run("--no-probes", "--python", path)


@case
def pipes_where_settings_should_be(desk):
    for path in (desk.home / ".bashrc", desk.home / ".profile", desk.site / "x.pth", desk.prefix / "pyvenv.cfg",
                 desk.site / "tensorflow-2.18.0.dist-info/INSTALLER", desk.front / "libcuda.so.1"):
        os.mkfifo(path)
    (desk.site / "tensorflow-2.18.0.dist-info/METADATA").unlink()
    os.mkfifo(desk.site / "tensorflow-2.18.0.dist-info/METADATA")
    desk.run("--no-probes", "-v")
    desk.run("--no-probes", "--all")


@case
def endless_settings(desk):
    (desk.home / ".bashrc").write_text("export LD_LIBRARY_PATH=" + "$" * 100000 + "\n" + "((((" * 50000 + "'" * 9999)
    (desk.site / "x.pth").write_text("\n".join(f"/d{i}" for i in range(20000)))
    (desk.site / "tensorflow/python/platform/build_info.py").write_text("build_info = " + "[" * 200000)
    (desk.site / "tensorflow-2.18.0.dist-info/METADATA").write_text("Requires-Dist: x" * 100000)
    desk.environment["LD_LIBRARY_PATH"] = ":".join(f"/d{i}" for i in range(3000))
    desk.environment["PATH"] += ":" + ":".join(f"/e{i}" for i in range(9000))
    desk.environment["PYTHONPATH"] = ":".join(f"/f{i}" for i in range(9000))
    desk.environment["CUDA_VISIBLE_DEVICES"] = "0," * 50000
    desk.run("--no-probes", "-v")


@case
def many_files(desk):
    for i in range(3000):
        (desk.front / f"libcudnn_{i}.so.9").touch()
        (desk.site / f"keras_{i}-1.0.dist-info").mkdir()
    desk.run("--no-probes")


@case
def a_closed_directory(desk):
    if os.geteuid() != 0:
        return "needs root, to become nobody"
    os.chmod(desk.folder, 0o755)
    closed = desk.folder / "closed"
    closed.mkdir()
    (closed / "libcudnn.so.9").write_bytes(tiny_elf([("soname", "libcudnn.so.9")]))
    os.chmod(closed, 0)
    desk.environment["LD_LIBRARY_PATH"] = str(closed)
    told = desk.told(user=65534)
    expect("closed" in told, f"the closed directory is not told of: {told[:1500]}")
    os.chmod(desk.site, 0)
    desk.run("--no-probes", "-v", user=65534)
    os.chmod(desk.home, 0)
    desk.run("--no-probes", "-v", user=65534)
    desk.run("snapshot", user=65534)
    return None


@case
def no_proc_and_no_sys(desk):
    wrap = ("unshare", "--mount", "--propagation", "private", "sh", "-c",
            'mount -t tmpfs none /proc && mount -t tmpfs none /sys && exec "$@"', "sh")
    try:
        subprocess.run([*wrap, "true"], check=True, capture_output=True, timeout=LIMIT)
    except (OSError, subprocess.SubprocessError):
        return "no right to mount"
    if is_sanitized():
        return "the sanitizer wants /proc"
    done = desk.run(wrap=wrap)
    expect(done.returncode in (1, 3), f"status {done.returncode}")
    told = desk.told(wrap=wrap)
    expect('"H03"' not in told and '"H06"' not in told, "a driver is missed that nobody could see")
    return None


@case
def an_empty_environment(desk):
    desk.run(environment={})
    desk.run("snapshot", environment={})
    desk.run("--all", "--no-probes", environment={"HOME": "relative", "PATH": "::", "VIRTUAL_ENV": "x", "CONDA_PREFIX": "y"})


@case
def nobody_listens(desk):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([GPUWHY, "rules"], stdout=full, stderr=subprocess.PIPE, timeout=LIMIT, check=False)
    expect(done.returncode == 2 and done.stderr.startswith(b"gpuwhy: "), f"{done.returncode} {done.stderr!r}")
    for closed in ("<&-", ">&-", "2>&-"):
        done = subprocess.run(["sh", "-c", f'"$0" rules {closed}', GPUWHY], capture_output=True, timeout=LIMIT, check=False)
        expect(done.returncode in (0, 2), f"{closed}: {done.returncode}")


@case
def little_memory_and_few_files(desk):
    limits = ["ulimit -n 8"]
    if not is_sanitized():  # such a program reserves terabytes
        limits.append("ulimit -v 400000")
    for limit in limits:
        done = subprocess.run(["sh", "-c", f'{limit}; exec "$0" --no-probes', GPUWHY], env=desk.environment,
                              capture_output=True, timeout=LIMIT, check=False)
        expect(done.returncode in (0, 1, 2, 3), f"{limit}: {done.returncode} {done.stderr[-300:]!r}")


@case
def no_process_and_no_thread(desk):
    os.chmod(desk.folder, 0o755)
    code = desk.folder / "code"
    code.mkdir()
    for name in ("a.py", "b.py", "c.py"):
        (code / name).write_text("import tensorflow as tf\ntf.config.set_visible_devices([], 'GPU')\n")
    desk.environment["ASAN_OPTIONS"] = "detect_leaks=0"  # which wants a process of its own
    for words in (["lint", code], [], ["snapshot"]):
        done = desk.run(*words, wrap=("prlimit", "--nproc=1"), user=65534 if os.geteuid() == 0 else None)
        if words and words[0] == "lint":
            expect(done.stdout.count(b"P02") == 3, f"{done.stdout!r} {done.stderr!r}")


def main():
    global GPUWHY
    GPUWHY = str(Path(sys.argv[1]).resolve())
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    failed = 0
    for function in CASES:
        name = function.__name__.replace("_", " ")
        if wanted not in name:
            continue
        folder = tempfile.mkdtemp(prefix="gpuwhy-bad-input-")
        try:
            skipped = function(Desk(folder))
            print(f"{'skipped' if skipped else 'good'}  {name}{': ' + skipped if skipped else ''}", flush=True)
        except Failure as failure:
            failed += 1
            print(f"BAD   {name}: {failure}", flush=True)
        finally:
            subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, capture_output=True)
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
