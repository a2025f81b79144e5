"""What the annotations of a constructor say of its arguments, read from its source: nothing is imported to know it.

    width: Count                                   a whole number of [1,inf), see `ranges`
    share: Annotated[float, "[0,1)"] | None        a number of [0,1), or None
    kind: Literal["kernel", "units"]               one of these
    sizes: Sequence[Count], grid: Mapping[str, Count]   of each member
    blur: Range                                    of each key, where Range is a TypedDict

Everything else is no rule.
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, cast

from csrgan import ranges
from csrgan.errors import UserError

# Of classes that are not ours, by their package and the argument.
OF_OTHERS = {
    "lightning": {},
    "torch.optim": {"lr": "[0,inf)", "betas": "[0,1)", "eps": "[0,inf)", "weight_decay": "[0,inf)", "momentum": "[0,inf)"},
}
LENGTHS = {"betas": 2}

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Rule:
    """What a value must be.

    kind: int or float, of the numbers in `interval`; empty: no number. choices: the texts that it may be. none: also None.
    inside: of each key of a mapping; "*": of any. length: of a list of such values.
    """

    kind: str = ""
    interval: str = ""
    choices: tuple[str, ...] = ()
    none: bool = False
    inside: Mapping[str, Rule] = field(default_factory=dict)
    length: int | None = None

    def __bool__(self) -> bool:
        return bool(self.interval or self.choices or self.inside)

    def faults(self, place: str, value: object) -> Iterator[str]:
        """A sentence for everything that is wrong with the value at this place."""
        if isinstance(value, Mapping):
            for key, each in value.items():
                if rule := self.inside.get(str(key)) or self.inside.get("*"):
                    yield from rule.faults(f"{place}.{key}", each)
            return
        members = value if isinstance(value, list | tuple) else [value]
        if self.length is not None and len(members) != self.length:
            yield f"{place}={value} must be {self.length} numbers."
        for member in members:
            shown = f"{place}={value}: {member}" if members is value else f"{place}={'null' if value is None else value}"
            if member is None and self.none:
                continue
            if self.interval:
                yield from (f"{shown} {wrong}." for wrong in self._outside(member))
            if self.choices and isinstance(member, str | int | float) and member not in self.choices:
                yield str(UserError.unknown(place, str(member), self.choices))

    def _outside(self, value: object) -> Iterator[str]:
        """What is wrong with a number that should be in the interval."""
        low, high = (float(end) for end in self.interval[1:-1].split(","))
        number = cast(float, value)  # or a NumPy number, a fraction: each is compared as a float is
        if isinstance(value, bool) or not isinstance(value, Real) or (isinstance(value, float) and math.isnan(value)):
            yield "is not a number"
        elif abs(number) > sys.float_info.max:
            yield "is not finite"
        elif self.kind == "int" and not isinstance(value, Integral):
            yield f"is not a whole number{f': write {int(number)}' if float(number).is_integer() else ''}"
        elif low < number < high or (number == low and self.interval[0] == "[") or (number == high and self.interval[-1] == "]"):
            return
        elif high < math.inf:
            yield f"is not in {self.interval}"
        else:
            yield f"is not above {low:g}" if self.interval[0] == "(" else f"is below {low:g}, the least that it can be"


@cache
def rules(target: str) -> Mapping[str, Rule]:
    """Of the arguments of a class or function, by its full name; empty where it cannot be found."""
    module, _, name = target.rpartition(".")
    for package, of_argument in OF_OTHERS.items():
        if module == package or module.startswith(f"{package}."):
            return {key: Rule("float", each, length=LENGTHS.get(key)) for key, each in of_argument.items()}
    source = _Module.of(module)
    return source.arguments(name) if source else {}


def declares(**facts: Any) -> Callable[[F], F]:
    """What a function says of itself, as attributes, each written out: `@declares(least_batch=2)`. A class says it in its body."""

    def decorated(function: F) -> F:
        for name, value in facts.items():
            setattr(function, name, value)
        return function

    return decorated


@cache
def constant(target: str, name: str) -> object:
    """What a class or a function says of `name`, where it is written out; None where it says nothing. A class says it in its body,
    or in the nearest base's: so a subclass from anywhere is known by what it inherits. A function says it with `declares`."""
    module, _, of = target.rpartition(".")
    source = _Module.of(module) if module and not module.startswith(tuple(OF_OTHERS)) else None
    return source.constant(of, name) if source else None


@cache
def requested_inputs(target: str, *, made: bool = False) -> tuple[str, ...]:
    """What a loss asks for: the names of a function's arguments before the star. made: of what a call of the target makes, which is
    known of a class, by its `__call__`. Empty where it is not known."""
    module, _, of = target.rpartition(".")
    source = _Module.of(module) if module and not module.startswith(tuple(OF_OTHERS)) else None
    return source.evidence(of, made) if source else ()


def _file(name: str) -> Path:
    """The source file of a module. No package around it is imported, as `importlib.util.find_spec` would do: the name may come from
    a stranger. Raises ImportError where there is none."""
    path: Sequence[str] | None = None
    origin: str | None = None
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        prefix = ".".join(parts[:length])
        found = (finder.find_spec(prefix, path) for finder in sys.meta_path if hasattr(finder, "find_spec"))
        spec = next(filter(None, found), None)
        if spec is None or not spec.has_location:
            raise ImportError(prefix)
        path, origin = spec.submodule_search_locations, spec.origin
    return Path(origin or "")


