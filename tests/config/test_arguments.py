"""Keys that a class or function does not take, or lacks, are reported in one sentence before anything is imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from csrgan.config import announced, search
from csrgan.config.build import build
from csrgan.config.faults import check_command
from csrgan.errors import UserError
from csrgan.testing import hold

CODE = """
from dataclasses import dataclass
from torch import nn
from csrgan import Recorded
from csrgan.declared import declares

@declares(least_side=8)
def sobel(restored, sharp, *, threshold):
    return ((restored - sharp).abs() > threshold).float().mean()

def imp(restored, sharp):
    return (restored - sharp).abs().mean()

class Distance(Recorded):
    def __init__(self, power, eps=1e-3):
        self.power = power
    def __call__(self, restored, sharp):
        return (restored - sharp).abs().mean()

class Plain(nn.Module):
    pass

@dataclass
class Settings:
    width: int
    depth: int = 2

@dataclass
class More(Settings):
    height: int = 3
"""
TERM = "_target_: csrgan.losses.objective.Term, weight: 1.0, function:"
SOBEL = "_target_: edge_losses.sobel, _partial_: true"
BARE = "loss/edges must be a Term, and is edge_losses.%s: its yaml needs %s {_target_: edge_losses.%s}."
BARE_SOBEL = BARE % ("sobel", TERM.replace("1.0, ", "1.0 and "), "sobel, _partial_: true")

LOSSES = {  # what stands under loss.edges, and what is said about it
    f"{TERM} {{{SOBEL}, treshold: 0.1}}": "loss.edges.function has keys that edge_losses.sobel does not take: treshold."
    " It takes: threshold. Did you mean threshold?",
    f"{TERM} {{_target_: edge_losses.imp, _partial_: true, epsilon: 1}}": "does not take: epsilon. It takes no settings: to give it"
    " one, put epsilon after a star, as in (restored, sharp, *, epsilon).",
    f"{TERM} {{{SOBEL}}}": "loss.edges.function lacks threshold, for which edge_losses.sobel has no default: add threshold: VALUE.",
    f"{TERM} {{_target_: edge_losses.sobel, threshold: 1}}": "loss.edges.function would call edge_losses.sobel at once, without"
    " restored, sharp: add _partial_: true, and csrgan gives them.",
    f"{TERM} {{_target_: edge_losses.sobel}}": "add _partial_: true, and csrgan gives them; it also needs threshold.",
    f"{TERM} {{_target_: edge_losses.Distance, pover: 2}}": "loss.edges.function has keys that edge_losses.Distance does not take:"
    " pover. It takes: eps, power. Did you mean power?",
    f"{TERM} {{_target_: edge_losses.Distance}}": "loss.edges.function lacks power, for which edge_losses.Distance has no default",
    "_target_: csrgan.losses.objective.Term, wieght: 2": "loss.edges has keys that csrgan.losses.objective.Term does not take:"
    " wieght. It takes: function, ramp, start, weight. Did you mean weight?",
    f"{SOBEL}, threshold: 0.1": BARE_SOBEL,
    "_target_: edge_losses.sobel": BARE_SOBEL,
    "_target_: edge_losses.Plain": BARE % ("Plain", TERM.replace("1.0, ", "1.0 and "), "Plain"),
    "threshold: 0.1": "loss/edges must be a Term, and names none: its yaml needs",
}
FAULTS = {  # the same for other groups
    **{("loss/edges", node): told for node, told in LOSSES.items()},
    (
        "generator",
        "_target_: csrgan.networks.spectral.SpectralUNet, widht: 3",
    ): "generator has keys that csrgan.networks.spectral.SpectralUNet does not take: widht.",
    ("output", SOBEL): "output lacks threshold, for which edge_losses.sobel has no default",
    ("output", "_target_: csrgan.networks.output.sigmoid, _partial_: true, epsilom: 3"): "output has keys that csrgan.networks."
    "output.sigmoid does not take: epsilom. It takes: epsilon. Did you mean epsilon?",
    (
        "discriminator",
        "_target_: edge_losses.Plain, width: 3",
    ): "discriminator has keys that edge_losses.Plain does not take: width.",
    ("callbacks/plain", "_target_: edge_losses.Plain, width: 3"): "callbacks.plain has keys that edge_losses.Plain does not take:",
    ("factor/gamma", "_target_: edge_losses.More, hight: 3"): "gamma has keys that edge_losses.More does not take: hight."
    " It takes: depth, height, width. Did you mean height?",
    ("factor/gamma", "_target_: edge_losses.More"): "gamma lacks width, for which edge_losses.More has no default",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's package in the current folder, allowed and with one choice that is no Term."""
    folder = tmp_path / "edge_losses"
    (folder / "conf" / "loss" / "edges").mkdir(parents=True)
    (folder / "__init__.py").write_text(CODE)
    (folder / "conf" / "loss" / "edges" / "bare.yaml").write_text(
        "# A loss without a Term around it\n_target_: edge_losses.sobel\n_partial_: true\nthreshold: 0.1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(announced.ALLOW, "edge_losses")
    yield folder
    sys.modules.pop("edge_losses", None)


@pytest.mark.parametrize(("group", "node", "told"), [(*choice, told) for choice, told in FAULTS.items()])
def test_one_sentence_names_the_key_before_anything_is_imported(group: str, node: str, told: str, package: Path) -> None:
    folder = package / "conf" / group
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yaml").write_text(f"# A choice with a fault in it\n{{{node}}}\n")
    word = f"{'+' if '/' in group else ''}{group}=mine"
    with pytest.raises(UserError) as refused, search.search_config_dirs([word]) as words:
        check_command("train", words)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "edge_losses" not in sys.modules


@pytest.mark.usefixtures("package")
def test_the_object_tells_what_its_source_does_not() -> None:
    function = {"_target_": "edge_losses.sobel", "_partial_": True, "treshold": 0.1}
    with pytest.raises(UserError, match=r"^loss\.edges\.function has keys that .* does not take: treshold.*mean threshold\?$"):
        build({"losses": {"edges": {"_target_": "csrgan.losses.objective.Term", "function": function}}}, "system")
    with pytest.raises(UserError, match=r"^optimizer has keys that torch\.optim\.Adam does not take: lrr\. .*Did you mean lr\?$"):
        build({"_target_": "torch.optim.Adam", "_partial_": True, "lrr": 0.1}, "optimizer")


@pytest.mark.usefixtures("package")
def test_the_contract_fails_for_a_loss_that_is_no_term(tmp_path: Path) -> None:
    with search.search_config_dirs([]), pytest.raises(UserError, match=re.escape(BARE_SOBEL)):
        hold("+loss/edges=bare", tmp_path)
