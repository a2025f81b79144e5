"""Where the source of a module lies, found without importing anything."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path


def find(name: str) -> Path:
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
        return find(module) if module else None
    except (ImportError, ValueError):
        return None


def _spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    finders = (finder for finder in sys.meta_path if hasattr(finder, "find_spec"))
    try:
        return next(filter(None, (finder.find_spec(name, path) for finder in finders)), None)
    except KeyError:  # a folder without an __init__.py, in a package that is not imported
        return None
