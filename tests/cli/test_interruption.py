"""Ctrl-C while a command starts ends it as at any other moment, also where what is being imported makes another error of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from commands import SMOKE, csrgan

from csrgan.cli import main
from csrgan.cli.interruption import CTRL_C

PRESSED = "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    {handled}\n"
TERM = "_target_: csrgan.losses.objective.Term\nweight: 1.0\nfunction: {_target_: mine.edges, _partial_: true}\n"
LOSS = "def edges(restored, sharp):\n    return (restored - sharp).abs().mean()\n"


@pytest.mark.parametrize("handled", ["pass", "raise ImportError('cannot load module more than once per process')", "raise"])
def test_an_import_that_loses_ctrl_c_does_not_keep_it(handled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = tmp_path / "mine" / "conf" / "loss" / "edges" / "one.yaml"
    choice.parent.mkdir(parents=True)
    choice.write_text(TERM)
    (tmp_path / "mine" / "__init__.py").write_text(PRESSED.format(handled=handled) + LOSS)
    monkeypatch.chdir(tmp_path)
    result = csrgan("train", *SMOKE, "+loss/edges=one", "run_dir=run", CSRGAN_ALLOW="mine")
    assert (result.returncode, "Traceback" in result.stderr) == (130, False), result.stderr
    assert "stopped" in result.stderr.splitlines()[-1]
    assert not list(tmp_path.glob("run/**/*.ckpt"))


def test_the_handler_of_python_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert before is signal.default_int_handler
    with CTRL_C.noted():
        assert signal.getsignal(signal.SIGINT) is not before
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            CTRL_C.raise_lost()
    assert signal.getsignal(signal.SIGINT) is before
    assert main(["list", "output"]) == 0  # an earlier Ctrl-C is forgotten
