"""Large pictures in tiles: what a generator reads of a whole picture is read once, then each tile is restored with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.networks.blocks import PooledStatistics
from csrgan.networks.generator import Features, Generator, Place
from csrgan.networks.heads import Head
from csrgan.networks.source import Padded, Source

TILE, LEAST_TILE = 1280, 384  # px: greatest side of what is read at once, unless one chooses; the least that one may choose
BLEND = 16  # px to either side of the line between two tiles in which they are blended; the whole border may be wrong at its edge

Rows = Callable[[Float[Tensor, "b 3 n w"], int, int], None]  # takes rows of S, the number of the first, and how many S has


class Tile(NamedTuple):
    """A part of a picture that is its own, [top, bottom) x [left, right) px, and with its border what is read of it, `place`."""

    top: int
    bottom: int
    left: int
    right: int
    place: Place

    @property
    def inside(self) -> tuple[slice, slice]:
        """Return its own rows and columns in what is read of it."""
        top, left = self.place.rows.start, self.place.columns.start
        return slice(self.top - top, self.bottom - top), slice(self.left - left, self.right - left)


Shown = Callable[[Sequence[Tile], str], Iterable[Tile]]  # passes the tiles on and shows how many are done; what is done with them


def unshown(tiles: Sequence[Tile], doing: str) -> Iterable[Tile]:
    """Pass tiles on and show nothing."""
    return tiles


def can_tile(generator: object) -> bool:
    """Return whether all parts of a generator say that they can restore a tile of a picture as they restore all of it."""
    if not isinstance(generator, Generator) or not stated(generator, "picture", "forward"):
        return False
    body, head, condition, output = generator.body, generator.head, generator.condition, generator.output
    function = output.func if isinstance(output, partial) else output
    return (
        body.border is not None
        and stated(body, "border", "encode", "encode_part", "survey", "decode", "measure")
        and (head is None or (isinstance(head, Head) and (stated(head, "maps", "forward") or stated(head, "predict", "forward"))))
        and (condition is None or (getattr(condition, "pointwise", False) is True and stated(condition, "pointwise", "forward")))
        and getattr(function, "pointwise", False) is True
    )


def stated(thing: object, fact: str, *methods: str) -> bool:
    """Return whether an object's class states a fact that no class derived from that one undoes by a method of its own."""
    order = type(thing).__mro__
    place = {
        name: min(k for k, each in enumerate(order) if name in vars(each)) for name in (fact, *methods) if hasattr(thing, name)
    }
    return all(place[fact] <= place[name] for name in methods if name in place)


