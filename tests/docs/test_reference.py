"""What the reference lists is all that there is: metrics, protocols, and the columns of the files that commands write."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Annotated, get_args, get_origin

import pytest
from composed import SMALL, choices
from folders import save

import csrgan
from csrgan import ranges
from csrgan.cli import main
from csrgan.evaluation.metrics import METRICS
from csrgan.runs.jobs import KINDS
from csrgan.runs.record import OF_PROCESS
from csrgan.training.system import System

pytestmark = pytest.mark.docs

PAGES = Path(__file__).parents[2] / "docs" / "reference"
NAMES = {
    "PARAMETER": "(blur_std|scale|noise_std)",
    "METRIC": f"({'|'.join(METRICS)})",
    "COLOUR": "(red|green|blue)",
    "NUMBER": r"\d+",
    "LOSS": "(image|adversarial|parameters)",
    "NETWORK": "(generator|discriminator)",
    "CONDITION": "(saturation|collapse|drift|explosion)",
    "KEY": r"\w+",
}
# Columns of other runs than the one that is looked at: of iterative systems, of five photographs, of several folders.
ELSEWHERE = re.compile(r".*_at_NUMBER|health/CONDITION|.*_(low|high)95|by_set|units|signs/.*")


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def listed(table: str) -> list[str]:
    """Return the names in the first column of a table of the page on files."""
    text = page("run_folder").split(f"<!-- columns: {table} -->\n")[1].split("\n\n")[0]
    return [name for row in text.split("\n")[2:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def pattern(name: str) -> str:
    return re.sub("|".join(NAMES), lambda match: NAMES[match[0]], re.escape(name))


def header(file: Path) -> list[str]:
    with file.open(encoding="utf-8") as stream:
        return next(csv.reader(stream))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training, restored pictures and a benchmark set, all real and small."""
    folder = tmp_path_factory.mktemp("files")
    words = [*SMALL, "logger=csv", "loss/parameters=nll", "trainer.panels=0", "trainer.measure_macs=true", "logger.every=1"]
    csrgan.train([*words, f"run_dir={folder / 'run'}"], quiet=True)
    save(folder / "photo.png")
    source = f"source={folder / 'photo.png'}"
    assert main(["restore", f"checkpoint={folder / 'run'}", source, f"destination={folder / 'restored'}"]) == 0
    assert main(["degrade", source, f"destination={folder / 'set'}", "degradation=div2krk_x2"]) == 0
    return folder


@pytest.mark.parametrize(
    "table", ["metrics.csv", "results.csv", "summary.json", "restored/parameters.csv", "set/parameters.csv", "job.json"]
)
def test_the_columns_that_the_page_lists_are_those_of_the_files(table: str, folder: Path) -> None:
    if table == "job.json":
        written = [*KINDS, *OF_PROCESS]
    elif table == "summary.json":
        written = list(json.loads((folder / "run" / table).read_text()))
    else:
        written = header(folder / table if "/" in table else folder / "run" / table)
    names = listed(table)
    unlisted = [column for column in written if not any(re.fullmatch(pattern(name), column) for name in names)]
    assert not unlisted
    unwritten = [name for name in names if not any(re.fullmatch(pattern(name), column) for column in written)]
    assert not [name for name in unwritten if not ELSEWHERE.fullmatch(name)]


def test_every_metric_has_a_section() -> None:
    sections = re.findall(r"^\(metric-[\w-]+\)=\n## `(\w+)`$", page("metrics"), re.MULTILINE)
    assert sections == list(METRICS)


def test_every_protocol_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| [^|]+ \| [^|]+ \|", page("degradations"), re.MULTILINE)
    assert set(rows) == set(choices("degradation"))


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading of the page of the API, without the heads of its columns."""
    rows = re.findall(r"^\|(.+)\|$", page("api").split(f"\n### {heading}\n")[1].split("\n### ")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:]]


SYSTEMS = [value for name in csrgan.__all__ if isinstance(value := getattr(csrgan, name), type) and issubclass(value, System)]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.__name__)
def test_the_table_of_loss_inputs_has_those_of_the_classes(system: type[System]) -> None:
    named = {"all", system.__name__.lower()}
    listed = [cells[0].strip("`") for cells in table("What losses may ask for") if named & set(cells[-1].split(", "))]
    assert sorted(listed) == sorted({*(system.loss_inputs or ()), *(system.code_loss_inputs or ())})


def test_the_table_of_ranges_has_every_range() -> None:
    declared = {name: get_args(value) for name, value in vars(ranges).items() if get_origin(value) is Annotated}
    assert {name.strip("`"): (kind, text) for name, kind, text in table("Ranges of numbers")} == {
        name: (kind.__name__, text) for name, (kind, text) in declared.items()
    }


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    text = page("api")
    assert [name for name in csrgan.__all__ if name != "__version__" and not re.search(rf"csrgan\.{name}\b", text)] == []
