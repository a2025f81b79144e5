"""The forms in which pairs are given: folders, a csv file, and what csrgan degrade wrote; what is known of theta, and faults."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from rich.console import Console

from csrgan import Degradation, Pairs, Photographs
from csrgan.data import leak
from csrgan.data.cache import Cache
from csrgan.data.paired import Paired
from csrgan.errors import UserError


def photograph(file: Path, seed: int = 0, side: int = 40, **options: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side + 4, 3), np.uint8)
    Image.fromarray(pixels).save(file, **options)  # type: ignore[arg-type]
    return file


def found(there: Path, degradation: Degradation | None = None, console: Console | None = None, **given: object) -> Paired:
    source = Pairs(**{name: str(value) if isinstance(value, Path) else value for name, value in given.items()})  # type: ignore[arg-type]
    source.used_as("data.valid", degradation or Degradation())
    result = source.pictures(Cache(there / "cache", 100), [], console or Console(quiet=True))
    assert isinstance(result, Paired)
    return result


def told(there: Path, **given: object) -> list[str]:
    with pytest.raises(UserError) as error:
        found(there, **given)  # type: ignore[arg-type]
    return str(error.value).splitlines()


@pytest.fixture
def two(tmp_path: Path) -> Path:
    for k in range(2):
        photograph(tmp_path / "L" / "a" / f"{k}x2.png", k, 20)
        photograph(tmp_path / "H" / "a" / f"{k}.png", k)
    return tmp_path


def test_two_folders_one_folder_or_one_inside_the_other(two: Path) -> None:
    expected = ["a/0.png", "a/1.png"]
    assert found(two, low=two / "L", sharp=two / "H").names == expected
    assert found(two, low=two / "L" / "a", sharp=two / "H" / "a").names == ["0.png", "1.png"]
    (two / "L").rename(two / "H" / "LR")
    assert found(two, low=two / "H" / "LR", sharp=two / "H").names == expected
    (two / "H").rename(two / "set")
    (two / "set" / "a").rename(two / "set" / "HR")
    (two / "set" / "LR" / "a").rename(two / "set" / "X2")
    assert [Path(name).name for name in found(two, folder=two / "set").names] == ["0.png", "1.png"]


def test_a_table_names_pairs_and_what_is_known_of_their_degradation(two: Path) -> None:
    (two / "my pairs.csv").write_text(
        "low;sharp;blur_std;noise;noise_std\nL/a/0x2.png;H/a/1.png;1.5;3;\nL/a/1x2.png;H/a/1.png;;;0.02\n"
    )
    output = io.StringIO()
    pairs = found(two, pairs=two / "my pairs.csv", console=Console(file=output, width=200))
    assert [pair.low.name for pair in pairs.pairs] == ["0x2.png", "1x2.png"]
    assert pairs.names == ["L/a/0x2.png", "L/a/1x2.png"]  # one H has two L
    assert [float(theta.blur_std) for theta in pairs.thetas] == pytest.approx([1.5, math.nan], nan_ok=True)
    assert pairs.unknown(["blur_std", "scale", "noise_std"]) == {"blur_std": 1, "noise_std": 1}
    assert float(pairs.thetas[0].scale) == pytest.approx(math.sqrt(2 * 44 / 24))
    assert (
        "not read are the columns noise; of the degradation, blur_std, scale, noise_std are. Did you mean noise_std?"
        in output.getvalue()
    )
    (two / "theta.csv").write_text("low,blur_std\na/1x2.png,2\n")
    pairs = found(two, low=two / "L", sharp=two / "H", pairs=two / "theta.csv")
    assert pairs.names == ["a/1.png"]
    assert float(pairs.thetas[0].blur_std) == 2


def test_every_fault_of_a_table_is_told_at_once(two: Path) -> None:
    rows = "low,sharp,blur_std,noise_std,scale\nL/a/0x2.png,H/a/0.png,-1,5,\nL/a/1x2.png,H/a/1.png,a,,3\n"
    (two / "bad.csv").write_text(rows)
    file = two / "bad.csv"
    assert told(two, pairs=file) == [
        f"{file}, line 2: blur_std=-1 must be 0 or above.",
        f"{file}, line 3: blur_std=a must be 0 or above.",
        f"{file}, line 3: scale=3, and L has 24x20 px and H 44x40 px.",
    ]
    file.write_text("low,sharp\nL/a/9.png,H/a/0.png\nL/a/1x2.png,H/a/8.png\n")
    assert told(two, pairs=file) == [
        f"{file}, line 2: there is no file L/a/9.png (low).",
        f"{file}, line 3: there is no file H/a/8.png (sharp).",
    ]
    file.write_text("lo,sharp\na,b\n")
    assert told(two, pairs=file) == [f"{file} has no column low, which names the degraded pictures; its columns: lo, sharp."]
    file.write_text("low,sharp\nL/a/9.png\n")
    assert told(two, pairs=file) == [f"{file}, line 2: the cell sharp is empty."]


def test_what_is_missing_is_named(two: Path) -> None:
    assert told(two)[0].startswith("data.valid is empty: it takes pairs of degraded and sharp pictures, as data.valid.low=FOLDER")
    assert told(two, low=two / "L") == ["data.valid.sharp is empty: it takes the folder of the sharp pictures."]
    assert told(two, low=two / "no", sharp=two / "H") == [f"data.valid.low={two}/no is not a folder."]
    photograph(two / "H" / "a" / "extra.png")
    assert told(two, low=two / "L", sharp=two / "H") == [
        "data.valid.sharp: a/extra.png has no degraded picture; the nearest name is a/1x2.png."
    ]


def test_a_pair_with_a_broken_half_is_left_out_with_the_reason(two: Path) -> None:
    (two / "L" / "a" / "0x2.png").write_bytes(b"no picture")
    data = Photographs(valid=Pairs(low=str(two / "L"), sharp=str(two / "H")), cache=str(two / "cache"))
    assert data.pictures("data.valid").names == ["a/1.png"]
    (name,) = data.refused
    assert name.endswith("L/a/0x2.png")
    with pytest.raises(UserError, match=r"data\.strict=true"):
        Photographs(valid=Pairs(low=str(two / "L"), sharp=str(two / "H")), strict=True, cache=str(two / "cache")).pictures(
            "data.valid"
        )


def test_files_of_any_depth_and_colour_are_read_as_photographs_are(tmp_path: Path) -> None:
    """16 bits, grey, alpha and a profile, on either side: the same pixels as `data/picture.py` decodes."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 44), np.uint8)
    for half in ("low", "sharp"):
        (tmp_path / half).mkdir()
        Image.fromarray(pixels.astype(np.uint16) * 257).save(tmp_path / half / "deep.png")
        Image.fromarray(pixels).save(tmp_path / half / "grey.png")
        Image.fromarray(np.dstack([pixels] * 3 + [np.full_like(pixels, 255)])).save(tmp_path / half / "alpha.png")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photograph(tmp_path / "low" / "icc.png", icc_profile=profile)
    photograph(tmp_path / "sharp" / "icc.png")
    pairs = found(tmp_path, folder=tmp_path)
    assert pairs.names == ["alpha.png", "deep.png", "grey.png", "icc.png"]
    for index in range(3):
        assert np.array_equal(pairs.pixels(index), np.dstack([pixels] * 3))
        assert np.array_equal(pairs.low.pixels(index), pairs.pixels(index))
    assert np.abs(pairs.low.pixels(3).astype(int) - pairs.pixels(3)).max() <= 1


def test_a_leak_is_found_by_the_sharp_pictures(two: Path) -> None:
    pairs = found(two, low=two / "L", sharp=two / "H")
    photograph(two / "train" / "other name.png", 1)
    photograph(two / "train" / "new.png", 7)
    data = Photographs(train=str(two / "train"), valid="unused", cache=str(two / "cache"))
    assert leak.shared(data.pictures("data.train"), pairs) == ["a/1.png"]
    assert leak.shared(pairs, pairs) == pairs.names
