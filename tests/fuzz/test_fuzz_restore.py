"""csrgan restore, given any picture: S of the size that was asked for, or the picture is skipped and said to be."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import checkpoints
import cv2
import numpy as np
import pytest
import torch
from fuzzing import CHANGES, FILES, changed, counts, hold
from hypothesis import strategies as st
from omegaconf import OmegaConf
from PIL import Image

from csrgan.cli import restore
from csrgan.data import picture
from csrgan.data.search import SUFFIXES
from csrgan.records import Restoration
from csrgan.workflow.trained import chosen

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's own remarks on odd metadata

MODES = {  # with what a file of the name can hold, and of those some whose name says something else
    "RGB": ("png", "jpg", "bmp", "tif", "webp", "ppm"),
    "L": ("png", "jpg", "bmp", "tif", "ppm"),
    "LA": ("png", "tif"),
    "RGBA": ("png", "tif", "webp", "bmp"),
    "P": ("png", "bmp", "tif"),
    "1": ("png", "bmp", "tif"),
    "CMYK": ("jpg", "tif"),
    "deep": ("png", "tif"),
    "deep L": ("png", "tif"),
    "deep RGBA": ("png", "tif"),
}
KINDS = [(mode, form) for mode, forms in MODES.items() for form in forms]
SIDES = st.integers(1, 24) | st.sampled_from([1, 2, 3, 31, 64, 65])
SHAPES = st.tuples(SIDES, SIDES) | st.sampled_from([(1, 1), (1, 2000), (2000, 1), (3, 700), (2, 1)])
ENLARGE = st.sampled_from([1.0, 1.0, 1.5, 2.0, 0.5, 0.1])


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[int, Path]]:
    """Restores one file, by the command with a system that was read from its checkpoint. Gives the status and the folder."""
    folder = tmp_path_factory.mktemp("restore")
    file = checkpoints.save(folder / "a.ckpt")
    system, _ = chosen(OmegaConf.create({"device": "cpu"}), str(file))
    plain = system.restorer.restore

    def watched(low: Any) -> Restoration:
        result = plain(low)
        assert result.image.shape == low.shape
        assert bool(torch.isfinite(result.image).all())
        assert bool(((result.image >= 0) & (result.image <= 1)).all())
        assert result.parameters
        assert bool(torch.isfinite(result.parameters.stack()).all())
        return result

    system.restorer.restore = watched

    def run(name: str, data: bytes, enlarge: float) -> tuple[int, Path]:
        source, destination = folder / "in", folder / "out"
        for place in (source, destination):
            shutil.rmtree(place, ignore_errors=True)
        source.mkdir()
        (source / name).write_bytes(data)
        words = {
            "source": str(source),
            "destination": str(destination),
            "overwrite": False,
            "enlarge": enlarge,
            "tile": 1280,
            "scores": False,
            "checkpoint": str(file),
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(restore, "chosen", lambda *_: (system, {}))
            return restore.run(OmegaConf.create(words | {"device": "cpu"})), destination

    return run


def encoded(mode: str, form: str, shape: tuple[int, int]) -> bytes:
    pixels = np.random.default_rng(shape).integers(0, 256, (*shape, 4), np.uint8)
    if mode.startswith("deep"):
        channels = {"deep": 3, "deep L": 1, "deep RGBA": 4}[mode]
        return cv2.imencode(f".{form}", pixels[:, :, :channels].astype(np.uint16) * 257)[1].tobytes()
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, {"jpg": "jpeg", "tif": "tiff"}.get(form, form))
    return stream.getvalue()


@counts(25, 1000)
def test_a_picture_of_any_size_and_kind_is_restored(count: int, restored: Callable[..., tuple[int, Path]]) -> None:
    def law(kind: tuple[str, str], shape: tuple[int, int], enlarge: float, named: str) -> None:
        data, name = encoded(*kind, shape), f"a.{named or kind[1]}"
        status, folder = restored(name, data, enlarge)
        assert status == (enlarge * min(shape) < 1)
        if status:
            assert not list(folder.iterdir())
            return
        found, given = picture.read(folder / name), picture.decode(data, name)
        assert found.pixels.shape[:2] == tuple(int(side * enlarge) for side in shape)
        if not named or named == kind[1]:
            kinds = [(one.full_scale, one.alpha is None) for one in (found, given)]
            assert kinds[0] == kinds[1]

    drawn = {"kind": st.sampled_from(KINDS), "shape": SHAPES, "enlarge": ENLARGE}
    named = st.sampled_from(["", "", *(suffix[1:] for suffix in SUFFIXES)])
    hold("restoring pictures of any size and kind", count, law, **drawn, named=named)


@counts(25, 1000)
def test_a_damaged_picture_is_restored_or_skipped(count: int, restored: Callable[..., tuple[int, Path]]) -> None:
    def law(name: str, changes: list[tuple[str, float, bytes]]) -> None:
        data = changed(FILES[name], changes)
        try:
            given = picture.decode(data, name)
        except ValueError:
            given = None
        if given is not None and given.pixels.size > 200_000:
            return  # a changed header: large, and nothing else
        status, folder = restored(name, data, 1.0)
        assert status == (given is None)
        if given is None:
            assert not list(folder.iterdir())
        else:
            assert picture.read(folder / name).pixels.shape == given.pixels.shape

    hold("restoring damaged pictures", count, law, name=st.sampled_from(sorted(FILES)), changes=CHANGES)
