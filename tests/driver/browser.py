# SPDX-License-Identifier: MIT
"""browser - a page in headless Chromium, by its own protocol over a pair of pipes: no package but the browser."""
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DEADLINE = 300  # seconds: of one answer, on a busy machine
KEYS = {"Enter": (13, "\r"), "Escape": (27, None), "Tab": (9, None), "ArrowDown": (40, None), "ArrowUp": (38, None),
        "ArrowLeft": (37, None), "ArrowRight": (39, None)}


def program():
    """The browser's path; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One tab. What it wanted from elsewhere, and what went wrong in a script, is in `requests` and `errors`."""

    def __init__(self, width=1280, height=900):
        self.profile = tempfile.TemporaryDirectory(prefix="mtrace-browser-", ignore_cleanup_errors=True)
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
                   "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", f"--window-size={width},{height}"]
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(["sh", "-c", command, "sh", program(), *options, "about:blank"], pass_fds=(theirs_in, theirs_out),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest, self.number, self.session = b"", 0, None
        self.requests, self.errors, self.events = [], [], []
        page = next(t for t in self.until_page() if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Network", "Log":
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
        except OSError:
            pass
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        self.profile.cleanup()

    # ---- the protocol: messages of JSON, each ended by a zero

    def message(self, deadline):
        while b"\0" not in self.rest:
            ready = select.select([self.back], [], [], max(0, deadline - time.monotonic()))[0]
            read = os.read(self.back, 1 << 16) if ready else b""
            if not read:
                raise OSError("the browser has ended" if ready else "the browser doesn't answer")
            self.rest += read
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def note(self, event):
        method, params = event["method"], event["params"]
        self.events.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"])

    def call(self, method, **params):
        deadline = time.monotonic() + DEADLINE
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message(deadline)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            if "method" in answer:
                self.note(answer)

    def until_page(self):
        while True:
            targets = self.call("Target.getTargets")["targetInfos"]
            if any(t["type"] == "page" for t in targets):
                return targets
            time.sleep(0.05)

    # ---- what tests do

    def open(self, path):
        deadline = time.monotonic() + DEADLINE
        self.events.clear()
        self.call("Page.navigate", url=f"file://{path}")
        while "Page.loadEventFired" not in self.events:
            message = self.message(deadline)
            if "method" in message:
                self.note(message)

    def value(self, expression):
        """What JavaScript makes of it, as JSON has it."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def click(self, x, y):
        for kind in "mouseMoved", "mousePressed", "mouseReleased":
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def key(self, key, control=False):
        code, text = KEYS.get(key, (ord(key[0].upper()), None if control else key))
        params = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if control else 0}
        if text:
            params["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **params)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in params.items() if k != "text"})

    def type(self, text):
        self.call("Input.insertText", text=text)

    def media(self, media="", **features):
        """How the page thinks that it is shown: media("print"), media(prefers_color_scheme="dark")."""
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": k.replace("_", "-"), "value": v} for k, v in features.items()])
