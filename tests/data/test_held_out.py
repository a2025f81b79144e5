"""A share of data.train as data.valid: no photograph on both sides, the same ones in each run, and faults in a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import SMOKE
from rich.console import Console
from test_sources import photograph

from csrgan.cli import main
from csrgan.data import held_out
from csrgan.data.module import Photographs
from csrgan.errors import UserError


def _names(folder: Path, share: str) -> tuple[list[str], list[str]]:
    data = Photographs(train=str(folder), valid=share, cache_mb=0)
    train, valid = (list(data.pictures(key).names) for key in ("data.train", "data.valid"))
    return train, valid


@pytest.mark.parametrize(("share", "count"), [("10%", 2), ("2.5 %", 1), ("0.1%", 1), ("99%", 19), ("99.9%", 19), ("50%", 10)])
def test_each_photograph_is_on_one_side(share: str, count: int, tmp_path: Path) -> None:
    everything = {photograph(tmp_path / f"{index % 3}" / f"{index}.png", index).relative_to(tmp_path) for index in range(20)}
    train, valid = _names(tmp_path, share)
    assert len(valid) == count
    assert sorted(train + valid) == sorted(map(str, everything))
    assert _names(tmp_path, share) == (train, valid)


def test_a_larger_share_and_a_new_photograph_keep_what_was_held_out(tmp_path: Path) -> None:
    for index in range(40):
        photograph(tmp_path / f"{index}.png", index, side=16)
    held_out = set(_names(tmp_path, "25%")[1])
    assert held_out < set(_names(tmp_path, "50%")[1])
    photograph(tmp_path / "new.png", 99)
    assert len(held_out - set(_names(tmp_path, "25%")[1])) <= 1


@pytest.mark.parametrize(
    ("train", "valid", "fault"),
    [
        ("photos", "0%", r"^data\.valid=0%: the share of data\.train to evaluate on lies above 0 % and below 100 %\.$"),
        ("photos", "100%", r"above 0 % and below 100 %"),
        ("photos", "0.1", r"^data\.valid=0\.1 is not a folder\. For a share of data\.train, write data\.valid=10%\.$"),
        ("photos", "0.0", r"^data\.valid=0\.0 is not a folder\. For a share of data\.train, write data\.valid=10%\.$"),
        ("s3://bucket/shards", "10%", r"takes a share of a folder of photographs, and data\.train=s3://bucket/shards is none"),
        ("gone", "10%", r"/gone is none: name the folder, as in data\.train=FOLDER data\.valid=10%\.$"),
        (None, "10%", r"^data\.train is empty"),
        ("one", "10%", r"^data\.valid=10% needs two photographs in data\.train, and there is one\.$"),
    ],
)
def test_what_cannot_be_shared_is_refused(train: str | None, valid: str, fault: str, tmp_path: Path) -> None:
    for name in ("photos/a.png", "photos/b.png", "one/a.png"):
        photograph(tmp_path / name)
    source = train if train is None or "://" in train else str(tmp_path / train)
    with pytest.raises(UserError, match=fault):
        Photographs(train=source, valid=valid, cache_mb=0).examine(Console(quiet=True), train=False)


def test_a_folder_may_still_be_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photograph(tmp_path / "0.1" / "a.png")
    photograph(tmp_path / "10%" / "b.png")
    assert list(Photographs(valid="0.1", cache_mb=0).pictures("data.valid").names) == ["a.png"]
    assert list(Photographs(valid="./10%", cache_mb=0).pictures("data.valid").names) == ["b.png"]
    with pytest.raises(UserError, match=r"write data\.valid=\./10% for the folder, or data\.valid=10\.0% for the share\.$"):
        Photographs(train="photos", valid="10%", cache_mb=0)
    for index in range(2):
        photograph(tmp_path / "2024" / f"{index}.png", index)
    for share in ("10.0%", "10.00%"):
        assert len(Photographs(train="2024", valid=share, cache_mb=0).pictures("data.train").names) == 1


def test_numbers_of_a_yaml_file_are_names_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for value, share in ((0.07, "7%"), (1e-5, "0.001%"), (0.0, "10%")):
        sentence = f"data.valid={value} is not a folder. For a share of data.train, write data.valid={share}."
        with pytest.raises(UserError, match=f"^{re.escape(sentence)}$"):
            held_out.is_share(value)
    assert not held_out.is_share(2024)
    for index in range(4):
        photograph(tmp_path / "2024" / f"{index}.png", index)
        photograph(tmp_path / "0.5" / f"{index}.png", index)
    assert not held_out.is_share(0.5)
    for train in (2024, 0.5):
        source = held_out.split(train, "25%")["data.train"]
        assert isinstance(source, held_out.Part)
        assert len(source.files()) == 3


def test_shards_that_hold_a_part_of_the_photographs_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(4):
        photograph(tmp_path / "photos" / f"{index}.png", index)
    words = ["prepare", "format=shards", "data=folder", f"data.train={tmp_path}/photos", f"destination={tmp_path}/shards"]
    assert main([*words, "data.valid=25%"]) == 0
    told = capsys.readouterr().out
    assert "data.valid=25%: 1 of 4 photographs of data.train are held out of the training, so the shards are without them\n" in told
    assert "data.train: 3 photographs in 1 shard" in told


def test_a_training_and_its_evaluation_use_the_same_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(4):
        photograph(tmp_path / "photos" / f"{index}.png", index, side=80)
    run = tmp_path / "run"
    assert main(["train", *SMOKE, "data=folder", f"data.train={tmp_path}/photos", "data.valid=25%", f"run_dir={run}"]) == 0
    assert "data.valid=25%: 1 of 4 photographs of data.train are held out of the training" in capsys.readouterr().out
    words = [f"checkpoint={run}", "panels=0", f"run_dir={tmp_path}/again"]
    assert main(["evaluate", *words, "data.valid=25%"]) == 2  # the photographs of the wheel are no folder
    assert "takes a share of a folder of photographs" in capsys.readouterr().err
    assert main(["evaluate", *words, "data=folder", f"data.train={tmp_path}/photos", "data.valid=25%"]) == 0
    trained, again = (
        {row.split(",")[0] for row in (folder / "results.csv").read_text().splitlines()} for folder in (run, tmp_path / "again")
    )
    assert trained == again
