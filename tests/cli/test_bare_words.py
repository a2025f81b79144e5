"""A file or folder that is given without its key, where it can mean one thing."""

from __future__ import annotations

from pathlib import Path

import pytest
import skimage.data
import torch

from csrgan.cli import BARE, _with_key, main
from csrgan.data import picture


@pytest.mark.parametrize("command", sorted(BARE))
def test_a_bare_word_gets_its_key_wherever_it_stands(command: str) -> None:
    key = BARE[command]
    assert _with_key(command, ["a.png", "x=1"]) == [f"{key}=a.png", "x=1"]
    assert _with_key(command, ["x=1", "--help", "a.png"]) == ["x=1", "--help", f"{key}=a.png"]
    assert _with_key(command, [f"{key}=a.png"]) == [f"{key}=a.png"]


def test_pictures_are_degraded_by_their_name_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "a=b.png"

    picture.write(photo, torch.from_numpy(skimage.data.chelsea()[:64, :64].copy()).permute(2, 0, 1) / 255)
    assert main(["degrade", str(photo), f"destination={tmp_path / 'out'}"]) == 0
    assert main(["degrade", str(photo), str(tmp_path), f"destination={tmp_path / 'out'}"]) == 2
    told = capsys.readouterr().err
    assert f"csrgan degrade takes one source, not 2: {photo}, {tmp_path}. Give the folder that holds the pictures." in told
    assert main(["restore", str(tmp_path / "none.png"), "checkpoint=none", f"destination={tmp_path / 'out'}"]) == 2
    assert f"source={tmp_path / 'none.png'} does not exist" in capsys.readouterr().err
