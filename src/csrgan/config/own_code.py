"""Errors in the user's own code: what failed, and in which of the user's files and lines, as one sentence.

An error is the user's if the innermost frame in csrgan or in a package of the user's is the user's, or if a function of the user's
rejects a call. Any other is a fault in csrgan, and stays a traceback. `CSRGAN_TRACEBACK=1` in the environment shows the traceback
of either.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from csrgan.config import announced, search
from csrgan.config.folder import groups, settings
from csrgan.config.paths import with_decoded_paths
from csrgan.declared import imported_modules
from csrgan.declared.source import source_file
from csrgan.errors import RunStopped, UserError, memory_ran_out
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, LAST
from csrgan.tree import Settings

TRACEBACK = "CSRGAN_TRACEBACK"
OWN = Path(__file__).parents[1]  # csrgan's code
LONGEST = 400  # characters of an error's own message

# Frames that an error holds as text: of a process that reads pictures, or of what torch compiles.
AS_TEXT = ("Original Traceback", "from user code")
# What Python says when a function does not take the arguments of a call: no frame of it exists yet.
SIGNATURE = re.compile(r"(?P<name>[\w.]+)\(\) (takes|missing|got (an unexpected|multiple|some positional)) ")
FRAME = re.compile(r'^ *File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)


class Place(NamedTuple):
    """A line of the user's code. names: full names of the functions and classes around it, and around what called it."""

    file: Path
    line: int
    names: tuple[str, ...]


def wants_traceback() -> bool:
    return os.environ.get(TRACEBACK, "0") not in ("", "0")


def failure(error: Exception, tree: Settings) -> UserError | None:
    """Return the sentence for an error that the user's own code raised; None for any other.

    tree: the configuration with unresolved interpolations, by which what failed is named. Metrics are no part of it.
    """
    place = _raised_at(error)
    if place is None:
        return None
    metrics = {file.stem: settings(file) for file in dict(groups()).get("metric", [])}
    named = (key for full_name in place.names for key in _keys(tree | {"metric": metrics}, full_name))
    name = next(named, place.names[0])
    given = _settings(tree | {"metric": metrics}, place.names) if isinstance(error, TypeError | ValueError) else ""
    folder = Path(with_decoded_paths(str(tree.get("run_dir", ""))))
    saved = (folder / CHECKPOINTS / LAST).is_file()
    goes_on = announced.command("train", f"resume={relative(folder)}")
    kept = f" What was saved before is whole: {goes_on} goes on with it." if saved else ""
    return UserError(f"{name} {said(error, place)}{given}.{kept} {TRACEBACK}=1 in the environment shows the whole traceback.")


def _settings(tree: object, names: Sequence[str]) -> str:
    """Return the settings with which a configuration calls the function that failed, if one is a text: a number may be meant."""
    for node in _nodes(tree):
        function = {key: value for key, value in node.items() if key not in ("_target_", "_partial_")}
        texts = any(isinstance(value, str) for value in function.values())
        if node.get("_partial_") and texts and node["_target_"] in names:
            return f" (its settings: {', '.join(f'{key}={value}' for key, value in function.items())})"
    return ""


def _nodes(tree: object) -> Iterator[Settings]:
    """Yield each node that names a class or function."""
    if isinstance(tree, dict):
        if isinstance(tree.get("_target_"), str):
            yield tree
        for value in tree.values():
            yield from _nodes(value)


def at_construction(error: Exception, name: str, target: str) -> UserError | None:
    """Return the sentence for an error that the user's own code raised when `target` was to be built at a key; None for another."""
    place = _raised_at(error)
    return UserError(f"{name} cannot be built: {target} {said(error, place)}.".lstrip()) if place else None


def syntax_error(target: str) -> str | None:
    """Return what is said of a file of the user's that an import of a class or function would read and Python cannot; None without
    one. Nothing is imported."""
    own = tuple(package.partition(".")[0] for package in search.packages())
    return _syntax_error(target, own) if target.partition(".")[0] in own else None


@cache
def _syntax_error(target: str, own: tuple[str, ...]) -> str | None:
    files = filter(None, map(source_file, imported_modules(target, own)))
    for file in dict.fromkeys(file for file in files if file.suffix == ".py"):
        try:
            with warnings.catch_warnings(action="ignore"):  # the import gives them
                compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:  # a ValueError has no line
            return said(error, Place(file, getattr(error, "lineno", None) or 1, ()))
    return None


