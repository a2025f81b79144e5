"""A metric of one's own is a function and a yaml: rows, summaries, tables, the page's columns and csrgan.metrics have it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import SMOKE
from torch import Tensor

import csrgan
from csrgan.api import own
from csrgan.api.evaluation import try_own_metrics
from csrgan.cli import main
from csrgan.config import announced
from csrgan.degradation.prior import Prior
from csrgan.evaluation import results
from csrgan.evaluation.metrics import METRICS, Metric, register
from csrgan.records import Batch, Restoration
from csrgan.reports import columns, table

ASKS = (
    "^metric a: its function asks for colour, which no metric gets: it may ask for image, sharp, low, border, luma_bits, and its"
    r" settings follow a star\.$"
)


def lightness(image: Tensor, sharp: Tensor, low: Tensor, border: int, *, power: float) -> float:
    """Uses all that a metric may ask for."""
    assert image.shape == low.shape == sharp.shape
    return float(image.mean() ** power) + border


def choose(package: Path, used: str) -> None:
    file = package / "scored" / "conf" / "metric" / "edges.yaml"
    file.write_text(re.sub("used: .*", f"used: {used}", file.read_text()))


@pytest.fixture
def registered() -> Iterator[None]:
    yield
    for name in [*own.OWN]:
        METRICS.pop(name, None)
    own.OWN.clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registered: None) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["new", f"{tmp_path}/scored"]) == 0
    choose(tmp_path / "scored", "true")
    monkeypatch.chdir(tmp_path / "scored")
    monkeypatch.setenv(announced.ALLOW, "scored")
    yield tmp_path / "scored"
    for name in [name for name in sys.modules if name.partition(".")[0] == "scored"]:
        del sys.modules[name]


def test_a_metric_may_only_ask_for_known_arguments() -> None:
    metric = Metric(lambda image, border: float(image.mean()) + border, heading="a")
    assert metric(image=torch.ones(1, 3, 4, 4), sharp=None, low=None, border=2) == 3
    with pytest.raises(csrgan.UserError, match=ASKS):
        Metric(lambda colour: 0.0, heading="a")
    with pytest.raises(csrgan.UserError, match=r"its function asks for shrap, which no metric gets: .* Did you mean sharp\?$"):
        Metric(lambda image, shrap: 0.0, heading="a")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "metric.own gives nothing (None), and a metric is one number: let its function end with return."),
        (torch.ones(1, 3, 2, 2), "metric.own gives a tensor of shape 1x3x2x2, and a metric is one number: take its .mean()."),
        (np.ones((2, 3)), "metric.own gives an array of shape 2x3, and a metric is one number: take its .mean()."),
        ((1.0, 2.0), "metric.own gives a tuple of 2, and a metric is one number: give each number a function and a yaml"),
        ([1.0], "metric.own gives a list of 1, and a metric is one number: return what is in it."),
        ("sharp", "metric.own gives a str, and a metric is one number: return a float."),
    ],
)
def test_a_metric_that_gives_no_number_is_told_by_name(value: object, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csrgan.evaluation.metrics.METRICS", {})
    metric = Metric(lambda: value, heading="own (1 best)")  # type: ignore[arg-type,return-value]
    register("own", metric)
    with pytest.raises(csrgan.UserError, match=f"^{re.escape(sentence)}"):
        metric()


@pytest.mark.parametrize("number", [1, True, np.float32(1), np.ones(1)[0], torch.ones(()), torch.ones(1, 1)])
def test_every_kind_of_one_number_is_a_score(number: object) -> None:
    assert Metric(lambda: number, heading="a")() == 1  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("sharp.mean()", r"metric\.edges gives nothing \(None\), and a metric is one number: let its function end with return\."),
        (
            "return float('nan')",
            r"metric\.edges gives nan \(not a number\) for L and for H of the first picture, \S+: look in .*",
        ),
        ("return sharp + 'one'", r"metric\.edges failed in scored/metrics\.py:2: TypeError: .* CSRGAN_TRACEBACK=1 .*"),
    ],
)
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_metric_that_fails_does_so_before_anything_is_computed(
    command: str, line: str, sentence: str, package: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (package / "scored" / "metrics.py").write_text(f"def edges(image, sharp):\n    {line}\n")
    words = {"train": SMOKE, "evaluate": ["system=bicubic", "degradation=readme", "evaluation.crop=32"]}[command]
    assert main([command, *words, "run_dir=run"]) == 2
    assert re.fullmatch(rf"csrgan {command}: {sentence}", capfd.readouterr().err.strip().split("\n")[-1])
    assert not Path("run").exists()


@pytest.mark.parametrize("value", ["0 / (image - sharp).abs().max()", "1.0 if len(image[0, 0]) > 200 else float('nan')"])
def test_a_metric_may_be_nan_for_some_pictures(value: str, package: Path) -> None:
    (package / "scored" / "metrics.py").write_text(f"def edges(image, sharp):\n    return {value}\n")
    own.register_metrics()
    try_own_metrics(csrgan.Photographs(valid=["chelsea"], evaluation_crop=32), "cpu")


def test_trying_the_metrics_first_changes_no_random_number(package: Path) -> None:
    (package / "scored" / "metrics.py").write_text("import torch\ndef edges(image, sharp):\n    return torch.rand(())\n")
    own.register_metrics()
    before = torch.get_rng_state()
    try_own_metrics(csrgan.Photographs(valid=["chelsea"], evaluation_crop=32), "cpu")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.usefixtures("package")
def test_rows_tables_columns_and_the_api_have_it() -> None:
    own.register_metrics()
    theta = csrgan.Degradation().prior.mean()
    sharp = torch.rand(1, 3, 32, 32)
    batch = Batch(sharp, sharp.mean().expand_as(sharp), theta, ("a",))
    prior: Prior = csrgan.Degradation().prior
    row = results.row(batch, Restoration(sharp), prior)
    assert row["edges_restored"] == 1.0
    assert row["edges_low"] == 0.0
    assert results.summarise([row])["edges_restored"] == 1.0
    printed = table.scores(results.summarise([row]))
    assert list(printed.columns[0].cells)[-1] == "steepness of edges (1 best)"
    assert list(printed.columns[2].cells)[-1] == "1.000"
    score = columns.score_of("edges_restored")
    assert (score.heading, score.better) == ("edges", "closest to 1 is better")
    picture = np.random.default_rng(0).random((16, 16, 3))
    assert csrgan.metrics.edges(picture / 2, picture) == pytest.approx(0.5)
    with pytest.raises(AttributeError, match="edgs"):
        csrgan.metrics.edgs  # noqa: B018


def test_the_example_of_a_new_package_is_used_only_once_it_is_chosen(package: Path) -> None:
    choose(package, "false")
    own.register_metrics()
    assert "edges" not in METRICS
    choose(package, "true")
    own.register_metrics()
    assert METRICS["edges"].heading == "steepness of edges (1 best)"
    choose(package, "false")
    own.register_metrics()
    assert "edges" not in METRICS


def test_what_is_no_metric_is_a_user_error(package: Path) -> None:
    file = package / "scored" / "conf" / "metric" / "edges.yaml"
    file.write_text("# No metric\n_target_: torch.nn.Identity\n")
    with pytest.raises(
        csrgan.UserError, match=r"edges\.yaml builds a Identity, which is not a csrgan\.evaluation\.metrics\.Metric"
    ):
        own.register_metrics()
    file.rename(file.with_name("psnr.yaml"))
    with pytest.raises(csrgan.UserError, match=r"psnr\.yaml has the name of csrgan's own metric psnr"):
        own.register_metrics()


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("heading: a\nbest: up", ["metric.edges.best=up is not a number: it is the best value, .inf if higher is better"]),
        ("heading: a\nbest: true", ["metric.edges.best=True is not a number: "]),
        ("heading: 3\nunit: 4", ["metric.edges.heading=3 is not a text: ", "metric.edges.unit=4 is not a text: "]),
        ("heading: a\ndigits: 1.5", ["metric.edges.digits=1.5 is not a whole number."]),
        ("bset: .inf", ["metric.edges has keys that csrgan.evaluation.metrics.Metric does not take: bset.", "lacks heading"]),
        ("heading: a\nused: maybe", ["metric.edges.used=maybe is neither true nor false."]),
    ],
)
def test_every_setting_of_another_type_is_told_at_once(lines: str, told: list[str], package: Path) -> None:
    node = "_target_: csrgan.evaluation.metrics.Metric\nfunction: {_target_: scored.metrics.edges, _partial_: true}\n"
    (package / "scored" / "conf" / "metric" / "edges.yaml").write_text(f"# Mine\n{node}{lines}\n")
    with pytest.raises(csrgan.UserError) as refused:
        own.register_metrics()
    sentences = str(refused.value).split("\n")
    assert len(sentences) == len(told)
    assert all(part in sentence for part, sentence in zip(told, sentences, strict=True))


def test_an_unknown_input_is_told_with_the_name_of_the_file(package: Path) -> None:
    (package / "scored" / "misspelt.py").write_text("def edges(image, sharpp):\n    return 1.0\n")
    file = package / "scored" / "conf" / "metric" / "edges.yaml"
    file.write_text(file.read_text().replace("scored.metrics", "scored.misspelt"))
    with pytest.raises(csrgan.UserError, match=r"^metric\.edges: its function asks for sharpp, .* Did you mean sharp\?$"):
        own.register_metrics()


def test_one_that_is_not_used_is_computed_for_the_asking(package: Path) -> None:
    choose(package, "false")
    picture = np.random.default_rng(0).random((40, 40, 3))
    own.register_metrics(["edges"])
    assert METRICS["edges"].short == "edges"
    own.register_metrics()
    assert csrgan.metrics.edges(picture / 2, picture) == pytest.approx(0.5)
