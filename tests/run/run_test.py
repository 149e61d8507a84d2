"""'gpuwhy run' against programs that end, fail, crash, fork, ask for a terminal; and against drivers that hang,
die and lose GPUs.

    python run_test.py GPUWHY STUB_LIB
"""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

GPUWHY = os.path.abspath(sys.argv[1])
STUB = os.path.abspath(sys.argv[2])
PYTHON = sys.executable
SCRATCH = tempfile.mkdtemp()  # what gpuwhy makes for itself lands here, and must be gone in the end
os.environ["TMPDIR"] = SCRATCH
failures = []


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r}, expected {wanted!r}")


def expect_in(what, part, text):
    if part not in text:
        failures.append(f"{what}: {part!r} is not in {text[-600:]!r}")


def run(*words, options=(), stdin=None, **variables):
    environment = {**os.environ, "LD_LIBRARY_PATH": STUB, **variables}
    return subprocess.run([GPUWHY, "run", *options, "--", *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=60)


def report(*words, options=(), **variables):
    return json.loads(run(*words, options=("--json", *options), **variables).stdout)


def sh(script):
    return ("sh", "-c", script)


def statuses():
    expect("status 0", run("true").returncode, 0)
    expect("status 7", run(*sh("exit 7")).returncode, 7)
    expect("not found", run("no-such-program").returncode, 127)
    expect("not executable", run("/etc/passwd").returncode, 126)
    for name in ("SEGV", "KILL", "TERM"):
        expect("signal " + name, run(*sh(f"kill -{name} $$")).returncode, -getattr(signal, "SIG" + name))


def streams():
    done = run("cat", stdin=b"through\n")
    expect("stdin and stdout", done.stdout, b"through\n")
    done = run(*sh("echo out; echo err >&2"))
    expect("stdout alone", done.stdout, b"out\n")
    expect_in("stderr", "err\n", done.stderr.decode())
    done = run(*sh("echo out; exit 3"), options=("--json",))
    expect("JSON alone on stdout", json.loads(done.stdout)["program"]["exit_status"], 3)
    expect_in("the program's output beside it", "out\n", done.stderr.decode())
    both = subprocess.run([GPUWHY, "run", "--", *sh("for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "LD_LIBRARY_PATH": STUB}).stdout.decode()
    expect_in("order of two streams in one pipe", "o1\ne1\no2\ne2\no3\ne3\no4\ne4\no5\ne5\n", both)


def signs():
    text = report(*sh("echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB' >&2; exit 1"))
    expect("out of memory in the output", [cause["id"] for cause in text["causes"]][:1], ["R08"])
    line = "2024-05-01 10:00:00.000000: E external/local_xla/xla/stream_executor/cuda/cuda_driver.cc:274] failed call to cuInit: UNKNOWN ERROR (34)"
    text = report(*sh(f"echo 'step 1' >&2; echo '{line}' >&2; sleep 0.3"))
    expect("the output says why", [cause["id"] for cause in text["causes"]][:1], ["L08"])
    expect("and where", [text["causes"][0]["evidence"][-1][key] for key in ("source", "line")], ["the program's output", 2])
    expect("nothing is made up", report(*sh("echo hello; sleep 0.3"))["causes"], [])
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "train.py")
        with open(program, "w") as file:
            file.write("import torch\nimport no_such_module\ndef later():\n    torch.zeros(1, device='cuda:7')\n")
        with open(os.path.join(folder, "torch.py"), "w") as file:
            file.write("")
        text = report(sys.executable, program)
        expect("its last words", text["program"]["last_words"], "ModuleNotFoundError: No module named 'no_such_module'")
        expect("what its code would have done later is no reason", [cause["id"] for cause in text["causes"] if cause["gate"] == "code"], [])
        expect_in("the reader sees them", "failed   ModuleNotFoundError", run(sys.executable, program).stderr.decode())
        os.remove(os.path.join(folder, "torch.py"))
        text = report(sys.executable, program)
        expect("it failed before", [text["verdict"], text["causes"][0]["id"]], ["not_used", "F01"])
        expect("who chose the interpreter", "--python" in json.dumps(text), False)
        log = os.path.join(folder, "log")
        with open(log, "w") as file:
            subprocess.run([GPUWHY, "run", "--json", "-o", folder + "/report", "--", *sh("echo 'CUDA error: an illegal memory access was encountered' >&2; exit 1")],
                           stderr=file, env={**os.environ, "LD_LIBRARY_PATH": STUB})
        expect("a fault in a log file", [cause["id"] for cause in json.load(open(folder + "/report"))["causes"]][:1], ["R12"])


def on_terminal(script, typed=(), seconds=20):
    """What a terminal shows, and how the program ended."""
    process, master = pty.fork()
    if process == 0:
        os.environ["LD_LIBRARY_PATH"] = STUB
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test runner may have us ignore it
        os.execv(GPUWHY, [GPUWHY, "run", "--", "sh", "-c", script])
    shown, end = b"", time.monotonic() + seconds
    typed = list(typed)
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        if typed and typed[0][0] in shown:
            os.write(master, typed.pop(0)[1])
    status = os.waitpid(process, 0)[1]
    os.close(master)
    return shown.decode(), status


def terminals():
    shown, status = on_terminal("test -t 0 && test -t 1 && test -t 2 && echo three terminals; exit 5")
    expect_in("a terminal stays one", "three terminals", shown)
    expect("its status", os.waitstatus_to_exitcode(status), 5)
    expect_in("the summary", "GPU", shown)
    shown, _ = on_terminal("read name; echo hello $name", [(b"", b"Ada\n")])
    expect_in("typing", "hello Ada", shown)
    shown, status = on_terminal("echo ready; exec sleep 30", [(b"ready", b"\x03")])
    expect("Ctrl-C ends it as it would", os.waitstatus_to_exitcode(status), -signal.SIGINT)
    expect_in("and leaves a summary", "ended by signal 2", shown)
    shown, _ = on_terminal("printf 'a\\rb\\rc\\n'")
    expect_in("progress bars stay", "a\rb\rc", shown)


def descendants():
    with tempfile.TemporaryDirectory() as folder:
        done_file = os.path.join(folder, "done")
        began = time.monotonic()
        done = run(*sh(f"(sleep 2; echo late >&2; echo done > {done_file}) > /dev/null & exit 4"))
        del done
        # What stays behind keeps our pipe; run() waited for it, the status was there before.
        expect("a detached child lives on", open(done_file).read() if os.path.exists(done_file) else "gone", "done\n")
        expect("and nobody waited too long", time.monotonic() - began < 15, True)
    text = report(PYTHON, "-c", "import multiprocessing as m, time\nwith m.get_context('spawn').Pool(3) as p: print(sum(p.map(abs, range(9)))); time.sleep(1.2)")
    expect("workers", text["program"]["exit_status"], 0)


def signals():
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        child = subprocess.Popen([GPUWHY, "run", "--", *sh(f"trap 'echo caught; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.1; done")],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "LD_LIBRARY_PATH": STUB})
        child.stdout.readline()
        child.send_signal(number)
        out, _ = child.communicate(timeout=30)
        expect(f"{number.name} goes on to the program", (out, child.returncode), (b"caught\n", 9))


def drivers():
    expect("no NVML", report("sleep", "1", LD_LIBRARY_PATH="/nowhere")["sources"]["nvml"]["works"], False)
    began = time.monotonic()
    text = report("sleep", "1", STUB_NVML_HANG="1")
    expect("NVML that hangs at once", (text["verdict"], time.monotonic() - began < 12), ("unknown", True))
    text = report("sleep", "8", STUB_NVML_HANG_AFTER="1")
    expect("NVML that hangs later", text["sources"]["nvml"]["works"], False)
    text = report("sleep", "2", STUB_NVML_DIE_AFTER="1")
    expect("NVML that dies", text["program"]["exit_status"], 0)
    text = report("sleep", "3", STUB_NVML_LOST_AFTER="1.5")
    expect("a GPU that disappears", [cause["id"] for cause in text["causes"]][:1], ["R12"])


def two_gpus():
    with tempfile.TemporaryDirectory() as folder:
        holders = os.path.join(folder, "holders")
        script = f"echo $$ 4000 0 > {holders}; sleep 7"
        text = report(*sh(script), STUB_CUDA_DEVICES="2", STUB_NVML_BUSY="0:0,1:95;0:0", STUB_NVML_PROCESS_FILE=holders)
    expect("one of two GPUs", ([cause["id"] for cause in text["causes"]], text["gpus"][0]["used"], text["gpus"][1]["used"]), (["P10"], True, False))


def files():
    expect("--save on a full disk", run("true", options=("--save", "/dev/full")).returncode, 0)
    expect_in("which is told", "recording is not whole", run("true", options=("--save", "/dev/full")).stderr.decode())
    expect("--save nowhere", run("true", options=("--save", "/nowhere/x")).returncode, 2)
    with tempfile.TemporaryDirectory() as folder:
        recording, trace = os.path.join(folder, "run"), os.path.join(folder, "trace")
        live = report("sleep", "1", options=("--save", recording, "--trace", trace))
        again = json.loads(subprocess.run([GPUWHY, "run", "--json", "--from", recording], stdout=subprocess.PIPE).stdout)
        expect("a replay says the same", (again["verdict"], again["gpus"]), (live["verdict"], live["gpus"]))
        expect("a trace", len(json.load(open(trace))["traceEvents"]) > 3, True)
        for bad in (b"", b"{}\n", b"\x00\xff", b'{"schema":"gpuwhy.run/1","gpus":5}\n'):
            path = os.path.join(folder, "bad")
            open(path, "wb").write(bad)
            expect(f"a bad recording {bad!r}", subprocess.run([GPUWHY, "run", "--from", path], stderr=subprocess.DEVNULL).returncode, 2)


def libraries():
    with tempfile.TemporaryDirectory() as folder:
        source, there, away = (os.path.join(folder, name) for name in ("s.c", "there", "away"))
        os.mkdir(there), os.mkdir(away)
        open(source, "w").write("int it;")
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", there + "/libcudnn.so.9"], check=True)
        open(away + "/libcufft.so.11", "w").close()
        program = os.path.join(folder, "program.py")
        open(program, "w").write("import ctypes, os, sys\n"
                                 "for name in ('libcudnn.so.9', 'libcublas.so.12', 'libcufft.so.11', 'libm.so.6'):\n"
                                 "    try: ctypes.CDLL(name)\n"
                                 "    except OSError: pass\n"
                                 "if not os.fork():\n"
                                 "    try: ctypes.CDLL('libnccl.so.2')\n"
                                 "    except OSError: pass\n"
                                 "    os._exit(0)\n"
                                 "os.wait()\n")
        path = f"{away}:{there}"
        recording = folder + "/run"
        seen = report(PYTHON, program, options=("--libraries", "--save", recording), LD_LIBRARY_PATH=path)
        expect("the loader is seen", seen["sources"]["loader"]["works"], True)
        found = {each["name"]: each for each in seen["libraries"]}
        expect("names of interest alone, of children too", sorted(found), ["libcublas.so.12", "libcudnn.so.9", "libcufft.so.11", "libnccl.so.2"])
        expect("what was taken", found["libcudnn.so.9"]["took"], there + "/libcudnn.so.9")
        expect("where it was looked for", [(each["path"], each["rule"], each["present"]) for each in found["libcudnn.so.9"]["tried"]][-2:],
               [(away + "/libcudnn.so.9", "LD_LIBRARY_PATH", False), (there + "/libcudnn.so.9", "LD_LIBRARY_PATH", True)])
        expect("what is missing", (found["libcublas.so.12"]["took"], any(each["present"] for each in found["libcublas.so.12"]["tried"])), (None, False))
        expect("what cannot be loaded", (found["libcufft.so.11"]["took"], found["libcufft.so.11"]["tried"][-1]["present"]), (None, True))
        expect("another process", found["libnccl.so.2"]["pid"] != found["libcudnn.so.9"]["pid"], True)
        expect("what follows from it", sorted(cause["id"] for cause in seen["causes"]), ["L07", "L09"])
        again = json.loads(subprocess.run([GPUWHY, "run", "--json", "--from", recording], stdout=subprocess.PIPE).stdout)
        expect("a recording keeps it", again["libraries"], seen["libraries"])
        shown = run(PYTHON, program, options=("--libraries", "-v"), LD_LIBRARY_PATH=path).stderr.decode()
        expect_in("and -v shows it", "libcublas.so.12: tried", shown)
        # As jemalloc: more of static thread-local storage than glibc leaves beside an audit library.
        open(source, "w").write('__thread char it[2632] __attribute__((tls_model("initial-exec"))); char* get(void) { return it; }')
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", folder + "/preloaded.so"], check=True)
        done = run("/bin/echo", "starts", options=("--libraries",), LD_PRELOAD=folder + "/preloaded.so")
        expect("thread-local storage has room", (done.stdout, done.returncode), (b"starts\n", 0))
        static = folder + "/static"
        open(source, "w").write("int main(void) { return 0; }")
        subprocess.run(["cc", "-static", source, "-o", static], check=True)
        expect_in("a static program has no loader", "no process asked", report(static, options=("--libraries",))["sources"]["loader"]["problem"])
    off = report(PYTHON, "-c", "pass")["sources"]["loader"]
    expect_in("nothing is loaded unasked", "--libraries", off["problem"])
    script = sh("echo $LD_AUDIT")
    taken = run(*script, options=("--libraries",), LD_AUDIT="/nowhere/theirs.so")
    expect("another's LD_AUDIT stays", taken.stdout, b"/nowhere/theirs.so\n")
    tunables = run(*sh("echo $GLIBC_TUNABLES"), options=("--libraries",), GLIBC_TUNABLES="glibc.malloc.perturb=0").stdout.decode()
    expect_in("their tunables stay", "glibc.malloc.perturb=0:", tunables)
    expect("output and status are its own", (lambda done: (done.stdout, done.returncode))(run(*sh("echo out; exit 3"), options=("--libraries",))), (b"out\n", 3))


def attached():
    program = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(30)"], env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"})
    try:
        done = subprocess.run([GPUWHY, "pid", str(program.pid), "--json", "-n", "1"], stdout=subprocess.PIPE, env={**os.environ, "LD_LIBRARY_PATH": STUB})
        text = json.loads(done.stdout)
        expect("pid", (text["verdict"], text["process"]["variables"].get("CUDA_VISIBLE_DEVICES"), [cause["id"] for cause in text["causes"]], done.returncode), ("not_used", "-1", ["E01"], 1))
    finally:
        program.kill()
        program.wait()
    expect("no such process", subprocess.run([GPUWHY, "pid", "999999999"], stderr=subprocess.DEVNULL).returncode, 2)