def said(error: Exception, place: Place) -> str:
    """Return what is said of the code at a place that raised an error: "failed in FILE:LINE: TypeError: ..."."""
    text = str(error).strip()
    if AS_TEXT[0] in text:  # its last line is the message of the error in the other process
        message = text.split("\n")[-1]
    elif isinstance(error, SyntaxError):
        message = f"{type(error).__name__}: {error.msg}"
    else:
        message = f"{type(error).__name__}: {text.split(AS_TEXT[1])[0]}"
    message = " ".join(message.split()).rstrip(".: ")
    return f"failed in {relative(place.file)}:{place.line}: {message if len(message) <= LONGEST else f'{message[:LONGEST]}...'}"


def raised_at(error: Exception) -> str | None:
    """Return what is said of the user's own code that raised an error; None for any other error."""
    place = _raised_at(error)
    return said(error, place) if place else None


def _raised_at(error: Exception) -> Place | None:
    """Return the innermost line of the user's code, if no line of csrgan's lies within."""
    if isinstance(error, UserError | RunStopped | BrokenPipeError) or memory_ran_out(error):
        return None
    folders, frames = search.sources(), list(_frames(error))
    ours = [index for index, (file, _, _) in enumerate(frames) if file.is_relative_to(OWN)]
    theirs = [index for index, (file, _, _) in enumerate(frames) if any(file.is_relative_to(folder) for folder in folders)]
    if not theirs or (ours and ours[-1] > theirs[-1]):
        return _called(error, folders)
    file, line, _ = frames[theirs[-1]]
    names = tuple(dict.fromkeys(name for index in reversed(theirs) for name in frames[index][2]))
    return Place(file, line, names or (_module(file),))


def _called(error: Exception, folders: Sequence[Path]) -> Place | None:
    """Return where the user's function begins that does not take the arguments of a call; None if it is not about one."""
    found = SIGNATURE.match(str(error)) if isinstance(error, TypeError) else None
    if found is None:
        return None
    for name, module in list(sys.modules.items()):
        if any(Path(getattr(module, "__file__", None) or "/").is_relative_to(folder) for folder in folders):
            with suppress(AttributeError):
                function = inspect.unwrap(attrgetter(found["name"])(module))
                if function.__module__ == name:
                    code = function.__code__
                    return Place(Path(code.co_filename), code.co_firstlineno, (f"{name}.{found['name']}",))
    return None


def _frames(error: Exception) -> Iterator[tuple[Path, int, tuple[str, ...]]]:
    """Yield file, line and names of each frame, the innermost last."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield Path(frame.f_code.co_filename), line, _names(frame)
    if isinstance(error, SyntaxError) and error.filename:
        yield Path(error.filename), error.lineno or 1, ()
    elif any(sign in str(error) for sign in AS_TEXT):
        yield from ((Path(match["file"]), int(match["line"]), ()) for match in FRAME.finditer(str(error)))


def _names(frame: FrameType) -> tuple[str, ...]:
    """Return the full names of the function that a frame runs, and of the class of its object."""
    module, code = str(frame.f_globals.get("__name__")), frame.f_code
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    kind = type(first)
    method = first is not None and hasattr(kind, code.co_name)
    function = module if code.co_name == "<module>" else f"{module}.{code.co_qualname}"
    return (*([f"{kind.__module__}.{kind.__qualname__}"] if method else []), function)


def _keys(tree: object, full_name: str, place: str = "") -> Iterator[str]:
    """Yield the key of each node that builds a class or function, or what encloses one; of a loss or metric, the whole one's."""
    if not isinstance(tree, dict):
        return
    target = tree.get("_target_")
    if isinstance(target, str) and f"{full_name}.".startswith((f"{target}.", f"{_defined_as(target)}.")):
        yield re.sub(r"^((loss|metric)\.\w+)\..*", r"\1", place)
    for key, value in tree.items():
        yield from _keys(value, full_name, f"{place}.{key}".lstrip("."))


def _defined_as(target: str) -> str:
    """Return the full name of a target where it is defined: a package may give another module's functions on."""
    module, _, name = target.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    return f"{found.__module__}.{found.__qualname__}" if found is not None and hasattr(found, "__qualname__") else target


def _module(file: Path) -> str:
    """Return the name of the module in a file, as far as its packages tell."""
    parts = [] if file.stem == "__init__" else [file.stem]
    for folder in file.parents:
        if not (folder / "__init__.py").is_file():
            break
        parts.insert(0, folder.name)
    return ".".join(parts)
