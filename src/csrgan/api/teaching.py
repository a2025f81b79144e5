"""What a trained network no longer needs: losses, optimizers and opponents of packages that its receiver does not have."""

from __future__ import annotations

from collections.abc import Iterator

from csrgan.config.search import is_importable
from csrgan.tree import Settings

# csrgan's own losses that any system with a loss of this name can be built with; others take IMAGE.
IMAGE = {"_target_": "csrgan.losses.objective.Term", "function": {"_target_": "csrgan.losses.image.mse", "_partial_": True}}
PARAMETERS = {
    "_target_": "csrgan.losses.parameters.ParameterTerm",
    "function": {"_target_": "csrgan.losses.parameters.mse", "_partial_": True},
}
ADVERSARIAL = {"_target_": "csrgan.losses.adversarial.Adversarial"}
STAND_INS: dict[str, Settings] = {"parameters": PARAMETERS, "adversarial": ADVERSARIAL}
OURS = ("csrgan", "torch", "lightning")
OPTIMIZERS = ("optimizer", "generator_optimizer", "discriminator_optimizer")
KEPT = ("weight", "start", "ramp", "variance")  # settings of a loss on which it depends what a system consists of


def without_absent(recipe: Settings, *, published: bool) -> Settings:
    """Return the recipe of a checkpoint in which csrgan's own stand for losses and optimizers that Python does not find here, and
    for a discriminator, which a published file does not hold.

    They only taught: none is computed when the network restores, so whoever receives it needs no package of theirs.
    """
    system = recipe.get("system")
    if not isinstance(system, dict):
        return recipe
    parts = (*OPTIMIZERS, "discriminator") if published else OPTIMIZERS
    here = {key: value for key, value in system.items() if not (key in parts and _absent(value))}
    if isinstance(losses := system.get("losses"), dict):
        here["losses"] = {name: _stand_in(name, term) if _absent(term) else term for name, term in losses.items()}
    return recipe | {"system": here}


def packages(recipe: Settings) -> set[str]:
    """Return the packages besides csrgan and torch that a published network needs."""
    system = recipe["system"]
    parts = {key: value for key, value in system.items() if key not in (*OPTIMIZERS, "discriminator", "losses")}
    return {name for node in (parts, recipe["degradation"]) for name in _named(node) if name not in OURS}


def _stand_in(name: str, term: Settings) -> Settings:
    kept = KEPT if name == "parameters" else KEPT[:3]
    return STAND_INS.get(name, IMAGE) | {key: value for key, value in term.items() if key in kept}


def _absent(node: object) -> bool:
    return not all(map(is_importable, _named(node)))


def _named(node: object) -> Iterator[str]:
    """Yield the package of each class and function that a node names."""
    if isinstance(node, dict) and isinstance(target := node.get("_target_"), str):
        yield target.partition(".")[0]
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _named(inner)
