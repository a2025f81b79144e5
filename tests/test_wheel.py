"""What is installed from a wheel: it carries conf/, runs without the checkout, and takes a stranger's package as its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from docs.pages import blocks
from PIL import Image

ROOT = Path(__file__).parents[1]

# In one process, which imports torch once; a job of a sweep is another.
PROGRAM = """
import sys
import csrgan
from csrgan.cli import main

assert csrgan.__file__.startswith(sys.argv[1]), csrgan.__file__
small = ["trainer=smoke", "logger=none", "trainer.panels=0", "evaluation.grid={blur: 1, scale: 1, noise: 1}", "generator.width=8"]
commands = [
    ["list", "generator"],
    ["train", "experiment=my_nets", *small, "run_dir=runs/a"],
    ["train", "resume=runs/a", "trainer.images=24"],
    ["evaluate", "checkpoint=runs/a", "data.valid=[chelsea]", "evaluation.crop=48", "evaluation.grid.scale=1", "run_dir=e"],
    ["restore", "checkpoint=runs/a", "source=photo.png", "destination=restored"],
    ["train", "-m", "generator=residual", "+loss/frequency=fft", "loss.frequency.weight=1", *small, "run_dir=sweep"],
    ["report", "sweep"],
]
for words in commands:
    assert main(words) == 0, words
assert main(["train", "experiment=my_nets", "generator.width=0", "loss.frequency.function.power=3"]) == 2
model = csrgan.load("runs/a")
print(type(model.system).__name__, type(model.system.generator.body).__name__, model.system.images_seen)
"""


def unpacked(project: Path, place: Path) -> Path:
    """The wheel of a project, unpacked as pip does it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place / "wheel")]
    subprocess.run(build, cwd=project, check=True, capture_output=True)
    (wheel,) = (place / "wheel").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(place / "site")
    return place / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(ROOT, tmp_path_factory.mktemp("csrgan"))


def python(folder: Path, *words: str, path: tuple[Path, ...]) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("CSRGAN")}
    environment = {**known, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_brings_its_configuration(site: Path, tmp_path: Path) -> None:
    code = "import csrgan; print(csrgan.__file__); from csrgan.cli import main; raise SystemExit(main(['list', 'output']))"
    done = python(tmp_path, "-c", code, path=(site,))
    assert done.stdout.startswith(str(site))
    assert "minmax_batch" in done.stdout
    assert (site / "csrgan" / "models" / "photo.safetensors").is_file()


def test_a_package_of_ones_own_is_as_good_as_csrgans(site: Path, tmp_path: Path) -> None:
    """What `csrgan new` writes (a body, a loss, a factor, a metric, a system, a protocol, an experiment) is installed from a wheel.
    With no file of csrgan touched they train, resume, sweep, evaluate, restore, report and list; a wrong number is a sentence."""
    done = python(tmp_path, "-m", "csrgan", "new", "my-nets", path=(site,))
    assert done.returncode == 0, done.stderr
    (metric,) = (tmp_path / "my-nets").rglob("edges.yaml")
    metric.write_text(metric.read_text().replace("used: false", "used: true"))
    mine = unpacked(tmp_path / "my-nets", tmp_path)
    (tmp_path / "here").mkdir()
    Image.new("RGB", (40, 32), "olive").save(tmp_path / "here" / "photo.png")
    done = python(tmp_path / "here", "-c", PROGRAM, str(site), path=(site, mine))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Regression Residual 24\n")
    assert "residual" in done.stdout.split("\n\n")[0]
    assert "generator.width=0 is below 1" in done.stderr
    assert "loss.frequency.function.power=3 is not in (0,2]." in done.stderr
    assert (tmp_path / "here" / "restored" / "photo.png").is_file()
    for file in ("runs/a/results.csv", "e/results.csv", "restored/parameters.csv"):
        head = (tmp_path / "here" / file).read_text().split("\n")[0]
        assert "gamma" in head
        assert file.startswith("restored") or "edges_restored" in head
    assert "| edges |" in (tmp_path / "here" / "sweep" / "report.md").read_text()
    assert (tmp_path / "here" / "sweep" / "report.html").is_file()


def test_the_pyproject_of_the_page_announces_a_package_made_by_hand(tmp_path: Path) -> None:
    page = (ROOT / "docs/how_to/plug_ins.md").read_text(encoding="utf-8")
    (code,) = (block.code for block in blocks(page) if block.marks.get("file") == "pyproject.toml")
    (tmp_path / "pyproject.toml").write_text(code)
    (tmp_path / "mine/conf/loss/image").mkdir(parents=True)
    (tmp_path / "mine/conf/loss/image/huber.yaml").write_text("# Huber's\n_target_: mine.losses.huber\n")
    (tmp_path / "elsewhere").mkdir()
    path = (ROOT / "src", unpacked(tmp_path, tmp_path))
    done = python(tmp_path / "elsewhere", "-m", "csrgan", "list", "loss/image", path=path)
    assert re.search(r"huber +Huber's", done.stdout), done.stderr
