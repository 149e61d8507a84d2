"""A headless Chromium as a reader has it: its size, theme, medium and scripts can be chosen."""
import base64
import json

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


class Chrome:
    def __init__(self, binary, driver):
        options = webdriver.ChromeOptions()
        options.binary_location = binary
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                         "--force-device-scale-factor=1", "--disable-background-networking", "--no-first-run"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(driver), options=options)
        self.driver.set_page_load_timeout(60)

    def close(self):
        self.driver.quit()

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def show(self, path, width=1200, height=900, theme="light", medium="", scripts=True):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.command("Emulation.setEmulatedMedia", media=medium, features=[{"name": "prefers-color-scheme", "value": theme}])
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.driver.get("about:blank")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)  # of the page before
        self.driver.get(path.resolve().as_uri())

    def run(self, expression):
        """The value of a JavaScript expression; asked from outside, so that no policy of the page is in the way."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression[:200]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Addresses that the page asked for."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]

    def picture(self, whole=True):
        """The page as PNG."""
        arguments = {"format": "png"}
        if whole:
            size = self.run("({width: innerWidth, height: document.documentElement.scrollHeight})")
            arguments["captureBeyondViewport"] = True
            arguments["clip"] = {"x": 0, "y": 0, "scale": 1, **size}
        return base64.b64decode(self.command("Page.captureScreenshot", **arguments)["data"])
