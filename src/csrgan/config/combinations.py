"""Choices that do not go together, found before anything heavy is imported. The rules are those of `csrgan.rules`, which the
constructors enforce too; rules on several objects at once, such as a loss that needs larger crops, are here."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import Any, TypeGuard

from csrgan import ranks, rules
from csrgan.config.arguments import OWN, of_source
from csrgan.config.folder import groups
from csrgan.declared import constant, definition, requested_inputs
from csrgan.errors import UserError
from csrgan.tree import Settings

RANGES = {"blur": "blur_std", "scale": "scale", "noise": "noise_std"}  # keys of the degradation, each the range of a parameter


def combination_faults(settings: Settings, unsure: Collection[str] = ()) -> Iterator[str]:
    """Yield a sentence for each combination of choices in a resolved configuration that cannot be built or trained.

    unsure: keys and groups that hold only their defaults because the given value is wrong; sentences that name them are left out.
    """
    faults = [*_data(settings), *_metrics(settings), *_format(settings), *_processes(settings)]
    faults += _degradation(settings["degradation"]) if _built(settings.get("degradation")) else []
    if _built(settings.get("system")) and not {"system", "experiment"} & set(unsure):
        checks = [_protocol, *((_losses, _batch, _crop) if "optimizer" in settings else ())]  # which says that it is trained
        faults += [sentence for check in checks for sentence in check(settings)]
    yield from (sentence for sentence in faults if not any(_mentions(sentence, name) for name in unsure))


def _mentions(sentence: str, name: str) -> bool:
    return re.search(rf"(?<![\w./]){re.escape(name)}(?!\w)", sentence) is not None


def _data(settings: Settings) -> Iterator[str]:
    trained, evaluated = "optimizer" in settings, "evaluation" in settings and "checkpoint" in settings
    for key in ("train", "valid") if trained else ("valid",) if evaluated else ():
        if not settings["data"][key]:
            share = ", or a share of data.train, as in data.valid=10%" if key == "valid" and trained else ""
            yield f"data.{key} is empty: it takes a folder of photographs, as in data.{key}=FOLDER{share}."


def _metrics(settings: Settings) -> Iterator[str]:
    """Check the metrics that a training or an evaluation asks for."""
    if "evaluation" in settings and {"optimizer", "checkpoint"} & settings.keys():
        own = [file.stem for group, files in groups() if group == "metric" for file in files]
        known = (*rules.METRICS, *rules.ON_REQUEST, *own)
        yield from rules.requested_metrics(rules.listed(settings["evaluation"]["metrics"]), known)


def _processes(settings: Settings) -> Iterator[str]:
    """Check the processes of a training against its batch. Programs such as torchrun may have started them."""
    if devices := settings.get("trainer", {}).get("devices"):
        try:
            own = ranks.own()
        except UserError as reason:
            yield str(reason)
            return
        yield from rules.processes(devices, own.started_by, own.world, own.local_world)
        yield from rules.minutes(settings["trainer"], max(devices, own.world))
        yield from rules.shared_batch(settings["data"]["batch_size"], max(devices, own.world))


def _format(settings: Settings) -> Iterator[str]:
    """Check the format that csrgan degrade or prepare writes."""
    form, packs = settings.get("format"), "shard_mb" in settings
    publishes = "checkpoint" in settings  # of the commands with a format, only publish has one
    choices = ("cache", "shards") if packs else ("safetensors", "onnx") if publishes else ("npy", "png")
    if "format" in settings and form not in choices:
        yield str(UserError.unknown("format", str(form), choices))
    if packs and form == "shards" and not settings["destination"]:
        yield "destination is empty: the shards need a folder, as in destination=FOLDER."


def _degradation(degradation: Settings) -> Iterator[str]:
    factors = degradation.get("factors") or {}
    ranges = {f"degradation.{key}": degradation[key] for key in RANGES} | _ranges_of(factors)
    for place, ends in ranges.items():
        yield from rules.low_below_high(place, ends["low"], ends["high"])
    for name, node in factors.items():
        power = 0.5 if node.get("uniform_in") == "variance" else 1.0
        low, high = (abs(float(node.get(end, 0.0))) ** power for end in ("low", "high"))
        yield from rules.neutral_beyond(f"factor.{name}", node.get("absent", 0.0), _fact(node, "neutral"), low, high)
    scale, drawn = degradation["scale"], degradation["kernel"] is not None
    numbers = {name: tuple(f"{name}_{part}" for part in _fact(node, "parts") or ()) or (name,) for name, node in factors.items()}
    axes = {name: numbers[name] for name, node in factors.items() if _fact(node, "axial")}
    followers = [f"{key}_{angle}" for key in (*axes, *(["ellipticity"] if drawn else [])) for angle in (0, 45)]
    own = [name for each in numbers.values() for name in each]
    yield from rules.known_parameters(degradation["predicted"], (*RANGES.values(), *own, *followers))
    yield from rules.whole_axes(degradation["predicted"], axes, drawn)
    yield from rules.order(degradation.get("order"), factors, degradation["downsampling"])
    yield from rules.odd_kernel_size(degradation["kernel_size"])
    least = 1.0 if scale.get("absent") else scale["low"]
    yield from rules.single_scale(degradation["output"], degradation["downsampling"], least, scale["high"])
    yield from rules.tested_blur_std(degradation["tested_blur_std"])
    yield from rules.positive_width(_fact(degradation["kernel"], "has_axes"), degradation["blur"]["low"])


def _ranges_of(factors: Settings) -> Settings:
    """Return each mapping with a low and a high in the factors, by its place."""
    nodes = {f"factor.{name}": node for name, node in factors.items()}
    nodes |= {f"{place}.{key}": inner for place, node in nodes.items() for key, inner in node.items() if isinstance(inner, dict)}
    return {place: node for place, node in nodes.items() if {"low", "high"} <= node.keys()}


def _protocol(settings: Settings) -> Iterator[str]:
    """Check that the system suits this degradation. The degradation in a checkpoint is not known here."""
    system, degradation = settings["system"], settings["degradation"]
    if degradation is None:
        return
    noise, drawn = degradation["noise"]["high"], degradation["kernel"] is not None
    facts = _facts(system)
    yield from rules.suits_degradation(facts, output=degradation["output"], multiple=_multiple(settings), noise=noise, drawn=drawn)
    ranges = {name: degradation[key] for key, name in RANGES.items()} | _ranges_of(degradation.get("factors") or {})
    varies = [name for name, ends in ranges.items() if ends.get("low", 0) < ends.get("high", 0) or 0 < ends.get("absent", 0) < 1]
    if facts.coded:
        code = system.get("code", {}).get("kind", "units")
        yield from rules.something_varies(code, varies)
        yield from rules.kernel_estimation(system.get("estimates"), code, varies)
    generator = system.get("generator", {})
    if "parameter_head" in generator:
        yield from _generator(generator, drawn)
        taken = {"condition": _built(generator["condition"]), "reads_theta": _fact(generator["body"], "reads_theta")}
        yield from rules.told(system.get("oracle"), **taken)


def _generator(generator: Settings, drawn: bool) -> Iterator[str]:
    """Check a network that is assembled from parts, see `networks.generator.Generator`. drawn: see `rules.suits_degradation`."""
    body, output = generator["body"], generator["output"]
    predicts = _predicts(generator) and not _fact(generator["parameter_head"], "late")
    yield from rules.early_prediction(
        condition=_built(generator["condition"]), reads_theta=_fact(body, "reads_theta"), predicts=predicts
    )
    yield from rules.isotropic_kernel("generator", _class(body), _fact(body, "isotropic"), drawn)
    yield from rules.output_of_body(_class(body), _fact(body, "draws"), _class(output), _fact(output, "ignores_low"))


def _predicts(generator: Settings) -> bool:
    return _built(generator["parameter_head"]) and bool(generator["predicted"])


def _losses(settings: Settings) -> Iterator[str]:
    """Check that the system offers the inputs of its losses, and has enough losses."""
    system = settings["system"]
    if "losses" not in system:
        return
    for key, thing in (system["losses"] or {}).items():
        if _is_no_loss(thing):
            target = str(thing["_target_"]) if _built(thing) else ""
            found = definition(target)
            yield from rules.no_loss(key, target, function=not (found and isinstance(found.node, ast.ClassDef)))
    requests = {
        key: rules.LossRequest(_needs(term), term.get("start", 0), _against(term), _given(term))
        for key, term in _terms(system).items()
    }
    generator = system.get("generator", {})
    assembled = "parameter_head" in generator
    predicts, variance = not assembled or _predicts(generator), not assembled or bool(generator["variance"])
    told = assembled and system.get("oracle") is not None
    yield from rules.losses(_facts(system), requests, predicts=predicts, variance=variance, told=told)
    if told and (count := settings["trainer"]["ood_images"]):
        yield (
            f"trainer.ood_images={count} measures what S does to pictures whose degradation nobody knows, and with"
            f" system.oracle={system['oracle']} there is none: choose trainer.ood_images=0."
        )


def _terms(system: Settings) -> Settings:
    """Return the active losses."""
    return {
        key: term
        for key, term in (system.get("losses") or {}).items()
        if _built(term) and not _is_no_loss(term) and term.get("weight", 1)
    }


def _is_no_loss(node: object) -> bool:
    """Return whether a node surely builds no loss. What the source does not tell, the constructor does."""
    if not _built(node):
        return not rules.switched_off(node)
    target = str(node["_target_"])
    if node.get("_partial_") or constant(target, "is_loss"):
        return bool(node.get("_partial_"))
    found = definition(target)
    if found and isinstance(found.node, ast.FunctionDef):  # it may return a Term, if it can be called
        arguments = of_source(target)
        return arguments is not None and not set(arguments.needed) <= node.keys()
    return found is not None and all(map(_surely_no_loss, found.bases))


def _surely_no_loss(base: str) -> bool:
    found = definition(base)
    return all(map(_surely_no_loss, found.bases)) if found else base == "object" or base.startswith("torch.")


def _needs(term: Settings) -> tuple[str, ...]:
    """Return the inputs of a loss, of an adversarial one those of the generator's side; empty if unknown without an import."""
    return _inputs(term.get("function", term.get("generator")))


