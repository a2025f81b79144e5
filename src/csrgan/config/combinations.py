"""Choices that do not go together, found before anything heavy is imported: the rules are those of `csrgan.rules`, to which the
objects themselves hold. What no object knows alone, such as a loss that needs larger crops, is told here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, TypeGuard

from csrgan import rules
from csrgan.declared import constant, requested_inputs
from csrgan.errors import UserError
from csrgan.tree import Settings

RANGES = {"blur": "blur_std", "scale": "scale", "noise": "noise_std"}  # keys of the degradation, and the parameters that they range


def combination_faults(settings: Settings, unsure: Collection[str] = ()) -> Iterator[str]:
    """A sentence for each combination of choices in a resolved configuration that cannot be built or trained.

    unsure: keys and groups that hold no more than their defaults, because what was given is wrong; nothing is said of them.
    """
    found = [*_data(settings), *_format(settings)]
    found += _degradation(settings["degradation"]) if _built(settings.get("degradation")) else []
    if _built(settings.get("system")) and not {"system", "experiment"} & set(unsure):
        checks = [_protocol, *((_losses, _batch, _crop) if "optimizer" in settings else ())]  # with an optimizer, it is trained
        found += [sentence for check in checks for sentence in check(settings)]
    yield from (sentence for sentence in found if not any(_speaks(sentence, name) for name in unsure))


def _speaks(sentence: str, name: str) -> bool:
    return re.search(rf"(?<![\w./]){re.escape(name)}(?!\w)", sentence) is not None


def _data(settings: Settings) -> Iterator[str]:
    trained, evaluated = "optimizer" in settings, "evaluation" in settings and "checkpoint" in settings
    for key in ("train", "valid") if trained else ("valid",) if evaluated else ():
        if not settings["data"][key]:
            yield f"data.{key} is empty: it takes a folder of photographs, as in data.{key}=FOLDER."


def _format(settings: Settings) -> Iterator[str]:
    """Of what csrgan degrade or prepare writes."""
    form, packs = settings.get("format"), "shard_mb" in settings
    choices = ("cache", "shards") if packs else ("npy", "png")
    if "format" in settings and form not in choices:
        yield str(UserError.unknown("format", str(form), choices))
    if packs and form == "shards" and not settings["destination"]:
        yield "destination is empty: the shards need a folder, as in destination=FOLDER."


def _degradation(degradation: Settings) -> Iterator[str]:
    factors = degradation.get("factors") or {}
    ranges = {f"degradation.{key}": degradation[key] for key in RANGES}
    ranges |= {f"factor.{name}": node for name, node in factors.items() if {"low", "high"} <= node.keys()}
    for place, ends in ranges.items():
        yield from rules.low_below_high(place, ends["low"], ends["high"])
    scale = degradation["scale"]
    yield from rules.known_parameters(degradation["predicted"], (*RANGES.values(), *factors))
    yield from rules.odd_kernel_size(degradation["kernel_size"])
    yield from rules.single_scale(degradation["output"], degradation["downsampling"], scale["low"], scale["high"])
    yield from rules.tested_blur_std(degradation["tested_blur_std"])
    yield from rules.positive_width(_said(degradation["kernel"], "has_axes"), degradation["blur"]["low"])


def _protocol(settings: Settings) -> Iterator[str]:
    """What the system does not do with this degradation; of one that a checkpoint has nothing is known here."""
    system, degradation = settings["system"], settings["degradation"]
    if degradation is None:
        return
    noise, drawn = degradation["noise"]["high"], degradation["kernel"] is not None
    kind = _kind(system)
    yield from rules.suits_degradation(kind, output=degradation["output"], multiple=_multiple(settings), noise=noise, drawn=drawn)
    ranges = {name: degradation[key] for key, name in RANGES.items()} | (degradation.get("factors") or {})
    varies = [name for name, each in ranges.items() if each.get("low", 0) < each.get("high", 0)]
    if kind.coded:
        code = system.get("code", {}).get("kind", "units")
        yield from rules.something_varies(code, varies)
        yield from rules.kernel_estimation(system.get("estimates"), code, varies)
    generator = system.get("generator", {})
    if "parameter_head" in generator:
        yield from _generator(generator, drawn)


def _generator(generator: Settings, drawn: bool) -> Iterator[str]:
    """Of a network that is put together from parts, see `networks.generator.Generator`. drawn: see `rules.suits_degradation`."""
    body, output = generator["body"], generator["output"]
    predicts = _predicts(generator) and not _said(generator["parameter_head"], "late")
    yield from rules.early_prediction(
        condition=_built(generator["condition"]), reads_theta=_said(body, "reads_theta"), predicts=predicts
    )
    yield from rules.isotropic_kernel("generator", _class(body), _said(body, "isotropic"), drawn)
    yield from rules.output_of_body(_class(body), _said(body, "draws"), _class(output), _said(output, "ignores_low"))


def _predicts(generator: Settings) -> bool:
    return _built(generator["parameter_head"]) and bool(generator["predicted"])


def _losses(settings: Settings) -> Iterator[str]:
    """Losses that the system has no evidence for, or too few of them."""
    system = settings["system"]
    if "losses" not in system:
        return
    asked = {key: rules.LossRequest(_needs(term), term.get("start", 0), _against(term)) for key, term in _terms(system).items()}
    generator = system.get("generator", {})
    parts = "parameter_head" in generator
    predicts, variance = not parts or _predicts(generator), not parts or bool(generator["variance"])
    yield from rules.losses(_kind(system), asked, predicts=predicts, variance=variance)


def _terms(system: Settings) -> Settings:
    """The losses that are switched on."""
    return {key: term for key, term in (system.get("losses") or {}).items() if _built(term) and term.get("weight", 1)}


def _needs(term: Settings) -> tuple[str, ...]:
    """Evidence that a loss asks for, of an adversarial one the generator's side; empty where it is not known without an import."""
    return _asked(term.get("function", term.get("generator")))


