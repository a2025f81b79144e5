"""Contracts that every yaml file keeps; new files are tested automatically."""

from __future__ import annotations

import ast
import copy
import inspect
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest
from composed import GROUPS, SMALL, choices, composed, covering
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf, open_dict

from csrgan.cli import COMMANDS
from csrgan.cli.module import MODULES
from csrgan.config.build import build
from csrgan.config.check import declared_rules, rule_of, value_faults
from csrgan.config.combinations import combination_faults
from csrgan.config.composed import own_values
from csrgan.config.folder import first_line
from csrgan.config.location import PACKAGE, conf
from csrgan.declared import constant
from csrgan.errors import UserError
from csrgan.rules import SystemFacts
from csrgan.testing import nodes

FILES = sorted(path for path in conf().rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(conf()).as_posix())
def test_the_first_comment_says_what_the_choice_is(file: Any) -> None:
    assert len(first_line(file)) > 10


@pytest.mark.parametrize("chosen", covering("experiment"), ids=lambda words: words[0])
def test_every_choice_is_total_and_every_key_is_used(chosen: list[str]) -> None:
    """Each node's keys are exactly the arguments of what it builds, except arguments given in code."""
    for path, node in nodes(composed(*chosen)):
        target = get_object(node["_target_"])
        if target.__module__.startswith(("torch", "lightning")):
            continue
        arguments = inspect.signature(target).parameters
        keys = {key for key in node if not key.startswith("_")}
        assert keys <= set(arguments), (path, node, chosen)
        if not node.get("_partial_"):
            assert keys == set(arguments), (path, node, chosen)
        else:
            settings = {name for name, p in arguments.items() if p.kind is p.KEYWORD_ONLY}
            assert keys <= settings | {"total", "warmup"}, (path, node, chosen)


# Required words of a command, and what it would read from a checkpoint.
GIVEN = {
    "compare": ("folders=[a,b]",),
    "degrade": ("source=a", "destination=b"),
    "demo": ("checkpoint=a",),
    "evaluate": ("degradation=readme",),
    "new": ("folder=a",),
    "publish": ("checkpoint=a", "destination=b"),
    "replay": ("file=a",),
    "report": ("folder=a",),
    "restore": ("source=a", "destination=b", "degradation=readme"),
}
ROOTS = ("config", "settings", "_root_")  # names of a whole configuration in the code
TAKEN_OVER = re.compile(r"\$\{(?:[\w.]+:)?([\w.]+)[},]")  # ${key}, or ${resolver:key,...}


@cache
def taken_over() -> frozenset[str]:
    """Return the keys that one yaml file reads from another; entries of a defaults list are choices, not keys."""
    lines = (line for file in FILES for line in file.read_text(encoding="utf-8").split("\n") if not line.lstrip().startswith("- "))
    return frozenset(key for line in lines for key in TAKEN_OVER.findall(line))


def tail(node: ast.AST) -> str:
    """Return the last name of an expression: `trainer` of `settings["trainer"]`, `config.trainer` and `trainer`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@cache
def read(command: str = "") -> frozenset[tuple[str, str]]:
    """Return the pairs (mapping, key) that the code reads, such as ("trainer", "images"); for a mapping passed as keywords ("grid",
    "*"), since a signature refuses unknown keys. command: skip the files of the other commands."""
    pairs: set[tuple[str, str]] = set()
    others = {f"{MODULES.get(name, name)}.py" for name in COMMANDS if command not in ("", name)}
    for file in PACKAGE.rglob("*.py"):
        if file.parent.name == "cli" and file.name in others:
            continue
        if file.parent.name == "benchmarks" and command not in ("", "bench", "train"):  # the only commands that measure
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Load):
                pairs.add((tail(node.value), tail(node)))
            if isinstance(node, ast.Call) and tail(node.func) == "get" and node.args and isinstance(node.args[0], ast.Constant):
                pairs.add((tail(node.func.value), str(node.args[0].value)))
            if isinstance(node, ast.keyword) and node.arg is None:
                pairs.add((tail(node.value), "*"))
    return frozenset(pairs)


def unread(tree: dict[str, Any], command: str, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield keys outside built nodes that no other yaml file and no code reads; at the top level, no code of `command`."""
    for key, value in tree.items():
        full = (*path, key)
        if isinstance(value, dict):
            checked = "_target_" in value or (key, "*") in read()
            yield from () if checked else unread(value, command, full)
            continue
        parents = path[-1:] or ROOTS
        if path[:1] == ("logger",) and not value:  # a logger that is switched off
            continue
        by_code = any((name, key) in read("" if path else command) for name in parents)
        if not by_code and not {".".join(full), ".".join(path)} & taken_over():
            yield ".".join(full)


@pytest.mark.parametrize("command", [file.stem for file in conf().glob("*.yaml") if file.stem in COMMANDS])
def test_every_key_of_a_command_is_read(command: str) -> None:
    assert not list(unread(composed(*GIVEN.get(command, ()), command=command), command))


