"""Values that no run can be made with, found before anything heavy is imported; all of them in one message."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

from csrgan.fault import Fault

# Where the whole numbers lie, by the last names of their keys, and where the others do. Every number in conf/ has a range.
WHOLE = {
    "[0,4294967295]": ("seed",),  # as far as NumPy takes one
    "[0,inf)": (
        *(
            "workers",
            "panels",
            "calibrate",
            "start",
            "ramp",
            "warmup",
            "compare_every",
            "retries",
            "hot_pixels",
            "middle_blocks",
            "health.patience",
        ),
        *(
            "spectrum_bins",
            "first_stage",
            "corrections",
            "back_projections",
            "steps",
            "data_steps",
            "reading.count",
            "function.layers",
        ),
    ),
    "[1,inf)": (
        *(
            "images",
            "batch_size",
            "batch",
            "devices",
            "accumulate",
            "repeats",
            "per_image",
            "every",
            "validate_every",
            "save_every",
        ),
        *("crop", "late_crop", "crops", "crops_each", "window", "grid.blur", "grid.scale", "grid.noise", "width", "hidden"),
        *("blocks", "groups", "layers", "components", "loops", "patches", "judge_steps", "refine", "zssr.steps", "sizes"),
        *("kernel_size", "bits", "bytes", "spectrum_tile", "turns", "unshuffle"),
    ),
    "[2,inf)": ("gains",),
    "[1,2]": ("kernel.stages",),
    "[1,8]": ("levels", "stages"),  # the channels double at each
    "[3,inf)": ("game.steps",),  # the end of the game is a mean over the last two fifths of them
    "[32,inf)": ("evaluation.crop", "evaluation_crop"),  # SSIM and the perceptual distance have no value for smaller pictures
}
REAL = {
    "[0,inf)": (
        *("lr", "blur_lr", "judge_lr", "weight", "keep_mb", "cache_mb", "mismatch", "floor", "noise_weight"),
        *("blur.low", "blur.high", "tested_blur_std", "max_stds", "limit"),
    ),
    "(0,inf)": ("clip", "patience", "shard_mb", "enlarge", "multiply_adds", "gaussian.window", "edge"),
    "[1,inf)": ("scale.low", "scale.high"),
    "[0,1)": ("betas", "average", "kernel.noise"),
    "[0,1]": ("beta", "least_detail", "noise.low", "noise.high", "gaussian.noise"),
    "(0,1]": ("contrast", "gaussian.detail"),
    "(0,1)": ("epsilon", "late", "schedule.last"),
    "(0,0.5)": ("output.epsilon",),
}
RANGES = {
    name: (kind, each) for kind, table in (("whole", WHOLE), ("real", REAL)) for each, names in table.items() for name in names
}
MAY_BE_NULL = (  # by the last two names
    *("crop", "data.late_crop", "evaluation.crop", "data.evaluation_crop"),
    *("optimizer.clip", "rule.clip", "trainer.multiply_adds"),
    *("degradation.kernel_size", "degradation.bits", "degradation.tested_blur_std"),
)
CHOICES = {
    "accelerator": ("cpu", "gpu"),
    "precision": ("32-true", "bf16-mixed"),
    "device": ("cpu", "cuda"),
    "uniform_in": ("value", "variance"),
    "predicted": ("blur_std", "scale", "noise_std"),
    "downsampling": ("bicubic", "direct"),
    "degradation.output": ("native", "upsampled"),
    "backend": ("banded", "kornia"),
    "reads": ("mean", "statistics"),
    "code.kind": ("kernel", "units"),
    "estimates": ("code", "kernel"),
    "action": ("log", "pause", "slow", "stop"),
    "told": ("mismatch", "prediction", "truth"),
    "system.kernel": ("free", "gaussian"),
    "system.restorer": ("checkpoint", "none", "zssr"),
}
WHOLE_KEYS = {"size": ("paper", "small")}  # by the whole key


def check_values(settings: dict[str, Any]) -> None:
    """Raise Fault for every value outside its range or its choices."""
    faults = list(value_faults(settings))
    if faults:
        raise Fault(*faults)


def value_faults(tree: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """A sentence for each value of a configuration, or of the part of it at `path`, that is outside its range or its choices."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from value_faults(value, (*path, str(key)))
        return
    place = ".".join(path)
    kind, interval = range_of(path)
    choices = WHOLE_KEYS.get(place) or CHOICES.get(".".join(path[-2:])) or CHOICES.get(path[-1])
    if path[-1:] == ("betas",) and len(tree) != 2:
        yield f"{place}={tree} must be two numbers."
    for value in tree if isinstance(tree, list) else [tree]:
        told = f"{place}={tree}: {value}" if isinstance(tree, list) else f"{place}={'null' if tree is None else tree}"
        if interval and not (value is None and ".".join(path[-2:]) in MAY_BE_NULL):
            yield from (f"{told} {wrong}." for wrong in _outside(value, kind, interval))
        if choices and isinstance(value, str | int | float) and value not in choices:
            yield str(Fault.unknown(place, str(value), choices))


def range_of(path: tuple[str, ...]) -> tuple[str, str]:
    """Whether the number at a key is `whole` or `real`, and its interval; both empty where the key holds no number."""
    return RANGES.get(".".join(path[-2:])) or RANGES.get(path[-1]) or ("", "")


def _outside(value: Any, kind: str, interval: str) -> Iterator[str]:
    """What is wrong with a number that should be in an interval such as [0,1)."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and math.isnan(value)):
        yield "is not a number"
    elif abs(value) > sys.float_info.max:
        yield "is not finite"
    elif kind == "whole" and isinstance(value, float):
        yield f"is not a whole number{f': write {int(value)}' if value.is_integer() else ''}"
    elif low < value < high or (value == low and interval[0] == "[") or (value == high and interval[-1] == "]"):
        return
    elif high < math.inf:
        yield f"is not in {interval}"
    else:
        yield f"is not above {low:g}" if interval[0] == "(" else f"is below {low:g}, the least that it can be"
