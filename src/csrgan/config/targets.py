"""Which names a `_target_` may have. A configuration may come with a stranger's file, which must not run arbitrary code."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import resolve_name

from csrgan.config import own_code
from csrgan.config.absent import absence, misspelt
from csrgan.config.announced import ALLOW, allowing
from csrgan.config.location import conf
from csrgan.config.search import exists, is_importable, no_package, packages
from csrgan.errors import UserError
from csrgan.tree import Settings

# Where a system holds what the user gives under another key.
GIVEN_AS = {
    "system.losses": "loss",
    "system.discriminator": "discriminator",
    **{f"system.generator.{part}": part for part in ("output", "parameter_head", "condition")},
    "system.generator.body": "generator",
}

# Packages of csrgan that yaml files build from. Commands are not among them: they write files.
NAMES = ("data", "degradation", "evaluation.metrics", "loggers", "losses", "networks", "restorers", "training")
ROOMS = tuple(f"csrgan.{room}" for room in NAMES)
PACKAGES = (*ROOMS, "lightning.pytorch.callbacks", "lightning.pytorch.loggers", "torch.nn", "torch.optim")

# Packages of which a stranger's file may build what csrgan's own yaml files name. Not data, which downloads, decodes and deletes.
DESCRIBED = tuple(f"csrgan.{room}" for room in ("degradation", "losses", "networks", "restorers", "training"))
# No yaml file names these: the user's own kernels, named by an override; a name in older checkpoints; a Python default.
UNNAMED = ("csrgan.degradation.kernel_priors.FreeForm", "csrgan.networks.output.sigmoid", "csrgan.training.schedule.constant")
# These read files and start programs, which the user may ask for and a stranger's file may not.
USERS_ALONE = ("csrgan.restorers.external",)
OF_TORCH = re.compile(r"torch\.(nn|optim)\.[A-Z]\w*")  # layers and optimizers, by their short paths


def check_targets(tree: object, place: str = "", *, stranger: bool = False) -> None:
    """Raise UserError for every `_target_` in a configuration that may not be built, before anything is built.

    place: the tree's key. Each target must name a class or function that is defined in PACKAGES or in a package of the user's (see
    `search`); where it is defined matters, because a module also gives access to all that it imports. Interpolations must be
    resolved: one could create another `_target_`.

    stranger: the tree comes with a file. It may then name only what csrgan's own yaml files name outside `data`, layers and
    optimizers of torch, and what the user's packages define. Functions must be `_partial_`, so that none is called.
    """
    faults = list(_faults(tree, place, stranger))
    if faults:
        raise UserError(*faults)


@cache
def targets_of_own_files() -> frozenset[str]:
    """Return the targets of csrgan's own yaml files in the packages of DESCRIBED without USERS_ALONE, and UNNAMED."""
    files = conf().rglob("*.yaml")
    names = {name for file in files for name in re.findall(r"_target_: *([\w.]+)", file.read_text(encoding="utf-8"))}
    return frozenset(name for name in names if _within(name, DESCRIBED) and not _within(name, USERS_ALONE)).union(UNNAMED)


def as_given(place: str) -> str:
    """Return the key by which a user gives what stands at a place."""
    return next((f"{key}{place.removeprefix(held)}" for held, key in GIVEN_AS.items() if f"{place}.".startswith(f"{held}.")), place)


def _faults(tree: object, place: str, stranger: bool) -> Iterator[str]:
    if isinstance(tree, dict):
        if "_target_" in tree:
            yield from _target_fault(tree, f"{as_given(place)}._target_".lstrip("."), stranger)
        for key, value in tree.items():
            yield from _faults(value, f"{place}.{key}".lstrip("."), stranger)
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _faults(value, f"{place}[{index}]", stranger)
    elif stranger and isinstance(tree, str) and "${" in tree:
        yield f"{place}={tree} is an interpolation that nothing has resolved."


