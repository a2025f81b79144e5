"""The system that a callback watches: Lightning hands every hook a module of its own kind."""

from __future__ import annotations

from lightning import LightningModule

from csrgan.systems.base import System


def watched(module: LightningModule) -> System:
    """The module that a hook is called with, which for csrgan's callbacks is a system."""
    assert isinstance(module, System)
    return module