class _Module:
    """The source of a module."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self.defined = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        self.assigned = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        self.imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and not node.level
            for alias in node.names
        }

    @staticmethod
    @cache
    def of(name: str) -> _Module | None:
        try:
            return _Module(name, ast.parse(_file(name).read_text(encoding="utf-8")))
        except (OSError, SyntaxError, ValueError, ImportError):  # who builds from it will say it
            return None

    def arguments(self, name: str) -> dict[str, Rule]:
        """Of a class's constructor, of the fields of a dataclass or a TypedDict, or of a function."""
        node = self.defined.get(name)
        if node is None:
            source, named = self._elsewhere(name)
            return source.arguments(named) if source else {}
        inside = {each.name: each for each in getattr(node, "body", []) if isinstance(each, ast.FunctionDef)}
        made = node if isinstance(node, ast.FunctionDef) else inside.get("__init__")
        if made is not None:
            given = [*made.args.posonlyargs, *made.args.args, *made.args.kwonlyargs]
            found = {each.arg: self.rule(each.annotation) for each in given}
            return {key: rule for key, rule in found.items() if rule}
        assert isinstance(node, ast.ClassDef)
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        found = {key: rule for base in reversed(bases) for key, rule in self.arguments(base).items()}
        fields = {
            each.target.id: self.rule(each.annotation)
            for each in node.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        }
        return found | {key: rule for key, rule in fields.items() if rule}

    def constant(self, name: str, wanted: str) -> object:
        """See the function of this name."""
        node = self.defined.get(name)
        if isinstance(node, ast.FunctionDef):
            calls = [each for each in node.decorator_list if isinstance(each, ast.Call) and _name(each.func) == declares.__name__]
            return next((_written(said.value) for call in calls for said in call.keywords if said.arg == wanted), None)
        if node is None:
            source, named = self._elsewhere(name)
            return source.constant(named, wanted) if source else None
        for each in node.body:
            targets = each.targets if isinstance(each, ast.Assign) else [each.target] if isinstance(each, ast.AnnAssign) else []
            if any(isinstance(target, ast.Name) and target.id == wanted for target in targets):
                return _written(each.value)  # type: ignore[attr-defined]
        bases = (self.constant(base.id, wanted) for base in node.bases if isinstance(base, ast.Name))
        return next((found for found in bases if found is not None), None)

    def evidence(self, name: str, made: bool) -> tuple[str, ...]:
        """See the function of this name."""
        node = self.defined.get(name)
        if node is None:
            source, named = self._elsewhere(name)
            return source.evidence(named, made) if source else ()
        if made != isinstance(node, ast.ClassDef):
            return ()
        if isinstance(node, ast.FunctionDef):
            return tuple(each.arg for each in node.args.args)
        called = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__call__"]
        bases = [self.evidence(base.id, made) for base in node.bases if isinstance(base, ast.Name)]
        return next((tuple(each.arg for each in call.args.args[1:]) for call in called), next(filter(None, bases), ()))

    def rule(self, node: ast.expr | None) -> Rule:
        """What an annotation says."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # in quotes
            return self.rule(ast.parse(node.value, mode="eval").body)
        if isinstance(node, ast.BinOp):
            left, right = self.rule(node.left), self.rule(node.right)
            none = any(isinstance(side, ast.Constant) and side.value is None for side in (node.left, node.right))
            return replace(left or right, none=none or left.none or right.none)
        if isinstance(node, ast.Name | ast.Attribute):
            return self.named(_name(node))
        return self._parametrised(node) if isinstance(node, ast.Subscript) else Rule()

    def _parametrised(self, node: ast.Subscript) -> Rule:
        kind = _name(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if kind == "Annotated" and isinstance(parts[0], ast.Name):
            texts = [part.value for part in parts[1:] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            return Rule(parts[0].id, texts[0]) if texts else Rule()
        if kind == "Literal":
            return Rule(choices=tuple(str(part.value) for part in parts if isinstance(part, ast.Constant)))
        if kind in ("Sequence", "list", "tuple"):
            return self.rule(parts[0])
        if kind in ("Mapping", "dict"):
            rule = self.rule(parts[-1])
            return Rule(inside={"*": rule}) if rule else rule
        return Rule()

    def named(self, name: str) -> Rule:
        """What a name in an annotation stands for."""
        if self.imported.get(name, ("",))[0] == ranges.__name__:
            held = getattr(ranges, name)
            return Rule(held.__origin__.__name__, held.__metadata__[0])
        if name in self.assigned and isinstance(self.assigned[name], ast.Subscript | ast.BinOp):
            return self.rule(self.assigned[name])
        node = self.defined.get(name)
        if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "TypedDict" for base in node.bases):
            return Rule(inside=self.arguments(name))
        source, named = (None, "") if node else self._elsewhere(name)
        return source.named(named) if source else Rule()

    def _elsewhere(self, name: str) -> tuple[_Module | None, str]:
        """The module that a name is imported from, and its name there: of csrgan, or of this module's own package; None for all
        others."""
        module, named = self.imported.get(name, ("", ""))
        own = module.partition(".")[0] in ("csrgan", self.name.partition(".")[0])
        return _Module.of(module) if own else None, named


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _written(node: ast.expr | None) -> object:
    """A value that is written out; None for what has to be worked out."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None
