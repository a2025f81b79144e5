"""Archives, indices of shards and checkpoints that something has damaged: what comes out of them is whole, or they are refused."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import checkpoints
import pytest
from fuzzing import CHANGES, FILES, changed, counts, hold
from hypothesis import strategies as st
from omegaconf import OmegaConf
from rich.console import Console

from csrgan.config import messages
from csrgan.data import picture, shards
from csrgan.data.archive import unpack
from csrgan.data.shards import Sharded
from csrgan.errors import UserError
from csrgan.workflow.trained import chosen

QUIET = Console(quiet=True)
MEMBERS = {f"IN/{name}": FILES[name] for name in ("a.png", "a.jpg", "a.bmp")}


def archived(names: list[str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as held:
        for index, (name, data) in enumerate(MEMBERS.items()):
            held.writestr(name, data, compress_type=(zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)[index])
        for name in names:
            member = zipfile.ZipInfo("IN/replaced")
            member.filename = member.orig_filename = name
            held.writestr(member, b"x")
    return stream.getvalue()


PARTS = st.sampled_from(["IN", "..", ".", "", "a", "a.png", "\\", "C:", "\0", "x" * 300, " ", "~", "é", "IN\\.."])


@counts(30, 1000)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_archive_writes_outside_its_folder(count: int, tmp_path: Path) -> None:
    place = tmp_path / "deep" / "er"

    def law(names: list[list[str]], changes: list[tuple[str, float, bytes]]) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        file = place / "a.zip"
        file.write_bytes(changed(archived(["/".join(parts) for parts in names]), changes))
        try:
            unpack(file, place / "out", "IN", QUIET)
        except (UserError, OSError) as reason:  # what the disk says is told by whoever fetches the archive
            assert isinstance(reason, UserError) or reason.strerror
            assert not (place / "out").exists()
        assert {path.name for path in place.iterdir()} <= {"a.zip", "out", "out.part"}
        assert [path.name for path in tmp_path.iterdir()] == ["deep"]
        assert [path.name for path in (tmp_path / "deep").iterdir()] == ["er"]
        for path in place.rglob("*"):
            assert not path.is_symlink()

    names = st.lists(st.lists(PARTS, max_size=4), max_size=2)
    hold("damaged archive", count, law, names=names, changes=st.just([]) | CHANGES)


ODD = (
    st.none()
    | st.integers()
    | st.sampled_from([2**30, 2**35, 2**63 - 33, 2**63])  # more than can be read
    | st.floats()
    | st.text(max_size=6)
    | st.lists(st.integers(), max_size=3)
    | st.sampled_from(["../0.tar"])
)


@counts(30, 1000)
def test_a_damaged_index_of_shards_is_refused_or_harmless(count: int, tmp_path: Path) -> None:
    rows: list[list[Any]] = []
    for name in ("a.png", "grey.png", "turned.jpg"):
        found = picture.decode(FILES[name], name).pixels
        rows.append([name, sum(len(FILES[row[0]]) for row in rows), len(FILES[name]), *found.shape[:2]])
    (tmp_path / "0.tar").write_bytes(b"".join(FILES[row[0]] for row in rows))
    good = json.dumps({"format": shards.FORMAT, "shards": [{"file": "0.tar", "pictures": rows}]})

    def law(changes: list[tuple[str, float, bytes]], which: int, column: int, odd: Any, kind: int) -> None:
        held = json.loads(good)
        if kind == 1:
            held["shards"][0]["pictures"][which][column] = odd
        elif kind == 2:
            held["shards"][0][("file", "pictures")[which % 2]] = odd
        (tmp_path / shards.INDEX).write_bytes(json.dumps(held).encode() if kind else changed(good.encode(), changes))
        try:
            found = Sharded(str(tmp_path))
            for index, (height, width) in enumerate(found.sizes):
                assert found.pixels(index).shape == (height, width, 3)
        except UserError as fault:
            assert str(fault)

    drawn = {"which": st.integers(0, 2), "column": st.integers(0, 4), "kind": st.integers(0, 2)}
    hold("damaged index of shards", count, law, changes=CHANGES, odd=ODD, **drawn)


@counts(10, 500)
def test_a_damaged_checkpoint_is_refused_or_has_the_same_weights(count: int, tmp_path: Path) -> None:
    file = tmp_path / "a.ckpt"
    whole = checkpoints.save(file).read_bytes()
    expected = checkpoints.held()["state_dict"]

    def law(changes: list[tuple[str, float, bytes]], last: float) -> None:
        data = changed(whole, changes)
        head = int(last * 40_000)  # the pickle lies at the head
        file.write_bytes(data[:head] + changed(data[head : head + 3000], changes) + data[head + 3000 :])
        try:
            system, _ = chosen(OmegaConf.create({"device": "cpu"}), str(file))
        except UserError as fault:
            assert str(fault)
            return
        assert set(system.state_dict()) == set(expected)

    hold("damaged checkpoint", count, law, changes=CHANGES, last=st.floats(0, 1))


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 70) | st.floats() | st.sampled_from(["cpu", "${seed}", "clamp", "\udcff", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["_target_", "_args_", "_partial_", "_recursive_", "width", "blur", "x"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
TARGETS = [
    "os.system",
    "csrgan.networks.unet.UNet",
    "csrgan.data",
    "csrgan.losses.image.l1",
    "torch.nn.Linear",
    "",
    ".",
    "a..b",
    3,
    None,
]


@counts(12, 300)
def test_a_recipe_makes_a_system_or_is_refused(count: int, tmp_path: Path) -> None:
    """Whatever value any of its keys has."""

    def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if not isinstance(tree, dict):
            return [path]
        return [path, *(found for key, inner in tree.items() for found in places(inner, (*path, key)))]

    system = {"system": checkpoints.recipe()["system"]}
    known = [path for path in places(system) if path]
    targets = [path for path in known if path[-1] == "_target_"]

    def law(path: tuple[Any, ...], value: Any) -> None:
        recipe = checkpoints.recipe()
        here: Any = recipe
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = value
        file = checkpoints.save(tmp_path / "a.ckpt", recipe)
        try:
            chosen(OmegaConf.create({"device": "cpu"}), str(file))
        except Exception as reason:
            assert messages.user_message(reason), reason

    free = st.tuples(st.sampled_from(known), TREES)
    aimed = st.tuples(st.sampled_from(targets), st.sampled_from(TARGETS))
    hold("odd recipe of a checkpoint", count, lambda both: law(*both), both=free | aimed)