def asked():
    """pid --on-request: a line for each line, a last one at the end of the requests or of the process."""
    program = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(30)"])
    start = [GPUWHY, "pid", "--on-request", str(program.pid)]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": {**os.environ, "LD_LIBRARY_PATH": STUB}}
    try:
        for last in (b"end\n", b""):  # a word, or the end of the file
            child = subprocess.Popen(start, **options)
            expect("it says that it has begun", json.loads(child.stdout.readline())["watching"], program.pid)
            child.stdin.write(b"report\nreport\n" + last)
            if last:
                child.stdin.flush()
            else:
                child.stdin.close()
            lines = [json.loads(child.stdout.readline()) for _ in range(1 if last else 3)]
            expect("a report", (lines[-1]["command"], lines[-1]["verdict"], lines[-1]["process"]["pid"]), ("pid", "not_used", program.pid))
            expect("and its end", (child.wait(timeout=10), child.stdout.read()), (1, b""))
        child = subprocess.Popen(start, **options)
        child.stdout.readline()
        program.kill()
        program.wait()
        expect("the process ends", (len(child.stdout.readlines()), child.wait(timeout=10)), (1, 1))
        child.stdin.close()
    finally:
        program.kill()
        program.wait()
    done = subprocess.run([GPUWHY, "pid", "--on-request", "--json", str(os.getpid())], stderr=subprocess.PIPE)
    expect_in("no two forms", "do not go together", done.stderr.decode())