def _against(term: Settings) -> tuple[str, ...]:
    return _inputs(term.get("discriminator"))


def _given(term: Settings) -> tuple[str, ...]:
    """Return the names of the arguments with which the functions of a loss are configured."""
    functions = [term.get(part) for part in ("function", "generator", "discriminator")]
    return tuple(str(key) for each in functions if _built(each) and each.get("_partial_") for key in each if key not in OWN)


def _inputs(function: object) -> tuple[str, ...]:
    return requested_inputs(function["_target_"], factory=not function.get("_partial_", False)) if _built(function) else ()


def _batch(settings: Settings) -> Iterator[str]:
    """Check for batches that are too small, or larger than the budget."""
    batch, system, devices = settings["data"]["batch_size"], settings["system"], settings["trainer"]["devices"]
    yield from rules.budget(settings["trainer"]["images"], batch)
    size, said = batch // devices, f"data.batch_size={batch}" + (f", shared by {devices} devices," if devices > 1 else "")
    for key, term in _terms(system).items():
        least = _fact(term.get("function"), "least_batch") or 1
        if size < least:
            yield f"loss/{key} compares {least} or more pictures of a batch: {said} has none to compare."
    crop, scale, body = settings["data"]["crop"], _multiple(settings), system.get("generator", {})
    for part, node in {"generator": body.get("body", body), "discriminator": system.get("discriminator")}.items():
        behind = _fact(node, "norm_behind_stem")
        side = rules.stem_side(scale, node["unshuffle"]) if behind else _fact(node, "single_side") or 0
        if size == 1 and crop <= side:
            yield f"{said} and data.crop={crop} leave the batch norm of the {part} a single number: choose more of one."


