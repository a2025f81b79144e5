"""Rules for settings that no constructor takes. The others are declared by the class that gets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypedDict

from csrgan.ranges import Count, CountOr0, NotNegative, Number, Positive, Seed


class Trainer(TypedDict):
    """conf/trainer."""

    accelerator: Literal["cpu", "gpu"]
    precision: Literal["32-true", "bf16-mixed"]
    devices: Count
    multiply_adds: Positive | None
    minutes: Positive | None
    validate_every: Count
    save_every: Count
    calibration_images: CountOr0
    ood_images: CountOr0
    panels: CountOr0


class Condition(TypedDict):
    """A condition that conf/health watches for.

    limit: beyond it, the condition holds. action: what then happens, log; pause (freeze the discriminator meanwhile); reduce_lr
    (halve learning rates); or stop.
    """

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
    """reading of conf/bench.yaml: the reading of crops.

    count: photographs; 0: none. crop: side of a crop, px. crops: how many are read.
    """

    count: CountOr0
    crop: Count
    crops: Count


class Loop(TypedDict):
    """loop of conf/bench.yaml: a training step beside a plain loop.

    turns: how often the two alternate; 0: none. steps: of each turn.
    """

    turns: CountOr0
    steps: Count


class Command(TypedDict):
    """Top-level keys of all commands. A key means the same in each command that has it."""

    seed: Seed
    size: Literal["paper", "small"]
    device: Literal["cpu", "cuda"] | None
    oracle: Literal["truth", "prediction", "mismatch"] | None
    panels: CountOr0
    per_image: Count
    grid: Mapping[str, Count] | None
    crop: Count | None
    enlarge: Positive
    tile: Annotated[int, "[384,inf)"]
    shard_mb: Positive
    port: Annotated[int, "[0,65535]"]
    most_megapixels: Positive
    most_mb: Positive
    sizes: Sequence[Count]
    max_stds: Sequence[NotNegative]
    batch: Count
    repeats: Count
    steps: CountOr0
    reading: Reading
    loop: Loop
    relevant: NotNegative
    reach: Sequence[Number]
    table: Literal["groups", "sets"]
    width: Literal["column", "page"]


# Groups that a resumed run may change, from the next batch on. All other groups are kept. So are the class of the data and the
# classes of the system's own arguments, such as an optimizer, whose state is in the checkpoint. A class lists the arguments that
# are kept in `kept_on_resume`.
CHANGEABLE = ("callbacks", "data", "evaluation", "health", "logger", "loss", "optimizer", "trainer")

GROUPS = {"": Command, "trainer": Trainer, "health": Health, "logger": Logger}
