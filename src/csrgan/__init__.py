"""csrgan: blind image super-resolution, trained and compared under control.

    import csrgan

    model = csrgan.load("runs/first")            # the folder of a run, or a checkpoint
    result = model("photo.png")                  # a file, an array (H, W, 3) or (H, W), a tensor (B, 3, H, W)
    result.image                                 # S, of the same kind as the input
    result.parameters.blur_std                   # predicted blur of the photograph, HR px
    csrgan.metrics.psnr(result.image, "sharp.png")
    csrgan.degrade("sharp.png", theta={"blur_std": 2.0})   # L and the parameters that were applied
    csrgan.evaluate(model, "photos/valid").summary         # the scores of `csrgan evaluate`
    run = csrgan.train(["output=clamp", "seed=1"])         # the same as `csrgan train output=clamp seed=1`

    lightning.Trainer(max_epochs=1).fit(csrgan.CSRGAN(), csrgan.Photographs(train="photos/train", valid="photos/valid"))

The names in this module are stable. Nothing heavy is imported before it is used: `import csrgan` takes a few milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from csrgan.version import __version__

if TYPE_CHECKING:
    from csrgan import metrics
    from csrgan.api.degrading import Degraded, degrade
    from csrgan.api.evaluation import Evaluation, evaluate
    from csrgan.api.model import Model, load
    from csrgan.api.restoration import Restoration, Theta
    from csrgan.arguments import Recorded
    from csrgan.data.module import Photographs
    from csrgan.data.pair_source import Pairs
    from csrgan.degradation.augmentation import Degradation
    from csrgan.degradation.parameters import Parameters
    from csrgan.errors import UserError
    from csrgan.launch import Run, train
    from csrgan.training.algorithms.csrgan import CSRGAN
    from csrgan.training.algorithms.dan import DAN
    from csrgan.training.algorithms.ikc import IKC
    from csrgan.training.algorithms.srgan import SRGAN
    from csrgan.training.algorithms.srmd import SRMD


__all__ = [
    "CSRGAN",
    "DAN",
    "IKC",
    "SRGAN",
    "SRMD",
    "Degradation",
    "Degraded",
    "Evaluation",
    "Model",
    "Pairs",
    "Parameters",
    "Photographs",
    "Recorded",
    "Restoration",
    "Run",
    "Theta",
    "UserError",
    "__version__",
    "degrade",
    "evaluate",
    "load",
    "metrics",
    "train",
]

PLACES = {
    "CSRGAN": ("csrgan.training.algorithms.csrgan", "CSRGAN"),
    "SRGAN": ("csrgan.training.algorithms.srgan", "SRGAN"),
    "SRMD": ("csrgan.training.algorithms.srmd", "SRMD"),
    "IKC": ("csrgan.training.algorithms.ikc", "IKC"),
    "DAN": ("csrgan.training.algorithms.dan", "DAN"),
    "Photographs": ("csrgan.data.module", "Photographs"),
    "Pairs": ("csrgan.data.pair_source", "Pairs"),
    "Recorded": ("csrgan.arguments", "Recorded"),
    "degrade": ("csrgan.api.degrading", "degrade"),
    "Degraded": ("csrgan.api.degrading", "Degraded"),
    "Degradation": ("csrgan.degradation.augmentation", "Degradation"),
    "Parameters": ("csrgan.degradation.parameters", "Parameters"),
    "evaluate": ("csrgan.api.evaluation", "evaluate"),
    "Evaluation": ("csrgan.api.evaluation", "Evaluation"),
    "train": ("csrgan.launch", "train"),
    "Run": ("csrgan.launch", "Run"),
    "Model": ("csrgan.api.model", "Model"),
    "load": ("csrgan.api.model", "load"),
    "Restoration": ("csrgan.api.restoration", "Restoration"),
    "Theta": ("csrgan.api.restoration", "Theta"),
    "UserError": ("csrgan.errors", "UserError"),
}


def __getattr__(name: str) -> object:
    if name in PLACES:
        module, attribute = PLACES[name]
        return getattr(import_module(module), attribute)
    if name == "metrics":
        return import_module("csrgan.metrics")
    raise AttributeError(f"module 'csrgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
