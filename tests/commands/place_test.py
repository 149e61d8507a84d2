"""check and snapshot in another place than the shell: kernel, process, service, root directory, file of variables."""

import ctypes
import glob
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from stub import StubTest, main


class Place(StubTest):
    def setUp(self):
        super().setUp()
        self.home = Path(self.folder.name)
        self.python = self.home / "venv/bin/python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.home / "venv"], check=True)

    def write(self, path, text):
        path = self.home / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def kernel(self, name, **spec):
        return self.write(f".local/share/jupyter/kernels/{name}/kernel.json",
                          json.dumps({"argv": [str(self.python), "-m", "ipykernel_launcher"], "language": "python", **spec}, indent=1))

    def facts(self, *words, **variables):
        status, out, errors = self.run_command("snapshot", "--no-redact", "--no-probes", *words, **variables)
        self.assertEqual((status, errors), (0, ""))
        return json.loads(out)["facts"]

    def variables(self, facts):
        return {each["name"]: each["value"] for each in facts["environment"]["variables"]}

    def origin(self, facts, name):
        (found,) = [each for each in facts["environment"]["variables"] if each["name"] == name]
        return [f'{each["path"]}:{each["line"]}' for each in found.get("origins", [])]

    def refused(self, *words, says, **variables):
        started = time.monotonic()
        status, out, errors = self.run_command("check", "--no-probes", *words, **variables)
        self.assertEqual((status, out), (2, ""), errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertIn(says, errors)
        self.assertLess(time.monotonic() - started, 20)

    # --- kernels

    def test_kernel(self):
        path = self.kernel("gpu", env={"CUDA_VISIBLE_DEVICES": "-1", "CUDA_HOME": "${CUDA_PATH}/x"})
        facts = self.facts("--kernel", "gpu", CUDA_PATH="/usr/local/cuda")
        self.assertEqual(facts["pythons"][0]["interpreter"], str(self.python))
        self.assertIn(str(path), facts["pythons"][0]["chosen_by"])
        variables = self.variables(facts)
        self.assertEqual(variables["CUDA_VISIBLE_DEVICES"], "-1")
        self.assertEqual(variables["CUDA_HOME"], "/usr/local/cuda/x")
        self.assertEqual(self.origin(facts, "CUDA_VISIBLE_DEVICES"), [f"{path}:9"])
        self.assertEqual(facts["place"]["kind"], "kernel")
        shell = {each["name"] for each in facts["place"]["shell"]["value"]["variables"]}
        self.assertNotIn("CUDA_VISIBLE_DEVICES", shell)

    def test_kernel_of_a_notebook(self):
        self.kernel("gpu", env={"CUDA_VISIBLE_DEVICES": "-1"})
        notebook = {"cells": [], "nbformat": 4, "metadata": {"kernelspec": {"name": "gpu", "display_name": "GPU"}}}
        self.write("a.ipynb", json.dumps(notebook))
        self.assertEqual(self.facts("a.ipynb")["place"]["name"], "gpu")
        notebook["metadata"]["kernelspec"]["name"] = "elsewhere"
        self.write("b.ipynb", json.dumps(notebook))
        facts = self.facts("b.ipynb")
        self.assertEqual(facts["place"]["kind"], "")
        self.assertIn("b.ipynb: names the kernel 'elsewhere', which was not found here", facts["problems"])

    def test_kernel_errors(self):
        self.refused("--kernel", "gpu", says="no kernel 'gpu': ")
        self.kernel("torch")
        self.refused("--kernel", "gpu", says="torch")
        folder = self.home / ".local/share/jupyter/kernels/pipe"
        folder.mkdir()
        os.mkfifo(folder / "kernel.json")
        self.refused("--kernel", "pipe", says="FIFO")
        self.kernel("script", argv=["/bin/sh", "start.sh"])
        self.refused("--kernel", "script", says="starts /bin/sh: which Python that runs is not known; name it with --python PATH")
        facts = self.facts("--kernel", "script", "--python", str(self.python))
        self.assertEqual(facts["pythons"][0]["interpreter"], str(self.python))
        self.refused("--kernel", "torch", "--python", "/usr/bin/python3", says="contradicts kernel torch")

    # --- processes

    def test_process(self):
        odd = "two words\n\x1b[31m"
        variables = {"PATH": "/usr/bin", "CUDA_HOME": odd, "TF_XLA_FLAGS": "", "SECRET": "x"}
        with subprocess.Popen([self.python, "-c", "print(flush=True); input()"], env=variables, cwd="/",
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            facts = self.facts("--pid", str(process.pid))
            status, out, _ = self.run_command("check", "--no-probes", "--pid", str(process.pid))
            process.communicate(b"\n")
        self.assertEqual(facts["pythons"][0]["interpreter"], str(self.python))
        self.assertEqual(self.variables(facts), {name: variables[name] for name in ("PATH", "CUDA_HOME", "TF_XLA_FLAGS")})
        self.assertEqual(facts["platform"]["working_directory"], "/")
        self.assertEqual(facts["place"]["origin"], f"/proc/{process.pid}")
        self.assertIn(f"process {process.pid}", out)
        self.assertNotIn("\x1b[31m", out)
        self.assertNotEqual(status, 2)
        self.refused("--pid", str(process.pid), says=f"no process {process.pid}")

    def test_process_errors(self):
        for word in ("0", "-1", "x", "", "99999999999999999999"):
            self.refused("--pid", word, says="not the number of a process")

    # --- services, in a root directory made here

    def image(self):
        root = self.home / "image"
        for path in ("etc", "usr/bin", "opt/gpu/bin", "proc", "dev"):
            (root / path).mkdir(parents=True, exist_ok=True)
        (root / "opt/gpu/bin/python3.11").write_bytes(b"\x7fELF")
        (root / "opt/gpu/bin/python3.11").chmod(0o755)
        (root / "opt/gpu/bin/python").symlink_to("/opt/gpu/bin/python3.11")  # absolute: of the image
        (root / "usr/bin/python3").symlink_to("/opt/gpu/bin/python3.11")
        (root / "etc/secret").symlink_to("/etc/hostname")
        return root

    def test_service(self):
        root = self.image()
        units = "image/etc/systemd/system"
        self.write(f"{units}/train@.service", "[Service]\nUser=trainer\nEnvironmentFile=-/etc/default/%i\nPrivateDevices=yes\n"
                                              "ExecStart=/opt/gpu/bin/python /srv/train.py\n")
        self.write(f"{units}/train@.service.d/gpu.conf", '[Service]\nEnvironment="XLA_FLAGS=--a --b" CUDA_HOME=/x\n')
        self.write("image/etc/default/a", "CUDA_HOME='/opt/cuda 12'\n")
        self.write("image/etc/passwd", "trainer:x:990:990::/srv:/bin/sh\n")
        facts = self.facts("--root", str(root), "--service", "train@a", CUDA_VISIBLE_DEVICES="of the shell")
        variables = self.variables(facts)
        self.assertEqual(variables.pop("PATH").split(":")[0], "/usr/local/sbin")
        self.assertEqual(variables, {"XLA_FLAGS": "--a --b", "CUDA_HOME": "/opt/cuda 12"})
        self.assertEqual(self.origin(facts, "CUDA_HOME"), ["/etc/default/a:1"])
        self.assertEqual(self.origin(facts, "XLA_FLAGS"), ["/etc/systemd/system/train@.service.d/gpu.conf:2"])
        self.assertEqual(facts["pythons"][0]["interpreter"], "/opt/gpu/bin/python")
        self.refused("--root", str(root), "--service", "trian@a", says="no unit 'trian@a.service'")

    UNIT = r"""[Service]
Type=oneshot
Environment="CUDA_HOME=two words" CUDA_PATH=x\x20y 'XLA_FLAGS=it''s %i %%h' TF_XLA_FLAGS=in"ner" $x
Environment=KERAS_BACKEND=a\tb \
# among joined lines
 "LD_PRELOAD=a\"b" CUDA_ROOT="open
Environment=CUDNN_PATH=
ExecStart=/opt/gpu/bin/python
"""
    LINES = r"""# comment \
CUDA_DIR=of the comment
CUDA_HOME="two words"  \
CUDA_PATH=in"ner"  x
XLA_FLAGS='single $x \' # y
TF_XLA_FLAGS="a\"b\x\
c" d
KERAS_BACKEND=one\
 two
export LD_PRELOAD=1
CUDNN_PATH
CUDA_ROOT = \"q\"
"""

    def service_variables(self, unit):
        root = self.image()
        self.write("image/etc/systemd/system/t@.service", unit)
        variables = self.variables(self.facts("--root", str(root), "--service", "t@x"))
        variables.pop("PATH")
        return variables

    def test_units_as_systemd_reads_them(self):
        program = "/lib/systemd/systemd"
        if not os.path.exists(program):
            self.skipTest("systemd is not installed")
        os.chmod(self.folder.name, 0o755)
        units = self.write("units/t@.service", self.UNIT).parent
        other = {"user": 65534} if os.geteuid() == 0 else {}  # it refuses to test as root
        out = subprocess.run([program, "--test", "--system", "--unit=t@x.service", "--no-pager"], text=True, errors="replace",
                             capture_output=True, timeout=60, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}, **other).stdout
        block = re.search(r"-> Unit t@x\.service:\n(.*?)(?=-> Unit|\Z)", out, re.S)
        if block is None:
            self.skipTest("systemd cannot be asked here")
        real = dict(re.findall(r"^\t\tEnvironment: (\w+)=(.*)$", block[1], re.M))
        self.assertGreater(len(real), 5)
        self.assertEqual(self.service_variables(self.UNIT), real)

    def test_environment_files_as_systemd_reads_them(self):
        libraries = glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so") + glob.glob("/usr/lib/systemd/libsystemd-shared-*.so")
        if not libraries:
            self.skipTest("systemd is not installed")
        path = self.write("image/etc/default/t", self.LINES)
        entries = ctypes.POINTER(ctypes.c_char_p)()
        self.assertEqual(ctypes.CDLL(libraries[0]).load_env_file(None, str(path).encode(), ctypes.byref(entries)), 0)
        real = {}
        for entry in entries:
            if entry is None:
                break
            name, value = entry.decode().split("=", 1)
            if name.isidentifier():
                real[name] = value
        self.assertGreater(len(real), 4)
        unit = "[Service]\nEnvironmentFile=/etc/default/t\nExecStart=/opt/gpu/bin/python\n"
        self.assertEqual(self.service_variables(unit), real)

    # --- root directories

    def test_root(self):
        root = self.image()
        self.write("config.json", json.dumps({"process": {"env": ["PATH=/opt/gpu/bin", "CUDA_VISIBLE_DEVICES=all"], "cwd": "/srv"}}))
        facts = self.facts("--root", str(root))
        self.assertEqual(facts["pythons"][0]["executable"], "/opt/gpu/bin/python3.11")
        self.assertEqual(self.variables(facts), {"PATH": "/opt/gpu/bin", "CUDA_VISIBLE_DEVICES": "all"})
        self.assertEqual(facts["platform"]["working_directory"], "/srv")
        # What belongs to the kernel was not looked at: neither there nor here.
        self.assertNotIn("gpus", facts["hardware"])
        self.assertNotIn("module", facts["driver"])
        self.assertNotIn("nodes", facts["access"])
        status, out, _ = self.run_command("check", "--root", str(root))
        self.assertIn("place root directory ~/image (~/config.json)", " ".join(out.split()))
        self.assertIn(status, (1, 3))

    def test_root_without_variables(self):
        facts = self.facts("--root", str(self.image()), CUDA_HOME="of the shell")
        self.assertFalse(facts["environment"]["looked"])
        self.assertNotIn("CUDA_HOME", self.variables(facts))
        self.assertEqual(facts["pythons"][0]["interpreter"], "/usr/bin/python3")

    def test_root_with_variables_of_a_file(self):
        listing = self.write("inspect.json", json.dumps([{"Config": {"Env": ["CUDA_HOME=/x"]}}]))
        facts = self.facts("--root", str(self.image()), "--env", str(listing))
        self.assertTrue(facts["environment"]["looked"])
        self.assertEqual(self.variables(facts)["CUDA_HOME"], "/x")

    def test_root_errors(self):
        self.refused("--root", "missing", says="missing: No such file")
        self.refused("--root", str(self.write("file", "x")), says="is no directory")
        self.refused("--root", "", says="No such file")

    # --- variables of a file

    def test_variables(self):
        path = self.write("job.env", "# job\nCUDA_VISIBLE_DEVICES=\nSECRET=x\nPATH=/usr/bin\n")
        facts = self.facts("--env", str(path), CUDA_HOME="of the shell")
        self.assertEqual(self.variables(facts), {"CUDA_VISIBLE_DEVICES": "", "PATH": "/usr/bin"})
        self.assertEqual(self.origin(facts, "CUDA_VISIBLE_DEVICES"), [f"{path}:2"])
        self.assertEqual(facts["place"]["kind"], "variables")

    def test_variables_errors(self):
        self.refused("--env", "missing", says="missing")
        self.refused("--env", str(self.write("empty", "\n")), says="no NAME=VALUE in it")
        self.refused("--env", str(self.write("giant", "A=1\n" * (1 << 20))), says="giant")
        self.refused("--env", "/", says="directory")

    # --- together

    def test_contradictions(self):
        for words in (("--kernel", "a", "--pid", "1"), ("--kernel", "a", "--service", "b"), ("--pid", "1", "--service", "b"),
                      ("--pid", "1", "--root", "/x"), ("--pid", "1", "--env", "x"), ("--service", "b", "--env", "x"),
                      ("--from", "x", "--kernel", "a"), ("--from", "x", "--root", "/x"), ("--from", "x", "--env", "x")):
            self.refused(*words, says=f"{words[0]} and {words[2]} contradict each other")

    def test_kernel_with_variables(self):
        self.kernel("gpu", env={"CUDA_HOME": "${CUDA_PATH}"})
        path = self.write("hub.env", "CUDA_PATH=/hub\nPATH=/usr/bin\n")
        facts = self.facts("--kernel", "gpu", "--env", str(path), CUDA_PATH="of the shell")
        self.assertEqual(self.variables(facts), {"CUDA_HOME": "/hub", "CUDA_PATH": "/hub", "PATH": "/usr/bin"})
        self.assertEqual(self.origin(facts, "CUDA_PATH"), [f"{path}:1"])

    def test_snapshots_replay(self):
        self.kernel("gpu", env={"CUDA_VISIBLE_DEVICES": "-1"})
        status, snapshot, _ = self.run_command("snapshot", "--kernel", "gpu")
        self.assertEqual(status, 0)
        path = self.write("snapshot.json", snapshot)
        _, there, _ = self.run_command("check", "--kernel", "gpu", "--json")
        _, replayed, _ = self.run_command("check", "--from", str(path), "--json")
        self.assertEqual(json.loads(there)["place"]["name"], json.loads(replayed)["place"]["name"])
        self.assertEqual([each["id"] for each in json.loads(there)["verdicts"][0]["causes"]],
                         [each["id"] for each in json.loads(replayed)["verdicts"][0]["causes"]])


main()
