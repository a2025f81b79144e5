"""Every choice of mypackage trains, and its checkpoint restores the same pictures as the trained network."""

from __future__ import annotations

from pathlib import Path

import pytest

from csrgan.testing import choices, hold


@pytest.mark.parametrize("choice", choices("mypackage"))
def test_a_choice_keeps_csrgans_contracts(choice: str, tmp_path: Path) -> None:
    hold(choice, tmp_path)
