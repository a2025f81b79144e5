"""Old names and their new ones. Old names in commands work until release UNTIL, those in files of older releases forever.

This module has the tables and applies them to checkpoints. `old_names` applies them to what a user writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

UNTIL = "0.3"

# Settings, by their full key. Only the last part of a key changes; no key moves.
KEYS: dict[str, str] = {
    "begin_from": "init_from",
    "told": "oracle",
    "trainer.calibrate": "trainer.calibration_images",
    "trainer.count": "trainer.measure_macs",
    "trainer.compare_every": "trainer.gradient_stats_every",
    "data.late": "data.final_fraction",
    "data.late_crop": "data.final_crop",
    "data.crops_each": "data.crops_per_image",
    "data.least_detail": "data.min_detail",
    "data.keep_mb": "data.memory_mb",
    "optimizer.average": "optimizer.ema",
    "optimizer.rule.average": "optimizer.rule.ema",
    "optimizer.rule.compare_every": "optimizer.rule.gradient_stats_every",
    "system.rule.average": "system.rule.ema",
    "system.rule.compare_every": "system.rule.gradient_stats_every",
    "system.told": "system.oracle",
    "system.turns": "system.iterations",
    "system.gaussian.judge_steps": "system.gaussian.discriminator_steps",
    "system.game": "system.gan",
    "system.game.judge_lr": "system.gan.discriminator_lr",
}
# Choices, by group.
CHOICES: dict[str, dict[str, str]] = {
    "system": {"degraded": "bicubic"},
    "loss/perceptual": {"features": "efficientnet"},
    "parameter_head": {"deep": "bottleneck_mlp3"},
}
# Values, by the place of their key.
VALUES: dict[str, dict[str, str]] = {
    "health.saturation.action": {"slow": "reduce_lr"},
    "health.collapse.action": {"slow": "reduce_lr"},
    "health.drift.action": {"slow": "reduce_lr"},
    "health.explosion.action": {"slow": "reduce_lr"},
}
# Classes and functions.
TARGETS: dict[str, str] = {
    "csrgan.degradation.code.Code": "csrgan.degradation.kernel_pca.Code",
    "csrgan.degradation.shapes.Anisotropic": "csrgan.degradation.kernel_priors.Anisotropic",
    "csrgan.degradation.shapes.FreeForm": "csrgan.degradation.kernel_priors.FreeForm",
    "csrgan.networks.dan.EstimatorV1": "csrgan.networks.papers.dan.EstimatorV1",
    "csrgan.networks.dan.EstimatorV2": "csrgan.networks.papers.dan.EstimatorV2",
    "csrgan.networks.dan.RestorerV1": "csrgan.networks.papers.dan.RestorerV1",
    "csrgan.networks.dan.RestorerV2": "csrgan.networks.papers.dan.RestorerV2",
    "csrgan.networks.heads.Deep": "csrgan.networks.heads.BottleneckMLP3",
    "csrgan.networks.sft.Corrector": "csrgan.networks.papers.ikc.Corrector",
    "csrgan.networks.sft.Predictor": "csrgan.networks.papers.ikc.Predictor",
    "csrgan.networks.sft.SFTMD": "csrgan.networks.papers.ikc.SFTMD",
    "csrgan.networks.srmd.SRMDNet": "csrgan.networks.papers.srmd.SRMDNet",
    "csrgan.networks.srresnet.SRResNet": "csrgan.networks.papers.srresnet.SRResNet",
    "csrgan.systems.base.UpdateRule": "csrgan.training.state.UpdateRule",
    "csrgan.systems.csrgan.CSRGAN": "csrgan.training.algorithms.csrgan.CSRGAN",
    "csrgan.systems.dan.DAN": "csrgan.training.algorithms.dan.DAN",
    "csrgan.systems.degraded.Degraded": "csrgan.restorers.bicubic.Bicubic",
    "csrgan.systems.gaussiangame.GaussianGame": "csrgan.restorers.gaussian_kernel_search.GaussianKernelSearch",
    "csrgan.systems.ikc.IKC": "csrgan.training.algorithms.ikc.IKC",
    "csrgan.systems.kernelgan.InternalGame": "csrgan.restorers.kernelgan.KernelGANOptimizer",
    "csrgan.systems.kernelgan.KernelGAN": "csrgan.restorers.kernelgan.KernelGAN",
    "csrgan.systems.schedule.constant": "csrgan.training.schedule.constant",
    "csrgan.systems.schedule.cooldown": "csrgan.training.schedule.cooldown",
    "csrgan.systems.schedule.cosine": "csrgan.training.schedule.cosine",
    "csrgan.systems.srgan.SRGAN": "csrgan.training.algorithms.srgan.SRGAN",
    "csrgan.systems.srmd.SRMD": "csrgan.training.algorithms.srmd.SRMD",
    "csrgan.systems.total_variation.TotalVariation": "csrgan.restorers.total_variation.TotalVariation",
    "csrgan.systems.wiener.Wiener": "csrgan.restorers.wiener.Wiener",
    "csrgan.systems.zssr.ZSSR": "csrgan.restorers.zssr.ZSSR",
}
# Arguments, by the new name of the class that takes them.
ARGUMENTS: dict[str, dict[str, str]] = {
    "csrgan.training.state.UpdateRule": {"average": "ema", "compare_every": "gradient_stats_every"},
    "csrgan.data.module.Photographs": {
        "late": "final_fraction",
        "late_crop": "final_crop",
        "crops_each": "crops_per_image",
        "least_detail": "min_detail",
        "keep_mb": "memory_mb",
    },
    "csrgan.training.algorithms.srmd.SRMD": {"told": "oracle"},
    "csrgan.restorers.wiener.Wiener": {"told": "oracle"},
    "csrgan.restorers.total_variation.TotalVariation": {"told": "oracle", "turns": "iterations"},
    "csrgan.restorers.kernelgan.KernelGAN": {"game": "gan"},
    "csrgan.restorers.gaussian_kernel_search.GaussianKernelSearch": {"judge_steps": "discriminator_steps"},
    "csrgan.restorers.kernelgan.KernelGANOptimizer": {"judge_lr": "discriminator_lr"},
}
# Keys that csrgan adds to a checkpoint.
OWN: dict[str, str] = {
    "pace": "lr_scale",
    "left_out": "loo_calibration",
}
# Prefixes of the names of weights.
WEIGHTS: dict[str, str] = {
    "average.": "ema.",
}

REFERENCE = re.compile(r"\$\{([\w.]+)\}")
Report = Callable[[str, str], None]


def _silent(old: str, new: str) -> None:
    """Report nothing: names in csrgan's own files concern no user."""


