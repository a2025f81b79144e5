"""job.json: what became of a job, as its sweep writes it and reads it again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from csrgan import files
from csrgan.config.old_names import translate_silently
from csrgan.run_folder import JOB, SUMMARY


def read(folder: Path) -> dict[str, Any] | None:
    """What became of this job when the sweep was started before; None where it was not."""
    if not (folder / JOB).is_file():
        return None
    content: dict[str, Any] = json.loads((folder / JOB).read_text(encoding="utf-8"))
    return content | {"words": translate_silently(content["words"])}


def write(folder: Path, job: Mapping[str, Any]) -> None:
    files.write_json(folder / JOB, job)


def folder_of(folder: Path, words: list[str], guided: bool) -> Path:
    """The job's folder. A guided search may turn elsewhere at a second start; its trial then stands beside the first one's."""
    found, turn = folder, 1
    while guided and (job := read(found)) and job["words"] != words:
        turn += 1
        found = folder.with_name(f"{folder.name}.{turn}")
    return found


def gain_db(folder: Path) -> float:
    """nan where summary.json has null, because the network's pictures were not finite."""
    found = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["gain_db"]
    return math.nan if found is None else float(found)


def gain(folder: Path) -> str:
    return f"{gain_db(folder):+.2f} dB"
