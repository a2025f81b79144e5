"""The examination of a command and the constructors hold to the same rules, and say the same."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from composed import composed
from systems import fitted

from csrgan import rules
from csrgan.config.build import build
from csrgan.config.combinations import combination_faults
from csrgan.errors import UserError
from csrgan.losses.objective import Term
from csrgan.training import algorithms
from csrgan.training.algorithms.csrgan import CSRGAN

ALGORITHMS = Path(str(algorithms.__path__[0]))

BCE = ", ".join(
    f"{side}: {{_target_: csrgan.losses.adversarial.bce_{side}, _partial_: true}}" for side in ("generator", "discriminator")
)

# What is built, and words of which it is told that they do not go together.
CASES = [
    ("degradation", "degradation.blur.low=60"),
    ("degradation", "degradation.kernel_size=14"),
    ("degradation", "degradation.output=native", "degradation.downsampling=direct"),
    ("degradation", "degradation.tested_blur_std=[]"),
    ("degradation", "degradation.predicted=[blurr_std,noise]"),
    ("degradation", "degradation=srmd_x2", "degradation.blur.low=0"),
    ("system", "system=kernelgan", "degradation=readme"),
    ("system", "system=total_variation", "degradation=div2krk_x2"),
    ("system", "generator=unfolded", "degradation=div2krk_x2"),
    ("system", "system=srmd", "degradation=bicubic_x4"),
    ("system", "system=dan", "system.estimates=kernel", "system.code.kind=kernel", "degradation.blur.high=1"),
    ("system", "system=dan_v2", "loss/image=none", "loss/perceptual=efficientnet"),
    ("system", "system=ikc", "loss/parameters=none", "loss/adversarial=relativistic", "loss/consistency=redegrade"),
    ("system", "system=srgan", "loss/parameters=nll"),
    ("system", "system=srgan", "loss/image=none", "loss.perceptual.start=7", "loss.adversarial.start=9"),
    ("system", "parameter_head=none", "loss/parameters=nll", "loss/consistency=redegrade"),
    ("system", "generator=unfolded", "condition=film", "parameter_head=decoder_mean"),
    ("system", "system.oracle=truth", "loss/parameters=none"),
    ("system", "system.oracle=truth", "condition=film"),
    ("system", "generator=spectral", "output=tanh"),
    ("system", "loss/parameters=nll", "loss.parameters.variance=false"),
    ("system", "loss/image=none", "loss/adversarial=none", "loss/parameters=none"),
    ("system", "+loss.edges=3"),
    ("system", "+loss.edges={weight: 1.0, threshold: 0.1}"),
    ("system", "+loss.edges={_target_: csrgan.losses.image.charbonnier, _partial_: true, epsilon: 0.1}"),
    ("system", "+loss.edges={weight: 1.0, function: {_target_: csrgan.losses.image.l1, _partial_: true}}"),
    ("system", "+loss.edges={_target_: csrgan.networks.discriminators.VGG}", "system=dan"),
    ("system", f"+loss.edges={{_target_: csrgan.losses.adversarial.Adversarial, {BCE}}}"),
    ("system", "+loss.image.function.sharp=1"),
    ("system", "discriminator=vgg_as_coded", "data.crop=100"),
    ("data", "trainer.images=2"),
]


@pytest.fixture
def spoke(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The rules that have told of a fault."""
    result: set[str] = set()

    def heard(name: str, rule: Any) -> Any:
        def told(*args: Any, **kwargs: Any) -> Iterator[str]:
            for sentence in rule(*args, **kwargs):
                result.add(name)
                yield sentence

        return told

    for name, rule in inspect.getmembers(rules, inspect.isgeneratorfunction):
        monkeypatch.setattr(rules, name, heard(name, rule))
    return result


def told(settings: dict[str, Any], built: str) -> list[str]:
    with pytest.raises(UserError) as refused:
        build(settings[built])
    return str(refused.value).split("\n")


def test_command_check_and_constructor_report_every_rule_in_the_same_words(spoke: set[str]) -> None:
    every = {name for name, _ in inspect.getmembers(rules, inspect.isgeneratorfunction)}
    heard = set()
    for built, *words in CASES:
        settings = composed("size=small", "data.crop=96", "data.batch_size=4", *words)
        of_examination = list(combination_faults(settings))
        first = set(spoke)
        spoke.clear()
        assert of_examination == told(settings, built), words
        assert first == spoke, words
        heard |= spoke
        spoke.clear()
    assert heard == every


LOSSES = """
import torch
def depth(restored, depth, *, power=1.0): return restored.mean()
def starless(restored, sharp, focus): return (restored - sharp).mean() * focus
def mistyped(restord, sharp): return (restord - sharp).mean()
class Deep:
    def __call__(self, restored, depth, sharp): return restored.mean()
class Deeper(Deep): pass
def make(width): return depth
"""
SYSTEMS = """
from csrgan.training.algorithms.csrgan import CSRGAN
class Mine(CSRGAN):
    loss_inputs = ("restored", "depth", "sharp", "theta", "theta_true", "real", "fake")
class Unsaid(CSRGAN):
    loss_inputs = (*CSRGAN.loss_inputs, "depth")
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stranger's package."""
    (tmp_path / "strange").mkdir()
    for name, text in (("__init__", ""), ("losses", LOSSES), ("systems", SYSTEMS)):
        (tmp_path / "strange" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "strange"]:
        del sys.modules[name]


