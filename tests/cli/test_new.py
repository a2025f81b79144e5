"""csrgan new refuses names that no package can have; what it writes is tested in test_wheel.py and in config/test_search.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from csrgan.cli import main


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("2nets", "2nets cannot be the name of a package; use letters"),
        ("class", "class cannot be the name of a package; use letters"),
        ("torch", "Python has a package torch already; choose another name"),
        ("csrgan", "Python has a package csrgan already; choose another name"),
    ],
)
def test_a_name_that_no_package_can_have_is_an_error(
    name: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", str(tmp_path / name)]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / name).exists()
