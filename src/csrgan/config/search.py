"""Sources of choices beside csrgan's own conf/: the user's packages, and folders that a command names.

A package is allowed if `CSRGAN_ALLOW=PACKAGE` is set in the environment, or if it is installed with an entry point of the group
`csrgan`, such as `mine = "mine"`. Then a `_target_` may name what it defines, and its folder `conf`, if it has one, adds choices.
So does a folder named by `--config-dir=FOLDER` or by `CSRGAN_CONF=FOLDER` in the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import invalidate_caches
from importlib.metadata import PackageNotFoundError, distribution, entry_points, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlparse

from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from csrgan.config.announced import ALLOW, CONF, ENTRY_POINTS, FLAG, allowed, installed, named
from csrgan.errors import meant, require

KEY = "hydra.searchpath="


def incomplete() -> Iterator[str]:
    """Yield a sentence for each package of choices that is announced and not found, or installed without its yaml files."""
    again = "and install it again (see docs/how_to/plug_ins.md)"
    for point in entry_points(group=ENTRY_POINTS):
        if _spec(point.module) is None:
            owner = f" of {point.dist.name}" if point.dist else ""
            line = f'{point.name} = "{point.value}"'
            yield (
                f"{point.module} announces itself as a package of choices, but cannot be found: correct {line} in the"
                f" [project.entry-points.{ENTRY_POINTS}] of the pyproject.toml{owner}, {again}."
            )
    for name in packages():
        found = _spec(name)
        if found and not any(Path(place, "conf").is_dir() for place in found) and is_installed(name) and _has_choices(name):
            yield (
                f"{name} has no folder conf where it is installed. If its project has one, its yaml files were not installed:"
                f" with setuptools, name them in [tool.setuptools.package-data], {again}."
            )


def _has_choices(name: str) -> bool:
    """Return whether an installed package says that it has choices: by an entry point, or by a folder conf among its files. One
    that is merely allowed needs none."""
    owners = () if name in installed() else packages_distributions().get(name, ())
    return name in installed() or any(
        file.parts[:2] == (name, "conf") for owner in owners for file in distribution(owner).files or ()
    )


def packages() -> tuple[str, ...]:
    """Return the user's packages that a configuration may build from. A package in the current folder is found too, and one in a
    project there that `csrgan new` wrote."""
    for name in (given := allowed()):
        if folder := _uninstalled(name.partition(".")[0]):
            invalidate_caches()
            sys.path.append(folder)  # last, so that nothing there shadows another module
    return tuple(dict.fromkeys([*given, *installed()]))


def unknown_packages() -> Iterator[str]:
    """Yield a sentence for each package named in the environment that does not exist."""
    packages()
    for name in allowed():
        if _spec(name) is None:
            near = get_close_matches(name, {*installed(), *_in_current_folder()}, n=1, cutoff=0.6)
            yield f"{ALLOW}={name}: {no_package(name)}.{f' Did you mean {near[0]}?' if near else ''}"


def no_package(name: str) -> str:
    return f"there is no package {name}, neither installed nor in the current folder"


def _in_current_folder() -> Iterator[str]:
    """Yield the names of the packages in the current folder, and of those in a project there that `csrgan new` wrote."""
    found = (path.parts for inside in ("__init__.py", "*/__init__.py", "conf", "*/conf") for path in Path().glob(f"*/{inside}"))
    yield from (parts[0] for parts in found if parts[0] == parts[-2])


def _uninstalled(top: str) -> str | None:
    """Return the folder that must be searched to find a package that is not installed; None if it is found already, or nowhere."""
    if is_importable(top):
        return None
    project, current = Path.cwd() / top, Path.cwd()
    # A package needs no __init__.py: then its folder conf tells which of the two it is.
    nested = (project / top / "conf").is_dir() and not (project / "conf").is_dir()
    folder = project if nested or (project / top / "__init__.py").is_file() else current
    exists = (folder / top).is_dir() or (folder / f"{top}.py").is_file()
    return str(folder) if exists and str(folder) not in sys.path else None


def places(name: str) -> list[Path]:
    """Return the folders that a package has, or would have if it were allowed here; none if there is no such package."""
    folder = _uninstalled(name) if name.isidentifier() else None
    found = [Path(folder, name)] if folder else map(Path, _spec(name) or ())
    return [place.absolute() for place in found]


def exists(name: str) -> bool:
    """Return whether there is a package or module of this name, installed or in the current folder."""
    return is_importable(name) or bool(places(name))


def is_installed(name: str) -> bool:
    """Return whether a package was installed. In the current folder it may be found without."""
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        near, found = (Path.cwd(), Path.cwd() / name), places(name)
        return bool(found) and not any(place.parent in near for place in found)


def folders() -> list[Path]:
    """Return the folders with the user's choices: those of packages, then those of the command."""
    paths = [Path(place, "conf") for name in packages() if (spec := _spec(name)) for place in spec]
    return [folder for folder in dict.fromkeys([*paths, *named()]) if folder.is_dir()]


