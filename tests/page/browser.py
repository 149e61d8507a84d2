#!/usr/bin/env python3
"""The pages in a real browser: browser.py GPUWHY CHROMIUM CHROMEDRIVER DOWNLOADS [--still]

What a reader relies on: it opens offline with nothing in the console, hostile texts stay text, the charts have marks,
pointer and keyboard reach what they show, a telephone and a sheet of paper hold it, and without scripts the text is there.
Accessibility is judged by axe-core. --still: the build has no uPlot, its charts are still pictures. Needs Debian's chromium, chromium-driver and python3-selenium; else it is skipped (77).
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    from selenium.webdriver import ActionChains, Keys
except ImportError:
    print("python3-selenium is not installed")
    sys.exit(77)

from chrome import Chrome
from pages import make

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
AXE = ("axe-core", "4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745")
RUN = "run-R03-keras_input_generator"


def axe(downloads):
    """axe-core's script; nothing where it cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, str(TOOLS / "fetch_source.py"), "--npm", *AXE, ".", downloads, folder, "axe.min.js"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            print(f"accessibility is not judged: {done.stderr.strip()}")
            return None
        return (pathlib.Path(folder) / "axe.min.js").read_text()


class Check:
    def __init__(self, chrome, pages):
        self.chrome, self.pages, self.wrong, self.count = chrome, pages, [], 0

    def that(self, holds, words):
        self.count += 1
        if not holds:
            self.wrong.append(words)

    def opens(self, name, **how):
        """Quiet, alone, unharmed."""
        self.chrome.show(self.pages[name], **how)
        label = f"{name} {how}" if how else name
        address = self.pages[name].resolve().as_uri()
        asked = [each for each in self.chrome.requests() if each not in (address, "about:blank")]
        self.that(not asked, f"{label}: asked for {asked}")
        said = self.chrome.complaints()
        self.that(not said, f"{label}: the console says {said}")
        self.that(self.chrome.run("window.pwned === undefined"), f"{label}: a hostile text ran")
        width = self.chrome.run("document.scrollingElement.scrollWidth - innerWidth")
        self.that(width <= 0, f"{label}: {width} pixels too wide")
        title = self.chrome.run("document.querySelector('h1').innerText.trim()")
        self.that(bool(title), f"{label}: no sentence")

    def all_open(self):
        for name in self.pages:
            self.opens(name, width=360, height=740)

    def charts(self):
        """Canvases of every chart hold pixels in the colour of the series that is drawn last."""
        marks = """[...document.querySelectorAll('.chart')].map((figure) => {
          const canvas = figure.querySelector('canvas');
          if (!canvas) return -1;
          const ink = getComputedStyle([...figure.querySelectorAll('.key')].at(-1)).getPropertyValue('--key').trim();
          const probe = document.createElement('canvas').getContext('2d');
          probe.fillStyle = ink; probe.fillRect(0, 0, 1, 1);
          const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24) ++count;
          return count;
        })"""
        for name in [each for each in self.pages if each.startswith(("run-", "hostile-run"))]:
            for theme in ("light",) if name != RUN else ("light", "dark"):
                self.opens(name, theme=theme)
                found = self.chrome.run(marks)
                self.that(found and min(found) > 8, f"{name} in {theme}: marks a chart {found}")
        self.opens("run-two_gpus")
        self.that(self.chrome.run("document.querySelectorAll('canvas').length") >= 14, "two GPUs: too few charts")

    def images(self):
        return self.chrome.run("[...document.querySelectorAll('canvas')].map((each) => each.toDataURL())")

    def words(self):
        return self.chrome.run("document.querySelector('.chart .now').textContent")

    def chart_by_pointer(self):
        self.opens(RUN)
        driver = self.chrome.driver
        before, summary = self.images(), self.words()
        field = driver.find_element("css selector", ".chart .u-over")
        ActionChains(driver).move_to_element(field).perform()
        told = self.words()
        self.that(" at " in told and "%" in told, f"under the pointer: {told!r}")
        others = self.chrome.run("[...document.querySelectorAll('.now')].filter((each) => each.textContent.includes(' at ')).length")
        self.that(others > 5, f"only {others} series follow the pointer")
        ActionChains(driver).move_to_element_with_offset(field, -200, 0).click_and_hold().move_by_offset(250, 0).release().perform()
        zoomed = self.images()
        self.that(all(a != b for a, b in zip(before, zoomed)), "dragging zooms some charts only")
        ActionChains(driver).double_click(field).perform()
        self.that(self.images() == before, "a double click does not show the whole again")
        ActionChains(driver).move_to_element(driver.find_element("css selector", "h1")).perform()
        self.that(self.words() == summary, f"after the pointer: {self.words()!r}, not {summary!r}")

    def press(self, *keys):
        ActionChains(self.chrome.driver).send_keys(*keys).perform()

    def chart_by_keyboard(self):
        self.opens(RUN)
        before = self.images()
        self.chrome.run("document.querySelector('.plot').focus()")
        self.press(Keys.ARROW_RIGHT)
        first = self.words()
        self.press(Keys.ARROW_RIGHT)
        self.that(" at " in first and " at " in self.words() and first != self.words(), f"arrow keys: {first!r}, {self.words()!r}")
        self.press("+")
        self.that(self.images() != before, "+ does not zoom")
        self.press("0")
        self.that(self.images() == before, "0 does not show the whole")

    def tips(self):
        return self.chrome.run("[...document.querySelectorAll('.tip')].filter((each) => getComputedStyle(each).visibility === 'visible')"
                               ".map((each) => each.innerText)")

    def gates(self):
        """By Tab, by pointer, away with Escape."""
        self.opens("broken")
        driver = self.chrome.driver
        self.that(self.tips() == [], "evidence hangs open")
        names = []
        for _ in range(30):
            self.press(Keys.TAB)
            at = self.chrome.run("document.activeElement.classList.contains('gate') ? document.activeElement.innerText.split('\\n')[0] : ''")
            if not at:
                continue
            names.append(at)
            self.that(len(self.tips()) == 1, f"gate {at} has the focus and shows {self.tips()}")
        self.that(names[:2] == ["hardware", "driver"] and "visibility" in names, f"Tab reaches {names}")
        gate = driver.find_element("css selector", ".failed .gate")
        ActionChains(driver).move_to_element(gate).perform()
        self.that(any("F15" in each for each in self.tips()), f"over the failed gate: {self.tips()}")
        inside = self.chrome.run("""[...document.querySelectorAll('.tip')].every((each) => {
          const box = each.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth; })""")
        self.that(inside, "evidence hangs over the edge")
        self.press(Keys.ESCAPE)
        self.that(self.tips() == [], "Escape leaves evidence open")

    def theme(self):
        self.opens(RUN)
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        light, before = self.chrome.run(ground), self.images()
        toggle = self.chrome.driver.find_element("id", "theme")
        for _ in range(2):
            toggle.click()
        self.that(self.chrome.run(ground) != light, "the theme does not change")
        after = self.images()
        self.that(all(a != b for a, b in zip(before, after)), "charts keep the colours of the other theme")
        toggle.click()
        self.that(self.chrome.run(ground) == light and self.images() == before, "the system's theme does not come back")
        self.chrome.run("localStorage.clear()")

    def buttons(self):
        self.opens("broken")
        self.chrome.driver.find_element("css selector", ".copy").click()
        told = self.chrome.run("new Promise((done) => setTimeout(() => done(document.querySelector('.copy').textContent), 100))")
        self.that(told in ("Copied", "Selected"), f"copying: {told!r}")
        self.opens("lint")
        shown = "document.querySelectorAll('.finding:not([hidden])').length"
        before = self.chrome.run(shown)
        self.chrome.driver.find_element("css selector", ".choice [data-severity=error]").click()
        self.that(0 < self.chrome.run(shown) < before, "findings cannot be chosen")

    def without_scripts(self):
        for name, words in (("broken", "will run on the CPU"), (RUN, "a kernel ran 38 %"), ("lint", "error")):
            self.opens(name, scripts=False)
            text = self.chrome.run("document.body.innerText")
            self.that(words in text, f"{name} without scripts: {text[:200]!r}")
            dead = self.chrome.run("[...document.querySelectorAll('button:not(.gate)')].filter((each) => each.offsetParent).length")
            self.that(dead == 0, f"{name} without scripts: {dead} buttons that do nothing")
        self.opens(RUN, scripts=False)
        drawn = self.chrome.run("[...document.querySelectorAll('.field')].filter((each) => each.getBoundingClientRect().height > 50).length")
        self.that(drawn >= 7, f"without scripts {drawn} still pictures")

    def on_paper(self):
        for name, words in (("broken", "L08 libcuda-stub"), (RUN, "R06 throttled"), ("lint", "TensorFlow")):
            self.opens(name, width=720, medium="print", theme="dark")
            text = self.chrome.run("document.body.innerText")
            self.that(words in text, f"{name} on paper lacks {words!r}")
            self.that(self.chrome.run("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)",
                      f"{name}: dark paper")
        drawn = "[...document.querySelectorAll('.field')].filter((each) => each.getBoundingClientRect().height > 50).length"
        self.opens(RUN, width=720, medium="print")
        self.that(self.chrome.run(drawn) >= 7, "no charts on paper")

    def accessibility(self, script):
        self.that(len(script) > 100000, "this is not axe-core")
        for name in ("several", "unknown", "hostile-check", RUN, "run-two_gpus", "lint"):
            for how in ({}, {"width": 360, "theme": "dark"}):
                self.opens(name, **how)
                self.chrome.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
                self.chrome.run(script + "; 0")
                found = self.chrome.run("axe.run().then((all) => all.violations.map((each) => each.id + ': ' + each.help + ' ' + "
                                        "each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120) + ' ' + node.failureSummary)))")
                self.that(not found, f"{name} {how}: {found}")
        self.chrome.run("document.querySelector('#theme').textContent = ''; document.documentElement.removeAttribute('lang')")
        found = self.chrome.run("axe.run().then((all) => all.violations.map((each) => each.id))")
        self.that({"button-name", "html-has-lang"} <= set(found), f"axe-core overlooks faults: {found}")


def main():
    gpuwhy, binary, driver, downloads = sys.argv[1:5]
    missing = [each for each in (binary, driver) if not pathlib.Path(each).exists()]
    if missing:
        print(f"not installed: {missing}")
        return 77
    chrome = Chrome(binary, driver)
    try:
        with tempfile.TemporaryDirectory() as folder:
            check = Check(chrome, make(gpuwhy, folder))
            drawn = [] if "--still" in sys.argv else [check.charts, check.chart_by_pointer, check.chart_by_keyboard, check.theme]
            for each in (check.all_open, *drawn, check.gates, check.buttons, check.without_scripts, check.on_paper):
                each()
            script = axe(downloads)
            if script:
                check.accessibility(script)
    finally:
        chrome.close()
    for each in check.wrong:
        print(each)
    print(f"{check.count} checks, {len(check.wrong)} wrong")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
