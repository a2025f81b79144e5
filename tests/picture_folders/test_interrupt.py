"""Signals during a series: they end it in order, and never between steps that belong together."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from csrgan.errors import RunStopped
from csrgan.picture_folders.interrupt import StopRequested, interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_exit_status_names_the_signal(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(RunStopped, match="the same command") as stopped, interruptible():
        os.kill(os.getpid(), number)
    assert stopped.value.status == 128 + number
    assert signal.getsignal(number) is before


def test_a_deferred_body_is_completed_before_the_signal_counts() -> None:
    steps = []
    with pytest.raises(RunStopped), interruptible() as interrupt:
        with interrupt.defer():
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("deferred")
        steps.append("after")
    assert steps == ["deferred"]


def test_a_signal_that_was_swallowed_counts_at_the_next_picture() -> None:
    with pytest.raises(RunStopped), interruptible() as interrupt:
        with suppress(StopRequested):
            os.kill(os.getpid(), signal.SIGTERM)
        interrupt.raise_pending()


def test_the_second_signal_says_what_is_safe(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    process = os.fork()
    if not process:
        with suppress(BaseException), interruptible() as interrupt, interrupt.defer():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 130
    assert capfdbinary.readouterr().err == b"csrgan: ended at once; what was written before is whole.\n"