def _crop(settings: Settings) -> Iterator[str]:
    """Check for crops that are too small for a loss, or whose side the degradation or the discriminator cannot take."""
    data, system = settings["data"], settings["system"]
    crops = {key: data[key] for key in ("crop", "final_crop") if data[key] is not None}
    needs, discriminator = rules.scale_multiple(_multiple(settings)), system.get("discriminator")
    if multiple := _fact(discriminator, "multiple"):
        needs |= rules.discriminator_multiple(_class(discriminator), multiple)
    if _fact(discriminator, "one_size") and len(set(crops.values())) > 1:
        name = _class(discriminator)
        yield f"data.final_crop={data['final_crop']} does not suit discriminator {name}, which fits crops of one size."
    least = {key: _fact(term.get("function"), "least_side") or 0 for key, term in _terms(system).items()}
    for key, crop in crops.items():
        for name, side in least.items():
            if crop < side:
                remedy = f"choose more, or {rules.without_loss(name)}"
                yield f"data.{key}={crop} is too small for loss/{name}, which needs {side} px: {remedy}."
        yield from rules.multiples(f"data.{key}", crop, needs)


def _multiple(settings: Settings) -> int:
    """Return the size of H over the size of L."""
    degradation = settings["degradation"]
    scale = degradation["scale"]["high"]
    return int(scale) if degradation["output"] == "native" and scale == round(scale) else 1


def brings_protocol(system: object) -> bool:
    """Return whether a system needs neither a checkpoint of csrgan's nor a degradation."""
    return bool(_fact(system, "brings_protocol"))


def _built(node: object) -> TypeGuard[Settings]:
    return isinstance(node, dict) and "_target_" in node


def _fact(node: object, name: str) -> Any:
    """Return the fact `name` that the class of a node declares; None if it declares none."""
    return constant(node["_target_"], name) if _built(node) else None


def _facts(system: Settings) -> rules.SystemFacts:
    return rules.SystemFacts.of(_class(system), lambda name: _fact(system, name))


def _class(node: object) -> str:
    return str(node["_target_"]).rpartition(".")[2] if _built(node) else ""
