"""Pictures of results: panels of S, L and H, and contact sheets, labelled with the parameters."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor

from csrgan.degradation.parameters import Parameters
from csrgan.evaluation import metrics
from csrgan.records import Batch, Restoration
from csrgan.reports.chart import literal
from csrgan.reports.table import NO_UNITS, quantities

LETTERS = 46  # of a caption's line on a contact sheet


def panel(batch: Batch, restored: Restoration, units: Mapping[str, str] = NO_UNITS) -> Figure:
    """Draw S | L | H of a batch of one picture, pixel for pixel, with theta^ and theta below, in letters a twentieth of it wide.

    units: of further factors that the network predicts, by their names; the protocol's are known.
    """
    units = {**batch.spec.units, **(batch.prior.units if batch.prior else {}), **units}
    height, width = batch.sharp.shape[-2:]
    letter = max(11, width // 20)  # px; the mean letter of the font is 0.6 of it wide
    letters = int(width / (0.6 * letter))  # in a line
    columns = (
        ("S", restored.image, f"{_db(batch, restored.image)}", f"predicted: {_line(restored.parameters, units)}"),
        ("L", batch.enlarged, f"{_db(batch, batch.enlarged)}", f"true: {_line(batch.parameters, units)}"),
        ("H", batch.sharp, literal(_shortened(batch.names[0], letters - 5)), ""),
    )
    captions = [f"{name}  {first}\n{_wrapped(second, letters)}" for name, _, first, second in columns]
    dpi, gap, text = 100, 6, math.ceil(1.45 * letter * max(caption.count("\n") + 1 for caption in captions)) + 8
    figure = Figure(figsize=((3 * width + 2 * gap) / dpi, (height + text) / dpi), dpi=dpi, facecolor="white")
    for column, ((_, image, *_), caption) in enumerate(zip(columns, captions, strict=True)):
        left = column * (width + gap) / (3 * width + 2 * gap)
        box = (left, text / (height + text), width / (3 * width + 2 * gap), height / (height + text))
        axes = figure.add_axes(box)
        axes.imshow(image[0].detach().cpu().permute(1, 2, 0).clamp(0, 1).numpy(), interpolation="nearest")
        axes.set_axis_off()
        figure.text(left, (text - 4) / (height + text), caption, va="top", fontsize=letter * 72 / dpi, linespacing=1.2)
    return figure


def _wrapped(text: str, width: int) -> str:
    """Break a caption into lines of so many letters, after its colon and between parameters only."""
    head, _, rest = text.partition(": ")
    first, *parts = rest.split(", ")
    lines = [f"{head}:", first] if len(f"{head}: {first},") > width else [f"{head}: {first}" if rest else head]
    for part in parts:
        longer = f"{lines[-1]}, {part}".removeprefix(", ")
        lines[-1:] = [longer] if not lines[-1] or len(longer) <= width else [f"{lines[-1]},", part]
    return "\n".join(lines)


def _parted(text: str, width: int) -> list[str]:
    """Break a line of parameters into lines of so many letters, between parameters only."""
    return [line.replace("\xa0", " ") for line in textwrap.wrap(text.replace(" ", "\xa0").replace(",\xa0", ", "), width)]


def _shortened(name: str, width: int) -> str:
    """Return a name in so many letters, with its beginning and its end."""
    half = max(width - 1, 2) // 2
    return name if len(name) <= width else f"{name[:half]}…{name[-half:]}"


def save(figure: Figure, path: Path) -> None:
    """Write a figure; its folder is created if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _db(batch: Batch, image: Tensor) -> str:
    return f"{metrics.psnr(image, batch.sharp):.2f} dB"


def _line(parameters: Parameters | None, units: Mapping[str, str]) -> str:
    if parameters is None:
        return "nothing"
    return literal(quantities(dict(zip(parameters.names, parameters.stack()[0].tolist(), strict=True)), units))


def sheet(entries: Sequence[tuple[Tensor, Parameters, str]], units: Mapping[str, str] = NO_UNITS, columns: int = 4) -> Figure:
    """Draw a contact sheet of degraded pictures, each with its name and parameters above it and its kernel, if any, in a corner.

    units: of further factors, by their names.
    """
    rows = math.ceil(len(entries) / columns)
    captions = [
        "\n".join([literal(_shortened(name, LETTERS)), *_parted(_line(parameters, units), LETTERS)])
        for _, parameters, name in entries
    ]
    lines = max((caption.count("\n") + 1 for caption in captions), default=2)
    figure = Figure(figsize=(columns * 3.2, rows * (3.1 + 0.15 * lines)), dpi=100, facecolor="white")
    for index, ((image, parameters, _), caption) in enumerate(zip(entries, captions, strict=True)):
        axes = figure.add_subplot(rows, columns, index + 1)
        axes.imshow(image.permute(1, 2, 0).numpy())
        axes.set_axis_off()
        axes.set_title(caption, fontsize=7)
        if parameters.kernel is not None:
            inset = axes.inset_axes((0.0, 0.0, 0.25, 0.25))
            inset.imshow(parameters.kernel[0].numpy(), cmap="gray", interpolation="nearest")
            inset.set_axis_off()
    figure.tight_layout()
    return figure
