"""csrgan demo: a real server, and a real browser that chooses real files. Nothing leaves this computer."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import tempfile
import uuid
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pytest
import skimage.data
from browser import PROGRAM, Browser
from commands import train
from forked import Commands, until
from PIL import Image

from csrgan.cli import demo, main
from csrgan.config.location import extra

needs_gradio = pytest.mark.skipif(find_spec("gradio") is None, reason="needs gradio: pip install -e '.[demo]'")
needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="needs a Chromium, as by: apt-get install chromium")

START = 240  # s
# The environment asks for the opposite of what csrgan demo promises, and each connection that Python opens is noted.
GUARD = """
import os, sys, tempfile
tempfile.tempdir = {folder!r}
os.environ |= dict(GRADIO_SHARE="True", GRADIO_ANALYTICS_ENABLED="True", GRADIO_SERVER_NAME="0.0.0.0", GRADIO_ALLOWED_PATHS="/")
notes = os.open({notes!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def note(event, given):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen"):
        shown = given[1:] if event in ("socket.connect", "socket.sendto") else given
        os.write(notes, (event + " " + ascii(shown) + "\\n").encode())
sys.addaudithook(note)
"""
CELLS = "[...document.querySelectorAll('#theta tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))"
SLIDER = "[...document.querySelectorAll('#slider img')]"
SHOWN = f"{SLIDER}.length > 1 && {SLIDER}.every(image => image.complete && image.naturalWidth)"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run that predicts intervals."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(folder, "loss/parameters=nll")
    return folder


class Demo:
    """A server that runs. address: of its page."""

    def __init__(self, commands: Commands, process: int, folder: Path) -> None:
        self.commands, self.process, self.folder, self.notes = commands, process, folder, folder.with_suffix(".notes")
        self.address = re.findall(r"http://127\.0\.0\.1:\d+", commands.said())[0]

    def ends(self, number: int) -> None:
        """A signal ends it with the status of that signal and a sentence, and its files are gone."""
        os.kill(self.process, number)
        assert self.commands.end() == 128 + number
        assert self.commands.said().endswith("csrgan demo: stopped; the same command begins again.\n")
        assert list(self.folder.iterdir()) == []

    def stays_here(self) -> None:
        """It opened no connection to another computer, and asked for no name."""
        for line in self.notes.read_text().splitlines() if self.notes.exists() else ():
            assert re.search(r"'(127\.0\.0\.1|localhost|::1|/[^']*)'", line), line

    def upload(self, file: Path) -> str:
        """The path that the server gave the file."""
        mark = uuid.uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{file.name}"\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        request = Request(f"{self.address}/gradio_api/upload", body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
        return json.load(urlopen(request))[0]

    def ask(self, path: str, enlarge: int = 1) -> dict[str, Any]:
        """What the server makes of a file, as its page asks for it."""
        session = uuid.uuid4().hex
        data = [{"path": path, "orig_name": Path(path).name, "meta": {"_type": "gradio.FileData"}}, enlarge]
        body = json.dumps({"data": data, "fn_index": 0, "session_hash": session}).encode()
        urlopen(Request(f"{self.address}/gradio_api/queue/join", body, {"Content-Type": "application/json"})).read()
        with urlopen(f"{self.address}/gradio_api/queue/data?session_hash={session}") as stream:
            for line in stream:
                message = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if message.get("msg") == "process_completed":
                    return message
        raise AssertionError("no answer")

    def said(self, file: Path, enlarge: int = 1) -> str:
        answer = self.ask(self.upload(file), enlarge)
        assert answer["success"], answer
        return unescape(answer["output"]["data"][0])


@contextmanager
def serving(commands: Commands, checkpoint: Path, folder: Path, *words: str) -> Iterator[Demo]:
    own = folder / "own"
    own.mkdir()
    before = GUARD.format(folder=str(own), notes=str(own.with_suffix(".notes")))
    process = commands.start("demo", f"checkpoint={checkpoint}", "port=0", *words, before=before)
    try:
        assert until(lambda: "http://" in commands.said() or not Path(f"/proc/{process}").exists(), START)
        yield Demo(commands, process, own)
    except BaseException:
        os.kill(process, signal.SIGKILL)
        commands.end()
        raise


def restored(checkpoint: Path, photo: Path, folder: Path, *words: str) -> tuple[np.ndarray, list[str]]:
    """S of csrgan restore, and the numbers that it prints."""
    assert main(["restore", f"checkpoint={checkpoint}", f"source={photo}", f"destination={folder}", "scores=false", *words]) == 0
    (line,) = (folder / "parameters.csv").read_text().splitlines()[1:]
    return cv2.imread(str(folder / photo.name), cv2.IMREAD_UNCHANGED), line.split(",")


@needs_gradio
@needs_chromium
def test_a_browser_sees_and_keeps_what_csrgan_restore_makes(trained: Path, server: Commands, tmp_path: Path) -> None:
    photo, bad, large = tmp_path / "a <b> & c.png", tmp_path / "bad.png", tmp_path / "large.png"
    cv2.imwrite(str(photo), skimage.data.chelsea()[:80, :120, ::-1].astype(np.uint16) * 257)
    bad.write_text("no picture")
    large.write_bytes(bytes(2 * 2**20))
    expected, _ = restored(trained, photo, tmp_path / "by_restore")
    with serving(server, trained, tmp_path, "most_mb=1") as page, Browser(tmp_path / "profile") as browser:
        browser.open(page.address, width=1400, height=900)
        browser.wait("document.querySelector('input[type=file]')?.isConnected", START)
        browser.upload(photo)
        browser.wait(SHOWN, START)
        assert browser.run(f"{SLIDER}.map(image => [image.naturalWidth, image.naturalHeight])") == [[120, 80], [120, 80]]
        cells = browser.run(CELLS)
        assert [(cell[0], cell[-1]) for cell in cells] == [("blur std", "px"), ("scale", ""), ("noise std", "/255")]
        assert all(re.fullmatch(r"-?\d+\.\d\d to -?\d+\.\d\d", cell[2]) for cell in cells)

        browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "kept"))
        browser.run("document.querySelector('#download').click()")
        assert until(lambda: list((tmp_path / "kept").glob("*.png")), START)
        (kept,) = (tmp_path / "kept").glob("*.png")
        assert kept.stem.endswith("-restored")
        found = cv2.imread(str(kept), cv2.IMREAD_UNCHANGED)
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, expected)

        browser.run("document.querySelectorAll('#enlarge input')[1].click()")
        browser.wait("document.querySelector('#said').innerText.includes('120x80 px became 240x160 px')", START)
        assert not browser.faults()

        for file, where in ((bad, "#said [role=alert]"), (large, "[data-testid=toast-body]"), (photo, "#theta td")):
            browser.open(page.address, width=390, height=900, scheme="dark")
            browser.wait("document.querySelector('input[type=file]')?.isConnected", START)
            browser.upload(file)
            told = browser.wait(f"document.querySelector('{where}')?.innerText", START)
            assert {bad: "bad.png cannot be read as a picture: ", large: "maximum allowed size of 1.0"}.get(file, "") in told
        browser.wait(SHOWN, START)
        assert browser.run("document.documentElement.scrollWidth") <= 390
        assert len(browser.requests()) > 10
        assert [address for address in browser.requests() if not address.startswith((f"{page.address}/", "data:"))] == []
        page.ends(signal.SIGTERM)
    page.stays_here()


def png(width: int, height: int, data: bytes) -> bytes:
    """A file that says to hold so many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def animated(file: Path) -> None:
    frames = [Image.fromarray(skimage.data.chelsea()[top : top + 40, :60]) for top in (0, 50, 100)]
    frames[0].save(file, save_all=True, append_images=frames[1:])


GOOD = np.ascontiguousarray(skimage.data.chelsea()[:48, :64])
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing.png": (lambda file: file.write_bytes(b""), "nothing.png cannot be read as a picture: "),
    "text.jpg": (lambda file: file.write_text("a"), "text.jpg cannot be read as a picture: its format is none of BMP, "),
    "vector.svg": (lambda file: file.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>"), "vector.svg cannot be read as a "),
    "half.png": (lambda file: file.write_bytes(png(64, 48, b"\0" * 99)), "half.png cannot be decoded: "),
    "bomb.png": (lambda file: file.write_bytes(png(60000, 60000, b"")), "could be decompression bomb"),
    "wide.png": (
        lambda file: file.write_bytes(png(5000, 3000, b"")),
        "has 5000x3000 px, so S would have 15.0 megapixels, and this",
    ),
    "moves.gif": (animated, "left out: 2 further pages or frames of 1 pictures (only the first is read)"),
    "good.tiff": (lambda file: Image.fromarray(GOOD).save(file), "64x48 px became 64x48 px."),
    "good.webp": (lambda file: Image.fromarray(GOOD).save(file), "64x48 px became 64x48 px."),
    "good.jpg": (lambda file: Image.fromarray(GOOD).save(file), "64x48 px became 64x48 px."),
}


@needs_gradio
def test_bad_files_are_told_and_requests_wait_for_each_other(trained: Path, server: Commands, tmp_path: Path) -> None:
    with serving(server, trained, tmp_path) as page:
        for name, (write, sentence) in FILES.items():
            write(tmp_path / name)
            said = page.said(tmp_path / name)
            assert sentence in said, (name, said)
            assert "px became" in said or said.count("<p") == said.count('<p role="alert">') == 1, said
            assert str(page.folder) not in said
        good = tmp_path / "good.tiff"
        assert "64x48 px became 256x192 px." in page.said(good, 4)
        with ThreadPoolExecutor(4) as several:
            assert all("64x48 px became" in said for said in several.map(page.said, [good] * 4))

        assert not page.ask("http://192.0.2.1/strange.png")["success"]  # an address for examples: nobody answers there
        for file in (Path(__file__), tmp_path / "good.jpg", Path("/etc/passwd")):
            assert not page.ask(str(file))["success"]
            with pytest.raises(HTTPError, match="403"):
                urlopen(f"{page.address}/gradio_api/file={quote(str(file))}")

        Image.fromarray(np.tile(GOOD, (50, 50, 1))).save(tmp_path / "slow.jpg")
        path = page.upload(tmp_path / "slow.jpg")
        with ThreadPoolExecutor(1) as other:
            other.submit(page.ask, path)
            page.ends(signal.SIGINT)  # while it may be at work
    page.stays_here()


def test_a_taken_port_and_a_strange_host_are_one_sentence(
    checkpoint: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: name)
    words = ["demo", f"checkpoint={checkpoint}"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([*words, f"port={port}"]) == 2
    told = capfd.readouterr().err
    free = int(re.fullmatch(rf"csrgan demo: port={port} is taken: choose port=(\d+), which is free\.\n", told)[1])
    with socket.create_server(("127.0.0.1", free)):
        pass
    for host in ("nowhere.invalid", "192.0.2.1", "a b"):
        assert main([*words, "port=0", f"host={host}"]) == 2
        assert f"host={host} is no address of this computer: choose 127.0.0.1, for it alone, or" in capfd.readouterr().err
    for word, said in (("port=70000", "[0,65535]"), ("most_megapixels=0", "is not above 0."), ("share=true", "share")):
        assert main([*words, word]) == 2
        assert said in capfd.readouterr().err


def test_what_is_missing_is_one_sentence(
    tmp_path: Path, checkpoint: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(demo, "find_spec", lambda name: None)
        assert main(["demo", f"checkpoint={checkpoint}"]) == 2
    assert capfd.readouterr().err == f"csrgan demo: it needs gradio, which is not installed: {extra('demo')}.\n"
    monkeypatch.setattr(demo, "find_spec", lambda name: name)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = dict(os.environ)
    assert main(["demo", f"checkpoint={tmp_path}/nowhere", "port=0"]) == 2
    assert f"checkpoint={tmp_path}/nowhere" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == environment
