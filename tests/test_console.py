"""No name reaches the terminal with control characters in it: sentences, tables and errors show them as escapes."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest
from commands import csrgan
from PIL import Image
from rich.table import Table

from csrgan.cli import main
from csrgan.console import Console, silence
from csrgan.errors import UserError, printable
from csrgan.reports import table

NAMES = {
    "\x1b[31mred": "\\x1b[31mred",
    "a\nb\r\tc": "a\\nb\\r\\tc",
    "\x9b0m\x07": "\\x9b0m\\x07",
    "\u202egnp": "\\u202egnp",
    "caf\udce9": "caf\\xe9",
    "a\u2028b": "a\\u2028b",
    "\U0001f469\u200d\U0001f4bb": "\U0001f469\u200d\U0001f4bb",  # one sign of three
    ":cat: [b]": ":cat: [b]",
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=ascii)
def test_a_name_is_shown_with_escapes(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert str(UserError(f"{name} is no picture.", "Another.")) == f"{shown} is no picture.\nAnother."
    assert str(pickle.loads(pickle.dumps(UserError(name, name)))) == f"{shown}\n{shown}"
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    console.print(f"skipped: {name}", highlight=False, markup=False, soft_wrap=True)
    console.print(table.refused({name: name}))
    grid = Table(title="of", caption="one\ntwo")
    grid.add_column("a")
    grid.add_row("b\nc")
    console.print(grid)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"skipped: {shown}\n" in said
    assert said.count(shown) == 3
    assert "\x1b[31m" not in said
    assert name == shown or name not in said
    assert "b\\nc" in said
    assert [line.strip() for line in said.split("\n")[-3:-1]] == ["one", "two"]


def test_silence_holds_in_a_notebook_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where rich shows its lines beside stdout."""
    shown: list[object] = []
    monkeypatch.setattr("rich.jupyter.display", lambda *lines: shown.append(lines))
    with silence():
        Console(force_jupyter=True).print("a table")
        print("a line")
    assert not shown
    Console(force_jupyter=True).print("a table")
    assert shown
    assert "a line" not in capsys.readouterr().out


def test_no_file_steers_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names in a folder, good and broken, and of the folder itself."""
    folder, out = tmp_path / "\x1b[31mred\n", tmp_path / "out\x1b[0m\n"
    folder.mkdir()
    Image.new("RGB", (32, 32)).save(folder / "\x1b[2Jgood\n.png")
    (folder / "\x1b[2Jbroken\n.png").write_text("no picture")
    for words in (
        ["degrade", f"source={folder}", f"destination={out}"],
        ["degrade", f"source={folder}/\x1b[2Jbroken\n.png", f"destination={out}2"],
        ["degrade", f"source={folder}/\x1b]0;absent\x07", f"destination={out}"],
        ["prepare", "data=folder", f"data.train={folder}", f"data.valid={folder}/\x1b[1mno", f"data.cache={out}/\x1b[1mcache"],
        ["restore", f"checkpoint={folder}/\x1b[1mno", f"source={folder}", f"destination={out}"],
        ["report", str(folder)],
        ["train", f"resume={folder}"],
        ["list", "\x1b[1mno"],
        ["\x1b[1mtrain"],
        ["degrade", "\x1b[1mseed=3\n", "seed=\x1b[1m"],
    ):
        main(words)
        told = capsys.readouterr()
        assert "\x1b" not in told.out + told.err, words
        assert told.out + told.err, words
        assert all(line.startswith("csrgan") for line in told.err.strip().split("\n") if line), (words, told.err)


def test_a_name_in_another_script_warns_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "日本").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "日本" / "日本.png")
    done = csrgan("degrade", f"source={tmp_path}/日本", f"destination={tmp_path}/out")
    assert done.returncode == 0
    assert done.stderr == ""
