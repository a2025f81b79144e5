"""Settings that no constructor takes: who declares the others is whom a `_target_` names, or whom a key is handed on to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from csrgan.ranges import Count, CountOr0, NotNegative, Positive, Seed


class Trainer(TypedDict):
    """conf/trainer."""

    accelerator: Literal["cpu", "gpu"]
    precision: Literal["32-true", "bf16-mixed"]
    devices: Count
    multiply_adds: Positive | None
    validate_every: Count
    save_every: Count
    calibration_images: CountOr0
    panels: CountOr0


class Condition(TypedDict):
    """What conf/health watches for."""

    limit: NotNegative
    action: Literal["log", "pause", "reduce_lr", "stop"]


class Health(TypedDict):
    """conf/health."""

    every: Count
    window: Annotated[int, "[2,inf)"]
    patience: CountOr0
    saturation: Condition
    collapse: Condition
    drift: Condition
    explosion: Condition


class Logger(TypedDict):
    """conf/logger."""

    every: Count
    patience: Positive


class Reading(TypedDict):
    """Of csrgan bench."""

    count: CountOr0
    crop: Count
    crops: Count


class Loop(TypedDict):
    """Of csrgan bench."""

    turns: CountOr0
    steps: Count


class Command(TypedDict):
    """The keys at the top, of all commands: each means the same in those that have it."""

    seed: Seed
    size: Literal["paper", "small"]
    device: Literal["cpu", "cuda"] | None
    oracle: Literal["truth", "prediction", "mismatch"] | None
    panels: CountOr0
    per_image: Count
    crop: Count | None
    enlarge: Positive
    shard_mb: Positive
    sizes: Sequence[Count]
    max_stds: Sequence[NotNegative]
    batch: Count
    repeats: Count
    steps: CountOr0
    reading: Reading
    loop: Loop


# What a run that goes on may change, by group; it takes effect from the next batch on. All other groups are kept. So is the class
# of the data, and of what the system is given by itself, such as an optimizer, whose state a checkpoint holds. A class names those
# of its arguments that are kept in `kept_on_resume`.
CHANGEABLE = ("callbacks", "data", "evaluation", "health", "logger", "loss", "optimizer", "trainer")
KEPT = ("trainer.devices",)

GROUPS = {"": Command, "trainer": Trainer, "health": Health, "logger": Logger}