def sources() -> list[Path]:
    """Return the folders, and the files of single modules, that hold the user's own code."""
    found = {name: _spec(name) for name in packages()}
    modules = (find_spec(name) for name, places in found.items() if places == [])
    files = [spec.origin for spec in modules if spec and spec.origin]
    return [Path(place) for places in found.values() for place in places or ()] + [Path(file) for file in files]


def is_importable(name: str) -> bool:
    """Return whether Python finds a module or a package of this name; a mere folder is neither."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return name in sys.modules
    return spec is not None and spec.origin is not None


def _spec(name: str) -> Sequence[str] | None:
    """Return the folders of a package, an empty list for a plain module; None if there is no such module."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return None if spec is None else list(spec.submodule_search_locations or ())


@contextmanager
def search_config_dirs(words: Sequence[str]) -> Iterator[list[str]]:
    """Let Hydra search the folders of choices that a command's words name, here and in the jobs of a sweep, while the block runs.

    Yields the other words. Raises UserError for a folder that does not exist.
    """
    named = {word: list(_folders_of(word)) for word in words if word.startswith((FLAG, KEY))}
    extra = [folder for each in named.values() for folder in each]
    before = os.environ.get(CONF)
    from csrgan.config.old_names import OwnFiles  # it imports this module

    SourcesRegistry.instance().register(OwnFiles)
    Plugins.instance().register(OwnChoices)
    try:
        if extra:
            os.environ[CONF] = os.pathsep.join([*map(str, extra), *filter(None, [before])])
        yield [word for word in words if word not in named]
    finally:
        if extra:
            os.environ.pop(CONF) if before is None else os.environ.update({CONF: before})


def _folders_of(word: str) -> Iterator[Path]:
    """Yield the folders that a flag or an override of Hydra's search path names."""
    value = word.partition("=")[2]
    for member in [value] if word.startswith(FLAG) else value.strip("[]").split(","):
        text = member.strip().strip("'\"")
        if text.startswith("pkg://"):
            package = text.removeprefix("pkg://").replace("/", ".")
            paths = [Path(folder) for folder in _spec(package) or ()]
        else:
            paths = [Path(unquote(urlparse(text).path) if text.startswith("file://") else text).expanduser().absolute()]
        require(bool(text) and any(folder.is_dir() for folder in paths), f"{word}: there is no folder {text}.{meant(Path(text))}")
        yield from paths


def name_clashes(own: Path) -> Iterator[str]:
    """Yield a sentence for each of the user's files that is hidden by a file of the same name in csrgan's folder `own`."""
    for folder in folders():
        for file in sorted(folder.rglob("*.yaml")):
            name = file.relative_to(folder)
            if (own / name).is_file():
                yield f"{file} has the name of csrgan's own {name}, which would be taken in its place: give it another name."


class OwnChoices(SearchPathPlugin):
    """Add the user's folders to Hydra's search path, after csrgan's own."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for folder in folders():
            search_path.append("csrgan", f"csrgan://{folder}")  # see `OwnFiles`
