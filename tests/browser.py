"""A real browser, spoken to over the pipe that Chromium offers for it: no port, no driver, no package."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("gpu", "quic", "background-networking", "component-update", "sync")  # what a test does not need
FLAGS = ("--headless", "--no-sandbox", "--no-first-run", "--remote-debugging-pipe", *(f"--disable-{each}" for each in QUIET))


class Browser:
    """One tab. events: all that it reported (console, log, network), as (name, parameters)."""

    def __init__(self, profile: Path) -> None:
        self.pipe, theirs = socket.socketpair()
        self.pipe.settimeout(60)
        self.rest, self.events, self.count, self.session = b"", [], 0, None
        ends: list[Any] = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), place) for place in (3, 4)]  # it reads and writes there
        ends += [(os.POSIX_SPAWN_OPEN, place, os.devnull, os.O_WRONLY, 0) for place in (1, 2)]  # it misses a desktop, loudly
        words = [str(PROGRAM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self.process = os.posix_spawn(str(PROGRAM), words, os.environ, file_actions=ends, setpgroup=0)
        theirs.close()
        targets = self.call("Target.getTargets")["targetInfos"]
        tab = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.session = None
        try:
            self.call("Browser.close")
        except OSError:
            os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self.pipe.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self.count += 1
        command = {"id": self.count, "method": method, "params": parameters}
        self.pipe.sendall(json.dumps(command | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        while (message := self._read()).get("id") != self.count:
            self.events.append((message["method"], message["params"]))
        assert "error" not in message, message
        return message["result"]

    def open(self, page: Path | str, *, width: int, height: int, scheme: str = "light") -> None:
        """Load a file or an address in a window of this size; a narrow one is a phone that is touched. scheme: light or dark."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while "Page.loadEventFired" not in [name for name, _ in self.events]:
            message = self._read()
            self.events.append((message["method"], message["params"]))
        self.events = [event for event in self.events if event[0] != "Page.loadEventFired"]

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = 30.0) -> Any:
        """The value of a JavaScript expression once it is true."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < end, (script, self.run("document.body.innerText"))
            time.sleep(0.05)
        return value

    def upload(self, file: Path, selector: str = "input[type=file]") -> None:
        """Choose a file, as in the dialogue of the system."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(file)], nodeId=node)

    def mouse(self, *places: tuple[float, float]) -> None:
        """Press at the first place, drag over the others, let go at the last."""
        for kind, (x, y) in zip(["mousePressed", *["mouseMoved"] * (len(places) - 1)], places, strict=True):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        x, y = places[-1]
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)

    def tap(self, x: float, y: float) -> None:
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def key(self, name: str, code: int) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)

    def faults(self) -> list[dict[str, Any]]:
        """What the console would show in red."""
        return [
            told
            for name, told in self.events
            if name == "Runtime.exceptionThrown"
            or (name == "Log.entryAdded" and told["entry"]["level"] == "error")
            or (name == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert"))
        ]

    def requests(self) -> list[str]:
        """Every address that was asked for."""
        return [told["request"]["url"] for name, told in self.events if name == "Network.requestWillBeSent"]

    def picture(self) -> bytes:
        """The window as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            received = self.pipe.recv(1 << 20)
            if not received:
                raise ConnectionError("the browser is gone")
            self.rest += received
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)
