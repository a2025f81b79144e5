"""The built site: every link arrives, nothing is loaded from elsewhere, and a browser shows it in any window."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest
from browser import PROGRAM, Browser
from pages import ROOT

pytestmark = pytest.mark.docs

LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("object", "data")}
SHOWN = (
    "index",
    "tutorials/first_model",
    "tutorials/notebooks/01_first_model",
    "reference/api",
    "reference/configuration",
    "gallery",
)
WINDOWS = {"wide": (1400, 900), "narrow": (390, 800)}


class Page(HTMLParser):
    """anchors: what a link can point to. links, loaded: addresses that a reader follows, and that the browser fetches by itself.
    silent: pictures without a text in their place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.silent: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "img" and not attributes.get("alt", "").strip():
            self.silent.append(attributes.get("src", ""))
        linked = tag == "link" and attributes.get("rel") in ("index", "search", "next", "prev", "canonical")
        self.loaded += [attributes[name] for each, name in LOADED if each == tag and name in attributes and not linked]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("furo", reason="needs the tools for the site, which make docs installs")
    folder = tmp_path_factory.mktemp("site")
    words = [
        "-m",
        "sphinx",
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "-d",
        str(folder / "doctrees"),
        "docs",
        str(folder / "html"),
    ]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout
    return folder / "html"


@pytest.fixture(scope="module")
def read(site: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}


def test_every_link_arrives(site: Path, read: dict[Path, Page]) -> None:
    wrong = [
        f"{file.relative_to(site)}: {link}" for file, page in read.items() for link in page.links if not _arrives(file, link, read)
    ]
    assert not wrong, "\n".join(wrong)


def _arrives(file: Path, link: str, read: dict[Path, Page]) -> bool:
    address, anchor = urldefrag(link)
    if urlparse(link).scheme in ("http", "https", "mailto"):
        return True
    goal = (file.parent / unquote(address)).resolve() if address else file
    return goal.exists() and (not anchor or goal not in read or unquote(anchor) in read[goal].anchors)


def test_nothing_is_loaded_from_elsewhere(site: Path, read: dict[Path, Page]) -> None:
    for file, page in read.items():
        for address in page.loaded:
            place = f"{file.relative_to(site)}: {address}"
            assert not urlparse(address).scheme or address.startswith("data:"), place
            assert address.startswith("data:") or (file.parent / unquote(urldefrag(address.split("?")[0])[0])).is_file(), place


def test_every_picture_has_a_text_in_its_place(site: Path, read: dict[Path, Page]) -> None:
    assert not {str(file.relative_to(site)): page.silent for file, page in read.items() if page.silent}


def test_no_page_names_a_folder_of_the_machine_that_built_it(site: Path) -> None:
    here = str(ROOT)
    for file in [*site.rglob("*.html"), *site.rglob("*.js")]:
        assert here not in file.read_text(encoding="utf-8", errors="replace"), file.relative_to(site)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip("needs a Chromium, as by: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", SHOWN)
def test_a_browser_shows_it(site: Path, browser: Browser, name: str, window: str, scheme: str) -> None:
    width, height = WINDOWS[window]
    assert (site / f"{name}.html").is_file()
    browser.events.clear()
    browser.open(site / f"{name}.html", width=width, height=height, scheme=scheme)
    decoded = "Promise.all([...document.images].map(i => i.decode().then(() => 1, () => i.src)))"
    assert set(browser.run(decoded)) <= {1}
    assert browser.run("document.documentElement.scrollWidth") <= width
    dark = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b, 0) < 384"
    assert browser.run(dark) is (scheme == "dark")
    assert not browser.faults()
    assert {urlparse(address).scheme for address in browser.requests()} <= {"file", "data"}
