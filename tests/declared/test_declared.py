"""Rules are read from annotations: every form, without importing the module; the constructor holds to the same ones."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from composed import composed
from hydra.utils import get_object

import csrgan
from csrgan import declared
from csrgan.config.check import declared_rules as of_configuration
from csrgan.config.check import rule_of, value_faults
from csrgan.config.combinations import combination_faults
from csrgan.declared.module import Module

SOURCE = """
raise ImportError("this module must not be imported to know what it declares")
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypedDict
import csrgan
from csrgan.ranges import Count, Share
from mine.kinds import Bounds, Kind

Tap = Annotated[int, "[1,99]"]

class Base:
    def __init__(self, *, width: Count, odd: Tap, share: "Share | None" = None, plain: int = 0) -> None: ...

class Derived(Base):
    pass

class Fields:
    sizes: Sequence[Count]
    grid: Mapping[str, Count]
    bounds: Bounds
    kind: Kind | None
    gain: Annotated[float, "(0,2)"] | None

def loss(restored: float, sharp: float, *, beta: Annotated[float, "[0,1)"]) -> float: ...
"""
KINDS = """
from typing import Literal, TypedDict
from csrgan.ranges import NotNegative
Kind = Literal["soft", "hard"]
class Bounds(TypedDict):
    low: NotNegative
    high: NotNegative
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    for name, text in (("__init__", ""), ("parts", SOURCE), ("kinds", KINDS)):
        (tmp_path / "mine" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[name]
    declared.rules.cache_clear()
    Module.of.cache_clear()


def told(target: str, **values: object) -> list[str]:
    known = declared.rules(f"mine.parts.{target}")
    return [said for name, value in values.items() if name in known for said in known[name].faults(name, value)]


@pytest.mark.usefixtures("package")
def test_every_form_of_an_annotation_is_a_rule() -> None:
    for name in ("Base", "Derived"):
        assert not told(name, width=1, odd=99, share=None, plain="anything")
        assert told(name, width=0, odd=100, share=1.5) == [
            "width=0 is below 1, the least that it can be.",
            "odd=100 is not in [1,99].",
            "share=1.5 is not in [0,1].",
        ]
    assert not told("Fields", sizes=[1, 2], grid={"any": 1}, bounds={"low": 0.0, "else": -1}, kind=None, gain=None)
    assert told("Fields", sizes=[0], grid={"blur": 0}, bounds={"low": -1}, kind="hrad", gain=2) == [
        "sizes=[0]: 0 is below 1, the least that it can be.",
        "grid.blur=0 is below 1, the least that it can be.",
        "bounds.low=-1 is below 0, the least that it can be.",
        "kind has no hrad. Its choices: hard, soft. Did you mean hard?",
        "gain=2 is not in (0,2).",
    ]
    assert told("loss", beta=1) == ["beta=1 is not in [0,1)."]
    assert not told("Nobody", width=0)
    assert "mine.parts" not in sys.modules


@pytest.mark.usefixtures("package")
def test_numbers_are_numbers_of_the_kind() -> None:
    for value, said in (
        (None, "null is not a number"),
        (True, "is not a number"),
        (float("nan"), "is not a number"),
        ("a", "is not a number"),
    ):
        assert said in told("Base", width=value)[0]
    assert "is not a whole number: write 2" in told("Base", width=2.0)[0]
    assert "is not finite" in told("Base", width=10**400)[0]
    assert not told("Base", width=np.int64(3))


def test_a_key_has_the_rule_of_the_key_that_refers_to_it() -> None:
    """As evaluation.crop has that of Photographs' evaluation_crop, over another key in between."""
    data = {"_target_": "csrgan.data.module.Photographs", "evaluation_crop": "${a.b}", "grid": "${a.grid}"}
    known = of_configuration({"data": data, "a": {"b": "${c}", "grid": {"blur": 0}}, "c": 31})
    for place in ("data.evaluation_crop", "a.b", "c"):
        assert list(value_faults(31, known, place)) == [f"{place}=31 is below 32, the least that it can be."]
    assert list(value_faults({"grid": {"blur": 0}}, known, "a")) == ["a.grid.blur=0 is below 1, the least that it can be."]
    assert rule_of("a.grid.noise", known)
    assert rule_of("a.other", known) is None


def test_constructors_enforce_the_same_rules() -> None:
    with pytest.raises(csrgan.UserError, match=r"Degradation\.bits=0 is below 1"):
        csrgan.Degradation(bits=0)
    with pytest.raises(csrgan.UserError, match=r"Photographs\.crop=0 is below 1"):
        csrgan.Photographs(crop=0)


OUTSIDE = '''
from csrgan.training.algorithms.srgan import SRGAN
from csrgan.restorers.kernelgan import KernelGAN as Base
from csrgan.networks.unfolded import Unfolded

class Mine(SRGAN):
    """Declares nothing itself."""

class Quiet(Base):
    noise_free = False
    code_loss_inputs = tuple(sorted("ab"))

class Body(Unfolded):
    isotropic: bool = False
'''


@pytest.mark.usefixtures("package")
def test_a_users_subclass_inherits_declared_facts(tmp_path: Path) -> None:
    (tmp_path / "mine" / "systems.py").write_text(OUTSIDE)
    known = {name: declared.constant(f"mine.systems.{name}", "loss_inputs") for name in ("Mine", "Quiet")}
    assert known == {"Mine": ("restored", "sharp", "low", "real", "fake"), "Quiet": None}
    assert declared.constant("mine.systems.Quiet", "outputs") == ("native",)
    assert declared.constant("mine.systems.Quiet", "noise_free") is False
    assert (declared.constant("mine.systems.Body", "reads_theta"), declared.constant("mine.systems.Body", "isotropic")) == (
        True,
        False,
    )
    assert declared.constant("mine.systems.Nobody", "loss_inputs") is None
    assert declared.constant("mine.systems.Quiet", "offers_codes") is None  # it has to be worked out
    assert "mine.systems" not in sys.modules


@pytest.mark.usefixtures("package")
def test_a_users_subclass_gets_the_same_message(tmp_path: Path) -> None:
    (tmp_path / "mine" / "systems.py").write_text(OUTSIDE)
    settings = composed("system=srgan", "loss/parameters=mse")
    (expected,) = combination_faults(settings)
    settings["system"]["_target_"] = "mine.systems.Mine"
    assert list(combination_faults(settings)) == [expected.replace("SRGAN", "Mine")]


def test_the_inputs_of_a_loss_are_read_from_its_source() -> None:
    assert declared.requested_inputs("csrgan.losses.parameters.nll") == ("theta", "log_variance", "theta_true")
    assert declared.requested_inputs("csrgan.losses.perceptual.FeatureDistance", factory=True) == ("restored", "sharp")
    for target, factory in (("csrgan.losses.parameters.nll", True), ("csrgan.losses.perceptual.FeatureDistance", False)):
        assert declared.requested_inputs(target, factory=factory) == ()


def test_facts_of_a_function_are_attributes_and_are_read_from_its_source() -> None:
    for target, name, said in (
        ("csrgan.losses.parameters.shuffled", "least_batch", 2),
        ("csrgan.losses.parameters.mse", "least_batch", None),
        ("csrgan.networks.output.tanh", "ignores_low", True),
        ("csrgan.networks.output.residual", "ignores_low", None),
    ):
        assert declared.constant(target, name) == getattr(get_object(target), name, None) == said


def test_reading_rules_imports_nothing_not_even_the_parent_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `_target_` may come with a stranger's folder."""
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "__init__.py").write_text(f"open({str(tmp_path / 'done')!r}, 'w')")
    (tmp_path / "evil" / "parts.py").write_text("from csrgan.ranges import Count\nclass X:\n    width: Count\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert declared.rules("evil.parts.X")["width"].interval == "[1,inf)"
    assert declared.constant("evil.parts.X", "loss_inputs") is None
    assert not (tmp_path / "done").exists()
    assert declared.rules("evil.nowhere.X") == declared.rules("nowhere.X") == declared.rules("sys.X") == {}


def test_rules_are_read_in_packages_without_an_init_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of modules is a package too, and so is a folder inside a package; nothing of either is imported."""
    for folder in ("loose", "loose/inner", "tight/inner"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "parts.py").write_text("from csrgan.ranges import Count\nclass X:\n    width: Count\n")
    (tmp_path / "tight" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("loose.parts", "loose.inner.parts", "tight.inner.parts"):
        assert declared.rules(f"{name}.X")["width"].interval == "[1,inf)", name
    assert declared.rules("loose.X") == declared.rules("loose.nowhere.X") == {}
    assert not {"loose", "tight"} & set(sys.modules)
