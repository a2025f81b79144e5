"""A folder of pictures that somebody's program restored, matched with the sharp pictures that they are scored against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from omegaconf import DictConfig, open_dict

from csrgan.arguments import description
from csrgan.config.build import build, checked_settings
from csrgan.console import Console
from csrgan.data import picture
from csrgan.data.grid import part
from csrgan.data.module import Photographs
from csrgan.data.pair_crops import centred
from csrgan.data.pair_names import SHOWN, at_most
from csrgan.data.pair_sizes import Size, agrees
from csrgan.data.paired import Paired
from csrgan.data.pictures import Pictures
from csrgan.data.search import find_pictures
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import raise_faults, require
from csrgan.reports.matching import match
from csrgan.restorers.given import GivenPicture, GivenPictures
from csrgan.training.evaluated import Evaluated
from csrgan.tree import Settings


def given_system(config: DictConfig, console: Console) -> tuple[Evaluated, Settings]:
    """Return a system whose S are the pictures in the folder `results`, and the command's settings.

    Pairs are scored without a degradation being named. Raises UserError, with a sentence for each picture, where one is missing or
    has another size than the sharp one.
    """
    folder = Path(str(config.results))
    require(folder.is_dir(), f"results={folder} is not a folder.")
    if not config.get("degradation"):
        with open_dict(config):
            config.degradation = description(Degradation())
    settings = checked_settings(config)
    data: Photographs = build(settings["data"], "data")
    pictures, degradation = data.pictures("data.valid"), data.degradation
    if not isinstance(pictures, Paired):
        cells = len(degradation.prior.grid(**settings["evaluation"]["grid"])) * int(settings["evaluation"]["repeats"])
        remedy = '"evaluation.grid={blur:1,scale:1,noise:1}" evaluation.repeats=1, or name the pairs as data=pairs'
        sentence = f"results={folder} has one picture of each photograph, and this evaluation degrades each {cells} times"
        require(cells == 1, f"{sentence}: add {remedy}.")
    files = _matched(folder, pictures, console)
    sizes = {name: picture.size(folder / file) for name, file in files.items()}
    lows = dict(zip(pictures.names, pictures.low.sizes, strict=True)) if isinstance(pictures, Paired) else {}
    multiple = degradation.multiple
    whole = {name: _whole(size, multiple) for name, size in zip(pictures.names, pictures.sizes, strict=True)}
    raise_faults(_size_faults({name: (picture.called(files[name]), sizes[name], whole[name], lows.get(name)) for name in files}))
    crop = settings["evaluation"]["crop"]
    paired = isinstance(pictures, Paired)
    parts = {name: GivenPicture(folder / file, *_part(whole[name], crop, multiple, paired=paired)) for name, file in files.items()}
    return Evaluated(GivenPictures(parts, degradation=degradation)), settings


def _matched(folder: Path, pictures: Pictures, console: Console) -> dict[str, PurePath]:
    """Return the restored picture of each photograph, by the photograph's name. Raises UserError for each that has none."""
    names = [file.relative_to(folder) for file in find_pictures(folder).files]
    require(bool(names), f"results={folder} holds no picture.")
    found = _joined(names, {PurePath(name): name for name in pictures.names})
    if isinstance(pictures, Paired):  # a program keeps the name of what it restored
        left = [pair for pair in pictures.pairs if pair.name not in found]
        free = [name for name in names if name not in found.values()]
        found |= _joined(free, {PurePath(pair.low.name): pair.name for pair in left})
    missing = [name for name in pictures.names if name not in found]
    free = [name for name in names if name not in found.values()]
    has = f"results={folder} has {', '.join(map(picture.called, free[:3])) or 'no other picture'}"
    raise_faults(at_most([f"{has}{' and more' if len(free) > 3 else ''}, and none of {name}: name it {name}." for name in missing]))
    if free:
        some = ", ".join(map(picture.called, free[:SHOWN]))
        console.print(
            f"results: {len(free)} pictures belong to none of data.valid: {some}", highlight=False, markup=False, soft_wrap=True
        )
    return found


def _joined(names: Sequence[PurePath], wanted: Mapping[PurePath, str]) -> dict[str, PurePath]:
    """Return the restored picture of each wanted name, as csrgan compare matches them."""
    groups = match([names, list(wanted)])
    return {wanted[group[1]]: group[0] for group in groups if len(group) == 2}


def _whole(size: Size, multiple: int) -> Size:
    """Return the size of the part of H, from its upper left corner, that is evaluated where nothing is cropped."""
    return size[0] - size[0] % multiple, size[1] - size[1] % multiple


def _part(size: Size, crop: int | None, multiple: int, *, paired: bool) -> tuple[slice, slice]:
    """Return the rows and columns of S that belong to what an evaluation reads of H."""
    if paired:
        (top, height), (left, width) = (centred(length, crop, multiple) for length in size)
        return slice(top, top + height), slice(left, left + width)
    rows, columns = (part(length, crop, multiple) for length in size)
    return rows, columns


def _size_faults(sizes: Mapping[str, tuple[str, Size, Size, Size | None]]) -> Iterator[str]:
    """Yield a sentence for each reason for which pictures cannot be scored. sizes: the file's name, and the sizes of S, H and L.

    S may be larger than H by less than a pixel of L.
    """
    alike: dict[str, list[str]] = {}
    for file, size, sharp, low in sizes.values():
        scale = max(sharp[0] / low[0], sharp[1] / low[1]) if low else 1.0
        if not all(0 <= side - wanted < scale for side, wanted in zip(size, sharp, strict=True)):
            said = f"{file} has {size[1]}x{size[0]} px, and the sharp picture {sharp[1]}x{sharp[0]}"
            alike.setdefault(_misfit(size, sharp, low), []).append(said)
    for misfit, found in alike.items():
        yield f"results: {found[0]}{f' ({len(found) - 1} more are like it)' if len(found) > 1 else ''}: {misfit}."


def _misfit(size: Size, sharp: Size, low: Size | None) -> str:
    """Return in words what is wrong with the size of S."""
    down, across = (wanted / side for side, wanted in zip(size, sharp, strict=True))
    if not 0.95 < down / across < 1.05:
        return "it is turned, or shows another part"
    if low:
        return f"it is {_scale(low, size)} times as large as L, and a scale of {_scale(low, sharp)} fits"
    return f"a scale of {_scale(size, sharp) if down >= 1 else f'1/{_scale(sharp, size)}'} times that of the program fits"


def _scale(small: Size, large: Size) -> str:
    """Return how many times one size is the other, as a whole number where the sides of the smaller may be rounded."""
    scale = large[0] / small[0]
    return f"{round(scale)}" if agrees(small, large, round(scale)) else f"{scale:.3g}"
