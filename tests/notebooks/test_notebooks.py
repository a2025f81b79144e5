"""Every notebook runs from its first cell to its last, gives the kinds of output that it is committed with, and defines nothing."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = pytest.mark.parametrize("file", sorted(FOLDER.glob("*.ipynb")), ids=lambda file: file.stem)
LARGEST_PICTURE = 200_000  # bytes
MACHINE_PATH = re.compile(r"(?<![\w.:/<])(~|/(home|root|tmp|work|usr|var|private|Users|opt|mnt|srv))/\w|[A-Z]:\\|site-packages")


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """One for all notebooks, because it takes seconds to import torch; each notebook begins in its folder with no name defined."""
    manager = KernelManager()
    manager.start_kernel(cwd=FOLDER, env={**os.environ, "OMP_NUM_THREADS": "1"})
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.docs
@NOTEBOOKS
def test_the_notebook_runs_and_gives_what_it_is_committed_with(file: Path, kernel: KernelManager) -> None:
    committed, run = (nbformat.read(file, as_version=4) for _ in range(2))
    run.cells.insert(0, nbformat.v4.new_code_cell(f"%reset -f\n%cd -q {FOLDER}"))
    NotebookClient(run, timeout=300, km=kernel).execute()
    for before, after in zip(_code(committed), _code(run)[1:], strict=True):
        assert _kinds(before) == _kinds(after), before.source


@NOTEBOOKS
def test_the_committed_notebook_can_be_read_anywhere(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert any("image/png" in data for cell in _code(notebook) for data in _data(cell))
    for cell in _code(notebook):
        assert not any(line.startswith(("def ", "class ")) for line in cell.source.split("\n"))
        assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs), cell.source
        for data in _data(cell):
            assert len(base64.b64decode(data.get("image/png", ""))) < LARGEST_PICTURE, cell.source
        shown = json.dumps([output.get("text") or {**output.data, "image/png": ""} for output in cell.outputs], ensure_ascii=False)
        assert not MACHINE_PATH.search(shown) and str(Path.home()) not in shown, cell.source


@pytest.mark.parametrize("text", ["/tmp/x", "/home/me/a", "~/runs", "C:\\Users", "lib/site-packages/tqdm", '"/srv/x"'])
def test_paths_of_a_machine_are_found(text: str) -> None:
    assert MACHINE_PATH.search(json.dumps(text))


@pytest.mark.parametrize("text", ["runs/first", "noise std 8.81 /255", "3/4 images", "</tmp/x>", "https://host/usr/a", "a/tmp/b"])
def test_other_text_is_no_path_of_a_machine(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _data(cell: NotebookNode) -> list[NotebookNode]:
    return [output.data for output in cell.outputs if "data" in output]


def _kinds(cell: NotebookNode) -> set[tuple[str, ...]]:
    """Return the kinds of a cell's outputs. A slower machine prints more lines of progress, so kinds are not counted."""
    return {(output.output_type, output.get("name", ""), *sorted(output.get("data", ()))) for output in cell.outputs}
