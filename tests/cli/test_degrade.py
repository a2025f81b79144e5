"""csrgan degrade makes a set that can be published."""

from __future__ import annotations

import csv
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import witness
from folders import save, tree
from forked import Commands
from PIL import Image

from csrgan.cli import main
from csrgan.data.jpeg_tables import quality_in
from csrgan.degradation.spec import DegradationSpec


@pytest.mark.parametrize("protocol", ["readme", pytest.param("gaussian8_x3", marks=pytest.mark.long), "srmd_x2", "div2krk_x4"])
def test_a_stranger_makes_the_same_from_the_files_alone(photographs: Path, tmp_path: Path, protocol: str) -> None:
    """SciPy and Pillow, given sharp/ and parameters.csv (and kernels.npy) and the protocol's two constants."""
    words = ("degradation.noise={low: 0.0, high: 0.0, uniform_in: value}", "per_image=2", "format=npy", "crop=60")
    assert main(["degrade", f"degradation={protocol}", *words, f"source={photographs}", f"destination={tmp_path}/set"]) == 0
    rows = list(csv.DictReader((tmp_path / "set" / "parameters.csv").open(encoding="utf-8")))
    own = np.load(tmp_path / "set" / "kernels.npy") if (tmp_path / "set" / "kernels.npy").exists() else [None] * len(rows)
    assert (own[0] is None) == ("kernel_std_major" not in rows[0])
    constants = {
        "readme": DegradationSpec(),
        "gaussian8_x3": DegradationSpec(kernel_size=21, output="native", downsampling="matlab"),
        "srmd_x2": DegradationSpec(output="native"),
        "div2krk_x4": DegradationSpec(downsampling="direct", output="native"),
    }[protocol]
    rounding = 0.5 / 255 if protocol == "gaussian8_x3" else 0.0
    for row, kernel in zip(rows, own, strict=True):
        sharp = np.asarray(Image.open(tmp_path / "set" / "sharp" / row["file"].replace(".npy", ".png")), np.float64) / 255
        low = np.load(tmp_path / "set" / "low" / row["file"])
        expected = witness.chain(sharp.transpose(2, 0, 1), float(row["blur_std"]), float(row["scale"]), constants, kernel)
        np.testing.assert_allclose(low, expected, atol=1e-4 + rounding)
        if kernel is not None:
            place = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
            y, x = (kernel.sum(axis=axis, dtype=np.float64) @ place for axis in (1, 0))
            assert (float(row["kernel_centre_y"]), float(row["kernel_centre_x"])) == pytest.approx((y, x), abs=1e-5)


def test_a_compressed_l_is_a_jpeg_file_of_the_same_pixels(photographs: Path, tmp_path: Path) -> None:
    """Pillow reads from the files what the arithmetic for GPUs makes of the same pictures, and the quality from their tables."""
    words = ("per_image=6", "crop=60", f"source={photographs}")
    assert main(["degrade", "degradation=file", *words, f"destination={tmp_path}/set"]) == 0
    rows = list(csv.DictReader((tmp_path / "set" / "parameters.csv").open(encoding="utf-8")))
    compressed = [row for row in rows if float(row["jpeg_quality"]) < 100]
    assert {Path(row["file"]).suffix for row in compressed} == {".jpg"}
    assert {Path(row["file"]).suffix for row in rows if row not in compressed} == {".png"}
    assert main(["degrade", "degradation=file", *words, f"destination={tmp_path}/arrays", "format=npy"]) == 0
    for row in compressed:
        file = tmp_path / "set" / "low" / row["file"]
        pixels = np.asarray(Image.open(file), np.float32).transpose(2, 0, 1) / 255
        np.testing.assert_allclose(np.load((tmp_path / "arrays" / "low" / row["file"]).with_suffix(".npy")), pixels, atol=1e-6)
        assert quality_in(file) == round(float(row["jpeg_quality"]))


def test_pictures_smaller_than_the_crop_stay_whole(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["degrade", f"source={photographs}", f"destination={tmp_path}/set", "crop=5000"]) == 0
    assert "are smaller than crop=5000 and keep their size" in capsys.readouterr().out


def test_degrade_is_the_same_whatever_else_is_there(photographs: Path, tmp_path: Path) -> None:
    words = ("degrade", "seed=3", "per_image=2", "format=npy")
    assert main([*words, f"source={photographs}", f"destination={tmp_path}/all"]) == 0
    assert main([*words, f"source={photographs / 'colour.png'}", f"destination={tmp_path}/one"]) == 0
    for version in range(2):
        a, b = (np.load(tmp_path / which / "low" / f"colour_{version}.npy") for which in ("all", "one"))
        assert a.dtype == np.float32
        assert np.array_equal(a, b)
    rows = list(csv.DictReader((tmp_path / "all" / "parameters.csv").open(encoding="utf-8")))
    assert len(rows) == 12
    assert set(rows[0]) == {"file", "blur_std", "blur_std_effective", "scale", "noise_std"}
    assert (tmp_path / "all" / "sheet.png").is_file()


