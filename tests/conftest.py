"""Every annotated shape in csrgan is checked while the tests run."""

from __future__ import annotations

import os

import pytest
import skimage.data
import torch
from jaxtyping import install_import_hook
from torch import Tensor

os.environ["WANDB_MODE"] = "offline"
install_import_hook("csrgan", "typechecker.numeric").__enter__()


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def chelsea() -> Tensor:
    """A photograph, (1, 3, 300, 451)."""
    return torch.from_numpy(skimage.data.chelsea().astype("float32") / 255).permute(2, 0, 1)[None].contiguous()
