"""Packages that some choices need and csrgan does not install, looked for before anything is imported."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

# What a yaml file builds, by name: the modules of which it needs one, and the extra of csrgan that installs it.
NEEDED = {
    "lightning.pytorch.loggers.TensorBoardLogger": (("tensorboard", "tensorboardX"), "tensorboard"),
    "lightning.pytorch.loggers.MLFlowLogger": (("mlflow",), "mlflow"),
    "csrgan.loggers.trackio_run.TrackioRun": (("trackio",), "trackio"),
    "csrgan.losses.backbones.efficientnet_lite0": (("efficientnet_lite_pytorch",), "perceptual"),
}


def missing_packages(tree: object, place: str = "") -> Iterator[str]:
    """Yield a sentence for each object in a configuration that needs a package which is not installed."""
    if not isinstance(tree, dict) or tree.get("weight") == 0:  # a loss that is switched off
        return
    modules, extra = NEEDED.get(str(tree.get("_target_")), ((), ""))
    if modules and not any(find_spec(module) for module in modules):
        group, _, choice = place.partition(".")
        named = f"{group}={choice}" if group == "logger" else place
        yield f"{named} needs a package that is not installed: pip install 'csrgan[{extra}]'."
    for key, node in tree.items():
        yield from missing_packages(node, f"{place}.{key}".lstrip("."))
