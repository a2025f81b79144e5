"""Which module or name a `_target_` lacks, read from the sources: nothing is imported, so it is told at once."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from functools import cache

from csrgan.config import search
from csrgan.declared.source import source_file
from csrgan.errors import UserError

# A module that uses one of these may define names that its source does not show.
DYNAMIC = {"__getattr__", "globals", "vars", "exec", "eval", "setattr", "modules"}

LARGE = ("torch", "lightning")  # packages that are not searched for a name


@cache
def absence(target: str) -> str | None:
    """Return a sentence about the module or name that a full name lacks; None if it lacks none, or the sources do not tell."""
    parts = target.split(".")
    known = [".".join(parts[:length]) for length in range(1, len(parts) + 1) if source_file(".".join(parts[:length]))]
    if not known:
        return None
    module = known[-1]
    rest = parts[module.count(".") + 1 :]
    names = _names(module)
    if names is None or (rest and rest[0] in names):
        return None
    file = source_file(module)
    gives = file is not None and file.name == "__init__.py"  # a package gives on what its modules define
    own = sorted(name for name, here in names.items() if (here or gives) and not name.startswith("_"))
    if not rest:
        return (
            f"{target} is a module: name a class or function in it, such as {target}.{own[0]}." if own else f"{target} is a module."
        )
    if len(rest) > 1:
        return str(UserError.unknown(f"the package {module}", f"module {rest[0]}", _modules(module))) + _elsewhere(module, rest)
    return str(UserError.unknown(module, rest[0], own)) + _elsewhere(module, rest)


def _elsewhere(module: str, rest: list[str]) -> str:
    """Return where else in the package a name is."""
    top = module.partition(".")[0]
    if top in LARGE:
        return ""
    modules = [f"{top}.{name}" for name in _modules(top)]
    found = [each for each in modules if each != module and (_names(each) or {}).get(rest[-1])]
    return f" There is {' and '.join(f'{each}.{rest[-1]}' for each in found)}." if found else ""


@cache
def _names(module: str) -> dict[str, bool] | None:
    """Return the names that a module has, and whether it defines a class or function of this name; None if its source does not
    tell."""
    file = source_file(module)
    try:
        tree = ast.parse(file.read_text(encoding="utf-8")) if file else None
    except (OSError, ValueError, SyntaxError):
        return None
    if tree is None or any(_word(node) in DYNAMIC for node in ast.walk(tree)):
        return None
    names: dict[str, bool] = {}
    for node in _outside_functions(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            others = _names(_origin(module, node, package=file is not None and file.name == "__init__.py"))
            if others is None:
                return None
            names |= dict.fromkeys(others, False) | names
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name.partition(".")[0]): False for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[node.name] = True
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(node.id, False)
    return names


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.FunctionDef):
        return node.name
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _outside_functions(child)


def _origin(module: str, node: ast.ImportFrom, *, package: bool) -> str:
    """Return the full name of the module that an import names."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    above = parts[: len(parts) - node.level + (1 if package else 0)]
    return ".".join([*above, *filter(None, [node.module])])


def _modules(package: str) -> list[str]:
    """Return the names of the modules in a package."""
    file = source_file(package)
    if file is None or file.name != "__init__.py":
        return []
    inner = [path for path in file.parent.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return sorted(path.stem for path in inner if path.stem.isidentifier() and not path.stem.startswith("__"))


def misspelt(target: str, packages: Collection[str], known: Collection[str]) -> str | None:
    """Return what is probably meant by a full name in no allowed package; None where it may well be a package that is not allowed.

    packages: that are allowed. known: full names that csrgan's own yaml files use.
    """
    top, _, rest = target.partition(".")
    tops = {name.partition(".")[0] for name in packages}
    if top in tops:
        return next(iter(get_close_matches(target, known, n=1, cutoff=0.8)), None)
    if search.exists(top):
        return None
    near = get_close_matches(top, tops, n=1, cutoff=0.6)
    return f"{near[0]}.{rest}" if near and rest else None
