"""Packages that some choices need and csrgan does not install, looked for before anything is imported."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec

from csrgan.config.location import extra
from csrgan.config.search import packages
from csrgan.declared import required_imports

# What a yaml file builds, by name: the modules of which it needs one, and what pip installs for it, or the extra that has it.
OF_LIGHTNING = "lightning.pytorch.loggers."
NEEDED = {
    f"{OF_LIGHTNING}TensorBoardLogger": (("tensorboard", "tensorboardX"), "[tensorboard]"),
    f"{OF_LIGHTNING}MLFlowLogger": (("mlflow",), "[mlflow]"),
    f"{OF_LIGHTNING}CometLogger": (("comet_ml",), "comet-ml"),
    f"{OF_LIGHTNING}NeptuneLogger": (("neptune",), "neptune"),
    f"{OF_LIGHTNING}LitLogger": (("litlogger",), "litlogger"),
    "csrgan.loggers.trackio_run.TrackioRun": (("trackio",), "[trackio]"),
    "csrgan.losses.backbones.efficientnet_lite0": (("efficientnet_lite_pytorch",), "[perceptual]"),
}


def missing_packages(tree: object, place: str = "") -> Iterator[str]:
    """Yield a sentence for each object in a configuration that needs a package which is not installed."""
    if not isinstance(tree, dict) or tree.get("weight") == 0:  # a loss that is switched off
        return
    target = str(tree.get("_target_"))
    name = f"{OF_LIGHTNING}{target.rpartition('.')[2]}" if target.startswith(OF_LIGHTNING) else target
    modules, wanted = NEEDED.get(name, ((), ""))
    install = extra(wanted.strip("[]")) if wanted.startswith("[") else f"pip install {wanted}"
    group, _, choice = place.partition(".")
    named = f"{group}={choice}" if group == "logger" else place
    if modules and not any(find_spec(module) for module in modules):
        yield f"{named} needs a package that is not installed: {install}."
    if absent := _absent(target):
        yield f"{named} needs what is not installed: {target} imports {', '.join(absent)}. Install it with pip."
    for key, node in tree.items():
        yield from missing_packages(node, f"{place}.{key}".lstrip("."))


def _absent(target: str) -> tuple[str, ...]:
    """Return the packages that the module of a user's class or function imports, itself or through others, and Python lacks."""
    own = tuple(package.partition(".")[0] for package in packages())
    return _absent_from(target, own) if target.partition(".")[0] in own else ()


@cache
def _absent_from(target: str, own: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in required_imports(target, own) if find_spec(name) is None)