def test_what_an_earlier_run_wrote_among_the_photographs_is_none_of_them(photographs: Path, tmp_path: Path) -> None:
    shutil.copytree(photographs, tmp_path / "mine")
    words = ["degrade", f"source={tmp_path}/mine", f"destination={tmp_path}/mine/set", "crop=64"]
    rows = []
    for _ in range(2):
        assert main(words) == 0
        rows.append((tmp_path / "mine" / "set" / "parameters.csv").read_text(encoding="utf-8"))
    assert rows[0] == rows[1]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    for index, name in enumerate(("a.png", "deeper/b.png")):
        save(tmp_path / "photos" / name, index)
    return ["degrade", f"source={tmp_path}/photos", f"destination={tmp_path}/set", "degradation=div2krk_x2", "per_image=2"]


def test_a_bad_file_is_skipped_and_the_others_keep_their_labels(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files that cannot be decoded, that are no pictures, that lead nowhere, and whose names leave no room for a version's."""
    assert main(words) == 0
    expected = tree(tmp_path / "set")
    photos = tmp_path / "photos"
    (photos / "aa.png").write_bytes((photos / "a.png").read_bytes()[:300])
    (photos / "ab.png").write_text("no picture")
    (photos / "ac.png").symlink_to("nowhere")
    save(photos / ("x" * 251 + ".png"))
    capsys.readouterr()
    assert main([*words, f"destination={tmp_path}/other"]) == 1
    told = capsys.readouterr()
    assert "4 pictures degraded; 4 skipped; " in told.out
    assert told.err.count("csrgan degrade: skipped: ") == 4
    assert "Traceback" not in told.err
    assert tree(tmp_path / "other") == expected
    (photos / "a.png").unlink()
    shutil.rmtree(photos / "deeper")
    assert main([*words, f"destination={tmp_path}/none", "crop=4000"]) == 1
    assert tree(tmp_path / "none") == {}


IN_CHAIN = """
from csrgan.degradation.augmentation import Degradation
def degrade(*all, plain=Degradation.degrade, seen=[0]):
    seen[0] += 1
    if seen[0] == 4:
        os.kill(os.getpid(), {number})
    return plain(*all)
Degradation.degrade = degrade
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_set_goes_on_where_it_was_stopped_or_killed(
    number: int, words: list[str], tmp_path: Path, server: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, f"destination={tmp_path}/whole"]) == 0
    status, said = server.run(*words, before=IN_CHAIN.format(number=int(number)))
    rows = list(csv.DictReader((tmp_path / "set" / "parameters.csv").open(encoding="utf-8")))
    assert [row["file"] for row in rows] == ["a_0.png", "a_1.png", "deeper/b_0.png"]
    if number == signal.SIGKILL:
        assert status == -9
    else:
        assert status == 143
        assert "stopped: 3 of 4 pictures are degraded in" in said
        assert np.load(tmp_path / "set" / "kernels.npy").shape[0] == 3
    assert main(words) == 0
    assert "3 of 4 pictures were degraded before and stay as they are" in capsys.readouterr().out
    assert tree(tmp_path / "set") == tree(tmp_path / "whole")


def test_a_folder_holds_one_set(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By another seed it is made anew; what would lose its labels is not; and labels that are of no picture do not stay."""
    assert main(words) == 0
    first = tree(tmp_path / "set")
    assert main([*words, "seed=1"]) == 0
    assert tree(tmp_path / "set").keys() == first.keys()
    assert np.load(tmp_path / "set" / "kernels.npy").shape[0] == 4
    before = tree(tmp_path / "set")
    capsys.readouterr()
    assert main([*words, "per_image=1"]) == 2
    assert "set holds another set (with sharp/a_1.png): choose another folder" in capsys.readouterr().err
    assert tree(tmp_path / "set") == before
    assert main([*words, "degradation=readme"]) == 0
    assert not (tmp_path / "set" / "kernels.npy").exists()
    assert main([*words, "degradation=readme", "per_image=1", "overwrite=true"]) == 0
    assert len(list(csv.DictReader((tmp_path / "set" / "parameters.csv").open(encoding="utf-8")))) == 2


@pytest.mark.parametrize("name", ["sharp/a_0.png", "low/a_0.png", "parameters.csv", "kernels.npy", "sheet.png"])
def test_what_the_user_has_is_not_overwritten(
    name: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "set" / "sharp" / "of mine.png")
    (tmp_path / "set" / "low").mkdir()
    (tmp_path / "set" / name).write_text("mine")
    before = tree(tmp_path / "set")
    assert main(words) == 2
    assert f"set already holds {name}, which csrgan did not write" in capsys.readouterr().err
    assert tree(tmp_path / "set") == before


@pytest.mark.parametrize("names", [("a.png", "a.jpg", "a_png.png"), ("a.b.png", "a.b.jpg", "a_b_png.bmp")])
def test_two_photographs_do_not_become_one(names: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in names:
        save(tmp_path / "in" / name)
    assert main(["degrade", f"source={tmp_path}/in", f"destination={tmp_path}/set"]) == 2
    (sentence,) = capsys.readouterr().err.strip().split("\n")
    assert sentence.endswith("_0.png: rename one of them.")
    assert not (tmp_path / "set").exists()


def test_a_set_among_its_own_photographs_is_refused(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be degraded again by the next run."""
    assert main(words) == 0
    assert main([*words, f"source={tmp_path}/set/low"]) == 2
    assert "would be written among the pictures of source=" in capsys.readouterr().err
