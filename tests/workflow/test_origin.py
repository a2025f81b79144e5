"""Whether another seed would change the scores of a run, as its config.yaml tells."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from composed import composed

from csrgan.workflow import origin

SCORED = ("system=wiener", "degradation=readme")


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [
        ("train", (), True),
        ("train", ("system=bicubic",), False),
        ("train", ("system=ikc",), True),
        ("evaluate", ("checkpoint=runs/first", "degradation=readme"), True),
        ("evaluate", SCORED, False),
        ("evaluate", (*SCORED, "oracle=prediction", "checkpoint=runs/first"), True),
        ("evaluate", (*SCORED, "system.oracle=prediction", "checkpoint=runs/first"), True),
        ("evaluate", (*SCORED, "checkpoint=runs/first"), False),
        ("evaluate", ("system=total_variation", "degradation=readme"), False),
        ("evaluate", ("system=kernelgan", "degradation=gaussian8_x4"), True),
        ("evaluate", ("system=external", "checkpoint=net.onnx", "degradation=bicubic_x4"), False),
        ("evaluate", ("results=theirs", "degradation=bicubic_x4"), False),
    ],
)
def test_a_seed_matters_to_what_learns(command: str, words: tuple[str, ...], expected: bool, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(composed(*words, command=command)))
    assert origin.seeded(tmp_path) is expected


@pytest.mark.parametrize("text", [None, "", "[1]", "system: {_target_: [1]}", "system: {_target_: mine.Restorer}", "system: {"])
def test_where_nothing_tells_it_may_matter(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    assert origin.seeded(tmp_path)
