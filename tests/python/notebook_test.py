"""A real Jupyter kernel runs cells with the package; what a person would see is looked at. Fetches ipykernel, nbclient.

    python3 notebook_test.py GPUWHY STUB_LIB
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import support

PYTHON = support.environment("notebook")

# Runs in the environment of the kernel: cells (JSON) in, their outputs (JSON) out.
DRIVER = """
import json, sys
import nbformat
from nbclient import NotebookClient
cells = json.load(sys.stdin)
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(book, timeout=120, kernel_name="python3", allow_errors=True).execute()
json.dump([cell["outputs"] for cell in book["cells"]], sys.stdout)
"""


def execute(*cells, **variables):
    with tempfile.TemporaryDirectory() as home:
        environment = support.package_environment(HOME=home, JUPYTER_DATA_DIR=home, IPYTHONDIR=home, JUPYTER_PATH=f"{PYTHON.parent.parent}/share/jupyter", **variables)
        done = subprocess.run([PYTHON, "-c", DRIVER], input=json.dumps(cells), env=environment, capture_output=True, text=True, timeout=240, cwd=home)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def data(output, kind):
    text = output["data"][kind]
    return text if isinstance(text, str) else "".join(text)


class Notebook(unittest.TestCase):
    def test_cells(self):
        outputs = execute(
            "import gpuwhy, os, sys\ngpuwhy.check()",
            "%load_ext gpuwhy",
            "os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\nreport = %gpuwhy\nprint([c.id for c in report.verdict.causes], report.verdict.interpreter == sys.executable)",
            "%%gpuwhy\nx = 6 * 7\nx",
            "%%gpuwhy\nraise KeyError('ours')",
            "%gpuwhy rule H01",
            "%%gpuwhy\n1 +",
            "print(x)",
            "%%gpuwhy --no\n1",
            LD_LIBRARY_PATH=str(support.STUB))
        shown = outputs[0][0]
        self.assertEqual(shown["output_type"], "execute_result")
        self.assertIn('<div class="gpuwhy"', data(shown, "text/html"))
        self.assertRegex(data(shown, "text/plain"), r"^[✗?✓!] ")
        self.assertEqual(outputs[1], [])
        causes, ours = outputs[2][0]["text"].rsplit(" ", 1)
        self.assertIn("E01", causes)  # set in the kernel, after it started
        self.assertEqual(ours.strip(), "True")
        result, watched = outputs[3]
        self.assertEqual((result["output_type"], data(result, "text/plain")), ("execute_result", "42"))
        self.assertEqual(watched["output_type"], "display_data")
        self.assertIn("the GPU was not used", data(watched, "text/plain"))
        self.assertIn("the GPU was not used", data(watched, "text/html"))
        kinds = [output["output_type"] for output in outputs[4]]
        self.assertEqual(kinds, ["display_data", "error"])  # told, and raised once
        self.assertEqual(outputs[4][1]["ename"], "KeyError")
        self.assertIn("H01 no-gpu-hardware", outputs[5][0]["text"])
        self.assertEqual([output.get("ename") for output in outputs[6]][-1], "SyntaxError")
        self.assertEqual(outputs[7][0]["text"], "42\n")  # the cell's names are the notebook's
        self.assertIn("takes no words", outputs[8][0]["text"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
