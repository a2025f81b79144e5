"""Going on with a stopped run: its own overrides come first, new ones after them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from csrgan.fault import Fault

FILE = "overrides.json"


def with_resumed(words: Sequence[str]) -> list[str]:
    """The words of the command line, preceded by those that the run named by resume=FOLDER was started with."""
    named = [word.split("=", 1)[1] for word in words if word.startswith("resume=")]
    if not named or named[-1] in ("", "null"):
        return list(words)
    folder = Path(named[-1])
    checkpoints = [folder / "checkpoints" / name for name in ("last.ckpt", "previous.ckpt")]
    if not (folder / FILE).is_file() or not any(file.is_file() for file in checkpoints):
        raise Fault(f"resume={folder} is not the folder of a run that has saved a checkpoint.")
    started = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return [*started, *words, f"run_dir={folder}"]
