"""csrgan prepare: fetch and decode photographs ahead of a training, or pack them into shards."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from csrgan.config.build import build, checked_settings
from csrgan.console import Console
from csrgan.data import shards
from csrgan.data.cache import Cache
from csrgan.data.held_out import Part
from csrgan.data.module import Photographs
from csrgan.data.paired import Paired
from csrgan.data.prepared import Prepared
from csrgan.errors import UserError, require
from csrgan.files import relative
from csrgan.reports import table

FORMATS = ("cache", "shards")


def run(config: DictConfig) -> int:
    """Prepare those of data.train and data.valid that are given; as shards, data.train alone."""
    settings = checked_settings(config)
    kind, destination = settings["format"], settings["destination"]
    if kind not in FORMATS:
        raise UserError.unknown("format", kind, FORMATS)
    require(kind == "cache" or bool(destination), "destination is empty: the shards need a folder, as in destination=FOLDER.")
    data: Photographs = build(settings["data"], "data")
    data.console = console = Console()
    if kind == "shards":
        data.cache = Cache(data.cache.folder, 0)  # decode every picture once, to see that it can be decoded
        valid = data.sources.pop("data.valid")
        if isinstance(valid, Part):
            valid.files()
            console.print(f"{valid.line}, so the shards are without them", highlight=False, markup=False, soft_wrap=True)
    keys = [key for key, source in data.sources.items() if source]
    require(bool(keys), "data.train and data.valid are empty: give a folder of photographs, as in data.train=FOLDER.")
    prepared = {key: data.pictures(key) for key in keys}
    if data.refused:
        console.print(table.refused(data.refused))
    for key, pictures in prepared.items():
        number = _counted(len(pictures.names), "pair" if isinstance(pictures, Paired) else "photograph")
        if kind == "shards":
            if not isinstance(pictures, Prepared):
                raise UserError(f"{key} is not a folder of photographs, so it cannot be packed into shards.")
            count = shards.write(pictures, Path(destination), settings["shard_mb"], console)
            sentence, target = f"{key}: {number} in {_counted(count, 'shard')}", Path(destination)
        else:
            sizes = [*pictures.sizes, *(pictures.low.sizes if isinstance(pictures, Paired) else ())]
            pixels = sum(height * width for height, width in sizes)
            sentence, target = f"{key}: {number}, {3e-9 * pixels:.2f} GB decoded", data.cache.folder
        console.print(f"{sentence}: {relative(target)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
