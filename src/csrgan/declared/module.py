"""The source of a module, read without importing it."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from csrgan import ranges
from csrgan.declared.rule import Rule
from csrgan.declared.source import find

DECORATOR = "declares"  # of functions that state facts, see `csrgan.declared`


class Definition(NamedTuple):
    """The source of a class or function. bases: full names of a class's bases, as far as the imports tell."""

    node: ast.ClassDef | ast.FunctionDef
    bases: tuple[str, ...]


class Module:
    """The source of a module, and what the classes and functions in it declare."""

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
    def of(name: str) -> Module | None:
        try:
            file = find(name)
            return Module(name, ast.parse(file.read_text(encoding="utf-8")), package=file.name == "__init__.py")
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
            calls = [call for call in node.decorator_list if isinstance(call, ast.Call) and _name(call.func) == DECORATOR]
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

    def _imported(self, name: str) -> tuple[Module | None, str]:
        """Return the module that a name is imported from, and the name there. The module is None unless it belongs to csrgan or to
        this module's own package."""
        module, original = self.imported.get(name, ("", ""))
        own = module.partition(".")[0] in ("csrgan", self.name.partition(".")[0])
        return Module.of(module) if own else None, original


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _literal(node: ast.expr | None) -> object:
    """Return the value of a literal; None for an expression that would have to be evaluated."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None