def new_key(place: str) -> str:
    """Return the new name of a setting."""
    if place in KEYS:
        return KEYS[place]
    above, dot, name = place.rpartition(".")
    return f"{new_key(above)}.{name}" if dot else name


def rename_references(text: str, report: Report = _silent) -> str:
    """Return a text with the new names in each `${KEY}`."""

    def new_reference(match: re.Match[str]) -> str:
        new = new_key(match[1])
        return f"${{{new if new == match[1] else _reported(report, match[1], new, new)}}}"

    return REFERENCE.sub(new_reference, text)


def rename_tree(node: object, place: str = "", report: Report = _silent) -> object:
    """Return a copy of settings, or of a checkpoint's recipe, with the new names. place: the node's key.

    Only names of csrgan's own classes and settings change, each to another of csrgan's own. Whether the result may be built must
    still be checked (see `targets`). An old name beside its new one stays, and is refused there.
    """
    if isinstance(node, list | tuple):
        return [rename_tree(item, place, report) for item in node]
    if not isinstance(node, dict):
        new = VALUES.get(place, {}).get(node) if isinstance(node, str) else None
        return _reported(report, f"{place}={node}", f"{new_key(place)}={new}", new) if new else node
    target = _target(node, report)
    ours = target is None or target.startswith("csrgan.")
    arguments = ARGUMENTS.get(target or "", {})
    result: dict[object, object] = {}
    for name, value in node.items():
        inner = f"{place}.{name}".lstrip(".")
        new = arguments.get(name) or (KEYS[inner].rpartition(".")[2] if ours and inner in KEYS else name)
        if new != name:
            new = name if new in node else _reported(report, inner, f"{new_key(place)}.{new}".lstrip("."), new)
        result[new] = target if name == "_target_" and target is not None else rename_tree(value, inner, report)
    return result


def _target(node: Mapping[str, object], report: Report) -> str | None:
    """Return the new name of a node's target; None if it has none."""
    old = node.get("_target_")
    if not isinstance(old, str):
        return None
    return _reported(report, old, TARGETS[old], TARGETS[old]) if old in TARGETS else old


def _reported(report: Report, old: str, new: str, result: str) -> str:
    report(old, new)
    return result


def upgrade_checkpoint(content: object) -> None:
    """Rename in place what a checkpoint or a replay file holds."""
    if not isinstance(content, dict):
        return
    own, weights = content.get("csrgan", content), content.get("state_dict")
    if isinstance(own, dict):
        for old in OWN.keys() & own.keys():
            own.setdefault(OWN[old], own.pop(old))
        if "recipe" in own:
            own["recipe"] = rename_tree(own["recipe"])
    if isinstance(weights, dict):
        for name in list(weights):
            weights[_weight(name)] = weights.pop(name)


def _weight(name: object) -> object:
    if not isinstance(name, str):
        return name
    old = next((old for old in WEIGHTS if name.startswith(old)), None)
    return name if old is None else WEIGHTS[old] + name.removeprefix(old)
