"""Contracts that every yaml file keeps; a new one is picked up by itself."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import witness
from composed import SMALL, composed
from hydra.utils import get_object
from kornia.augmentation import AugmentationSequential
from torch import Tensor

from csrgan.config.build import build
from csrgan.config.folder import conf, first_line, groups
from csrgan.degradation.augmentation import Degradation
from csrgan.fault import Fault
from csrgan.losses.adversarial import Adversarial
from csrgan.losses.objective import Term

GROUPS = dict(groups())
FILES = sorted(path for path in conf().rglob("*.yaml"))


def choices(group: str) -> list[str]:
    return [file.stem for file in GROUPS[group]]


def nodes(tree: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with a `_target_`."""
    if isinstance(tree, dict):
        if "_target_" in tree:
            yield path, tree
        for key, value in tree.items():
            yield from nodes(value, f"{path}.{key}".lstrip("."))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(conf()).as_posix())
def test_the_first_comment_says_what_the_choice_is(file: Any) -> None:
    assert len(first_line(file)) > 10


@pytest.mark.parametrize("k", range(max(len(files) for group, files in GROUPS.items() if group != "experiment")))
def test_every_choice_is_total_and_every_key_is_used(k: int) -> None:
    """Each node's keys are exactly the arguments of what it builds, but for those given in code.

    Every group is at its k-th choice, so that each choice of each group is seen, and composing is paid for a few times only.
    """
    chosen = [f"{group}={choices(group)[k % len(files)]}" for group, files in GROUPS.items() if group != "experiment"]
    for path, node in nodes(composed(*chosen)):
        target = get_object(node["_target_"])
        if target.__module__.startswith("torch"):
            continue
        arguments = inspect.signature(target).parameters
        keys = {key for key in node if not key.startswith("_")}
        assert keys <= set(arguments), (path, node, chosen)
        if not node.get("_partial_"):
            assert keys == set(arguments), (path, node, chosen)
        else:
            settings = {name for name, p in arguments.items() if p.kind is p.KEYWORD_ONLY}
            assert keys <= settings | {"total", "warmup"}, (path, node, chosen)