def watched():
    environment = {**os.environ, "LD_LIBRARY_PATH": STUB, "STUB_NVML_BUSY": "0:42"}
    text = json.loads(subprocess.run([GPUWHY, "watch", "--once", "--json"], stdout=subprocess.PIPE, env=environment).stdout)
    expect("watch --json", (text["command"], text["gpus"][0]["busy"]), ("watch", 42))
    shown = subprocess.run([GPUWHY, "watch", "--once"], stdout=subprocess.PIPE, env=environment).stdout.decode()
    expect_in("watch --once", "42 %", shown)
    process, master = pty.fork()
    if process == 0:
        os.environ.update(environment)
        os.execv(GPUWHY, [GPUWHY, "watch"])
    screen, end = b"", time.monotonic() + 10
    while time.monotonic() < end and not re.search(rb"42 %", screen):
        if select.select([master], [], [], 0.2)[0]:
            screen += os.read(master, 65536)
    os.write(master, b"sq")
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        screen += piece
    expect("q ends it", os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 0)
    expect("the terminal is given back", screen.rstrip().endswith(b"\x1b[?1049l"), True)


for test in (statuses, streams, signs, terminals, descendants, signals, drivers, two_gpus, files, libraries, attached, asked, watched):
    try:
        test()
    except Exception as error:  # a broken expectation must not hide the others
        failures.append(f"{test.__name__}: {type(error).__name__}: {error}")
expect("nothing left behind", [name for name in os.listdir(SCRATCH) if name.startswith("gpuwhy-run-")], [])
shutil.rmtree(SCRATCH)
print("\n".join(failures) or "runs as if nobody watched")
sys.exit(bool(failures))
