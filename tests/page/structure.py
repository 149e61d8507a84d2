#!/usr/bin/env python3
"""Every page is whole and safe as HTML: structure.py GPUWHY

Read with a parser, not compared byte by byte: tags are balanced and few, ids are unique and those referred to exist,
nothing refers outside, no attribute runs or styles anything, the policy's hashes are those of what the page carries, and
texts that a stranger chose are text. Standard library only.
"""
import base64
import hashlib
import html.parser
import json
import re
import subprocess
import sys
import tempfile

from pages import EXAMPLES, make

VOID = {"meta"}
TAGS = set("""html head title style body header main footer section article div p span b h1 h2 h3 ul ol li dl dt dd code pre
    mark button details summary figure figcaption table thead tbody tr th td script svg symbol use path rect meta""".split())
REFERENCES = ("aria-describedby", "aria-labelledby")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.ids, self.refers = [], [], [], []
        self.text, self.assets, self.policy, self.title = [], {"style": [], "script": [], "data": []}, "", ""

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.wrong.append(f"<{tag}> is none of a page's tags")
        names = [name for name, _ in attributes]
        values = dict(attributes)
        if len(set(names)) != len(names):
            self.wrong.append(f"<{tag}> has an attribute twice: {names}")
        for name, value in attributes:
            if name.startswith("on") or name in ("style", "src", "action", "formaction", "srcdoc"):
                self.wrong.append(f"<{tag} {name}>")
            if name == "href" and not value.startswith("#"):
                self.wrong.append(f"<{tag}> refers to {value!r}")
        if "id" in values:
            self.ids.append(values["id"])
        self.refers += [values[name] for name in REFERENCES if name in values]
        if values.get("href"):
            self.refers.append(values["href"][1:])
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag not in VOID:
            self.open.append("data" if values.get("type") == "application/json" else tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1].replace("data", "script") != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
        else:
            self.open.pop()

    def handle_data(self, data):
        where = self.open[-1] if self.open else ""
        if where in self.assets:
            self.assets[where].append(data)
        else:
            self.text.append(data)
            self.title += data if where == "title" else ""

    def handle_comment(self, data):
        self.wrong.append(f"a comment: {data[:60]!r}")


def policy_of(assets):
    def sources(kind):
        return " ".join("'sha256-" + base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() + "'" for each in kind)
    return (f"default-src 'none'; style-src {sources(assets['style'])}; script-src {sources(assets['script'])}; "
            "base-uri 'none'; form-action 'none'")


