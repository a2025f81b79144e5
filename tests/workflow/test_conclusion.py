"""What a run says at its end."""

from __future__ import annotations

from pathlib import Path

import pytest
import sweep

from csrgan.console import Console
from csrgan.evaluation import results
from csrgan.workflow.conclusion import conclude


@pytest.mark.parametrize(("shift", "said"), [(-13.2, "S is 12.7 dB worse than L: in a training, look for a loss"), (-2.0, "")])
def test_a_run_that_collapsed_says_so(shift: float, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {"psnr_low": 20.0, "psnr_restored": 20.5 + shift}
    rows = [{key: value for key, value in row.items() if not key.endswith("_predicted")} | scores for row in sweep.rows(0)]
    conclude(Console(), results.summarise(rows), rows, tmp_path)
    told = capsys.readouterr().out
    assert said in told
    assert bool(said) == ("worse than L" in told)
