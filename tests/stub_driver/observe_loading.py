"""Which libraries does a TensorFlow installation open while it lists GPUs, who asks, in which order?

    python3 observe_loading.py BUILD VENV [--without FILE] [--path DIR] [--quiet] [--json] [VAR=VALUE...]

BUILD is the build folder of this directory's CMakeLists.txt. Runs the venv's own TensorFlow in a
fresh process with the stub driver on LD_LIBRARY_PATH and an audit library in the loader. With
--without the venv is first copied beside itself by hard links and the named file is unlinked in
the copy; the venv itself is never changed. --path adds a folder to LD_LIBRARY_PATH; a relative one
is meant from site-packages. VAR=- unsets a variable.
"""

import argparse
import glob
import json
import os
import re
import subprocess
import tempfile
import time

PROGRAM = """
import time
begin = time.time()
import tensorflow as tf
imported = time.time()
gpus = tf.config.list_physical_devices("GPU")
print("RESULT", len(gpus), imported - begin, time.time() - imported, tf.__version__)
"""
OURS = re.compile(r"lib(cu|nv|nccl|nvidia)[A-Za-z_\-]*[.a-z]*\.so")
LOG = re.compile(r"dso_loader|cudart_stub|cuda_driver|cuda_platform|cuda_executor|gpu_device|TF-TRT|"
                 r"cuda_diagnostics|Cannot dlopen|cuda_dnn|NVML|stub lib")


def observe(build, venv, without=(), paths=(), extra=None, vlog=True):
    build, venv = os.path.abspath(build), os.path.abspath(venv)
    if not without:
        return run(build, venv, paths, extra or {}, vlog)
    with tempfile.TemporaryDirectory(prefix="venv-", dir=os.path.dirname(venv)) as folder:
        copy = os.path.join(folder, "venv")
        subprocess.run(["cp", "-al", venv, copy], check=True)
        doomed = [os.path.join(where, name) for where, _, files in os.walk(copy)
                  for name in files if name in without]
        assert doomed, f"{without}: not found under {venv}"
        for path in doomed:
            os.unlink(path)
        return run(build, copy, paths, extra or {}, vlog)


def run(build, venv, paths, extra, vlog):
    stub = os.path.join(build, "lib")
    packages = glob.glob(os.path.join(venv, "lib/python3*/site-packages"))[0]
    with tempfile.TemporaryDirectory() as folder:
        tape = os.path.join(folder, "tape")
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("CUDA", "TF_", "LD_"))}
        environment.update(
            LD_LIBRARY_PATH=":".join([stub, *(os.path.join(packages, path) for path in paths)]), WHO_OPENS=tape, PYTHONDONTWRITEBYTECODE="1",
            LD_AUDIT=os.path.join(build, "audit", "libwho_opens.so"))
        if vlog:
            environment["TF_CPP_MAX_VLOG_LEVEL"] = "1"
        environment.update(extra)
        environment = {k: v for k, v in environment.items() if v != "-"}
        begin = time.time()
        done = subprocess.run([os.path.join(venv, "bin", "python"), "-c", PROGRAM], env=environment,
                              capture_output=True, text=True, errors="replace")
        wall = time.time() - begin
        opened = []
        if os.path.exists(tape):
            with open(tape, errors="replace") as file:
                opened = searches(file)
    result = re.search(r"^RESULT (\d+) (\S+) (\S+) (\S+)", done.stdout, re.M)
    seconds = {"wall": round(wall, 1)}
    if result:
        seconds.update({"import": round(float(result[2]), 1), "list": round(float(result[3]), 2)})

    def plain(text):
        return text.replace(packages + "/", "").replace(build, "BUILD")

    return {
        "status": done.returncode,
        "gpus": int(result[1]) if result else None,
        "version": result[4] if result else None,
        "seconds": seconds,
        "opened": [{k: plain(v) if v else v for k, v in entry.items()} for entry in opened],
        "log": [plain(line)[:400] for line in done.stderr.splitlines() if LOG.search(line)],
    }


def searches(lines):
    """What was asked for: by whom, and the file that answered with the step that found it."""
    found, current = [], None
    for line in lines:
        verb, first, second = line.rstrip("\n").split("\t")
        if verb == "open":
            current = {"soname": first, "asker": second, "file": None, "step": None, "last": None}
            if OURS.match(first):
                found.append(current)
        elif verb == "try" and current is not None:
            current["last"], current["step"] = first, second
        elif verb == "map" and current is not None:
            if current["last"] == first:
                current["file"] = os.path.realpath(first)
            current = None
    for entry in found:
        del entry["last"]
        entry["asker"] = os.path.basename(entry["asker"])
        if not entry["file"]:
            entry["step"] = None
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("venv")
    parser.add_argument("variables", nargs="*", metavar="VAR=VALUE")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--path", action="append", default=[])
    parser.add_argument("--quiet", action="store_true", help="leave TensorFlow's own log level alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seen = observe(options.build, options.venv, options.without, options.path,
                   dict(v.split("=", 1) for v in options.variables), not options.quiet)
    if options.json:
        print(json.dumps(seen, indent=1))
        return
    print(f"tensorflow {seen['version']}: {seen['gpus']} GPU(s), status {seen['status']}, {seen['seconds']}")
    for entry in seen["opened"]:
        print(f"  {entry['soname']:<24} {entry['asker']:<30} {entry['step'] or '':<16}"
              f"{entry['file'] or 'NOT FOUND'}")
    for line in seen["log"]:
        print("  |", line)


if __name__ == "__main__":
    main()
