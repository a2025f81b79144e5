"""Values that no run can be made with, found before anything heavy is imported; all of them in one message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from csrgan.fault import Fault

# The least value of a key, by its last names. A key that is not here is checked by the constructor that takes it.
LEAST = {
    **dict.fromkeys(("seed", "workers", "keep_mb", "panels", "lr", "weight", "epsilon", "least_std", "warmup", "start", "ramp"), 0),
    **dict.fromkeys(("middle_blocks", "spectrum_bins", "compare_every", "hot_pixels", "cache_mb", "least_detail", "retries"), 0),
    **dict.fromkeys(("crop", "batch_size", "images", "repeats", "per_image", "devices"), 1),
    **dict.fromkeys(("every", "validate_every", "save_every", "crops_each", "window", "shard_mb"), 1),
    **dict.fromkeys(("grid.blur", "grid.scale", "grid.noise", "width", "hidden", "stages", "levels", "unshuffle", "enlarge"), 1),
}
MAY_BE_NULL = ("crop", "evaluation.crop")  # the whole picture
CHOICES = {
    "accelerator": ("cpu", "gpu"),
    "precision": ("32-true", "bf16-mixed"),
    "device": ("cpu", "cuda"),
}
WHOLE = {"size": ("paper", "small")}  # by the whole key


def check_values(settings: dict[str, Any]) -> None:
    """Raise Fault for every value below its least or outside its choices."""
    faults = list(_faults(settings, ()))
    if faults:
        raise Fault("\n".join(faults))


def _faults(tree: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _faults(value, (*path, str(key)))
        return
    place = ".".join(path)
    least = LEAST.get(".".join(path[-2:]), LEAST.get(path[-1]))
    if least is not None and tree is None and place not in MAY_BE_NULL:
        yield f"{place}=null is not a number."
    if least is not None and isinstance(tree, int | float) and tree < least:
        yield f"{place}={tree} is below {least}, the least that it can be."
    choices = CHOICES.get(path[-1]) or WHOLE.get(place)
    if choices and isinstance(tree, str | int) and tree not in choices:
        yield str(Fault.unknown(place, str(tree), choices))
