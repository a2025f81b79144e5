"""csrgan compare: show folders of pictures side by side on one page, with scores."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig
from rich.progress import track

from csrgan.api import own
from csrgan.console import Console
from csrgan.data import picture
from csrgan.data.search import find_pictures
from csrgan.errors import raise_faults, require
from csrgan.evaluation.metrics import METRICS
from csrgan.files import relative
from csrgan.reports import side_by_side
from csrgan.reports.side_by_side import Folder
from csrgan.rules import listed, requested_metrics
from csrgan.runs import given_places


def run(config: DictConfig) -> int:
    """Write the page and the table of scores. Return exit status 1 if some pictures could not be read."""
    given = [config.folders] if isinstance(config.folders, str) else list(config.folders)
    places = list(dict.fromkeys(Path(str(path)) for path in given))
    sharp = None if config.sharp is None else Path(str(config.sharp))
    destination = Path(str(config.destination))
    require(not destination.exists() or destination.is_dir(), f"destination={destination} is a file: choose a folder.")
    require(len(places) > 1 or (bool(places) and sharp is not None), "folders: give two or more, or one and sharp=FOLDER.")
    further = _further(config.metrics)
    require(sharp is not None or not further, f"metrics={','.join(further)} need the sharp pictures: give sharp=FOLDER.")
    folders = [_folder(place, "folders", destination) for place in places]
    truth = _folder(sharp, "sharp", destination) if sharp else None
    console, errors = Console(), Console(stderr=True)
    result = side_by_side.compare(
        folders,
        truth,
        lambda groups: track(groups, "comparing", console=console, transient=True, disable=not console.is_terminal),
        further,
    )
    for sentence in result.broken:
        errors.print(f"csrgan compare: skipped: {sentence}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    require(
        any(result.rows),
        "no picture of one folder has the name of one of another: "
        + "; ".join(f"{folder.path} has {picture.called(folder.names[0])}" for folder in (*folders, *([truth] if truth else [])))
        + ".",
    )
    title = str(config.title or ", ".join(result.columns))
    written = side_by_side.write(destination, result, title=title)
    left = f", {len(result.alone)} in one folder only" if result.alone else ""
    console.print(f"{len(result.rows)} pictures{left}: {relative(written)}", highlight=False, markup=False, soft_wrap=True)
    return 1 if result.broken else 0


def _further(metrics: object) -> tuple[str, ...]:
    """Return the names of further metrics. Raises UserError for one that needs more than a picture and the sharp one."""
    names = listed(metrics)
    own.register_metrics(names)
    raise_faults(requested_metrics(names, [name for name in METRICS if set(METRICS[name].needs) == {"image", "sharp"}], "metrics"))
    return names


def _folder(path: Path, key: str, destination: Path) -> Folder:
    given_places.folder(path, key)
    return Folder(path, tuple(file.relative_to(path) for file in find_pictures(path, exclude=destination).files))
