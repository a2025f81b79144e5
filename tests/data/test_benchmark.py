"""The field's benchmark sets in the layouts in circulation, and the field's way of cropping."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from csrgan.data.benchmark import Sets
from csrgan.data.cache import Cache
from csrgan.data.grid import centre
from csrgan.errors import UserError

SET5 = ("baby", "bird", "butterfly", "head", "woman")
METHODS = ("bicubic", "glasner", "HR", "LR", "nearest", "ScSR", "SelfEx", "SRCNN")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("tiny") / "a.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file)
    return file.read_bytes()


def write(folder: Path, names: Iterable[str], data: bytes) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def found(folder: Path, name: str = "Set5") -> list[str]:
    return Sets(folder=str(folder), sets=[name]).pictures(Cache(folder.parent / "cache", 0), [], Console(quiet=True)).names


def selfex(scale: int) -> list[str]:
    return [f"image_SRF_{scale}/img_{k:03d}_SRF_{scale}_{method}.png" for k in range(1, 6) for method in METHODS]


FIVE = [f"{name}.png" for name in SET5]
LAYOUTS = {
    "HR beside L": ([f"HR/{name}" for name in FIVE] + [f"LRbicx4/{name}" for name in FIVE], FIVE),
    "GT and LQ": ([f"GT/{name}" for name in FIVE] + [f"LQ/{name}" for name in FIVE], FIVE),
    "hr in small letters": ([f"hr/{name}" for name in FIVE] + [f"lr/x4/{name}" for name in FIVE], FIVE),
    "BasicSR": ([f"{place}/{name}" for place in ("GTmod12", "LRbicx2", "LRbicx4", "original") for name in FIVE], FIVE),
    "all methods": (selfex(2) + selfex(3) + selfex(4), [f"img_{k:03d}_SRF_4_HR.png" for k in range(1, 6)]),
    "all methods, one scale": (selfex(3), [f"img_{k:03d}_SRF_3_HR.png" for k in range(1, 6)]),
    "flat": (FIVE, FIVE),
    "flat, as they are": ([f"{name}_GT.bmp" for name in SET5], [f"{name}_GT.bmp" for name in SET5]),
    "what is told sharp in one folder": (
        [f"{name}_{kind}.png" for name in SET5 for kind in ("HR", "LR", "bicubic")],
        [f"{name}_HR.png" for name in SET5],
    ),
    "what a Mac leaves": ([f"HR/{name}" for name in FIVE] + [f"HR/._{name}" for name in FIVE] + ["__MACOSX/._a.png"], FIVE),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_sharp_pictures_are_found(layout: str, tiny: bytes, tmp_path: Path) -> None:
    names, expected = LAYOUTS[layout]
    write(tmp_path / "sets" / "Set5", names, tiny)
    assert found(tmp_path / "sets") == [f"Set5/{name}" for name in expected]


UNKNOWN = {
    "no name that is known": ([f"{place}/{name}" for place in ("one", "two") for name in FIVE], r"one/ \(5 pictures\), two/"),
    "degraded ones alone": ([f"LR/x4/{name}" for name in FIVE], r"LR/ \(5 pictures\)"),
    "no picture of all methods is HR": ([name for name in selfex(4) if "_HR" not in name], r"image_SRF_4/ \(35 pictures\)"),
    "enlarged ones beside": ([*FIVE, *(f"{name}x4.png" for name in SET5)], r"baby\.png, babyx4\.png, .* 6 more"),
    "a method's beside": ([*FIVE, *(f"{name}_mine.png" for name in SET5)], r"baby\.png, baby_mine\.png"),
    "degraded by name": ([f"{name}_LR.png" for name in SET5], r"baby_LR\.png"),
    "a folder beside": ([*FIVE, *(f"X4/{name}" for name in FIVE)], r"X4/ \(5 pictures\), baby\.png"),
    "scales in HR": ([f"HR/{place}/{name}" for place in ("x2", "x4") for name in FIVE], r"HR/ \(10 pictures\)"),
    "nothing": (["readme.txt"], "found no pictures"),
}


@pytest.mark.parametrize("layout", UNKNOWN)
def test_an_unknown_layout_is_refused_with_a_summary(layout: str, tiny: bytes, tmp_path: Path) -> None:
    names, there = UNKNOWN[layout]
    write(tmp_path / "sets" / "Set5", names, tiny)
    with pytest.raises(UserError, match=rf"cannot tell which pictures in .*Set5 are the sharp ones.*{there}"):
        found(tmp_path / "sets")


def test_an_incomplete_set_is_refused(tiny: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "sets"
    write(folder / "Set5" / "HR", FIVE[:4], tiny)
    with pytest.raises(UserError, match=r"Set5 has 5 pictures, and .*HR holds 4: .* data\.valid\.sets=\[NAME\]"):
        found(folder)
    write(folder / "BSDS100", [f"{k}.png" for k in range(99)], tiny)
    with pytest.raises(UserError, match=r"BSD100 has 100 pictures, and .*BSDS100 holds 99"):
        found(folder, "BSD100")
    write(folder / "mine", FIVE[:3], tiny)
    assert len(found(folder, "mine")) == 3


def test_a_set_is_found_under_its_common_names(tiny: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "sets"
    write(folder / "B100" / "HR", [f"{k}.png" for k in range(100)], tiny)
    write(folder / "set5", FIVE, tiny)
    assert found(folder, "BSD100")[0] == "BSD100/0.png"
    assert found(folder, "Set5")[0] == "Set5/baby.png"
    with pytest.raises(UserError, match=r"has no Urban100\. Its choices: B100, set5"):
        found(folder, "Urban100")
    with pytest.raises(UserError, match=rf"has no Set5.*Did you mean data\.valid\.folder={folder}\?"):
        found(folder / "set5")
    with pytest.raises(UserError, match=r"data\.valid\.folder is empty"):
        Sets(folder=None, sets=["Set5"])


def test_pictures_are_cropped_to_a_multiple_of_the_scale() -> None:
    """As the field's modcrop does."""
    pixels = np.arange(11 * 14 * 3).reshape(11, 14, 3)
    assert np.array_equal(centre(pixels, None, 4), pixels[:8, :12])
