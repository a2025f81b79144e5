"""csrgan list shows every choice."""

from __future__ import annotations

import pytest

from csrgan.cli import main
from csrgan.config.folder import groups


def test_list_names_every_choice_and_can_be_followed_by_any_command(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["list"]) == 0
        told = capsys.readouterr().out
        assert all(file.stem in told for _, files in groups() for file in files)
