"""Narrow the type of the module that a callback watches: Lightning annotates it as a LightningModule."""

from __future__ import annotations

from lightning import LightningModule

from csrgan.training.evaluated import Evaluated
from csrgan.training.system import System


def as_system(module: LightningModule) -> System:
    """Return the module of a training."""
    assert isinstance(module, System)
    return module


def as_evaluated(module: LightningModule) -> Evaluated:
    """Return the module of an evaluation, whose restorer may be untrained."""
    assert isinstance(module, Evaluated)
    return module
