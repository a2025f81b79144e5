"""csrgan restore: restore photographs of any size under their own names, and estimate how each was degraded."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from csrgan.api.model import untrained_scale
from csrgan.api.predicted_theta import JPEG_QUALITY
from csrgan.console import Console
from csrgan.data import picture
from csrgan.data.picture import Picture
from csrgan.data.progress import progress
from csrgan.errors import require
from csrgan.evaluation import blind
from csrgan.evaluation.results import Row
from csrgan.files import relative, table_cell
from csrgan.networks.tiles import TILE, Tile
from csrgan.picture_folders.interrupt import interruptible
from csrgan.picture_folders.ledger import Ledger
from csrgan.picture_folders.places import Places
from csrgan.picture_folders.series import Made, Series, Unit, targets
from csrgan.restorers import weights
from csrgan.restorers.enlarged import Enlarged
from csrgan.restorers.learned import LearnedRestorer
from csrgan.training.evaluated import Evaluated
from csrgan.training.system import System
from csrgan.tree import Settings
from csrgan.workflow.restored_picture import restored_picture
from csrgan.workflow.trained import chosen

LOOKS_LIKE = "looks_like"  # column: what a picture looks like that is unlike those of the training
TABLES = f"{JPEG_QUALITY}_tables"  # column: the quality that the file's own tables say
LONGEST_SIDE = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383}  # px that the encoders take


def run(config: DictConfig) -> int:
    """Restore every picture that can be read. Return exit status 1 if some could not."""
    with interruptible() as interrupt:
        places, factor = Places.from_config(config), float(config.enlarge)
        ledger = Ledger(places.destination, overwrite=config.overwrite)
        units = [Unit(file, ((str(name),),)) for file, name in places.names.items()]
        places.examine(targets(units), ledger)
        require(
            not ledger.has_pairs, f"destination={places.destination} holds a set that csrgan degrade made: choose another folder."
        )
        system, settings = chosen(config, config.checkpoint)
        restorer = system.restorer
        remedy = (
            "a smaller picture or a lower enlarge" if config.device == "cpu" else "a smaller picture, a lower enlarge or device=cpu"
        )
        series = Series(
            places, ledger, units, recipe_digest(system, settings, factor, config.tile), "restoring", "restored", remedy
        )
        restorer.console = series.console
        for sentence in untrained_scale(restorer, factor):
            series.errors.print(sentence, style="yellow", highlight=False, markup=False, soft_wrap=True)
        with ledger.opened(), series.disk_full_reported():
            series.run(_Restorer(system, factor, config, series), interrupt, bar=not restorer.per_picture, keep_other_rows=True)
    done = f"{len(series.done)} restored{series.replaced}"
    series.say(f"{done}, {series.broken} skipped{series.others}: {relative(places.destination)}")
    return 1 if series.broken else 0


class _Restorer:
    """Makes S from a picture. factor: how many times it is enlarged before the network. config: gives `tile`, see
    `Restorer.restore_parts`, and `scores`, see `blind.scores`."""

    def __init__(self, system: Evaluated, factor: float, config: DictConfig, series: Series) -> None:
        self.system, self.factor, self.series = system, factor, series
        self.tile, self.scores = int(config.tile), bool(config.scores)

    def __call__(self, unit: Unit, source: Picture, done: Collection[str]) -> Iterator[Made]:
        ((name,),) = unit.results
        shown_name = picture.called(Path(name))
        if self.system.restorer.per_picture:
            self.series.say(f"{self.series.units.index(unit) + 1}/{len(self.series.units)}  {shown_name}")
        self._examine(unit.file, source)
        made = restored_picture(
            self.system,
            unit.file,
            source,
            name=shown_name,
            suffix=unit.file.suffix,
            factor=self.factor,
            tile=self.tile,
            shown=partial(_shown, self.series.console, shown_name),
        )
        part = self.series.ledger.workspace / f"part{unit.file.suffix}"
        picture.write(part, made.canvas)
        said = made.findings
        more: Row = {LOOKS_LIKE: made.looks.names[0]} if made.looks.foreign else {}
        more |= {} if said.witness is None else {TABLES: str(said.witness)}
        if self.scores:
            low = source if self.factor == 1 else Enlarged(source, self.factor)
            more |= blind.scores(low, picture.read(part), made.theta, said.prior, self.system.restorer.degradation.spec)
        yield Made({name: part}, {"file": table_cell(shown_name), **said.values, **more})
        for line in said.lines:
            self.series.say(line)

    def _examine(self, file: Path, source: Picture) -> None:
        """Raise UserError, before minutes are spent, for a picture whose S fits into no file of its format."""
        sides = source.pixels.shape[:2]
        name = picture.called(file)
        require(self.factor * min(sides) >= 1, f"{name} has a side that enlarge={self.factor:g} would make smaller than one pixel.")
        longest = int(self.factor * max(sides)) * self.system.restorer.enlarge
        limit = LONGEST_SIDE.get(file.suffix.lower(), math.inf)
        require(
            longest <= limit,
            f"{name} would be {longest} px long, and a {file.suffix} file takes at most {limit}: lower enlarge, or give it as PNG.",
        )


def _shown(console: Console, name: str, tiles: Sequence[Tile], doing: str) -> Iterator[Tile]:
    """Show how many tiles of a picture are done, and how long the others will take."""
    with progress(console, f"{name}: {doing}", len(tiles)) as advance:
        for index, tile in enumerate(tiles):
            advance(index)
            yield tile
        advance(len(tiles))


def recipe_digest(system: Evaluated, settings: Settings, factor: float, tile: int = TILE) -> str:
    """Return a digest of all that S depends on but the picture: weights, settings, enlargement, tile; but not the device."""
    digest = hashlib.sha256()
    for restorer in filter(None, (system.restorer, system.restorer.parameter_source)):
        fitted = [restorer.calibration.rows, repr(restorer.ood)] if isinstance(restorer, LearnedRestorer) else []
        described = [restorer.kind.name, system.recipe.get("system"), fitted, restorer.oracle]
        digest.update(json.dumps(described, sort_keys=True, default=str).encode())
        for place, content in weights.held(restorer):
            digest.update(place.encode() + content)
    own_settings = [settings.get(key) for key in ("system", "degradation", "seed")] if not isinstance(system, System) else []
    digest.update(json.dumps([own_settings, factor, *([tile] if tile != TILE else [])], sort_keys=True, default=str).encode())
    return digest.hexdigest()
