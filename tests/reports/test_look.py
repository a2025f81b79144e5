"""Width, font, colours and the user's own words."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from sweep import rows

from csrgan.errors import UserError
from csrgan.evaluation.comparison import Group, Job
from csrgan.reports import chart, columns, effects, look
from csrgan.reports.look import Look

GAIN = columns.score_of("gain")
KNOWN = ("system=dan", "system", "dan", "loss.parameters.weight", "loss.parameters.weight=0", "0", "gain", "psnr_restored")


def groups(count: int = 4, name: str = "loss.parameters.weight") -> list[Group]:
    return [Group((f"{name}={index}",), [Job("0", (), rows=rows(0.1 * index))]) for index in range(count)]


def test_a_label_names_a_setting_its_value_or_its_key() -> None:
    labels = ["loss.parameters.weight=λ", "system=dan=DAN, ours", 'gain="gain, dB"', "loss.parameters.weight=0=none"]
    names = look.checked("column", None, labels, KNOWN).names
    assert list(names) == ["loss.parameters.weight", "system=dan", "gain", "loss.parameters.weight=0"]
    assert list(names.values()) == ["λ", "DAN, ours", "gain, dB", "none"]
    own = Look(names=names)
    assert own.word("system=dan", "system=dan") == "DAN, ours"
    assert own.word("loss.parameters.weight=0", "short") == "none"
    assert own.word("loss.parameters.weight=1", "short") == "λ 1"
    assert own.word("system=ikc", "short") == "short"
    assert own.key("loss.parameters.weight") == "λ"
    assert own.score(GAIN) == "gain, dB"
    assert Look(names={"dan": "DAN"}).word("system=dan", "short") == "DAN"


def test_axes_have_words_with_units() -> None:
    assert look.PAGE.key("loss.parameters.weight") == "weight of the parameters loss"
    assert look.PAGE.key("generator.width") == "generator width"
    assert look.PAGE.key("degradation.blur.high") == "largest blur of the training, in the unit of its protocol"
    assert look.PAGE.score(GAIN) == "gain in PSNR of S over L, dB"
    assert look.PAGE.score(columns.score_of("psnr_y_restored")) == "PSNR, Y, border cut, dB"


@pytest.mark.parametrize(
    ("labels", "font", "sentence"),
    [
        (["dam=DAN"], None, "label has no dam. Its choices: 0, dan, gain, .* Did you mean dan?"),
        (["dan= "], None, "label.dan= is empty: give the words to show."),
        ([], "Serifa", "font has no Serifa. Its choices: .* Did you mean serif?"),
    ],
)
def test_what_there_is_not_is_told(labels: list[str], font: str | None, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence.replace("?", r"\?")):
        look.checked("page", font, labels, KNOWN)


def test_empty_words_are_for_settings_alone() -> None:
    found = look.checked("page", None, ["system=", "system=dan="], {"system", "system=dan"})
    assert found.names == {"system": "", "system=dan": ""}


def test_two_groups_cannot_have_the_same_name() -> None:
    found = [Group((f"system={name}",), []) for name in ("dan", "ikc")]
    with pytest.raises(UserError, match="two groups would be called ours: system=dan, and system=ikc"):
        chart.labels(found, Look(names={"dan": "ours", "ikc": "ours"}))


def test_thirty_six_groups_look_different() -> None:
    styles = {tuple(look.style(index).values()) for index in range(36)}
    assert len(styles) == 36


@pytest.mark.parametrize("blindness", ["none", "protanopia", "deuteranopia"])
def test_the_colours_differ_for_colour_blind_readers(blindness: str) -> None:
    """Simulated by Machado, Oliveira and Fernandes (2009), in linear RGB. matplotlib's own first six come as near as 3.6."""
    matrices = {
        "none": np.eye(3),
        "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    }
    given = np.array([[int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] for colour in look.COLOURS])
    linear = np.where(given <= 0.04045, given / 12.92, ((given + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.array(matrices[blindness]).T).clip(0, 1)
    lab = rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))
    assert min(deltaE_ciede2000(one, other) for one, other in itertools.combinations(lab, 2)) > 10


@pytest.mark.parametrize("width", ["column", "page"])
def test_a_chart_is_as_wide_as_asked(tmp_path: Path, width: str) -> None:
    """With long names and a legend, in all three formats."""
    asked = look.checked(width, "serif", [], KNOWN)
    long = [Group((*group.settings, f"a.long.key.of.a.setting={group.settings[0][-1]}"), group.jobs) for group in groups()]
    with look.drawing(asked):
        figure = effects.perception_distortion(long, asked)
        chart.save(figure, tmp_path / "chart.png")
        extent = figure.get_tightbbox()
    inches = look.WIDTHS[width]
    assert extent.x0 >= 0
    assert extent.x1 <= inches
    with Image.open(tmp_path / "chart.png") as image:
        assert image.width == pytest.approx(chart.PIXELS, abs=1)
    points = float(re.search(r'<svg [^>]*width="([\d.]+)pt"', (tmp_path / "chart.svg").read_text(encoding="utf-8"))[1])
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", (tmp_path / "chart.pdf").read_bytes())
    assert points == pytest.approx(72 * inches, abs=0.1)
    assert float(box[1]) == pytest.approx(72 * inches, abs=0.1)


SCRIPT = """
import sys
from pathlib import Path
from sweep import rows
from csrgan.evaluation.comparison import Group, Job
from csrgan.reports import chart, columns, effects, look
groups = [Group((f"weight={index}",), [Job("0", (), rows=rows(0.1 * index))]) for index in range(3)]
with look.drawing(look.PAGE):
    chart.save(effects.over_factor(groups, "weight", columns.score_of("gain")), Path(sys.argv[1]))
"""


def test_the_same_chart_is_the_same_file(tmp_path: Path) -> None:
    """In another process, with another hash seed, at another time."""
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / seed / "chart.png")], check=True, env=environment)
    for suffix in ("png", "svg", "pdf"):
        one, other = ((tmp_path / seed / f"chart.{suffix}").read_bytes() for seed in ("1", "2"))
        assert one == other