@pytest.mark.parametrize(
    "word", [f"{g}={n}" for g in ("evaluation", "experiment", "logger", "sweep", "trainer") for n in choices(g)]
)
def test_every_key_of_a_choice_that_builds_nothing_is_read(word: str) -> None:
    assert not list(unread(composed(word), "train"))


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_a_smoke_run_of_an_experiment_is_a_smoke_run(experiment: str) -> None:
    """Whatever budget, crops or machine an experiment sets; but the user's words win."""
    of_experiment = composed(f"experiment={experiment}", "trainer=smoke", "data.crop=32")
    assert of_experiment["trainer"] == composed("trainer=smoke")["trainer"]
    assert of_experiment["data"]["crop"] == 32
    assert of_experiment["data"]["batch_size"] == 4


def test_a_key_that_nothing_reads_is_found() -> None:
    """Plant one at every node that no signature guards."""
    settings = composed()
    planted = ("trainer", "evaluation", "logger", "optimizer")
    for key in planted:
        settings[key]["colour"] = "red"
    assert set(unread(settings | {"colour": "red"}, "train")) == {"colour", *(f"{key}.colour" for key in planted)}


def numbers(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of numbers and lists of numbers."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from numbers(value, (*path, str(key)))
    elif any(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (tree if isinstance(tree, list) else [tree])
    ):
        yield path


@pytest.mark.parametrize("chosen", covering("experiment", "sweep"), ids=lambda words: words[0])
def test_every_number_of_a_training_has_a_range_and_is_in_it(chosen: list[str]) -> None:
    ranged("train", *chosen)


@pytest.mark.parametrize(
    "command", [name for name in COMMANDS if name in {file.stem for file in conf().glob("*.yaml")} - {"train"}]
)
def test_every_number_of_a_command_has_a_range_and_is_in_it(command: str) -> None:
    ranged(command, *GIVEN.get(command, ()))


def ranged(command: str, *words: str) -> None:
    with initialize_config_dir(str(conf()), version_base="1.3"):
        config = compose(command, list(words))
    tree: Any = OmegaConf.to_container(config, resolve=False)
    # What a system sets of a term that is switched off belongs to nobody.
    tree["loss"] = {name: term for name, term in (tree.get("loss") or {}).items() if term and "_target_" in term}
    known = declared_rules(tree)
    without = [path for path in map(".".join, numbers(tree, ())) if not rule_of(path, known)]
    assert not without, (without, words)
    with open_dict(config):
        config.run_dir = ""
    assert not list(value_faults(own_values(config), known))


SYSTEMS = [
    name for name in choices("system") if name not in ("bicubic", "external", "kernelgan", "program", "total_variation", "wiener")
]
KINDS = [(group, name) for group in GROUPS if group.startswith("loss/") for name in choices(group) if name != "vgg19"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_early_check_of_losses_agrees_with_the_system(name: str) -> None:
    """Every loss with every system: the early check gives the same message as building the system."""
    settings = composed(f"system={name}", "size=small", "data.crop=32")
    for group, choice in KINDS:
        tried = copy.deepcopy(settings)
        term: Any = OmegaConf.to_container(OmegaConf.load(conf() / group / f"{choice}.yaml")) or {}
        tried["loss"][group.split("/")[1]] = term
        tried["system"]["losses"] = tried["loss"]
        if name == "csrgan":
            tried["system"]["generator"]["variance"] = tried["loss"]["parameters"].get("variance", False)
        try:
            build(tried["system"])
            refused = ""
        except UserError as fault:
            refused = str(fault)
        assert "\n".join(combination_faults(tried)) == refused, (name, group, choice)


@pytest.mark.parametrize("name", choices("system"))
def test_class_attributes_of_a_system_are_readable_without_torch(name: str) -> None:
    target = composed(f"system={name}")["system"]["_target_"]
    for said in SystemFacts._fields[1:]:
        assert constant(target, said) == getattr(get_object(target), said, None)


@pytest.mark.parametrize("name", choices("experiment"))
def test_every_experiment_builds(name: str) -> None:
    settings = composed(f"experiment={name}", "data.crop=32")
    build(settings["data"])
    assert build(settings["system"]).networks()


def test_the_nothing_choices_build_nothing() -> None:
    settings = composed("loss/image=none", "loss/parameters=none", "parameter_head=none", *SMALL)
    system = build(settings["system"])
    assert set(system.generator_updater.objective.terms) == {"adversarial"}
    assert system.generator.head is None
    assert system.generator.condition is None
    assert isinstance(build(settings["output"]), partial)


def with_output(settings: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    system = settings["system"]
    return settings | {"system": system | {"generator": system["generator"] | {"output": node}}}


def test_a_body_that_only_filters_low_accepts_the_outputs_that_use_low() -> None:
    settings = composed("generator=spectral")
    outputs = {name: composed(f"output={name}")["output"] for name in choices("output")}
    outputs["before"] = {"_target_": "csrgan.networks.output.sigmoid", "_partial_": True, "epsilon": 0.004}
    known = [
        name
        for name, node in outputs.items()
        if not any("does not use L" in told for told in combination_faults(with_output(settings, node)))
    ]
    assert sorted(known) == ["before", "residual", "sigmoid"]