def with_loss(target: str, *, waits: bool, system: str = "") -> dict[str, Any]:
    settings = composed()
    function = {"_target_": f"strange.losses.{target}", **({"_partial_": True} if waits else {})}
    # The least that its own constructor needs: the other settings have defaults.
    settings["system"]["losses"] = {"edges": {"_target_": "csrgan.losses.objective.Term", "function": function}}
    if system:
        settings["system"]["_target_"] = f"strange.systems.{system}"
    return settings


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(("target", "waits"), [("depth", True), ("Deep", False), ("Deeper", False)])
def test_missing_loss_inputs_are_reported_early_in_the_constructors_words(target: str, waits: bool) -> None:
    early = list(combination_faults(with_loss(target, waits=waits)))
    assert "strange.losses" not in sys.modules
    assert len(early) == 1
    assert early[0].startswith("loss/edges needs depth, which CSRGAN does not offer; it offers low, redegraded, ")
    assert "choose another, or leave loss/edges out." in early[0]
    from strange import losses  # type: ignore[import-not-found]

    function = getattr(losses, target)
    with pytest.raises(UserError) as refused:
        CSRGAN(losses={"edges": Term(function if waits else function())})
    assert str(refused.value) == early[0]


STAR = " put focus after the star, as in (restored, sharp, *, focus). The arguments before the star are measured, "


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("target", "configured", "told"),
    [
        ("starless", {"focus": 2}, "loss/edges is configured with focus, which its function has before the star:" + STAR),
        ("starless", {}, "leave loss/edges out. If focus is to be configured, put it after the star: (restored, sharp, *, focus)."),
        ("mistyped", {}, "loss/edges needs restord, which CSRGAN does not offer; it offers low, "),
        ("mistyped", {}, "leave loss/edges out. Did you mean restored?"),
    ],
)
def test_a_setting_before_the_star_is_sent_behind_it(target: str, configured: dict[str, Any], told: str) -> None:
    settings = with_loss(target, waits=True)
    settings["system"]["losses"]["edges"]["function"] |= configured
    (early,) = combination_faults(settings)
    assert told in early
    from strange import losses

    with pytest.raises(UserError) as refused:
        CSRGAN(losses={"edges": Term(partial(getattr(losses, target), **configured))})
    assert str(refused.value) == early


@pytest.mark.usefixtures("mine")
def test_only_the_inputs_of_the_chosen_parts_are_listed() -> None:
    pictures, predicted = "low, restored, sharp", "low, redegraded, restored, sharp, theta, theta_true"
    with_all = "fake, log_variance, low, real, redegraded, restored, sharp, theta, theta_true"
    for words, offered in (
        (("loss/adversarial=bce", "loss/parameters=nll"), with_all),
        (("loss/adversarial=none", "loss/parameters=nll"), f"log_variance, {predicted}"),
        (("loss/adversarial=none", "loss/parameters=mse"), predicted),
        (("loss/adversarial=none", "loss/parameters=none", "parameter_head=none"), pictures),
        (("loss/adversarial=none", "loss/parameters=none", "system.oracle=truth"), "low, redegraded, restored, sharp, theta_true"),
    ):
        settings = composed(*words)
        settings["system"]["losses"]["edges"] = with_loss("depth", waits=True)["system"]["losses"]["edges"]
        assert f"loss/edges needs depth, which CSRGAN does not offer; it offers {offered}: " in "".join(
            combination_faults(settings)
        )


def test_what_csrgans_systems_offer_their_losses_is_no_setting() -> None:
    systems = [import_module(f"csrgan.training.algorithms.{file.stem}") for file in ALGORITHMS.glob("[a-z]*.py")]
    kinds = [kind for module in systems for _, kind in inspect.getmembers(module, inspect.isclass) if hasattr(kind, "loss_inputs")]
    offered = {name for kind in kinds for name in (*(kind.loss_inputs or ()), *(kind.code_loss_inputs or ()))}
    assert offered == set(rules.LOSS_INPUTS)


@pytest.mark.usefixtures("mine")
def test_loss_inputs_of_a_users_system_and_unknown_ones_are_no_fault() -> None:
    assert not list(combination_faults(with_loss("depth", waits=True, system="Mine")))
    assert not list(combination_faults(with_loss("depth", waits=True, system="Unsaid")))
    assert not list(combination_faults(with_loss("make", waits=False)))
    (other,) = combination_faults(composed("loss/consistency=redegrade") | {"system": with_consistency("strange.systems.Mine")})
    assert other.startswith("loss/consistency needs redegraded, low, which Mine does not offer; it offers depth, fake, ")


def with_consistency(target: str) -> dict[str, Any]:
    return composed("loss/consistency=redegrade")["system"] | {"_target_": target}


def test_a_discriminator_conditioned_on_l_works_with_a_smaller_l() -> None:
    """It is shown L enlarged."""
    words = ("degradation=bicubic_x4", "discriminator=conditional", "loss/perceptual=none", "loss.adversarial.start=0")
    assert not list(combination_faults(composed("system=srgan", *words)))
    assert "D(real)" in fitted("srgan", *words).state.recorded


@pytest.mark.parametrize(
    "words", [("loss/image=none", "loss.image.weight=2"), ("loss/parameters=none", "loss.parameters.weight=1")]
)
def test_settings_of_a_loss_that_was_switched_off_are_no_fault(words: tuple[str, ...]) -> None:
    words = (words[0], f"+{words[1]}", "size=small")
    settings = composed(*words)
    assert not list(combination_faults(settings))
    assert build(settings["system"])
