"""Every annotated shape in csrgan is checked while the tests run."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import skimage.data
import torch
import yaml
from jaxtyping import install_import_hook
from measured import TOLD
from torch import Tensor

os.environ["OMP_NUM_THREADS"] = "1"  # also in the processes that tests start; on a busy machine several only wait for each other
os.environ["WANDB_MODE"] = "offline"
os.environ["XDG_CACHE_HOME"] = f"{tempfile.gettempdir()}/csrgan-tests-{os.getuid()}"  # for decoded photographs
if yaml.__with_libyaml__:  # the same values; hundreds of configurations are composed, each in three quarters of the time
    yaml.SafeLoader = yaml.CSafeLoader
torch.set_num_threads(1)  # the pictures are small, and on a busy machine several threads only wait for each other
install_import_hook("csrgan", "typechecker.numeric").__enter__()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What the tests import stays to the end: the collector need not look through it, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands what it measured to the one that began them."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = TOLD


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    TOLD.extend(getattr(node, "workeroutput", {}).get("told", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in TOLD:
        terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def own_metrics() -> Iterator[None]:
    """A test that brings a metric of its own takes it away again."""
    yield
    if registry := sys.modules.get("csrgan.evaluation.metrics"):
        for name in [
            name
            for name, metric in registry.METRICS.items()
            if not getattr(metric.function, "__module__", "csrgan").startswith("csrgan.")
        ]:
            del registry.METRICS[name]


@pytest.fixture(scope="session")
def chelsea() -> Tensor:
    """A photograph, (1, 3, 300, 451)."""
    return torch.from_numpy(skimage.data.chelsea().astype("float32") / 255).permute(2, 0, 1)[None].contiguous()
