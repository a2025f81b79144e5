"""A wrong module or function in a user's yaml is told with the nearest, before anything is imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from csrgan.config import absent, announced, search
from csrgan.config.absent import absence
from csrgan.config.compose import composed
from csrgan.config.faults import check_command
from csrgan.errors import UserError

TERM = "# Mine\n_target_: csrgan.losses.objective.Term\nfunction: {_target_: %s, _partial_: true}\n"
PLACE = "loss.edges.function._target_="


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "my_edges"
    (folder / "conf/loss/edges").mkdir(parents=True)
    for name, text in {
        "__init__": "from .sobel import sobel as filtered",
        "sobel": "from torch import *\nimport torch\ntry:\n    import fast\nexcept ImportError:\n    fast = None\n"
        "def sobel(restored, sharp): return (restored - sharp).mean()\n",
        "canny": "from .plain import *\ndef canny(restored, sharp): return restored.mean()\n",
        "plain": "def sobel(restored, sharp): return restored.mean()\n",
        "late": "def __getattr__(name): raise AttributeError\n",
    }.items():
        (folder / f"{name}.py").write_text(text)
    (tmp_path / "sobel.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(announced.ALLOW, "my_edges")
    absent.absence.cache_clear()
    absent._names.cache_clear()
    yield folder
    sys.modules.pop("my_edges", None)


NONE = "may not be built: it is in none of the packages that a configuration may name. Did you mean"

INSTALL = (
    "may not be built: there is no package my_edge, neither installed nor in the current folder: install my_edge, and name it in"
    " CSRGAN_ALLOW=my_edge unless an entry point announces it."
)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (
            "my_edges.sobbel.sobel",
            "does not exist: the package my_edges has no module sobbel. .* There is my_edges.plain.sobel.",
        ),
        ("my_edges.canny.cany", "does not exist: my_edges.canny has no cany. Its choices: canny. Did you mean canny?"),
        (
            "my_edges.canny",
            "does not exist: my_edges.canny is a module: name a class or function in it, such as .*",
        ),
        ("my_edge.sobel.sobel", f"{INSTALL} Did you mean my_edges.sobel.sobel?"),
        ("other.sobel.sobel", INSTALL.replace("my_edge", "other")),
        ("csrgan.losses.image.charbonier", "does not exist: csrgan.losses.image has no charbonier. .* Did you mean charbonnier?"),
        ("csrgan.loses.image.l1", f"{NONE} csrgan.losses.image.l1?"),
        ("rich.box.Box", "may not be built: it is code of the package rich, which is not allowed here. If you trust rich, set .*"),
        ("shutil.rmtree", "may not be built: .* CSRGAN_ALLOW=PACKAGE in the environment allows those of another package."),
    ],
)
def test_the_nearest_is_named_before_anything_is_imported(target: str, told: str, package: Path) -> None:
    (package / "conf/loss/edges/mine.yaml").write_text(TERM % target)
    with pytest.raises(UserError) as refused, search.search_config_dirs([]) as words:
        check_command("train", [*words, "+loss/edges=mine"])
    said = str(refused.value)
    assert re.fullmatch(re.escape(f"{PLACE}{target} ") + re.escape(told).replace(r"\.\*", ".*"), said)
    assert ("CSRGAN_ALLOW" in said) == target.startswith(("shutil", "rich", "my_edge.", "other"))
    assert "my_edges" not in sys.modules


@pytest.mark.usefixtures("package")
def test_what_a_source_gives_on_or_does_not_tell_is_no_fault() -> None:
    for name in ("filtered", "canny.sobel", "sobel.fast", "late.anything", "sobel.torch"):
        assert absence(f"my_edges.{name}") is None, name
    assert absence("my_edges.plain.sobel") is None  # not even if there is a module of that name
    assert absence("my_edges.filterd") == "my_edges has no filterd. Its choices: filtered. Did you mean filtered?"
    assert absence("my_edges.sobel.sobl") is None  # from torch import *: torch makes its names as it is imported


def test_torch_and_lightning_are_read_too() -> None:
    for name in ("torch.optim.AdamW", "torch.nn.Conv2d", "lightning.pytorch.callbacks.Timer"):
        assert absence(name) is None, name
    assert str(absence("torch.optim.Adm")).endswith("Did you mean Adam?")


def test_every_target_of_csrgans_own_files_exists() -> None:
    def targets(tree: object) -> Iterator[str]:
        for key, value in tree.items() if isinstance(tree, dict) else ():
            yield from [value] if key == "_target_" else targets(value)

    found = set(targets(composed("train", ["logger=csv"])))
    assert len(found) > 10
    assert [name for name in found if absence(name)] == []
