"""csrgan prepare, and what a run says of the photographs that it cannot use."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from commands import SMOKE
from PIL import Image

from csrgan.cli import main


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Two photographs, one that is too small, and one that is none."""
    place = tmp_path / "photos"
    place.mkdir()
    for name, side in (("a", 80), ("b", 90), ("tiny", 1)):
        Image.fromarray(np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)).save(place / f"{name}.png")
    (place / "cut[red].png").write_bytes((place / "a.png").read_bytes()[:1000])
    return place


def test_it_decodes_once_and_lists_what_it_cannot_use(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["prepare", "data=folder", f"data.train={mixed}", f"data.cache={tmp_path}/cache"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "data.train: 3 photographs, 0.00 GB decoded" in told
    assert "data.train: cut[red].png" in told
    assert "cannot be decoded" in told
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 3
    assert main([*words, "data.strict=true"]) == 2
    assert "1 cannot be used, and data.strict=true: cut[red].png (cannot be decoded" in capsys.readouterr().err


def test_a_run_lists_them_and_goes_on(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", *SMOKE, "data=folder", f"data.train={mixed}", f"data.valid={mixed}", "trainer.images=8", "data.crop=64"]
    assert main([*words, f"run_dir={tmp_path}/run"]) == 0
    told = capsys.readouterr().out
    assert "4 left out" in told
    assert "data.train: tiny.png" in told
    assert "1x1 is smaller than data.crop=64" in told
    assert "1x1 is smaller than 32 px, which the scores need" in told
    assert re.search(r"waiting for data: \d+\.\d s for the first batch, then \d+\.\d% of the training time", told)
    assert main([*words, f"run_dir={tmp_path}/strict", "data.strict=true"]) == 2
    assert not (tmp_path / "strict" / "config.yaml").exists()
    assert main([*words, f"run_dir={tmp_path}/large", "data.crop=128"]) == 2
    assert (
        "data.crop=128 is larger than every photograph of data.train: a.png (80x80 is smaller than data.crop=128)"
        in capsys.readouterr().err
    )


def test_shards_are_written_and_trained_on(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["prepare", "format=shards", "data=folder", f"data.train={mixed}", "shard_mb=1"]
    assert main(words) == 2
    assert "destination is empty" in capsys.readouterr().err
    assert main([*words, f"destination={tmp_path}/shards"]) == 0
    assert "data.train: 3 photographs in 1 shard:" in capsys.readouterr().out
    stream = ["data=stream", f"data.train={tmp_path}/shards", f"data.valid={mixed}", "data.workers=0"]
    assert main(["train", *SMOKE, *stream, "trainer.images=8", "data.crop=64", f"run_dir={tmp_path}/run"]) == 0
    assert main(["prepare", "format=zip", "data=folder", f"data.train={mixed}"]) == 2
    assert "format has no zip. Its choices: cache, shards" in capsys.readouterr().err
