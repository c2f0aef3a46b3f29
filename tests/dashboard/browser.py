"""A headless chromium, driven over its DevTools protocol by a pipe: enough to open a page, look, click and type."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any


def _found() -> str | None:
    """A browser on the search path, or the newest that playwright has installed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    installed = [file for file in cache.glob("chromium-*/chrome-linux*/chrome") if os.access(file, os.X_OK)]
    return str(max(installed, key=lambda file: file.parent.parent.stat().st_mtime)) if installed else None


CHROMIUM = _found()

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
         "--remote-debugging-pipe", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
"""The last one cuts the page off from everything but this machine: what works here works offline."""


class Browser:
    """One page. ``errors`` collects what the page reports as an error: exceptions, console, failed requests."""

    def __init__(self, profile: Path, width: int = 1280, height: int = 900) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        far = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (theirs_in, theirs_out)]

        def wire() -> None:
            """The browser listens on descriptor 3 and answers on 4."""
            os.dup2(far[0], 3)
            os.dup2(far[1], 4)

        self.process = subprocess.Popen([str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
                                        preexec_fn=wire)
        for end in (theirs_in, theirs_out, *far):
            os.close(end)
        self._left = b""
        self._number = 0
        self._session: dict[str, str] = {}
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """One command of the protocol and its result."""
        self._number += 1
        wish = {"id": self._number, "method": method, "params": arguments, **self._session}
        os.write(self._out, json.dumps(wish).encode() + b"\0")
        while True:
            message = self._receive()
            self._note(message)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return dict(message["result"])

    def _receive(self, seconds: float = 120.0) -> dict[str, Any]:
        while b"\0" not in self._left:
            if not select.select([self._in], [], [], seconds)[0]:
                raise TimeoutError(f"the browser said nothing for {seconds:.0f} seconds")
            got = os.read(self._in, 1 << 20)
            if not got:
                raise EOFError("the browser has ended")
            self._left += got
        message, _, self._left = self._left.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, message: dict[str, Any]) -> None:
        given = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(given["exceptionDetails"])[:600])
        elif message.get("method") == "Runtime.consoleAPICalled" and given["type"] in ("error", "assert"):
            self.errors.append(json.dumps(given["args"])[:600])
        elif message.get("method") == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.errors.append(f"{given['entry']['text']} {given['entry'].get('url', '')}")

    def resize(self, width: int, height: int) -> None:
        """Give the window a size in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def open(self, address: str) -> None:
        """Go to ``address``."""
        self.call("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"])[:600])
        return result["result"].get("value")

    def text(self) -> str:
        """What the page says."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def wait_for(self, script: str, seconds: float = 60.0) -> None:
        """Wait until a JavaScript expression is true."""
        until(lambda: bool(self.run(script)), seconds, script)

    def click(self, selector: str) -> None:
        """Click the middle of what ``selector`` finds."""
        where = self.run(f"(() => {{const e = document.querySelector({json.dumps(selector)}); if (!e) return null;"
                         "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
                         "return [r.x + r.width / 2, r.y + r.height / 2]})()")
        if where is None:
            raise LookupError(f"the page has no {selector}")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)

    def type_into(self, selector: str, text: str) -> None:
        """Replace what stands in a field, and leave it."""
        self.click(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)
        self.run(f"document.querySelector({json.dumps(selector)}).blur()")

    def screenshot(self, file: Path, whole: bool = True) -> None:
        """Save the page as PNG."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        """End the browser."""
        self.process.terminate()
        self.process.wait(30)
        os.close(self._in)
        os.close(self._out)


def until(condition: Any, seconds: float, what: str) -> None:
    """Wait for ``condition()``; AssertionError naming ``what`` where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} seconds in vain for {what}")
        time.sleep(0.1)
