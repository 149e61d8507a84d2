"""The pages that the tests look at: of recorded machines and runs, of a program, and of all three with hostile texts."""
import json
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
EXAMPLES = TESTS.parent / "examples"
RUNS = TESTS / "fixtures" / "runs"

# Ways out of text, attributes, comments and scripts; what reorders or hides text on a screen; ANSI; NUL.
HOSTILE = ("</script></style></title><script>window.pwned=1</script><!--<script>"
           "\"'><svg/onload=window.pwned=1><img src=x onerror=window.pwned=1>&lt;b&#60;"
           "\u2028\u2029\u202e\u2066\u200b\x1b[31m\x00]]>${window.pwned=1}")

PROGRAM = '''import os
import tensorflow as tf

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
model = tf.keras.Sequential([tf.keras.layers.Dense(10)])
with tf.device("/CPU:0"):
\tmodel.compile(run_eagerly=True, loss="mse")
\tmodel.fit(tf.random.normal((100, 10)), tf.random.normal((100, 10)), epochs=3)
for x in tf.data.Dataset.from_generator(read, output_types=tf.int32):
    model.predict(x)
'''
HOSTILE_PROGRAM = '''import tensorflow as tf
model = tf.keras.Sequential()
with tf.device("/CPU:0"): model.fit("</pre></script><script>window.pwned=1</script><!-- \u2028\u202e' <img src=x onerror=window.pwned=1>")
'''


def hostile_snapshot():
    """The broken machine, its project in a folder that nobody should have named so."""
    name = json.dumps(HOSTILE.replace("\x00", ""))[1:-1]
    return (EXAMPLES / "broken.json").read_text().replace("/home/user/train", "/home/user/" + name)


def several():
    """The broken machine with its GPU hidden too, and two more environments."""
    record = json.loads((EXAMPLES / "broken.json").read_text())
    facts = record["facts"]
    facts["environment"]["variables"].append({
        "name": "CUDA_VISIBLE_DEVICES", "value": "-1",
        "origins": [{"path": "/home/user/.bashrc", "line": 118, "text": "export CUDA_VISIBLE_DEVICES=-1"}]})
    facts["observed"]["cuda"]["value"].update(init=100, init_name="CUDA_ERROR_NO_DEVICE", count=0, devices=[])
    for kind, prefix in (("conda", "/home/user/miniconda3/envs/train"), ("venv", "/home/user/old/.venv")):
        other = json.loads(json.dumps(facts["pythons"][0]).replace("/home/user/train/.venv", prefix))
        facts["pythons"].append({**other, "kind": kind, "selected": False})
    return json.dumps(record)


def unknown():
    """The healthy machine, seen by somebody who may look at little."""
    record = json.loads((EXAMPLES / "healthy.json").read_text())
    facts = record["facts"]
    facts["observed"] = {name: {"unknown": "the probe was not run", "source": "probe"} for name in facts["observed"]}
    facts["driver"]["libcuda"] = {"unknown": "/usr/lib: permission denied", "source": "library directories"}
    facts["access"]["nodes"] = {"unknown": "/dev: permission denied", "source": "/dev"}
    facts["problems"] = ["/dev: permission denied"]
    return json.dumps(record)


def hostile_run():
    """A run in which every name that a stranger can choose is hostile."""
    lines = []
    for line in (RUNS / "R07-leak_list.jsonl").read_text().splitlines():
        row = json.loads(line)
        if "command" in row:
            row["command"] = ["python3", HOSTILE, "a b"]
            row["gpus"][0]["name"] = "H100 " + HOSTILE
        for process in row.get("processes", []):
            process["name"] = HOSTILE
            if "libraries" in process:
                process["libraries"].append("libcudnn.so." + HOSTILE)
        if "end" in row:
            row["end"]["notes"] = [HOSTILE]
            row["end"]["cuda"] = {"works": False, "problem": HOSTILE}
        lines.append(json.dumps(row))
    return "\n".join(lines) + "\n"


def two_gpus():
    """The healthy run, with a second GPU that does a third of the work."""
    lines = []
    for line in (RUNS / "used-good_torch_mlp.jsonl").read_text().splitlines():
        row = json.loads(line)
        for gpus in (row.get("gpus"), row.get("before"), row.get("after")):
            if not gpus:
                continue
            second = json.loads(json.dumps(gpus[0]))
            if "uuid" in second:
                second["uuid"] = second["uuid"][:-1] + "1"
            second["i" if "i" in second else "index"] = 1
            if "busy" in second:
                second["busy"] = second["busy"] / 3
            gpus.append(second)
        lines.append(json.dumps(row))
    return "\n".join(lines) + "\n"


def make(gpuwhy, folder):
    """Writes the pages into `folder`; their paths by name."""
    gpuwhy = str(pathlib.Path(gpuwhy).resolve())
    folder = pathlib.Path(folder)
    made = {}

    def page(name, *words, statuses, cwd=None):
        path = folder / f"{name}.html"
        done = subprocess.run([gpuwhy, *words, "--html", str(path)], capture_output=True, cwd=cwd)
        if done.returncode not in statuses:
            raise SystemExit(f"{name}: {words} ended with {done.returncode}: {done.stderr.decode()}")
        made[name] = path

    def record(name, text):
        path = folder / name
        path.write_text(text)
        return str(path)

    page("healthy", "check", "--from", str(EXAMPLES / "healthy.json"), statuses=(0,))
    page("broken", "check", "--from", str(EXAMPLES / "broken.json"), statuses=(1,))
    page("several", "check", "--from", record("several.json", several()), statuses=(1,))
    page("unknown", "check", "--from", record("unknown.json", unknown()), statuses=(3,))
    page("hostile-check", "check", "--from", record("hostile.json", hostile_snapshot()), statuses=(1, 3))
    page("here", "check", "--all", "--no-probes", statuses=(0, 1, 3))
    for name in ("R03-keras_input_generator", "R07-leak_list", "E01-never_visible", "R12-device_error",
                 "used-good_torch_mlp"):
        page(f"run-{name}", "run", "--from", str(RUNS / f"{name}.jsonl"), statuses=(0,))
    page("run-two_gpus", "run", "--from", record("two_gpus.jsonl", two_gpus()), statuses=(0,))
    page("hostile-run", "run", "--from", record("hostile.jsonl", hostile_run()), statuses=(0,))
    project = folder / "project"
    project.mkdir()
    (project / "train.py").write_text(PROGRAM)
    (project / "Dockerfile").write_text("FROM tensorflow/tensorflow:2.15.0\n")
    page("lint", "lint", ".", statuses=(1,), cwd=project)
    page("program", "check", "train.py", "--from", str(EXAMPLES / "healthy.json"), statuses=(1,), cwd=project)
    strange = folder / "strange"
    strange.mkdir()
    (strange / "<img src=x onerror=window.pwned=1>'\"&\u202e.py").write_text(HOSTILE_PROGRAM)
    (strange / "<script>.ipynb").write_text("<script>window.pwned=1</script>")
    hostile = next(str(path.name) for path in strange.iterdir() if path.suffix == ".py")
    page("hostile-program", "check", hostile, "--from", str(EXAMPLES / "healthy.json"), statuses=(1,), cwd=strange)
    page("hostile-lint", "lint", ".", statuses=(1,), cwd=strange)
    empty = folder / "empty"
    empty.mkdir()
    (empty / "fine.py").write_text("print(1)\n")
    page("lint-clean", "lint", ".", statuses=(0,), cwd=empty)
    shutil.rmtree(strange)
    return made
