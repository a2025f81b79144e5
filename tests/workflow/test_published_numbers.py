"""The csv file of published numbers, and how a run finds its own among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from composed import choices, composed

from csrgan.errors import UserError
from csrgan.evaluation.comparison import Job
from csrgan.workflow import origin, published_numbers
from csrgan.workflow.origin import Origin, method_of, protocol_of, set_of

SETS = ("Set5", "Set14", "BSD100", "DIV2KRK")
FOLDER = Origin("bicubic_x4", (), "", "bicubic", "")


def test_every_number_that_travels_with_csrgan_has_a_protocol_of_csrgans_and_a_source() -> None:
    entries = published_numbers.read(None)
    assert {entry.protocol for entry in entries} <= set(choices("degradation"))
    assert len({entry.key for entry in entries}) == len(entries)
    for entry in entries:
        assert 20 < entry.psnr_y < 45 and not entry.ssim_y > 1 and entry.source, entry
    bicubic = {(entry.protocol, entry.set): entry.psnr_y for entry in entries if entry.method == "bicubic"}
    assert [bicubic[f"bicubic_x{scale}", "Set14"] for scale in (2, 3, 4)] == [30.24, 27.55, 26.00]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("protocol,set,method\na,b,c\n", "it has no column psnr_y"),
        ("", "it holds no numbers"),
        ("protocol,set,method,psnr_y\na,b,c,high\n", "psnr_y holds 'high'"),
        ("protocol,set,method,psnr_y\na,b,c\n", "3 cells in row 1"),
    ],
)
def test_a_file_of_no_numbers_is_a_user_error(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(text)
    with pytest.raises(UserError) as told:
        published_numbers.read(str(file))
    assert said in str(told.value) and str(file) in str(told.value)
    with pytest.raises(UserError, match=r"published=absent\.csv is not a file"):
        published_numbers.read("absent.csv")


def test_a_protocol_is_found_by_its_settings_whatever_a_network_predicts() -> None:
    names = ("bicubic_x4", "gaussian8_x2", "levin_x2", "no_such_protocol")
    for name in names[:3]:
        settings = composed(f"degradation={name}")["degradation"]
        assert protocol_of(settings | {"predicted": [], "backend": "kornia"}, names) == name
    old = composed("degradation=gaussian8_x2")["degradation"] | {"bits": None, "downsampling": "bicubic"}
    assert protocol_of(old, names) == ""


def test_a_set_is_found_in_the_name_of_a_picture_or_of_its_folder_or_is_said() -> None:
    assert set_of("Set14/img_001.png", FOLDER, SETS) == "Set14"
    assert set_of("img_001.png", replace(FOLDER, folder=("data", "BSDS100", "HR")), SETS) == "BSD100"
    assert set_of("img_001.png", replace(FOLDER, folder=("photos",)), SETS) == ""
    assert set_of("Set14/img_001.png", replace(FOLDER, given_set="div2krk"), SETS) == "DIV2KRK"
    assert set_of("a.png", replace(FOLDER, given_set="mine"), SETS) == "mine"


@pytest.mark.parametrize(
    ("name", "paper"),
    [("dan", "DANv1"), ("dan_v2", "DANv2"), ("ikc", "ikc"), ("kernelgan", "KernelGAN+ZSSR"), ("bicubic", "bicubic")],
)
def test_a_system_has_the_name_of_its_paper(name: str, paper: str) -> None:
    assert method_of(composed(f"system={name}", "degradation=gaussian8_x2")["system"]) == paper


def run(folder: Path, **changes: object) -> Origin | None:
    """What is read of a run of bicubic on Set5 with changed settings."""
    words = ("system=bicubic", "degradation=bicubic_x4", "evaluation=matlab", "data.valid=sets/Set5/HR")
    settings = composed(*words, command="evaluate")
    (folder / "config.yaml").write_text(yaml.safe_dump(settings | changes))
    return origin.read(folder, ("bicubic_x4",))


def test_a_run_says_in_what_it_differs_from_what_papers_do(tmp_path: Path) -> None:
    whole = composed("evaluation=matlab")["evaluation"]
    found = run(tmp_path)
    assert found == Origin("bicubic_x4", ("sets", "Set5", "HR"), "", "bicubic", "")
    unlike = run(tmp_path, evaluation=whole | {"crop": 64, "convention": "exact"}, oracle="truth")
    assert unlike and (unlike.scored, unlike.method) == ("centres of 64 px, not rounded", "bicubic, told the truth")
    before = {key: value for key, value in whole.items() if key != "convention"}
    old = run(tmp_path, evaluation=before, published_as={"method": "theirs"})
    assert old and (old.scored, old.method) == ("not rounded", "theirs")
    assert run(tmp_path, evaluation=whole | {"hot_pixels": 1}) is None
    (tmp_path / "config.yaml").write_text("a: [")
    assert origin.read(tmp_path, ("bicubic_x4",)) is None


def test_a_set_that_is_not_whole_is_said(tmp_path: Path) -> None:
    run(tmp_path)
    row = {"blur_std": 0.0, "scale": 4.0, "noise_std": 0.0, "psnr_y_restored": 28.0, "ssim_y_restored": 0.8}
    job = Job("a", (), rows=[row | {"image": "baby.png"}, row | {"image": "bird.png", "psnr_y_restored": 29.0}])
    (found,) = published_numbers.measured(tmp_path, job, published_numbers.read(None))
    assert (found.set, found.psnr_y, found.remark) == ("Set5", 28.5, "2 of 5 pictures")