def faults(text):
    """What is wrong with a page, in words."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    yield from reader.wrong
    if reader.open:
        yield f"never closed: {reader.open}"
    if len(set(reader.ids)) != len(reader.ids):
        yield f"ids stand twice: {sorted(each for each in set(reader.ids) if reader.ids.count(each) > 1)}"
    for each in set(reader.refers) - set(reader.ids):
        yield f"nothing has the id {each!r}"
    if reader.policy != policy_of(reader.assets):
        yield f"the policy does not fit what the page carries: {reader.policy}"
    if not reader.title.startswith("gpuwhy: "):
        yield f"the title is {reader.title!r}"
    for data in reader.assets["data"]:
        json.loads(data)
    hidden = UNSEEN.search("".join(reader.text) + "".join(reader.assets["data"]))
    if hidden:
        yield f"U+{ord(hidden.group()):04X} stands in the text"
    if text.lower().count("<script") != len(reader.assets["script"]) + len(reader.assets["data"]):
        yield "there are more scripts than the page's own"


def text_of(page):
    reader = Reader()
    reader.feed(page)
    return " ".join(" ".join(reader.text).split())


def says(pages, name, *sentences):
    text = text_of(pages[name])
    return [f"{name}: does not say {each!r}" for each in sentences if each not in text]


def same_on_output(gpuwhy):
    """--html - is the page alone; what differs from the file is the time."""
    done = subprocess.run([gpuwhy, "check", "--from", str(EXAMPLES / "broken.json"), "--html", "-"], capture_output=True)
    text = done.stdout.decode()
    wrong = [] if text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>") else ["--html -: more than a page"]
    if done.returncode != 1 or done.stderr:
        wrong.append(f"--html -: status {done.returncode}, {done.stderr.decode()!r} on standard error")
    both = subprocess.run([gpuwhy, "lint", "--json", "--html", "-", str(EXAMPLES)], capture_output=True)
    if both.returncode != 2 or both.stdout:
        wrong.append(f"--json with --html -: status {both.returncode}, {both.stdout[:80]!r}")
    nowhere = subprocess.run([gpuwhy, "check", "--from", str(EXAMPLES / "broken.json"), "--html", "/nowhere/at/all.html"],
                             capture_output=True)
    if nowhere.returncode != 2 or b"/nowhere/at/all.html" not in nowhere.stderr:
        wrong.append(f"a page that cannot be written: status {nowhere.returncode}, {nowhere.stderr.decode()!r}")
    return wrong


def unseen_faults(page):
    """The check itself: a good page with one fault is found faulty."""
    bad = ["<div>", "<p></div></p>", "<p id=answer></p>", "<p onclick=x></p>", "<img>", "<a href=x></a>", "<!-- -->",
           "<p style=x></p>", "<p aria-labelledby=nobody></p>", "<p>\u202e</p>", "<script>1</script>"]
    return [f"nothing found wrong with {each!r}" for each in bad
            if not list(faults(page.replace("</main>", each + "</main>")))]


def main():
    gpuwhy = sys.argv[1]
    wrong = same_on_output(gpuwhy)
    with tempfile.TemporaryDirectory() as folder:
        pages = {name: path.read_text() for name, path in make(gpuwhy, folder).items()}
    for name, text in pages.items():
        wrong += [f"{name}: {fault}" for fault in faults(text)]
    wrong += unseen_faults(pages["broken"])
    wrong += says(pages, "broken", "will run on the CPU, not on the GPU", "CUDA 13 is installed, TensorFlow 2.18.1 needs CUDA 12",
                  "F15 framework-cuda-mismatch", "nvidia-cuda-runtime-cu12==12.5.82", "NVIDIA H100 80GB HBM3", "in the way")
    wrong += says(pages, "healthy", "will use the GPU", "the CUDA driver starts and reports a GPU", "reached")
    wrong += says(pages, "several", "then the GPU is used: verified for these 2 fixes together", "E01 visible-devices-hides-all",
                  "in /home/user/old/.venv", "unset CUDA_VISIBLE_DEVICES")
    wrong += says(pages, "unknown", "could not tell whether TensorFlow 2.18.1", "What could not be looked at", "settle")
    wrong += says(pages, "run-R07-leak_list", "GPU memory grows all through the run", "GiB a minute", "steady work", "torch")
    wrong += says(pages, "run-two_gpus", "GPU 1 at work", "GPU 1 memory")
    wrong += says(pages, "lint", "P01", "what is made and run in this scope stays on the CPU", "line 6, column 6", "Dockerfile")
    wrong += says(pages, "program", "will run train.py on the CPU", "In the code", "P03", "line 4, column 1", "train.py on healthy.json")
    wrong += says(pages, "hostile-lint", "What could not be judged", "<script>.ipynb")
    wrong += says(pages, "hostile-run", "What could not be told", "CUPTI: </script>")
    wrong += says(pages, "lint-clean", "nothing was found")
    for name in ("hostile-check", "hostile-run", "hostile-lint", "hostile-program"):
        wrong += says(pages, name, "<script>window.pwned=1</script>", "onerror=window.pwned=1>")
    for each in wrong:
        print(each)
    sizes = ", ".join(f"{name} {len(text) // 1024} KiB" for name, text in pages.items())
    print(f"{len(pages)} pages ({sizes}), {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
