"""csrgan prepare: fetch and decode photographs before they are needed, or pack them into shards."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from csrgan.config.build import build, checked_settings
from csrgan.console import Console
from csrgan.data import shards
from csrgan.data.cache import Cache
from csrgan.data.module import Photographs
from csrgan.data.prepared import Prepared
from csrgan.errors import UserError, require
from csrgan.files import relative
from csrgan.reports import table

FORMATS = ("cache", "shards")


def run(config: DictConfig) -> int:
    """Prepare data.train and data.valid, as far as they are given; as shards, data.train alone."""
    settings = checked_settings(config)
    form, destination = settings["format"], settings["destination"]
    if form not in FORMATS:
        raise UserError.unknown("format", form, FORMATS)
    require(form == "cache" or bool(destination), "destination is empty: the shards need a folder, as in destination=FOLDER.")
    data: Photographs = build(settings["data"], "data")
    data.console = console = Console()
    if form == "shards":
        data.cache = Cache(data.cache.folder, 0)  # every picture is decoded once, to see that it can be
        data.sources["data.valid"] = None
    given = [key for key, source in data.sources.items() if source]
    require(bool(given), "data.train and data.valid are empty: give a folder of photographs, as in data.train=FOLDER.")
    found = {key: data.pictures(key) for key in given}
    if data.refused:
        console.print(table.refused(data.refused))
    for key, pictures in found.items():
        if form == "shards":
            require(isinstance(pictures, Prepared), f"{key} is no folder of photographs: it can not be packed into shards.")
            count = shards.write(pictures, Path(destination), settings["shard_mb"], console)  # type: ignore[arg-type]
            told, place = f"{key}: {len(pictures.names)} photographs in {count} shards", Path(destination)
        else:
            pixels = sum(height * width for height, width in pictures.sizes)
            told, place = f"{key}: {len(pictures.names)} photographs, {3e-9 * pixels:.2f} GB decoded", data.cache.folder
        console.print(f"{told}: {relative(place)}", highlight=False, markup=False, soft_wrap=True)
    return 0
