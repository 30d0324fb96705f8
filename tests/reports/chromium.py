"""A headless Chromium, driven by its DevTools protocol over a WebSocket (RFC 6455) of this machine alone: no package for it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlhw.commands.report import browser

PATIENCE_SECONDS = 60.0


def program() -> str:
    """The browser; the test is skipped where there is none."""
    found = browser.find()
    if found is None:
        pytest.skip("needs a Chromium: apt-get install chromium, or name one in MLHW_BROWSER")
    return found


class Wire:
    """The least of a WebSocket client that the protocol takes: whole text messages, one after the other."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        key = base64.b64encode(os.urandom(16)).decode()
        asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._socket.sendall(f"{asked}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self._rest = b""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._more()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        assert b" 101 " in head.split(b"\r\n")[0], head

    def send(self, text: str) -> None:
        """One message: final, masked with zeros."""
        content = text.encode()
        size = len(content)
        length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0xFE, size)
        assert size < 1 << 16
        self._socket.sendall(b"\x81" + length + bytes(4) + content)

    def receive(self) -> str:
        """The next message, put together from its frames."""
        content = b""
        while True:
            first, size = self._take(2)
            size &= 0x7F
            if size > 125:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            part = self._take(size)
            if first & 0x0F in (0, 1):
                content += part
                if first & 0x80:
                    return content.decode()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _take(self, size: int) -> bytes:
        chunks = [self._rest]
        have = len(self._rest)
        while have < size:
            chunks.append(self._more())
            have += len(chunks[-1])
        whole = b"".join(chunks)
        self._rest = whole[size:]
        return whole[:size]

    def _more(self) -> bytes:
        found = self._socket.recv(1 << 20)
        assert found, "the browser ended"
        return found


class Page:
    """One tab. ``faults`` are errors on the console and in scripts, ``asked`` the addresses it asked for."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._number, self._session = wire, 0, ""
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.events: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """Ask for ``method`` and wait for the answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._wire.send(json.dumps(message))
        while (answer := self._read()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._wire.receive())
        return found

    def _note(self, event: dict[str, Any]) -> None:
        method, parameters = event.get("method", ""), event.get("params", {})
        self.events.append(method)
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.faults.append(str(parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.faults.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith("data:"):
            self.asked.append(parameters["request"]["url"])

    def size(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """A window of so many points, in the light or the dark scheme."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path: Path) -> None:
        """Show the file at ``path``, and wait until it is whole."""
        self.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        while "Page.loadEventFired" not in self.events:
            self._note(self._read())
        self.frame()

    def frame(self) -> None:
        """Wait until what was asked for is on the screen."""
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    def js(self, expression: str) -> Any:
        """What ``expression`` gives."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def centre(self, selector: str, share: float = 0.5) -> tuple[float, float]:
        """The middle of the first element of ``selector``, scrolled to; ``share`` of its width from the left."""
        place = self.js(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); const b = e.getBoundingClientRect(); "
            f"return [b.left + b.width * {share}, b.top + b.height / 2]; }})()"
        )
        return place[0], place[1]

    def hover(self, selector: str, share: float = 0.5) -> None:
        """Point at ``selector``."""
        x, y = self.centre(selector, share)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.frame()

    def click(self, selector: str, *, shift: bool = False) -> None:
        """Click on the middle of ``selector``."""
        x, y = self.centre(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                clickCount=1,
                modifiers=8 if shift else 0,
            )
        self.frame()

    def key(self, name: str) -> None:
        """Press and release a key, such as ``ArrowRight``."""
        codes = {"ArrowLeft": 37, "ArrowRight": 39, "End": 35, "Home": 36, "Escape": 27, "Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if name == "Enter" and kind == "keyDown" else {}
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name], **text
            )
        self.frame()

    def picture(self, path: Path | None = None, *, whole: bool = False) -> bytes:
        """A PNG of the window, or of the whole page; also written to ``path``."""
        self.frame()
        found = base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"])
        if path is not None:
            path.write_bytes(found)
        return found


@contextlib.contextmanager
def page() -> Iterator[Page]:
    """A fresh browser with one tab; the browser ends with the block."""
    command = program()
    with tempfile.TemporaryDirectory(prefix="mlhw-test-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [command, *browser.flags(Path(folder)), "--remote-debugging-port=0", "--hide-scrollbars", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wire = Wire(*_address(Path(folder) / "profile" / "DevToolsActivePort", process))
            try:
                yield Page(wire)
            finally:
                wire.close()
        finally:
            process.terminate()
            process.wait(timeout=30)


def _address(file: Path, process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The port and the path that the browser writes down once it listens."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        if len(lines) == 2:
            return int(lines[0]), lines[1]
        time.sleep(0.02)
    raise AssertionError(f"the browser does not listen (it ended with {process.poll()})")
