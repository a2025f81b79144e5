"""A program that turns a folder into a folder is scored like a system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from csrgan.config import targets
from csrgan.errors import UserError
from csrgan.restorers.external.program import Program

DOUBLE = """
import sys
from pathlib import Path
from PIL import Image
low, restored = map(Path, sys.argv[1:])
for file in low.iterdir():
    picture = Image.open(file)
    picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.NEAREST).save(restored / f"{file.stem}_x2.png")
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    (tmp_path / "double me.py").write_text(DOUBLE)
    return f"'{sys.executable}' '{tmp_path}/double me.py'"


def eight_bits(shape: tuple[int, ...]) -> Tensor:
    return torch.randint(256, shape).float() / 255


def test_its_pictures_are_read_back_with_the_scale_that_a_grey_one_tells(program: str) -> None:
    restorer = Program(command=f"{program} {{low}} {{restored}}")
    assert restorer.enlarge == restorer.degradation.multiple == 2
    low = eight_bits((2, 3, 7, 9))
    assert torch.allclose(restorer.restore(low).image, low.repeat_interleave(2, 2).repeat_interleave(2, 3), atol=1e-6)


def test_what_goes_wrong_is_one_sentence(program: str, tmp_path: Path) -> None:
    for command, said in (
        ("theirs --in {low}", "lacks {restored}: name both"),
        ("'theirs {low} {restored}", "cannot be split into words"),
        (f"{tmp_path}/nowhere {{low}} {{restored}}", "cannot be started: No such file"),
        (f"'{sys.executable}' -c 'raise SystemExit(\"no GPU\")' {{low}} {{restored}}", "ended with status 1: no GPU"),
        (f"'{sys.executable}' -c pass {{low}} {{restored}}", "wrote 0 pictures into {restored}"),
    ):
        with pytest.raises(UserError) as fault:
            Program(command=command, scale=2).restore(eight_bits((1, 3, 8, 8)))
        assert said in str(fault.value) and "\n" not in str(fault.value)
    with pytest.raises(UserError, match="S of shape"):
        Program(command=f"{program} {{low}} {{restored}}", scale=3).restore(eight_bits((1, 3, 8, 8)))


def test_no_shell_reads_the_command(program: str, tmp_path: Path) -> None:
    command = f"{program} {{low}} {{restored}} ; touch {tmp_path}/harm"
    with pytest.raises(UserError, match="ended with status"):
        Program(command=command, scale=2).restore(eight_bits((1, 3, 8, 8)))
    assert not (tmp_path / "harm").exists()


def test_a_strangers_file_cannot_start_a_program() -> None:
    node = {"_target_": "csrgan.restorers.external.program.Program", "command": "touch harm {low} {restored}"}
    targets.check_targets(node)
    with pytest.raises(UserError, match="may not be built"):
        targets.check_targets(node, "recipe", stranger=True)