class TiledGenerator:
    """A generator at work on one large picture.

    tile: greatest side of what is read at once, px, border included. shown: shows the progress over the tiles.
    """

    def __init__(self, generator: Generator, picture: Source, tile: int, shown: Shown = unshown) -> None:
        assert generator.body.border is not None
        self.generator, self.picture, self.shown = generator, picture, shown
        self.padded = Padded(picture, generator.body.multiple)
        self.rows = self._divided(tile, generator.body.border)
        self.tiles = [tile for row in self.rows for tile in row]
        # What a head reads is pooled without an error, so that theta^ is that of the whole picture.
        self.read_tiles = [tile for row in self._divided(tile, max(generator.body.reach, generator.body.border)) for tile in row]
        self.pool = _Pool()
        self.cells: tuple[int, ...] = ()  # px of a cell of the head's maps, along both axes
        self.theta: Tensor | None = None
        self.prediction: Tensor | None = None
        self.measured: tuple[Tensor, ...] = ()

    def _divided(self, tile: int, border: int) -> list[list[Tile]]:
        """Return rows of tiles."""
        grid = math.lcm(self.generator.body.grid, self.generator.body.multiple, getattr(self.generator.head, "grid", 1))
        heights, widths = (spans(side, tile, border, grid) for side in (self.padded.height, self.padded.width))
        return [[Tile(*y[:2], *x[:2], Place(y[2], x[2], self.padded)) for x in widths] for y in heights]

    def restore(self, put: Rows) -> tuple[Tensor | None, Tensor | None]:
        """Hand S to `put`, some rows at a time, and return theta^ and the logarithm of its variance."""
        generator = self.generator
        self.context = generator.body.survey(self.padded)
        if generator.head and not generator.head_is_late:
            self._predict()
        for _ in range(generator.body.measurements):
            self._measure()
        strip = _Strip(self.picture, max(row[0].bottom - row[0].top for row in self.rows), put)
        tiles = iter(self.shown(self.tiles, "restoring"))
        for row in self.rows:
            for _ in row:
                tile = next(tiles)
                strip.add(tile, self._restored(tile))
            strip.finish(row[0].bottom)
        for _ in tiles:  # let a progress bar end
            pass
        if generator.head_is_late:
            self.prediction = self._predicted()
        return generator.split(self.prediction)

    def _encoded(self, tile: Tile) -> tuple[Tensor, Features]:
        """Return L of a tile, not padded, and the features that the body computes from it."""
        place = tile.place
        low = self.padded.part(place.rows, place.columns)
        features = self.generator.body.encode_part(low, self.context)
        height, width = self.picture.height - place.rows.start, self.picture.width - place.columns.start
        return low[..., :height, :width], features._replace(theta=self.theta, place=place, measured=self.measured)

    def _predict(self) -> None:
        """Predict theta^ from all tiles before any is decoded; from the first alone if its features are those of the picture."""
        for tile in self.shown(self.read_tiles, "reading"):
            if not self._collect(tile, *self._encoded(tile)):
                break
        self.prediction = self._predicted()
        self.theta = self.generator.split(self.prediction)[0]

    def _collect(self, tile: Tile, low: Tensor, features: Features) -> bool:
        """Pool what the head reads of a tile. Return whether other tiles can differ from it."""
        assert isinstance(self.generator.head, Head)
        maps = self.generator.head.maps(low, features)
        if maps.shape[-2:] == (1, 1):  # global features
            self.pool = _Pool()
            self.pool.add(maps)
            return False
        if not self.cells:  # the first tile ends where another begins, so that its sides are whole numbers of cells
            self.cells = tuple(side // count for side, count in zip(low.shape[-2:], maps.shape[-2:], strict=True))
        size = (self.padded.height, self.padded.width)
        rows, columns = (
            slice((start - place.start) // cell, (stop - place.start) // cell if stop < side else None)
            for start, stop, place, cell, side in zip(
                (tile.top, tile.left), (tile.bottom, tile.right), tile.place[:2], self.cells, size, strict=True
            )
        )
        self.pool.add(maps[..., rows, columns])
        return True

    def _predicted(self) -> Tensor:
        assert isinstance(self.generator.head, Head)
        return self.generator.head.predict(self.pool.statistics().to(self.context), self.context)

    def _measure(self) -> None:
        total: Tensor | None = None
        for tile in self.shown(self.tiles, "measuring"):
            sums = self.generator.body.measure(self._conditioned(self._encoded(tile)[1]), tile.inside)
            total = sums if total is None else total + sums
        assert total is not None
        self.measured = (*self.measured, total)

    def _conditioned(self, features: Features) -> Features:
        condition = self.generator.condition
        return features._replace(bottleneck=condition(features.bottleneck, features.theta)) if condition else features

    def _restored(self, tile: Tile) -> Float[Tensor, "b 3 h w"]:
        """Return S of a tile and its border, as far as it lies in the picture; pool what a late head reads."""
        low, features = self._encoded(tile)
        features = self.generator.body.decode(self._conditioned(features))
        if self.generator.head_is_late:
            self._collect(tile, low, features)
        return self.generator.picture(low, features)


def spans(side: int, tile: int, border: int, grid: int) -> list[tuple[int, int, slice]]:
    """Divide an axis: for each tile [start, stop), and the slice that is read of it. Starts are multiples of `grid`."""
    border = -(-border // grid) * grid
    most = max((tile - 2 * border) // grid, -(-2 * BLEND // grid)) * grid  # px of a tile's own
    if side <= tile:
        return [(0, side, slice(0, side))]
    step = -(-side // -(-side // most) // grid) * grid
    starts = [*range(0, side, step), side]
    return [(start, stop, slice(max(start - border, 0), min(stop + border, side))) for start, stop in pairwise(starts)]


class _Pool:
    """Mean and variance of channels over the positions of many tiles, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: Tensor | None = None

    def add(self, maps: Float[Tensor, "b c h w"]) -> None:
        values = maps.double()
        sums = torch.stack([values.sum(dim=(2, 3)), values.square().sum(dim=(2, 3))])
        self.sums = sums if self.sums is None else self.sums + sums
        self.count += maps.shape[-2] * maps.shape[-1]

    def statistics(self) -> Float[Tensor, "b twice"]:
        assert self.sums is not None
        mean, square = self.sums / self.count
        return PooledStatistics.of(mean, (square - mean.square()).clamp(min=0))


class _Strip:
    """The rows of S that tiles are being added to, blended where they meet. height: greatest of the tiles' own, px."""

    def __init__(self, picture: Source, height: int, put: Rows) -> None:
        self.height, self.width, self.put = picture.height, picture.width, put
        self.room, self.first = height + 2 * BLEND, 0
        self.rows: Tensor | None = None

    def add(self, tile: Tile, image: Float[Tensor, "b 3 h w"]) -> None:
        """Add S of a tile and its border."""
        if self.rows is None:
            self.rows = image.new_zeros(*image.shape[:2], min(self.room, self.height), self.width)
        top, down = _weights(tile.top, tile.bottom, self.height, image)
        left, across = _weights(tile.left, tile.right, self.width, image)
        rows, columns = (slice(first, first + len(weights)) for first, weights in ((top, down), (left, across)))
        part = image[..., _moved(rows, -tile.place.rows.start), _moved(columns, -tile.place.columns.start)]
        self.rows[..., _moved(rows, -self.first), columns].addcmul_(part, down[:, None] * across)

    def finish(self, bottom: int) -> None:
        """Hand on the rows that no further tile changes. bottom: where the tiles of this row end."""
        assert self.rows is not None
        count = min(bottom, self.height) - self.first - (BLEND if bottom < self.height else 0)
        self.put(self.rows[..., :count, :], self.first, self.height)
        rest = self.rows[..., count:, :].clone()
        self.rows.zero_()
        self.rows[..., : rest.shape[-2], :] = rest
        self.first += count


def _weights(start: int, stop: int, side: int, like: Tensor) -> tuple[int, Float[Tensor, " n"]]:
    """Return the first pixel along an axis to which a tile contributes, and its share in each; those of all tiles add up to 1."""
    first, last = max(start - BLEND, 0), min(stop + BLEND, side)
    centre = torch.arange(first, last, device=like.device, dtype=like.dtype) + 0.5
    rising = (centre - (start - BLEND)) / (2 * BLEND) if start > 0 else torch.ones_like(centre)
    falling = (stop + BLEND - centre) / (2 * BLEND) if stop < side else torch.ones_like(centre)
    return first, rising.clamp(0, 1) * falling.clamp(0, 1)


def _moved(interval: slice, by: int) -> slice:
    return slice(interval.start + by, interval.stop + by)
