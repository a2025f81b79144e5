"""Where choices come from beside csrgan's own conf/: packages of one's own, and folders that a command names.

A package is allowed by `CSRGAN_ALLOW=PACKAGE` in the environment, or by being installed with an entry point of the group `csrgan`,
such as `mine = "mine"`. What it defines may be named as a `_target_`, and its folder `conf`, where it has one, holds choices like
csrgan's own. So does a folder that is named by `--config-dir=FOLDER` or by `CSRGAN_CONF=FOLDER` in the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import invalidate_caches
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlparse

from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from csrgan.errors import require

ALLOW, CONF = "CSRGAN_ALLOW", "CSRGAN_CONF"  # in the environment: packages with commas, folders as in PATH
ENTRY_POINTS = "csrgan"
FLAG, KEY = "--config-dir=", "hydra.searchpath="


@cache
def _installed() -> tuple[str, ...]:
    return tuple(dict.fromkeys(point.module for point in entry_points(group=ENTRY_POINTS)))


def packages() -> tuple[str, ...]:
    """Packages of one's own that may be built from. One that lies in the current folder is found there, too."""
    named = [name.strip() for name in os.environ.get(ALLOW, "").split(",")]
    for name in filter(None, named):
        top, here = name.partition(".")[0], str(Path.cwd())
        if here not in sys.path and _spec(top) is None and (Path(here, top).is_dir() or Path(here, f"{top}.py").is_file()):
            invalidate_caches()
            sys.path.append(here)  # last, so that nothing there takes the place of another module
    return tuple(dict.fromkeys([*filter(None, named), *_installed()]))


def folders() -> list[Path]:
    """Folders with choices of one's own: of packages, then of the command."""
    found = [Path(place, "conf") for name in packages() if (spec := _spec(name)) for place in spec]
    found += [Path(folder) for folder in os.environ.get(CONF, "").split(os.pathsep) if folder]
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]


def _spec(name: str) -> Sequence[str] | None:
    """The folders of a package, none of a plain module; None where there is no such module."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return None if spec is None else list(spec.submodule_search_locations or ())


@contextmanager
def search_config_dirs(words: Sequence[str]) -> Iterator[list[str]]:
    """The words of a command without the folders of choices that they name, which are searched meanwhile, also by the jobs of a
    sweep. Raises UserError for a folder that is not there."""
    taken = {word: list(_named_by(word)) for word in words if word.startswith((FLAG, KEY))}
    found = [folder for each in taken.values() for folder in each]
    before = os.environ.get(CONF)
    from csrgan.config.old_names import OwnFiles  # which asks for the folders

    SourcesRegistry.instance().register(OwnFiles)
    Plugins.instance().register(OwnChoices)
    try:
        if found:
            os.environ[CONF] = os.pathsep.join([*map(str, found), *filter(None, [before])])
        yield [word for word in words if word not in taken]
    finally:
        if found:
            os.environ.pop(CONF) if before is None else os.environ.update({CONF: before})


def _named_by(word: str) -> Iterator[Path]:
    """The folders that a flag or an override of Hydra's search path names."""
    value = word.partition("=")[2]
    for place in [value] if word.startswith(FLAG) else value.strip("[]").split(","):
        text = place.strip().strip("'\"")
        if text.startswith("pkg://"):
            package = text.removeprefix("pkg://").replace("/", ".")
            found = [Path(each) for each in _spec(package) or ()]
        else:
            found = [Path(unquote(urlparse(text).path) if text.startswith("file://") else text).expanduser().absolute()]
        require(bool(text) and any(folder.is_dir() for folder in found), f"{word}: there is no folder {text}.")
        yield from found


def name_clashes(own: Path) -> Iterator[str]:
    """A sentence for each file of the user's that has the name of one in csrgan's own folder, which would be taken in its place."""
    for folder in folders():
        for file in sorted(folder.rglob("*.yaml")):
            place = file.relative_to(folder)
            if (own / place).is_file():
                yield f"{file} has the name of csrgan's own {place}, which would be taken in its place: give it another name."


class OwnChoices(SearchPathPlugin):
    """Hydra searches the folders, after csrgan's own."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for folder in folders():
            search_path.append("csrgan", f"csrgan://{folder}")  # see `OwnFiles`