def _against(term: Settings) -> tuple[str, ...]:
    return _asked(term.get("discriminator"))


def _asked(function: Any) -> tuple[str, ...]:
    return requested_inputs(function["_target_"], made=not function.get("_partial_", False)) if _built(function) else ()


def _batch(settings: Settings) -> Iterator[str]:
    """Batches that are too small, or larger than the budget."""
    size, system = settings["data"]["batch_size"], settings["system"]
    yield from rules.budget(settings["trainer"]["images"], size, settings["trainer"]["devices"])
    for key, term in _terms(system).items():
        least = _said(term.get("function"), "least_batch") or 1
        if size < least:
            yield f"loss/{key} compares {least} or more pictures of a batch: data.batch_size={size} has none to compare."
    crop, scale, body = settings["data"]["crop"], _multiple(settings), system.get("generator", {})
    for part, node in {"generator": body.get("body", body), "discriminator": system.get("discriminator")}.items():
        behind = _said(node, "norm_behind_stem")
        side = rules.stem_side(scale, node["unshuffle"]) if behind else _said(node, "single_side") or 0
        if size == 1 and crop <= side:
            yield f"data.batch_size=1 and data.crop={crop} leave the batch norm of the {part} a single number: choose more of one."


def _crop(settings: Settings) -> Iterator[str]:
    """Crops that are too small for a loss, or whose side is no multiple of what the degradation and the discriminator need."""
    data, system = settings["data"], settings["system"]
    crops = {key: data[key] for key in ("crop", "final_crop") if data[key] is not None}
    needs, judge = rules.scale_multiple(_multiple(settings)), system.get("discriminator")
    if multiple := _said(judge, "multiple"):
        needs |= rules.discriminator_multiple(_class(judge), multiple)
    if _said(judge, "one_size") and len(set(crops.values())) > 1:
        yield f"data.final_crop={data['final_crop']} does not suit discriminator {_class(judge)}, which fits crops of one size."
    least = {key: _said(term.get("function"), "least_side") or 0 for key, term in _terms(system).items()}
    for key, crop in crops.items():
        for name, side in least.items():
            if crop < side:
                yield f"data.{key}={crop} is too small for loss/{name}, which needs {side} px: choose more, or loss/{name}=none."
        yield from rules.multiples(f"data.{key}", crop, needs)


def _multiple(settings: Settings) -> int:
    """How many times H is as large as L."""
    degradation = settings["degradation"]
    scale = degradation["scale"]["high"]
    return int(scale) if degradation["output"] == "native" and scale == round(scale) else 1


def _built(node: object) -> TypeGuard[Settings]:
    return isinstance(node, dict) and "_target_" in node


def _said(node: object, name: str) -> Any:
    """What the class that a node builds says of itself; None where it says nothing."""
    return constant(node["_target_"], name) if _built(node) else None


def _kind(system: Settings) -> rules.SystemFacts:
    return rules.SystemFacts.of(_class(system), lambda name: _said(system, name))


def _class(node: object) -> str:
    return str(node["_target_"]).rpartition(".")[2] if _built(node) else ""
