"""The long form says at the end how many inputs each law was tried on."""

from __future__ import annotations

import fuzzing
import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in fuzzing.TRIED:
        terminalreporter.write_line(line)
