"""The module that a callback watches: Lightning hands every hook one of its own kind."""

from __future__ import annotations

from lightning import LightningModule

from csrgan.training.evaluated import Evaluated
from csrgan.training.system import System


def watched(module: LightningModule) -> System:
    """The module of a training."""
    assert isinstance(module, System)
    return module


def evaluated(module: LightningModule) -> Evaluated:
    """The module of an evaluation, whose restorer may be untrained."""
    assert isinstance(module, Evaluated)
    return module
