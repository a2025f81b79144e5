"""Rules for the arguments of constructors, from their annotations. They are read from the source; nothing is imported.

    width: Count                                   a whole number in [1,inf), see `ranges`
    share: Annotated[float, "[0,1)"] | None        a number in [0,1), or None
    kind: Literal["kernel", "units"]               one of these
    sizes: Sequence[Count], grid: Mapping[str, Count]   the rule holds for each member
    blur: Range                                    a rule for each key, if Range is a TypedDict

Other annotations give no rule.
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.machinery import ModuleSpec
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

from csrgan import ranges
from csrgan.errors import UserError

# Intervals for classes of other packages, by package and argument.
OF_OTHERS = {
    "lightning": {},
    "torch.optim": {"lr": "[0,inf)", "betas": "[0,1)", "eps": "[0,inf)", "weight_decay": "[0,inf)", "momentum": "[0,inf)"},
}
LENGTHS = {"betas": 2}

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Rule:
    """What a value must be.

    kind: int or float, the type of the numbers in `interval`; empty if it is not a number. choices: texts that it may be. none:
    whether it may be None. inside: the rule for each key of a mapping; "*" stands for any key. length: of a list of such values.
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
        """Yield a sentence for each fault of the value at `place`."""
        if isinstance(value, Mapping):
            for key, member in value.items():
                if rule := self.inside.get(str(key)) or self.inside.get("*"):
                    yield from rule.faults(f"{place}.{key}", member)
            return
        members = value if isinstance(value, list | tuple) else [value]
        if self.length is not None and len(members) != self.length:
            yield f"{place}={value} must be {self.length} numbers."
        for member in members:
            shown = f"{place}={value}: {member}" if members is value else f"{place}={'null' if value is None else value}"
            if member is None and self.none:
                continue
            if self.interval:
                yield from (f"{shown} {fault}." for fault in self._number_faults(member))
            if self.choices and isinstance(member, str | int | float) and member not in self.choices:
                yield str(UserError.unknown(place, str(member), self.choices))

    def _number_faults(self, value: object) -> Iterator[str]:
        """Yield what is wrong with a value that should be a number in the interval."""
        low, high = (float(end) for end in self.interval[1:-1].split(","))
        number = cast(float, value)  # or a NumPy number or a Fraction, which compare like a float
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
    """Return the rules for the arguments of a class or function, given its full name; empty if it cannot be found."""
    module, _, name = target.rpartition(".")
    for package, of_argument in OF_OTHERS.items():
        if module == package or module.startswith(f"{package}."):
            return {key: Rule("float", interval, length=LENGTHS.get(key)) for key, interval in of_argument.items()}
    source = _Module.of(module)
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
    module, _, owner = target.rpartition(".")
    source = _Module.of(module) if module and not module.startswith(tuple(OF_OTHERS)) else None
    return source.constant(owner, name) if source else None


@cache
def requested_inputs(target: str, *, factory: bool = False) -> tuple[str, ...]:
    """Return the names of a loss's inputs: the arguments of a function before the star. factory: the loss is the result of
    calling the target; then the `__call__` of a class is read. Empty if unknown."""
    module, _, owner = target.rpartition(".")
    source = _Module.of(module) if module and not module.startswith(tuple(OF_OTHERS)) else None
    return source.requested_inputs(owner, factory) if source else ()


class Definition(NamedTuple):
    """The source of a class or function. bases: full names of a class's bases, as far as the imports tell."""

    node: ast.ClassDef | ast.FunctionDef
    bases: tuple[str, ...]


@cache
def definition(target: str) -> Definition | None:
    """Return the source of a class or function, given its full name; None if it cannot be found."""
    module, _, owner = target.rpartition(".")
    source = _Module.of(module) if module and not module.startswith(tuple(OF_OTHERS)) else None
    return source.definition(owner) if source else None


def required_imports(target: str, own: Sequence[str]) -> tuple[str, ...]:
    """Return the top names that Python must find to import a class or function: what its module, and those of the packages `own`
    that it imports, import outside any function, `try` and `if`."""
    sources = filter(None, map(_Module.of, imported_modules(target, own)))
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
        source = _Module.of(module)
        waiting.append(module.rpartition(".")[0])  # the package's own __init__.py is run too
        waiting += [name for name in source.required if name.partition(".")[0] in own] if source else []


def _file(name: str) -> Path:
    """Return the source file of a module, without importing the packages around it as `importlib.util.find_spec` would: the name
    may come from a stranger. Raises ImportError if there is none."""
    path: Sequence[str] | None = None
    origin: str | None = None
    parts = name.split(".")
    for length, part in enumerate(parts, start=1):
        prefix = ".".join(parts[:length])
        spec = _spec(prefix, path)
        if spec is not None and spec.has_location:
            path, origin = spec.submodule_search_locations, spec.origin
            if path is None and length < len(parts):  # nothing lies in a plain module, whatever lies elsewhere under that name
                raise ImportError(".".join(parts[: length + 1]))
            continue
        # A package without an __init__.py: every folder of that name belongs to it.
        path = [str(folder) for entry in (sys.path if path is None else path) if (folder := Path(entry, part)).is_dir()]
        if not path or length == len(parts):
            raise ImportError(prefix)
    return Path(origin or "")


def source_file(module: str) -> Path | None:
    """Return the source file of a module, found without importing anything; None if there is none."""
    try:
        return _file(module) if module else None
    except (ImportError, ValueError):
        return None


