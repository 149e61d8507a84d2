#!/usr/bin/env python3
"""Pictures of the pages, to be looked at: pictures.py GPUWHY FOLDER

Light and dark, wide and narrow, with evidence shown, on paper. Nothing is compared: that is for eyes.
"""
import pathlib
import sys
import tempfile

from chrome import Chrome
from pages import make

SHOTS = [
    ("healthy", {}), ("healthy", {"theme": "dark"}), ("broken", {}), ("broken", {"theme": "dark"}), ("broken", {"width": 390}),
    ("broken", {"width": 720, "medium": "print"}), ("here", {}), ("several", {}), ("several", {"width": 390, "theme": "dark"}), ("unknown", {}), ("hostile-check", {}),
    ("run-R07-leak_list", {}), ("run-R03-keras_input_generator", {"theme": "dark"}),
    ("run-R03-keras_input_generator", {"width": 390}), ("run-R03-keras_input_generator", {"width": 720, "medium": "print"}),
    ("run-R03-keras_input_generator", {"scripts": False}), ("run-E01-never_visible", {}), ("run-two_gpus", {}), ("hostile-run", {}),
    ("lint", {}), ("lint", {"width": 390, "theme": "dark"}), ("hostile-lint", {}), ("lint-clean", {}),
]


def main():
    gpuwhy, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    chrome = Chrome("/usr/bin/chromium", "/usr/bin/chromedriver")
    try:
        with tempfile.TemporaryDirectory() as temporary:
            pages = make(gpuwhy, temporary)
            for name, how in SHOTS:
                chrome.show(pages[name], **how)
                words = [str(value) if key != "scripts" else "no-scripts" for key, value in how.items()]
                path = folder / ("-".join([name, *words]) + ".png")
                path.write_bytes(chrome.picture())
            chrome.show(pages["broken"])
            chrome.run("document.querySelectorAll('.gate')[3].focus()")
            (folder / "broken-evidence.png").write_bytes(chrome.picture(whole=False))
    finally:
        chrome.close()
    print(f"{len(SHOTS) + 1} pictures in {folder}")


if __name__ == "__main__":
    main()
