"""The page in a real browser, wide and narrow: by mouse, touch and keyboard. What is seen is read from the window's pixels."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from browser import PROGRAM, Browser
from PIL import Image
from sweep import jobs

from csrgan.evaluation.comparison import Job
from csrgan.reports import page

COLOURS = {"white": (255, 255, 255), "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255)}
BOXES = "[...document.querySelectorAll('.picture')].map(p => p.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height])"
WHOLE = "Promise.all([...document.images].map(i => i.decode())).then(() => [...document.images].every(i => i.naturalWidth > 0))"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs a Chromium, as by: apt-get install chromium")


def seen(browser: Browser, across: float, down: float) -> list[str]:
    """The colour at this place of every picture of the first row (H, S, S)."""
    boxes = browser.run(BOXES)[:3]
    with Image.open(io.BytesIO(browser.picture())) as window:
        pixels = [window.convert("RGB").getpixel((x + across * width, y + down * height)) for x, y, width, height in boxes]
    return [min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], pixel, strict=True))) for pixel in pixels]


def look(browser: Browser, file: Path, width: int) -> None:
    browser.open(file, width=width, height=800)
    assert browser.run(WHOLE)
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.run("document.querySelector('.bar').scrollIntoView()")
    assert seen(browser, 0.1, 0.5) == ["red", "green", "green"]


def slide(browser: Browser) -> None:
    """S stands right of the slider's place, L left of it; H stays as it is."""
    x, y, width, height = browser.run("(({x, y, width, height}) => [x, y, width, height])(cut.getBoundingClientRect())")
    browser.mouse((x + 8, y + height / 2), (x + width / 4, y + height / 2), (x + width / 2, y + height / 2))
    assert 45 <= float(browser.run("cut.value")) <= 55
    assert seen(browser, 0.1, 0.8) == ["red", "white", "white"]
    assert seen(browser, 0.9, 0.8) == ["red", "green", "green"]
    browser.key("End", 35)
    assert seen(browser, 0.9, 0.8) == ["red", "white", "white"]
    browser.key("Home", 36)
    assert seen(browser, 0.1, 0.8) == ["red", "green", "green"]


def magnified(browser: Browser) -> None:
    """The square of a quarter of the side fills all pictures."""
    for place in ((0.1, 0.1), (0.5, 0.5), (0.9, 0.9)):
        assert seen(browser, *place) == ["blue"] * 3


def test_the_page_works_by_mouse_touch_and_keyboard(tmp_path: Path) -> None:
    failed = Job("main/9", ("trainer=smoke", "seed=1"), reason="ended by SIGKILL", command="csrgan train " + "x=1 " * 80)
    file = page.write(tmp_path, [*jobs(6, tmp_path / "runs"), failed], title="t", question="Does it cost quality?")
    with Browser(tmp_path / "profile") as browser:
        look(browser, file, 1280)
        slide(browser)
        x, y, width, height = browser.run(BOXES)[1]
        square = (x + 0.75 * width, y + 0.25 * height)
        browser.mouse(square)
        magnified(browser)
        browser.mouse((x + width / 2, y + height / 2), (x + width, y + height / 2))
        assert seen(browser, 0.1, 0.5) == ["red", "green", "green"]  # dragged to the right: what is left of the square
        browser.run("document.querySelector('.matrix').focus()")
        browser.key("Escape", 27)
        assert seen(browser, 0.75, 0.25) == ["blue"] * 3
        assert seen(browser, 0.5, 0.5) == ["red", "green", "green"]
        for name, code in [("+", 187)] * 3 + [("ArrowRight", 39)] * 20 + [("ArrowUp", 38)] * 20:
            browser.key(name, code)
        assert seen(browser, 0.3, 0.7) == ["blue"] * 3  # the corner beyond the square is red and green
        assert seen(browser, 0.95, 0.05) == ["red", "green", "green"]

        look(browser, file, 390)
        x, y, width, height = browser.run(BOXES)[0]
        browser.tap(x + 0.75 * width, y + 0.25 * height)
        assert browser.run("zoom.value") == "4"
        browser.run("document.querySelector('.matrix').scrollLeft = 120")
        assert seen(browser, 0.5, 0.5)[1] == "blue"
        assert not browser.faults()
        assert {address.split(":")[0] for address in browser.requests()} == {"file", "data"}
