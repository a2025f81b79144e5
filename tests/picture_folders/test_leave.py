"""Signals during a series: they end it in order, and never between what belongs together."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from csrgan.errors import RunStopped
from csrgan.picture_folders.leave import Asked, leaving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_told_by_its_status(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(RunStopped, match="the same command") as stopped, leaving():
        os.kill(os.getpid(), number)
    assert stopped.value.status == 128 + number
    assert signal.getsignal(number) is before


def test_what_is_sheltered_is_done_to_its_end() -> None:
    done = []
    with pytest.raises(RunStopped), leaving() as leave:
        with leave.shelter():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("sheltered")
        done.append("after")
    assert done == ["sheltered"]


def test_a_signal_that_was_swallowed_counts_at_the_next_picture() -> None:
    with pytest.raises(RunStopped), leaving() as leave:
        with suppress(Asked):
            os.kill(os.getpid(), signal.SIGTERM)
        leave.heed()
