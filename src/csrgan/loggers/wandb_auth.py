"""Weights & Biases as the environment has it: whether somebody is logged in, and how its errors are told."""

from __future__ import annotations

import os


def mode() -> str:
    """What WANDB_MODE says; else online where somebody has logged in. No server is asked."""
    import wandb

    return os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False, verify=False) else "offline")


def told(error: Exception) -> str:
    """An error of wandb in a few words; some of them come without a message."""
    return str(error).strip().split("\n")[0].rstrip(".:") or type(error).__name__
