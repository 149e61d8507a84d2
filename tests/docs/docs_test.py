"""Every command that README and docs show is run again, and what it prints is compared with what they show.

    python3 docs_test.py GPUWHY          with GPUWHY_ACCEPT=1 the outputs are written anew; read the diff

In the documents:
  ```console     lines that begin with "$ " are commands; what follows is their output. "..." stands for any text within a
                 line, and alone on a line for any lines: what varies from run to run, and what is left out.
  ```sh          commands without output: of gpuwhy the options must exist, of make the targets
  ```python      must compile, and name nothing that gpuwhy has not
  ```ipython     the same, with magics
A comment before a fence sets the scene:
  <!-- machine: PATH -->         the recorded machine or run that the commands are asked about (--from PATH)
  <!-- file: NAME = PATH -->     a file of the repository that lies in the working directory under that name
"""

import ast
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GPUWHY = pathlib.Path(sys.argv[1]).resolve()
ACCEPT = os.environ.get("GPUWHY_ACCEPT") == "1"
DOCUMENTS = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md"))]
FENCE = re.compile(r"((?:^<!-- .*? -->\n)*)^( *)```(\w+)\n(.*?)^ *```$", re.M | re.S)


class Block:
    def __init__(self, path, match):
        text = path.read_text()
        self.place = f"{path.relative_to(SOURCE)}:{text.count(chr(10), 0, match.start(3)) + 1}"
        self.path, self.match, self.kind = path, match, match.group(3)
        self.lines = [line[len(match.group(2)):] for line in match.group(4).splitlines()]
        self.scene = re.findall(r"<!-- (\w+): (.*?) -->", match.group(1))

    def commands(self):
        """(command, lines of output)"""
        result = []
        for line in self.lines:
            if line.startswith("$ "):
                result.append((line[2:], []))
            elif result:
                result[-1][1].append(line)
        return result


def blocks(*kinds):
    return [block for path in DOCUMENTS for block in (Block(path, match) for match in FENCE.finditer(path.read_text())) if block.kind in kinds]


def asked(command, machine):
    """The command about a recorded machine."""
    if machine is None:
        return command
    command = re.sub(r"^gpuwhy( check| run)?", rf"\g<0> --from {shlex.quote(str(SOURCE / machine))}", command)
    return re.sub(r" -- [^|;&]*", " ", command) if command.startswith("gpuwhy run") else command


def output(block, command, folder):
    machine = None
    for kind, value in block.scene:
        if kind == "machine":
            machine = value
        elif kind == "file":
            name, path = (part.strip() for part in value.split("="))
            if not (folder / name).exists():
                (folder / name).write_bytes((SOURCE / path).read_bytes())
    tools = folder / ".bin"
    tools.mkdir(exist_ok=True)
    if not (tools / "gpuwhy").is_symlink():
        (tools / "gpuwhy").symlink_to(GPUWHY)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": "/home/user", "LANG": "C.UTF-8", "COLUMNS": "100", "PYTHONPATH": str(SOURCE / "python"),
                   "EXAMPLES": str(SOURCE / "examples")}
    done = subprocess.run(["bash", "-c", asked(command, machine)], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    return [line.rstrip() for line in done.stdout.splitlines()]


def pattern(lines):
    """What is shown, as a pattern of what may be printed."""
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(".*?".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n")
    return re.compile("".join(parts) + r"\Z")


class Documents(unittest.TestCase):
    def test_console(self):
        shown = blocks("console")
        self.assertGreater(len(shown), 10)
        edits = {}
        for block in shown:
            with tempfile.TemporaryDirectory() as scratch:
                text = []
                for command, expected in block.commands():
                    printed = output(block, command, pathlib.Path(scratch))
                    while expected and not expected[-1]:
                        expected.pop()  # a blank line before the next command
                    while printed and not printed[-1]:
                        printed.pop()
                    fits = pattern(expected).fullmatch("".join(line + "\n" for line in printed)) is not None
                    text += ["$ " + command, *(expected if fits else printed)]
                    if not ACCEPT:
                        with self.subTest(block.place, command=command):
                            self.assertTrue(fits, "\n".join(["shown:", *expected, "printed:", *printed]))
            edits.setdefault(block.path, []).append((block.match, text))
        if ACCEPT:
            for path, changes in edits.items():
                document = path.read_text()
                for match, text in reversed(changes):
                    indent = match.group(2)
                    body = "".join((indent + line).rstrip() + "\n" for line in text)
                    document = document[:match.start(4)] + body + document[match.end(4):]
                path.write_text(document)

    def test_commands_without_output(self):
        targets = set(re.findall(r"^([a-z0-9 ]+):", (SOURCE / "Makefile").read_text(), re.M))
        targets = {word for line in targets for word in line.split()}
        for block in blocks("sh"):
            for line in block.lines:
                words = shlex.split(line, comments=True)
                with self.subTest(block.place, command=line):
                    if words[:1] == ["make"]:
                        self.assertLessEqual({word for word in words[1:] if "=" not in word}, targets)
                    elif words[:1] == ["gpuwhy"] or words[:3] == ["python", "-m", "gpuwhy"]:
                        given = words[1:] if words[0] == "gpuwhy" else words[3:]
                        cut = [index for index, word in enumerate(given) if word in ("--", "|", ">", "<", "&&", "||")]
                        given = given[:cut[0]] if cut else given
                        done = subprocess.run([GPUWHY, *given, "--help"], capture_output=True, text=True)
                        self.assertEqual(done.returncode, 0, done.stderr)

    def test_commands_in_sentences(self):
        """`gpuwhy ...` between backquotes: its options exist."""
        for path in DOCUMENTS:
            for command in set(re.findall(r"(?<!`)`(gpuwhy(?: [^`]+)?)`(?!`)", path.read_text())):
                words = shlex.split(command)[1:]
                cut = [index for index, word in enumerate(words) if word in ("--", "|", ">", "...")]
                words = [word for word in (words[:cut[0]] if cut else words) if word not in ("COMMAND", "WORDS")]
                with self.subTest(path.name, command=command):
                    done = subprocess.run([GPUWHY, *words, "--help"], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_python(self):
        sys.path.insert(0, str(SOURCE / "python"))
        import gpuwhy

        for block in blocks("python", "ipython"):
            source = "\n".join(line for line in block.lines if not line.startswith("%"))
            with self.subTest(block.place):
                for magic in (line for line in block.lines if line.startswith("%")):
                    self.assertRegex(magic, r"^(%load_ext gpuwhy|%%?gpuwhy\b.*)$")
                for node in ast.walk(ast.parse(source)):
                    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "gpuwhy":
                        self.assertTrue(hasattr(gpuwhy, node.attr), node.attr)

    def test_links(self):
        for path in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
                if "://" not in target:
                    with self.subTest(path.name, link=target):
                        self.assertTrue((path.parent / target).exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
