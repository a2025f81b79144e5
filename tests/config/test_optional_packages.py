"""What is not installed is told before anything is imported."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from csrgan.config import announced
from csrgan.config.location import extra
from csrgan.config.optional_packages import missing_packages

FILES = {
    "__init__.py": "",
    "direct.py": "import not_there_a.parts\nclass Mine: ...",
    "through.py": "from .inner import Base\nclass Mine(Base): ...",
    "inner.py": "from not_there_b import thing\nclass Base: ...",
    "named.py": "from needs_others import inner\nclass Mine: ...",
    "guarded.py": "try:\n    import not_there_c\nexcept ImportError:\n    not_there_c = None\n"
    "class Mine:\n    def export(self):\n        import not_there_d",
    "fine.py": "import json, torch\nfrom . import guarded\nclass Mine: ...",
}


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_others").mkdir()
    for name, text in FILES.items():
        (tmp_path / "needs_others" / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(announced.ALLOW, "needs_others")


@pytest.mark.parametrize(
    ("module", "absent"),
    [("direct", "not_there_a"), ("through", "not_there_b"), ("named", "not_there_b"), ("guarded", ""), ("fine", "")],
)
@pytest.mark.parametrize("place", ["logger", "callbacks"])
def test_what_the_users_own_class_imports_is_looked_for(module: str, absent: str, place: str) -> None:
    target = f"needs_others.{module}.Mine"
    found = list(missing_packages({place: {"mine": {"_target_": target}}}))
    named = "logger=mine" if place == "logger" else "callbacks.mine"
    told = f"{named} needs what is not installed: {target} imports {absent}. Install it with pip."
    assert found == ([told] if absent else [])
    assert f"needs_others.{module}" not in sys.modules


def test_lightnings_loggers_are_known_by_any_path() -> None:
    for path in ("CometLogger", "comet.CometLogger"):
        (told,) = missing_packages({"logger": {"comet": {"_target_": f"lightning.pytorch.loggers.{path}"}}})
        assert told == "logger=comet needs a package that is not installed: pip install comet-ml."


CLONE = Path(__file__).parents[2]


def test_an_extra_is_installed_from_the_clone_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CLONE)
    assert extra("onnx") == "pip install -e '.[onnx]'"
    monkeypatch.chdir(tmp_path)
    assert extra("onnx") == f"pip install -e '{CLONE}[onnx]'"


def test_no_page_and_no_message_installs_csrgan_from_pypi() -> None:
    """It is not there. Names of extras are those of pyproject.toml."""
    known = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]["optional-dependencies"].keys()
    command = ["git", "grep", "-lE", r"pip install|pypi\.org/project/csrgan"]
    files = subprocess.run(command, cwd=CLONE, capture_output=True, text=True, check=True)
    for name in files.stdout.split():
        if name.endswith((".py", ".md", ".yaml", ".yml", ".ipynb", ".toml", ".html")) and not name.startswith("tests/"):
            text = (CLONE / name).read_text()
            assert "pypi.org/project/csrgan" not in text, name
            commands = re.findall(r"""pip\s+install\s+(?:-e\s+)?['"]([^\s'"`]*)\[([\w,]+)\](\s+@)?""", text)
            for place, extras, address in commands:
                assert place != "csrgan" or address, f"{name}: {place}[{extras}]"
                assert set(extras.split(",")) <= known, f"{name}: {extras}"