def _target_fault(node: Settings, place: str, stranger: bool) -> Iterator[str]:
    target, own_packages = node["_target_"], packages()
    if not isinstance(target, str) or not _may_name(target, own_packages, stranger):  # other modules are not even imported
        yield _refusal(place, target, own_packages, stranger)
        return
    if lacking := absence(target):
        yield f"{place}={target} does not exist: {lacking}"
        return
    try:
        found = _found(target)
    except Exception as reason:
        if own := own_code.raised_at(reason):
            yield f"{place}={target} cannot be imported: it {own}."
        elif isinstance(reason, ImportError | AttributeError | ValueError):
            yield f"{place}={target} does not exist: {reason}."
        else:
            raise
        return
    defined = isinstance(getattr(found, "__module__", None), str) and _within(found.__module__, (*PACKAGES, *own_packages))
    plain = inspect.isclass(found) or (inspect.isroutine(found) and found.__qualname__ == found.__name__)  # not a method
    if not defined:
        yield _refusal(place, target, own_packages, stranger, getattr(found, "__module__", None) or "")
    elif not plain:
        yield f"{place}={target} may not be built: it is no class and no function of a module."
    elif stranger and not inspect.isclass(found) and node.get("_partial_") is not True:
        yield f"{place}={target} is a function, and would be called: a file may only pass it on, with _partial_: true."


def _found(target: str) -> object:
    """Return what a full name names. Raises what its module raises when it is imported."""
    try:
        return resolve_name(target)
    except AttributeError:  # resolve_name says so too if the module exists and its import fails
        module = target.rpartition(".")[0]
        if is_importable(module.rpartition(".")[0] or module) and is_importable(module):
            import_module(module)
        raise


def early_faults(tree: object, place: str = "") -> Iterator[str]:
    """Yield a sentence for each `_target_` of a configuration that is not allowed, lacks its module or name, or cannot be read, as
    far as that is known without an import. Interpolations need not be resolved."""
    if not isinstance(tree, dict):
        return
    target, own_packages = tree.get("_target_"), packages()
    if isinstance(target, str) and "${" not in target:
        named = f"{place}._target_".lstrip(".")
        if not _may_name(target, own_packages, stranger=False):
            yield _refusal(named, target, own_packages, stranger=False)
        elif lacking := absence(target):
            yield f"{named}={target} does not exist: {lacking}"
        elif broken := own_code.syntax_error(target):
            yield f"{named}={target} cannot be imported: it {broken}."
    for key, value in tree.items():
        yield from early_faults(value, f"{place}.{key}".lstrip("."))


def _refusal(place: str, target: object, own_packages: tuple[str, ...], stranger: bool, defined_in: str = "") -> str:
    """Say that a target may not be built. defined_in: the module that defines it, if that is another than it names."""
    allowed = ("csrgan's own yaml files", "torch.nn", "torch.optim") if stranger else PACKAGES
    names = f"a configuration names classes and functions of {', '.join((*allowed, *own_packages))}"
    where = f" it is defined in {defined_in};" if defined_in else ""
    meant = misspelt(str(target), (*PACKAGES, *own_packages), targets_of_own_files())
    top, _, rest = str(target).partition(".")
    if rest and not stranger and not defined_in and not exists(top):
        hint = f" Did you mean {meant}?" if meant else ""
        install = f"install {top}, and name it in {ALLOW}={top} unless an entry point announces it"
        return f"{place}={target} may not be built: {no_package(top)}: {install}.{hint}"
    if meant and not stranger and not defined_in:
        return (
            f"{place}={target} may not be built: it is in none of the packages that a configuration may name. Did you mean {meant}?"
        )
    if rest and not defined_in and top not in (*sys.stdlib_module_names, *(name.partition(".")[0] for name in PACKAGES)):
        lacking = "" if exists(top) else f"; besides, {no_package(top)}: install it"
        code = f"it is code of the package {top}, which is not allowed here"
        return f"{place}={target} may not be built: {code}. If you trust {top}, set {allowing(top)} in the environment{lacking}."
    allow = f"{ALLOW}=PACKAGE in the environment allows those of another package"
    return f"{place}={target} may not be built:{where} {names}; {allow}."


def _may_name(target: str, own_packages: tuple[str, ...], stranger: bool) -> bool:
    if not stranger:
        return _within(target, (*PACKAGES, *own_packages))
    return target in targets_of_own_files() or bool(OF_TORCH.fullmatch(target)) or _within(target, own_packages)


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
