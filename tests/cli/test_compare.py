"""csrgan compare: folders as people have them, scores, and the page in a real browser."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from browser import PROGRAM, Browser
from PIL import Image

import csrgan
from csrgan.cli import main

COLOURS = {"sharp": (255, 0, 0), "low": (0, 0, 255), "our s": (0, 128, 0), "theirs": (200, 200, 0)}


def paint(folder: Path, name: str, size: tuple[int, int] = (40, 30)) -> None:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", size, COLOURS[folder.name]).save(folder / name)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pictures in three folders, of which one lacks the last, and a truth."""
    monkeypatch.chdir(tmp_path)
    for name in ("bird", "cat", "dog"):
        paint(tmp_path / "sharp", f"{name}.png")
        paint(tmp_path / "low", f"{name}_lq.png", (20, 15))
        paint(tmp_path / "our s", f"{name}-restored.png")
        if name != "dog":
            paint(tmp_path / "theirs", f"{name}_SwinIR_x2.png")
    return tmp_path


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_bare_words_are_folders_and_scores_are_those_of_python(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(skimage.data.chelsea()).save("low/real.png")
    Image.fromarray(skimage.data.chelsea()[::-1]).save("theirs/real_out.png")
    paint(folders / "theirs", "nothing.png")
    assert main(["compare", "low", "our s", "theirs", "sharp=sharp", "destination=out"]) == 0
    out = capsys.readouterr().out
    assert "4 pictures, 1 in one folder only: out/compare.html" in out
    rows = table(Path("out/compare.csv"))
    assert [row["folder"] for row in rows if row["picture"] == "dog"] == ["low", "our s", "sharp"]
    for row in rows:
        if row["picture"] == "real":
            assert float(row["niqe"]) == pytest.approx(csrgan.metrics.niqe(row["file"]), rel=1e-4)
            assert row["psnr"] == ""
        elif row["folder"] == "our s":
            assert float(row["psnr"]) == pytest.approx(csrgan.metrics.psnr(row["file"], f"sharp/{row['picture']}.png"))
        elif row["folder"] == "low":  # enlarged to the size of the sharp one
            large = Image.new("RGB", (40, 30), COLOURS["low"])
            assert float(row["psnr"]) == pytest.approx(csrgan.metrics.psnr(np.array(large), f"sharp/{row['picture']}.png"))
    page = Path("out/compare.html").read_text(encoding="utf-8")
    assert "theirs: nothing.png" in page
    assert "http:" not in page


def test_further_metrics_are_those_of_python(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "our s", "sharp=sharp", "metrics=[ciede2000,hf_ratio]", "destination=out"]) == 0
    row = table(Path("out/compare.csv"))[0]
    assert float(row["ciede2000"]) == pytest.approx(csrgan.metrics.ciede2000(row["file"], f"sharp/{row['picture']}.png"))
    assert main(["compare", "our s", "low", "metrics=ciede2000"]) == 2
    assert "metrics=ciede2000 need the sharp pictures: give sharp=FOLDER." in capsys.readouterr().err


def test_folders_of_the_same_name_are_told_apart(folders: Path) -> None:
    for run in ("a", "b"):
        (folders / run).mkdir()
        (folders / run / "low").symlink_to(folders / "low")
    assert main(["compare", "a/low", "b/low", "title=two"]) == 0
    assert {row["folder"] for row in table(Path("compare/compare.csv"))} == {"a/low", "b/low"}


def test_a_broken_picture_is_skipped_and_told(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("low/cat_lq.png").write_bytes(b"no")
    assert main(["compare", "low", "our s"]) == 1
    captured = capsys.readouterr()
    assert "csrgan compare: skipped: low/cat_lq.png cannot be read" in captured.err
    assert "2 pictures, 1 in one folder only" in captured.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "folders is needed"),
        (["low"], "folders: give two or more, or one and sharp=FOLDER."),
        (["low", "low"], "folders: give two or more, or one and sharp=FOLDER."),
        (["low", "nowhere"], "folders: nowhere is not a folder."),
        (["low", "theirs", "sharp=no where"], "sharp: no where is not a folder."),
        (["low", "alone"], "no picture of one folder has the name of one of another: low has bird_lq.png; alone has other.png."),
        (["low", "theirs", "destination=sharp/cat.png"], "destination=sharp/cat.png is a file: choose a folder."),
        (["low", "theirs", "destinatoin=x"], "Did you mean destination"),
    ],
)
def test_a_mistake_is_named(words: list[str], sentence: str, folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "alone").mkdir()
    Image.new("RGB", (9, 9)).save("alone/other.png")
    assert main(["compare", *words]) == 2
    assert sentence in capsys.readouterr().err


def seen(browser: Browser, across: float) -> list[str]:
    """The colour at this place of every picture of the first row that is shown."""
    script = "[...[...document.querySelectorAll('.row')].find(r => !r.hidden).querySelectorAll('.picture')]"
    boxes = browser.run(f"{script}.map(p => p.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height])")
    with Image.open(io.BytesIO(browser.picture())) as window:
        pixels = [window.convert("RGB").getpixel((x + across * width, y + height / 2)) for x, y, width, height in boxes]
    return [min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], each, strict=True))) for each in pixels]


@pytest.mark.skipif(PROGRAM is None, reason="needs a Chromium, as by: apt-get install chromium")
def test_the_page_slides_sorts_and_filters(folders: Path) -> None:
    Image.new("RGB", (40, 30), (250, 10, 0)).save("our s/dog-restored.png")  # nearly the sharp one
    assert main(["compare", "low", "our s", "theirs", "sharp=sharp", "destination=out"]) == 0
    names = "[...document.querySelectorAll('.row')].filter(r => r.getClientRects().length || !r.hidden).map(r => r.dataset.name)"
    with Browser(folders / "profile") as browser:
        for width, scheme in ((1400, "light"), (1400, "dark"), (390, "light")):
            browser.open(folders / "out" / "compare.html", width=width, height=1000, scheme=scheme)
            assert browser.run("document.documentElement.scrollWidth") <= width
        browser.open(folders / "out" / "compare.html", width=1400, height=1000)
        assert seen(browser, 0.1) == ["low", "our s", "theirs", "sharp"]
        x, y, width, height = browser.run("(({x, y, width, height}) => [x, y, width, height])(cut.getBoundingClientRect())")
        browser.mouse((x + 8, y + height / 2), (x + width / 4, y + height / 2), (x + width / 2, y + height / 2))
        assert seen(browser, 0.1) == ["low"] * 4
        assert seen(browser, 0.9) == ["low", "our s", "theirs", "sharp"]
        order = "order.value = '{}'; order.dispatchEvent(new Event('change'))"
        assert browser.run(names) == ["bird", "cat", "dog"]
        browser.run(order.format("1:psnr"))
        assert browser.run(names) == ["dog", "bird", "cat"]
        browser.run(order.format("-1:psnr"))
        assert browser.run(names)[-1] == "dog"
        browser.run("filter.focus()")
        browser.call("Input.insertText", text="ca")
        assert browser.run(names) == ["cat"]
        assert browser.run("count.value") == "1 of 3 pictures"
        assert not browser.faults()
        assert {address.split(":")[0] for address in browser.requests()} == {"file", "data"}