def _spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    finders = (finder for finder in sys.meta_path if hasattr(finder, "find_spec"))
    try:
        return next(filter(None, (finder.find_spec(name, path) for finder in finders)), None)
    except KeyError:  # a folder without an __init__.py, in a package that is not imported
        return None


class _Module:
    """The source of a module."""

    def __init__(self, name: str, tree: ast.Module, *, package: bool = False) -> None:
        self.name = name
        self.defined = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        self.assigned = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        plain = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
        parts = [*name.split("."), *(["__init__"] if package else [])]
        for node in (node for node in tree.body if isinstance(node, ast.ImportFrom)):
            above = ".".join(parts[: len(parts) - node.level]) if node.level else ""
            origin = ".".join(filter(None, [above, node.module]))
            plain += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]  # a name may be a module
        self.required = plain
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
            file = _file(name)
            return _Module(name, ast.parse(file.read_text(encoding="utf-8")), package=file.name == "__init__.py")
        except (OSError, SyntaxError, ValueError, ImportError):  # whoever builds from it reports the error
            return None

    def arguments(self, name: str) -> dict[str, Rule]:
        """Return the rules for a constructor's or function's arguments, or for the fields of a dataclass or TypedDict."""
        node = self.defined.get(name)
        if node is None:
            source, original = self._imported(name)
            return source.arguments(original) if source else {}
        methods = {item.name: item for item in getattr(node, "body", []) if isinstance(item, ast.FunctionDef)}
        function = node if isinstance(node, ast.FunctionDef) else methods.get("__init__")
        if function is not None:
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            declared = {argument.arg: self.rule(argument.annotation) for argument in arguments}
            return {key: rule for key, rule in declared.items() if rule}
        assert isinstance(node, ast.ClassDef)
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        inherited = {key: rule for base in reversed(bases) for key, rule in self.arguments(base).items()}
        fields = {
            item.target.id: self.rule(item.annotation)
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        return inherited | {key: rule for key, rule in fields.items() if rule}

    def definition(self, name: str) -> Definition | None:
        """See the module's function `definition`."""
        node = self.defined.get(name)
        if node is None:
            source, original = self._imported(name)
            return source.definition(original) if source else None
        if name in self.assigned:
            return None
        bases = node.bases if isinstance(node, ast.ClassDef) else []
        return Definition(node, tuple(self._full_name(ast.unparse(base)) for base in bases))

    def _full_name(self, name: str) -> str:
        head, dot, rest = name.partition(".")
        module, original = self.imported.get(head, ("", ""))
        return f"{self.name}.{name}" if head in self.defined else f"{module}.{original}{dot}{rest}" if module else name

    def constant(self, name: str, fact: str) -> object:
        """See the module's function `constant`."""
        node = self.defined.get(name)
        if isinstance(node, ast.FunctionDef):
            calls = [call for call in node.decorator_list if isinstance(call, ast.Call) and _name(call.func) == declares.__name__]
            return next((_literal(keyword.value) for call in calls for keyword in call.keywords if keyword.arg == fact), None)
        if node is None:
            source, original = self._imported(name)
            return source.constant(original, fact) if source else None
        for item in node.body:
            if isinstance(item, ast.Assign | ast.AnnAssign):
                targets = item.targets if isinstance(item, ast.Assign) else [item.target]
                if any(isinstance(target, ast.Name) and target.id == fact for target in targets):
                    return _literal(item.value)
        inherited = (self.constant(base.id, fact) for base in node.bases if isinstance(base, ast.Name))
        return next((value for value in inherited if value is not None), None)

    def requested_inputs(self, name: str, factory: bool) -> tuple[str, ...]:
        """See the module's function `requested_inputs`."""
        node = self.defined.get(name)
        if node is None:
            source, original = self._imported(name)
            return source.requested_inputs(original, factory) if source else ()
        if factory != isinstance(node, ast.ClassDef):
            return ()
        if isinstance(node, ast.FunctionDef):
            return tuple(argument.arg for argument in node.args.args)
        methods = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__call__"]
        inherited = [self.requested_inputs(base.id, factory) for base in node.bases if isinstance(base, ast.Name)]
        own = (tuple(argument.arg for argument in method.args.args[1:]) for method in methods)
        return next(own, next(filter(None, inherited), ()))

    def rule(self, node: ast.expr | None) -> Rule:
        """Return the rule that an annotation states."""
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
        """Return the rule of a name in an annotation."""
        if self.imported.get(name, ("",))[0] == ranges.__name__:
            annotated = getattr(ranges, name)
            return Rule(annotated.__origin__.__name__, annotated.__metadata__[0])
        if name in self.assigned and isinstance(self.assigned[name], ast.Subscript | ast.BinOp):
            return self.rule(self.assigned[name])
        node = self.defined.get(name)
        if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "TypedDict" for base in node.bases):
            return Rule(inside=self.arguments(name))
        source, original = (None, "") if node else self._imported(name)
        return source.named(original) if source else Rule()

    def _imported(self, name: str) -> tuple[_Module | None, str]:
        """Return the module that a name is imported from, and the name there. The module is None unless it belongs to csrgan or to
        this module's own package."""
        module, original = self.imported.get(name, ("", ""))
        own = module.partition(".")[0] in ("csrgan", self.name.partition(".")[0])
        return _Module.of(module) if own else None, original


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _literal(node: ast.expr | None) -> object:
    """Return the value of a literal; None for an expression that would have to be evaluated."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None
