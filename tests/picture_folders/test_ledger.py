"""What csrgan knows of a folder: whenever a process ends, the next one goes on, and nothing of the user's is lost."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import torch
from folders import NAMES, rows, save, tree
from forked import Commands
from PIL import Image

from csrgan.cli import main
from csrgan.data.search import find_pictures
from csrgan.files import exclusive_lock

# Where a process ends, as Python to run in it first; `at` numbers the pictures from 1.
AT = """
import signal
def end(number, at, seen=[0]):
    seen[0] += 1
    if seen[0] == at:
        os.kill(os.getpid(), number)
"""


IN_NETWORK = """
from csrgan.restorers.learned import LearnedRestorer
def restore(*all, plain=LearnedRestorer.restore):
    end({number}, 3)
    return plain(*all)
LearnedRestorer.restore = restore
"""


BEFORE_RENAME = """
from csrgan import files
def commit(part, file, plain=files.commit):
    if file.suffix in (".png", ".jpg"):
        end({number}, 3)
    plain(part, file)
files.commit = commit
"""


BEFORE_ROW = """
from csrgan import files
def commit(part, file, plain=files.commit):
    plain(part, file)
    if file.suffix in (".png", ".jpg"):
        end({number}, 3)
files.commit = commit
"""


IN_PICTURE = """
from pathlib import Path
from csrgan.config.build import build
from csrgan.data import picture
from csrgan.errors import UserError
from csrgan.files import exclusive_lock
def write(path, *all, plain=picture.write, **more):
    Path(path.parent / ".01234567.part.png").write_bytes(b"half")
    end({number}, 3)
    plain(path, *all, **more)
picture.write = write
"""


ENDS = [
    (signal.SIGKILL, IN_NETWORK, 2),
    (signal.SIGKILL, BEFORE_RENAME, 2),
    (signal.SIGKILL, BEFORE_ROW, 3),
    (signal.SIGKILL, IN_PICTURE, 2),
    (signal.SIGTERM, IN_NETWORK, 2),
    (signal.SIGINT, BEFORE_RENAME, 3),
]


@pytest.fixture(scope="module")
def expected(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run leaves that nothing stops."""
    folder = tmp_path_factory.mktemp("expected")
    for index, name in enumerate(NAMES):
        save(folder / "photos" / name, index)
    assert main(["restore", f"checkpoint={checkpoint}", f"source={folder}/photos", f"destination={folder}/out"]) == 0
    return tree(folder / "out")


@pytest.mark.parametrize(("number", "where", "done"), ENDS)
def test_a_folder_goes_on_where_it_was_stopped_or_killed(
    number: int,
    where: str,
    done: int,
    server: Commands,
    restoring: list[str],
    expected: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, said = server.run(*restoring, before=AT + where.format(number=int(number)))
    killed = number == signal.SIGKILL
    assert status == (-9 if killed else 128 + number)
    if not killed:
        assert f"stopped: {done} of 5 pictures are restored in {tmp_path}/out; the same command continues." in said
    if number != signal.SIGKILL or where != BEFORE_ROW:
        assert [row["file"] for row in rows(tmp_path / "out")] == [*NAMES[:done]]
    assert not {file.name for file in find_pictures(tmp_path / "out").files} - {"a.png", "b.png", "c.jpg"}
    if killed:  # the disk keeps half of what was written last
        for name in (".csrgan/record.jsonl", "parameters.csv"):
            with (tmp_path / "out" / name).open("ab") as stream:
                stream.write(b'{"files": {"c' if name.endswith("l") else b"c.jpg,0.1")
    assert main(restoring) == 0
    assert f"{done} of 5 pictures were restored before and stay as they are" in capsys.readouterr().out
    assert tree(tmp_path / "out") == expected
    assert {file.name for file in (tmp_path / "out" / ".csrgan").iterdir()} <= {"record.jsonl", ".lock"}


def test_a_full_disk_ends_the_run_and_it_goes_on_when_there_is_room(
    server: Commands, restoring: list[str], expected: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Writing is refused as a full disk refuses it, from the third picture on."""
    full = """
import errno
from csrgan.config.build import build
from csrgan.data import picture
from csrgan.errors import UserError
from csrgan.files import exclusive_lock
def write(path, image, plain=picture.write, seen=[0], **more):
    seen[0] += 1
    if seen[0] == 3:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
    plain(path, image, **more)
picture.write = write
"""
    status, said = server.run(*restoring, before=full)
    assert status == 2
    assert "out: the disk is full. 2 of 5 pictures are restored; make room, and the same command continues." in said
    assert main(restoring) == 0
    assert tree(tmp_path / "out") == expected


def test_what_is_done_is_not_done_again_unless_something_differs(
    restoring: list[str], photos: Path, tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def again(*more: str) -> tuple[str, set[str]]:
        before = {file: file.stat().st_ino for file in (tmp_path / "out").rglob("*.*g")}
        assert main([*restoring, *more]) == 0
        return capsys.readouterr().out, {
            file.name for file, node in before.items() if file.is_file() and file.stat().st_ino != node
        }

    again()
    told, changed = again()
    assert "5 of 5 pictures were restored before and stay as they are" in told
    assert not changed
    save(photos / "b.png", 8)
    assert again()[1] == {"b.png"}
    (tmp_path / "out" / "a.png").unlink()
    assert "4 of 5 pictures" in again()[0]
    content = torch.load(checkpoint, weights_only=True)
    other = {name: weight + 1e-3 if weight.is_floating_point() else weight for name, weight in content["state_dict"].items()}
    torch.save(content | {"state_dict": other}, tmp_path / "other.ckpt")
    told, changed = again(f"checkpoint={tmp_path}/other.ckpt")
    assert "before" not in told
    assert changed == {Path(name).name for name in NAMES}


def test_only_what_csrgan_wrote_and_nobody_changed_is_replaced(
    restoring: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By another enlargement, silently; but neither a picture that the user has changed, nor a table."""
    out = tmp_path / "out"
    assert main(restoring) == 0
    assert main([*restoring, "enlarge=2"]) == 0
    assert Image.open(out / "a.png").size == (40, 48)
    assert len(rows(out)) == len(NAMES)
    save(out / "a.png", 9)
    (out / "parameters.csv").write_text("mine\n")
    before = tree(out)
    capsys.readouterr()
    assert main([*restoring, "enlarge=1"]) == 2
    told = capsys.readouterr().err
    assert "already holds parameters.csv, a.png, which csrgan did not write, or which changed since" in told
    assert "overwrite=true" in told
    assert tree(out) == before


def test_rows_of_other_pictures_stay_in_the_table(restoring: list[str], photos: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "a.png"):
        assert main([*restoring[:2], f"source={photos / name}", restoring[3]]) == 0
    assert [row["file"] for row in rows(tmp_path / "out")] == ["b.png", "a.png"]
    (tmp_path / "out" / "b.png").unlink()
    assert main(restoring) == 0
    assert [row["file"] for row in rows(tmp_path / "out")] == [*NAMES]


def test_two_runs_do_not_share_a_folder(restoring: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with exclusive_lock(tmp_path / "out" / ".csrgan", "it"):
        assert main(restoring) == 2
    assert "is in use by another run" in capsys.readouterr().err


def test_the_record_is_plain_and_names_no_place_of_the_machine(restoring: list[str], tmp_path: Path) -> None:
    assert main(restoring) == 0
    record = (tmp_path / "out" / ".csrgan" / "record.jsonl").read_text()
    assert str(tmp_path) not in record
    assert {name for line in record.splitlines() for name in json.loads(line)["files"]} == {*NAMES}
