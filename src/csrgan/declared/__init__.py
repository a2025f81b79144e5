"""Rules for the arguments of constructors, from their annotations. They are read from the source; nothing is imported.

    width: Count                                   a whole number in [1,inf), see `ranges`
    share: Annotated[float, "[0,1)"] | None        a number in [0,1), or None
    kind: Literal["kernel", "units"]               one of these
    sizes: Sequence[Count], grid: Mapping[str, Count]   the rule holds for each member
    blur: Range                                    a rule for each key, if Range is a TypedDict

Other annotations give no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeVar

from csrgan.declared.module import Definition, Module
from csrgan.declared.rule import Rule

# Intervals for classes of other packages, by package and argument.
OF_OTHERS = {
    "lightning": {},
    "torch.optim": {"lr": "[0,inf)", "betas": "[0,1)", "eps": "[0,inf)", "weight_decay": "[0,inf)", "momentum": "[0,inf)"},
}
LENGTHS = {"betas": 2}

F = TypeVar("F", bound=Callable[..., object])


@cache
def rules(target: str) -> Mapping[str, Rule]:
    """Return the rules for the arguments of a class or function, given its full name; empty if it cannot be found."""
    module, _, name = target.rpartition(".")
    for package, of_argument in OF_OTHERS.items():
        if module == package or module.startswith(f"{package}."):
            return {key: Rule("float", interval, length=LENGTHS.get(key)) for key, interval in of_argument.items()}
    source = Module.of(module)
    return source.arguments(name) if source else {}


def declares(**facts: object) -> Callable[[F], F]:
    """Set facts as attributes of a function, each a literal: `@declares(least_batch=2)`. A class states its facts in its body."""

    def decorated(function: F) -> F:
        for name, value in facts.items():
            setattr(function, name, value)
        return function

    return decorated


@cache
def constant(target: str, name: str) -> object:
    """Return the literal that a class or function states for `name`; None if it states none. A class states it in its body or
    inherits it from the nearest base, which holds for subclasses in any package. A function states it with `declares`."""
    source, owner = _source(target)
    return source.constant(owner, name) if source else None


@cache
def requested_inputs(target: str, *, factory: bool = False) -> tuple[str, ...]:
    """Return the names of a loss's inputs: the arguments of a function before the star. factory: the loss is the result of
    calling the target; then the `__call__` of a class is read. Empty if unknown."""
    source, owner = _source(target)
    return source.requested_inputs(owner, factory) if source else ()


@cache
def definition(target: str) -> Definition | None:
    """Return the source of a class or function, given its full name; None if it cannot be found."""
    source, owner = _source(target)
    return source.definition(owner) if source else None


def required_imports(target: str, own: Sequence[str]) -> tuple[str, ...]:
    """Return the top names that Python must find to import a class or function: what its module, and those of the packages `own`
    that it imports, import outside any function, `try` and `if`."""
    sources = filter(None, map(Module.of, imported_modules(target, own)))
    tops = (name.partition(".")[0] for source in sources for name in source.required)
    return tuple(dict.fromkeys(top for top in tops if top not in own))


def imported_modules(target: str, own: Sequence[str]) -> Iterator[str]:
    """Yield the full names of the modules that are run when a class or function is imported: its own, and those of the packages
    `own` that it imports so. Some names may be none of a module."""
    visited: set[str] = set()
    waiting = [target.rpartition(".")[0]]
    while waiting:
        module = waiting.pop()
        if module in visited or not module:
            continue
        visited.add(module)
        yield module
        source = Module.of(module)
        waiting.append(module.rpartition(".")[0])  # the package's own __init__.py is run too
        waiting += [name for name in source.required if name.partition(".")[0] in own] if source else []


def _source(target: str) -> tuple[Module | None, str]:
    """Return the module of a class or function, and its name there. The module is None if it cannot be found, or is not read."""
    module, _, owner = target.rpartition(".")
    return Module.of(module) if module and not module.startswith(tuple(OF_OTHERS)) else None, owner