@pytest.mark.parametrize("name", choices("degradation"))
def test_every_degradation_labels_what_it_does(name: str, chelsea: Tensor) -> None:
    degradation: Degradation = build(composed(f"degradation={name}")["degradation"])
    sharp = chelsea[..., :72, :60].repeat(4, 1, 1, 1)
    low = degradation(sharp)
    step = degradation.multiple
    assert low.shape == (4, 3, 72 // step, 60 // step)
    assert low.min() >= 0
    assert low.max() <= 1
    theta = degradation.prior.normalise(degradation.labels)
    assert theta.shape == (4, len(degradation.prior.predicted))
    assert bool((theta >= -0.05).all())  # the realised scale may leave the range by the rounding of a size
    assert bool((theta <= 1.05).all())
    assert torch.equal(low, degradation(sharp, params=degradation._params))
    chain = AugmentationSequential(degradation, data_keys=["input"])
    assert torch.equal(chain(sharp), chain(sharp, params=chain._params))


@pytest.mark.parametrize("backend", ["banded", "kornia"])
@pytest.mark.parametrize("name", choices("degradation"))
def test_every_degradation_equals_its_witness(name: str, backend: str, chelsea: Tensor) -> None:
    """From the labels alone, SciPy and Pillow make the same L; the noise is left out."""
    degradation: Degradation = build(composed(f"degradation={name}")["degradation"] | {"backend": backend})
    sharp = chelsea[..., :72, 60:156].repeat(3, 1, 1, 1)
    theta = degradation.prior.sample(np.random.default_rng(4), 3).realised(72, 96)
    low = degradation(sharp, params=degradation.recorded(theta, torch.zeros(sharp.shape)))
    rounding = 0.5 / 255 if degradation.flags["bits"] else 0.0
    for k in range(3):
        kernel = None if theta.kernel is None else theta.kernel[k].double().numpy()
        values = float(theta.blur_std[k]), float(theta.scale[k])
        expected = witness.chain(sharp[k].double().numpy(), *values, degradation.chain, kernel)
        np.testing.assert_allclose(low[k].double().numpy(), expected, atol=1e-4 + rounding, rtol=0)


IMPOSSIBLE: list[tuple[str, Any, str]] = [
    ("blur.low", -1.0, "degradation.blur.low=-1 "),
    ("blur.low", 1e6, "degradation.blur.high="),
    ("scale.low", 0.5, "degradation.scale.low=0.5 "),
    ("noise.high", -0.1, "degradation.noise.high=-0.1"),
    ("noise.high", math.inf, "degradation.noise.high=inf "),
    ("kernel_size", 14, "degradation.kernel_size=14 "),
    ("bits", 0, "degradation.bits=0 "),
    ("tested_blur_std", [-1.0], "degradation.tested_blur_std=[-1.0] "),
    ("downsampling", "nearest", "degradation.downsampling has no nearest."),
    ("backend", "kornai", "Did you mean kornia?"),
    ("output", "native", "degradation.output=native "),
    ("downsampling", "direct", "degradation.downsampling=direct "),
]


@pytest.mark.parametrize("name", choices("degradation"))
def test_no_degradation_takes_the_impossible(name: str) -> None:
    protocol = composed(f"degradation={name}")["degradation"]
    for key, value, said in IMPOSSIBLE:
        node = copy.deepcopy(protocol)
        group, _, last = key.rpartition(".")
        (node[group] if group else node)[last] = value
        if said.endswith(("native ", "direct ")):
            node |= {"output": "upsampled", "downsampling": "bicubic", key: value}
            node["scale"] = {"low": 1.0, "high": 3.0, "uniform_in": "value"}
        with pytest.raises(Fault) as told:
            build(node)
        assert said in str(told.value)
        assert "\n" not in str(told.value)


TERMS = ("loss/image", "loss/parameters", "loss/perceptual", "loss/consistency")


# A network that must be downloaded has a test of its own, and a control is not least at the truth.
UNLIKE = ("none", "vgg19", "shuffled")


@pytest.mark.parametrize(("group", "name"), [(g, n) for g in TERMS for n in choices(g) if n not in UNLIKE])
def test_every_loss_is_finite_positive_and_least_at_the_truth(group: str, name: str) -> None:
    term: Term = build(composed(f"{group}={name}")["loss"][group.split("/")[1]])
    shape = (2, 3) if group == "loss/parameters" else (2, 3, 32, 32)
    true = torch.rand(shape)
    off = (true + 0.1 * torch.randn(shape)).requires_grad_()
    shown = {"sharp": true, "low": true, "theta_true": true, "log_variance": torch.full(shape, -3.0)}

    def value(found: Tensor) -> Tensor:
        return term.function(*((shown | dict.fromkeys(("restored", "redegraded", "theta"), found))[need] for need in term.needs))

    value(off).backward()
    assert torch.isfinite(off.grad).all()
    assert value(true).item() < value(off).item()
    assert group == "loss/parameters" or value(true).item() == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("name", [name for name in choices("loss/adversarial") if name != "none"])
def test_every_game_pulls_the_two_apart(name: str) -> None:
    """The discriminator's loss falls where H is told from S, the generator's where S is taken for sharp."""
    game: Adversarial = build(composed(f"loss/adversarial={name}")["loss"]["adversarial"])
    for shape in ((4,), (4, 5, 6)):
        real, fake = (torch.full(shape, value, requires_grad=True) for value in (0.1, 0.1))
        down_real, down_fake = torch.autograd.grad(game.discriminator(real, fake), (real, fake))
        assert bool((down_real < 0).all())
        assert bool((down_fake > 0).all())
        shown = {"real": real, "fake": fake}
        value = game.generator(*(shown[need] for need in Term(game.generator, 1.0).needs))
        assert bool((torch.autograd.grad(value, fake)[0] < 0).all())


@pytest.mark.parametrize("name", choices("experiment"))
def test_every_experiment_builds(name: str) -> None:
    settings = composed(f"experiment={name}", "data.crop=32")
    build(settings["data"])
    assert build(settings["system"]).networks()


def test_the_nothing_choices_build_nothing() -> None:
    settings = composed("loss/image=none", "loss/parameters=none", "parameter_head=none", *SMALL)
    system = build(settings["system"])
    assert set(system.restorer.objective.terms) == {"adversarial"}
    assert system.generator.head is None
    assert system.generator.condition is None
    assert isinstance(build(settings["output"]), partial)
