"""Keys of a node with `_target_` that its class or function does not take, and arguments that it lacks.

`argument_faults` reads the source and imports nothing. Where a source does not tell, `build` asks the imported object.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

from csrgan.declared import constant, declares, definition
from csrgan.tree import Settings

OWN = ("_target_", "_partial_")  # keys of a node that are not arguments
PLAIN_BASES = ("object", "abc.ABC", "typing.Protocol", "torch.nn.Module", "csrgan.arguments.Recorded")  # without an argument
KEPT = ("dataclass", "final", "runtime_checkable", declares.__name__)  # decorators that do not change the arguments
LOSS = re.compile(r"loss\.\w+")


class Arguments(NamedTuple):
    """What a class or function takes. names: all that a key can give. needed: those without a default. named: those after a star.
    others: whether it takes any other key. function: whether it is a function."""

    names: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    others: bool = False
    function: bool = False


def argument_faults(tree: object, place: str = "") -> Iterator[str]:
    """Yield a sentence for each fault in the keys of each node in a configuration, whose interpolations need not be resolved."""
    if not isinstance(tree, dict):
        return
    target = tree.get("_target_")
    # What stands for a loss and is none is reported by `combinations`, in other words.
    if isinstance(target, str) and not (LOSS.fullmatch(place) and not constant(target, "is_loss")):
        yield from node_faults(tree, place, of_source(target))
    for key, value in tree.items():
        yield from argument_faults(value, f"{place}.{key}".lstrip("."))


def node_faults(node: Settings, place: str, arguments: Arguments | None) -> Iterator[str]:
    """Yield a sentence for the keys of a node that do not fit; none if the arguments are unknown."""
    if arguments is None:
        return
    target, waits = node["_target_"], bool(node.get("_partial_"))
    given = [str(key) for key in node if key not in OWN]
    unknown = [] if arguments.others else [key for key in given if key not in arguments.names]
    if unknown:
        measures = waits and arguments.function  # csrgan gives what is before the star
        choices = arguments.named if measures else arguments.names
        near = [match for key in unknown for match in get_close_matches(key, choices, n=1, cutoff=0.4)]
        hint = f" Did you mean {' and '.join(near)}?" if near else ""
        if measures and not choices:
            star = f"({', '.join((*arguments.names, '*', *unknown))})"
            takes = f"It takes no settings: to give it one, put {' and '.join(unknown)} after a star, as in {star}."
        else:
            takes = f"It takes: {', '.join(sorted(choices)) or 'none'}.{hint}"
        yield f"{place} has keys that {target} does not take: {', '.join(unknown)}. {takes}"
        return
    # What a class gets later, when csrgan calls it, may come by name; a function gets it by position.
    needed = [] if waits and not arguments.function else arguments.named if waits else arguments.names
    missing = [name for name in needed if name in arguments.needed and name not in given]
    later = [name for name in missing if name not in arguments.named]
    if later and arguments.function:
        settings = [name for name in missing if name in arguments.named]
        also = f"; it also needs {', '.join(settings)}" if settings else ""
        yield f"{place} would call {target} at once, without {', '.join(later)}: add _partial_: true, and csrgan gives them{also}."
    elif missing:
        remedy = f"add {', '.join(f'{name}: VALUE' for name in missing)}"
        yield f"{place} lacks {', '.join(missing)}, for which {target} has no default: {remedy}."


@cache
def of_source(target: str) -> Arguments | None:
    """Return the arguments of a class or function, given its full name; None if its source does not tell."""
    found = definition(target)
    if found is None or not {_decorator(node) for node in found.node.decorator_list} <= set(KEPT):
        return None
    if isinstance(found.node, ast.FunctionDef):
        return _of_function(found.node.args, function=True)
    methods = {item.name: item for item in found.node.body if isinstance(item, ast.FunctionDef)}
    if found.node.keywords or "__new__" in methods:
        return None
    if init := methods.get("__init__"):
        return None if init.decorator_list else _of_function(init.args, function=False)
    inherited = _inherited(found.bases)
    fielded = any(_decorator(node) == "dataclass" for node in found.node.decorator_list)
    return _with_fields(found.node, inherited) if fielded and inherited is not None else inherited


def of_object(target: Callable[..., object]) -> Arguments | None:
    """Return the arguments of a class or function; None if they are unknown."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return None
    keyed = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    return Arguments(
        tuple(each.name for each in keyed),
        tuple(each.name for each in keyed if each.default is each.empty),
        tuple(each.name for each in keyed if each.kind is each.KEYWORD_ONLY),
        any(each.kind is each.VAR_KEYWORD for each in parameters),
        inspect.isroutine(target),
    )


def _inherited(bases: tuple[str, ...]) -> Arguments | None:
    for base in bases:
        arguments = Arguments() if base in PLAIN_BASES else of_source(base)
        if arguments is None or arguments != Arguments():
            return arguments
    return Arguments()


def _of_function(args: ast.arguments, *, function: bool) -> Arguments:
    """Return the arguments of a function, or of a constructor without its first."""
    positional = [argument.arg for argument in args.args]
    with_default = positional[len(positional) - len(args.defaults) :] if args.defaults else []
    named = [argument.arg for argument in args.kwonlyargs]
    with_default += [name for name, default in zip(named, args.kw_defaults, strict=True) if default is not None]
    names = [*positional[0 if function else 1 :], *named]
    needed = tuple(name for name in names if name not in with_default)
    return Arguments(tuple(names), needed, tuple(named), args.kwarg is not None, function)


def _with_fields(node: ast.ClassDef, inherited: Arguments) -> Arguments | None:
    """Return the arguments of a dataclass; None if a field is no argument, or has its default in a call."""
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    if any(isinstance(item.value, ast.Call) or "ClassVar" in ast.unparse(item.annotation) for item in fields):
        return None
    names = {item.target.id: item.value is None for item in fields if isinstance(item.target, ast.Name)}
    before = tuple(name for name in inherited.names if name not in names)
    needed = tuple(name for name in before if name in inherited.needed)
    return Arguments((*before, *names), (*needed, *(name for name, lacks in names.items() if lacks)))


def _decorator(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
