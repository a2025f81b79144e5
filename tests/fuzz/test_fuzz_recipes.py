"""Checkpoints and kept batches that name everything there is in csrgan: nothing of theirs writes, removes or fetches."""

from __future__ import annotations

import copy
import http.server
import importlib
import inspect
import pkgutil
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import checkpoints
import pytest
from fuzzing import counts
from measured import tell

import csrgan
from csrgan.api.loading import trained
from csrgan.cli.replay import _system
from csrgan.errors import UserError

HELD = ("holiday.jpg", "pictures/holiday/IMG_1.webp", "data/a.png", "index.json")


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, and what it was asked for."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle(self) -> None:
            seen.append(self.rfile.readline().decode("latin-1"))

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/a.zip", seen
    server.shutdown()


def names() -> list[str]:
    """Every class, function and method of csrgan, and, by one path each, all that its modules have imported from elsewhere."""
    found: dict[Any, str] = {}
    for module in pkgutil.walk_packages(csrgan.__path__, "csrgan."):
        if module.name == "csrgan.__main__":
            continue
        try:
            here = importlib.import_module(module.name)
        except ModuleNotFoundError as missing:  # of an extra that is not installed: no checkpoint can reach it either
            assert str(missing.name).partition(".")[0] != "csrgan", missing
            continue
        for name, value in vars(here).items():
            if inspect.isclass(value) or inspect.isroutine(value):
                found.setdefault((id(value), str(getattr(value, "__module__", "")).partition(".")[0]), f"{module.name}.{name}")
            if inspect.isclass(value) and value.__module__ == module.name:
                found |= {
                    (name, inner): f"{module.name}.{name}.{inner}" for inner, held in vars(value).items() if inspect.isroutine(held)
                }
    return sorted(found.values())


def filled(name: str, folder: Path, url: str) -> dict[str, Any]:
    """A node that gives a target all that it asks for: the folder, the URL or a small number, by the names of its arguments."""
    node: dict[str, Any] = {"_target_": name}
    try:
        found: Any = importlib.import_module("pkgutil").resolve_name(name)
        parameters = inspect.signature(found).parameters.values()
    except (AttributeError, ImportError, TypeError, ValueError):
        return node
    for one in parameters:
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.name not in ("self", "cls"):
            where = url if one.name in ("url", "source", "named") else str(folder)
            number = {"int": 1, "float": 0.001, "bool": False}.get(str(one.annotation))
            node[one.name] = where if number is None else number
    return node


PLACES = ("system", "evil", "condition", "kernel", "function", "list")


def nested(node: dict[str, Any], place: str, recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe with the node as the system, beside its parts, in place of one of them, or in the degradation."""
    changed = copy.deepcopy(recipe)
    system = changed["system"]
    if place == "system":
        changed["system"] = node
    elif place == "evil":
        system["evil"] = node
    elif place == "condition":
        system["generator"]["condition"] = node
    elif place == "kernel":
        changed["degradation"]["kernel"] = system["degradation"]["kernel"] = node
    elif place == "function":
        system["losses"]["image"]["function"] = node
    else:
        system["losses"]["image"] = {"_target_": "csrgan.losses.objective.Term", "function": [node], "weight": 1.0}
    return changed


def as_checkpoint(file: Path, recipe: dict[str, Any]) -> None:
    trained(str(checkpoints.save(file, recipe)), "cpu")


def as_batch(file: Path, recipe: dict[str, Any]) -> None:
    _system({"recipe": recipe, "state_dict": checkpoints.held()["state_dict"], "images_seen": 0}, f"file={file}")


def state(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@counts(1, 1000)
def test_no_recipe_writes_removes_or_fetches(
    count: int, asked: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every name in one place, or in all of them, called or handed on, by the ways of restore and of replay to a system."""
    url, seen = asked
    victim, home = tmp_path / "victim", tmp_path / "home"
    home.mkdir()
    for name in HELD:
        (victim / name).parent.mkdir(parents=True, exist_ok=True)
        (victim / name).write_bytes(b"of the user")
    monkeypatch.chdir(victim)
    for variable in ("HOME", "XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.setenv(variable, str(home))
    file, recipe, known = tmp_path / "a.ckpt", checkpoints.recipe(), names()
    before = state(tmp_path)
    forms, ways = list(product(PLACES, ({}, {"_partial_": True}))), (as_checkpoint, *[as_batch] * 7)  # a file takes longer
    everything = list(product(forms, ways[:2]))
    tried = refused = 0
    assert len(known) > 600
    for index, name in enumerate(known):
        node = filled(name, victim, url)
        cases = everything if count > 1 else [(forms[index % len(forms)], ways[index % len(ways)])]
        for (place, handed), build in cases:
            tried += 1
            try:
                build(file, nested(node | handed, place, recipe))
            except UserError:
                refused += 1
    file.unlink(missing_ok=True)
    assert state(tmp_path) == before
    assert not seen
    assert refused > 0.9 * tried
    if count > 1:
        tell(f"files that name each of {len(known)} classes and functions of csrgan: {tried} inputs")
