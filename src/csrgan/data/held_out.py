"""A share of the photographs of data.train, held out of the training to evaluate on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.pictures import Pictures
from csrgan.data.shards import is_shards
from csrgan.data.sources import Files, Source
from csrgan.errors import UserError, require

PERCENT, FRACTION = re.compile(r"\s*\d+(\.\d+)?\s*%\s*"), re.compile(r"0?\.\d+|\d(\.\d+)?e-\d+")


def is_share(value: object) -> bool:
    """Return whether data.valid is a share such as 10%. Raises UserError for 0.1, unless it is a folder's name, and for a share
    that is one."""
    text = str(value) if isinstance(value, str | float) else ""
    if FRACTION.fullmatch(text):
        percent = f"{100 * float(text):.6f}".rstrip("0").rstrip(".")
        remedy = f"data.valid={percent if percent != '0' else '10'}%"
        require(Path(text).is_dir(), f"data.valid={text} is not a folder. For a share of data.train, write {remedy}.")
    is_percent = PERCENT.fullmatch(text) is not None
    if is_percent and Path(text).is_dir():
        number = text.strip().rstrip("% ")
        share = f"{number}0%" if "." in number else f"{number}.0%"
        raise UserError(
            f"data.valid={text} is a share of data.train, and a folder here: write data.valid=./{text} for the folder, or"
            f" data.valid={share} for the share."
        )
    return is_percent


def split(train: str | float | Sequence[str] | Source | None, share: str) -> dict[str, str | Sequence[str] | Source | None]:
    """Return the sources of data.train and data.valid where data.valid is a share of data.train, such as 10%.

    Raises UserError for a share that leaves nothing on one side, and where data.train is no folder of photographs.
    """
    percent = float(share.strip().rstrip("%"))
    require(0 < percent < 100, f"data.valid={share}: the share of data.train to evaluate on lies above 0 % and below 100 %.")
    train = str(train) if isinstance(train, int | float) else train  # a folder called 2024
    sources = [train] if isinstance(train, str) else train or ()
    if isinstance(sources, Source) or any(is_shards(str(item)) or not Path(str(item)).is_dir() for item in sources):
        named = "what data.train names is none" if isinstance(sources, Source) else f"data.train={train} is none"
        sentence = f"data.valid={share} takes a share of a folder of photographs, and {named}"
        raise UserError(f"{sentence}: name the folder, as in data.train=FOLDER data.valid={share}.")
    assert not isinstance(train, Source)
    return {f"data.{half}": Part(train, held_out=half == "valid", percent=percent) for half in ("train", "valid")}


class Part(Files):
    """What is held out of data.train, or the rest.

    The photographs are chosen by a hash of their names, so each run of each seed holds out the same, and a photograph added to the
    folder moves few of the others. percent: how many are held out, at least one.
    """

    def __init__(self, source: str | Sequence[str] | None, *, held_out: bool, percent: float) -> None:
        super().__init__(source, "data.train")
        self._held_out, self._percent, self.line = held_out, percent, ""

    def files(self) -> list[File]:
        files = super().files()
        require(len(files) > 1, f"data.valid={self._percent:g}% needs two photographs in data.train, and there is one.")
        count = min(max(1, round(self._percent / 100 * len(files))), len(files) - 1)
        held_out = {file.name for file in sorted(files, key=_hash)[:count]}
        if self._held_out:
            self.left_out.clear()  # said of data.train
            self.line = (
                f"data.valid={self._percent:g}%: {count} of {len(files)} photographs of data.train are held out of the training"
            )
        return [file for file in files if (file.name in held_out) == self._held_out]

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        result = super().pictures(cache, archives, console)
        if self.line:
            console.print(self.line, highlight=False, markup=False, soft_wrap=True)
        return result


def _hash(file: File) -> bytes:
    return hashlib.sha256(file.name.encode("utf-8", errors="surrogateescape")).digest()
