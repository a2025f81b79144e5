"""The mode of Weights & Biases in this environment, and short texts for its errors."""

from __future__ import annotations

import os


def mode() -> str:
    """Return WANDB_MODE; if it is not set, online where a user is logged in, else offline. No server is contacted."""
    import wandb

    return os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False, verify=False) else "offline")


def reason(error: Exception) -> str:
    """Return the first line of an error of wandb, or its type where it has no message."""
    return str(error).strip().split("\n")[0].rstrip(".:") or type(error).__name__
