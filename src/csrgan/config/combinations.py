"""Choices that do not go together, found before anything heavy is imported; the objects themselves refuse them too."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from typing import Any, TypeGuard

from csrgan.declared import constant, evidence
from csrgan.fault import Fault
from csrgan.tree import Settings


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
        yield str(Fault.unknown("format", str(form), choices))
    if packs and form == "shards" and not settings["destination"]:
        yield "destination is empty: the shards need a folder, as in destination=FOLDER."


def _degradation(degradation: Settings) -> Iterator[str]:
    for key in ("blur", "scale", "noise"):
        low, high = (degradation[key][end] for end in ("low", "high"))
        if low > high:
            yield f"degradation.{key}.low={low:g} lies above degradation.{key}.high={high:g}."
    known = ("blur_std", "scale", "noise_std", *(degradation.get("factors") or {}))
    yield from (
        str(Fault.unknown("degradation.predicted", str(name), known)) for name in degradation["predicted"] if name not in known
    )
    size, low, high = degradation["kernel_size"], degradation["scale"]["low"], degradation["scale"]["high"]
    if size is not None and size % 2 == 0:
        yield f"degradation.kernel_size={size} is not an odd number of pixels; null means full support."
    one = f"degradation.scale.low={low:g} and degradation.scale.high={high:g} must be the same"
    if degradation["output"] == "native" and low != high:
        yield f"degradation.output=native gives every L the same size, so {one}."
    if degradation["downsampling"] == "direct" and not low == high == round(high):
        yield f"degradation.downsampling=direct takes every s-th pixel, so {one} whole number."
    levels = degradation["tested_blur_std"]
    if levels is not None and not (isinstance(levels, list) and levels):
        yield f"degradation.tested_blur_std={levels} must be a list of one or more stds in px, 0 or above; or null."
    if _class(degradation["kernel"]) == "Anisotropic" and degradation["blur"]["low"] == 0:
        yield "degradation.blur.low=0 would give an anisotropic kernel no width along an axis; it must be above 0."


def _protocol(settings: Settings) -> Iterator[str]:
    """What the system does not do with this degradation; of one that a checkpoint has nothing is known here."""
    system, degradation = settings["system"], settings["degradation"]
    name = _class(system)
    if degradation is None:
        return
    output, scale = degradation["output"], degradation["scale"]["high"]
    if _said(system, "outputs") == ("native",) and output != "native":
        yield (f"degradation.output={output} does not suit {name}, which takes L of H/s pixels: choose degradation.output=native.")
    if _said(system, "noise_free") and (degradation["noise"]["high"] > 0 or scale not in (2, 3, 4)):
        such = "choose a degradation such as gaussian8_x2 or div2krk_x2"
        yield f"{name} has no model of noise, and enlarges by 2, 3 or 4: {such}."
    drawn = {key: degradation[key] for key in ("blur", "scale", "noise")} | (degradation.get("factors") or {})
    varies = [key for key, each in drawn.items() if each["low"] < each["high"]]
    coded = _said(system, "coded")
    kernel = system.get("code", {}).get("kind") == "kernel"
    if coded and not kernel and not varies:
        yield f"no parameter of this degradation varies: there is nothing that {name} could be told."
    if system.get("estimates") == "kernel" and (not kernel or set(varies) - {"blur"}):
        yield "system.estimates=kernel needs system.code.kind=kernel, and a degradation of which nothing but the blur varies."


def _losses(settings: Settings) -> Iterator[str]:
    """Losses that the system has no evidence for, or too few of them."""
    system = settings["system"]
    name, losses = _class(system), {key: term for key, term in settings["loss"].items() if _built(term) and term["weight"]}
    if "losses" not in system:
        return
    taken, coded, teaching = (_said(system, each) for each in ("losses", "coded", "teaching"))
    for key in losses:
        if taken and key not in taken:
            yield f"loss/{key} is none that {name} can be given, which takes {_listed(taken, ', ')}: choose loss/{key}=none."
    likelihood = "parameters" in losses and "log_variance" in evidence(losses["parameters"]["function"]["_target_"])
    if likelihood and coded:
        yield f"loss/parameters=nll needs a predicted variance, and {name} predicts none: choose another loss/parameters."
    if coded and not ("parameters" in losses and losses.keys() & set(teaching)):
        yield f"{name} needs a {_listed(teaching, ' or a ')} for its restorer and a loss/parameters for its codes."
    if not coded and not losses:
        yield "every loss of the generator is none or weighs 0: choose a loss/image or a loss/adversarial."
    if not coded and losses:
        first = min(losses, key=lambda key: losses[key]["start"])
        until = losses[first]["start"]
        if until:
            yield f"loss.{first}.start={until} leaves the generator nothing to learn until then: no other loss is earlier."
    if "parameter_head" in system.get("generator", {}):
        yield from _predictions(settings, losses, likelihood)
    if _said(system, "enlarges") and _said(system["discriminator"], "shown_low") and _step(settings) > 1:
        yield (
            f"discriminator=conditional is shown L beside the picture, and {name}'s L is smaller:"
            " choose another discriminator or degradation.output=upsampled."
        )


def _predictions(settings: Settings, losses: Settings, likelihood: bool) -> Iterator[str]:
    """Of CSRGAN: who needs a predicted degradation where there is none."""
    head, predicted = settings["parameter_head"], settings["degradation"]["predicted"]
    nothing = "because parameter_head is none or degradation.predicted is empty"
    none = not (_built(head) and predicted)
    if none and "parameters" in losses:
        yield f"loss/parameters has no prediction to judge, {nothing}: choose loss/parameters=none."
    if none and "consistency" in losses:
        yield f"loss/consistency has no prediction to degrade S by, {nothing}: choose loss/consistency=none."
    if likelihood and not losses["parameters"]["variance"]:
        yield "loss/parameters=nll needs a predicted variance: loss.parameters.variance must be true."
    body, late = settings["generator"], none or _said(head, "late")
    for what, other, needs in (
        ("condition", "condition=none", _built(settings["condition"])),
        ("generator", "generator=spectral_unet", _said(body, "reads_theta")),
    ):
        if needs and late:
            yield (
                f"{what} needs a prediction before the picture is made: choose parameter_head=bottleneck or"
                f" parameter_head=separate, with parameters in degradation.predicted; or {other}."
            )
    if _said(body, "isotropic") and settings["degradation"]["kernel"] is not None:
        yield (
            "generator=unfolded undoes an isotropic Gaussian, and this degradation draws other kernels:"
            " choose generator=spectral_unet."
        )
    if _said(body, "draws") is False and _class(settings["output"]) not in ("residual", "logistic", "sigmoid"):
        yield (
            "generator=spectral changes L and draws nothing of its own, and this output does not know L:"
            " choose output=residual or output=sigmoid."
        )


def _batch(settings: Settings) -> Iterator[str]:
    """Batches that are too small, or larger than the budget."""
    images, size, devices = settings["trainer"]["images"], settings["data"]["batch_size"], settings["trainer"]["devices"]
    system, crop, scale = settings["system"], settings["data"]["crop"], _step(settings)
    if images < size * devices:
        each = f" on each of trainer.devices={devices}" if devices > 1 else ""
        yield f"trainer.images={images} is less than one batch of data.batch_size={size}{each}."
    if size == 1 and "losses" in system and _class(settings["loss"]["parameters"].get("function")) == "shuffled":
        yield "loss/parameters=shuffled takes the degradation of another picture of the batch: data.batch_size=1 has none."
    body = system.get("generator", {})
    parts = {"generator": body.get("body", body), "discriminator": system.get("discriminator")}
    for part, node in parts.items():
        side = (scale if scale > 1 else node["unshuffle"]) if _class(node) == "SRResNet" else _said(node, "single_side") or 0
        if size == 1 and crop <= side:
            yield f"data.batch_size=1 and data.crop={crop} leave the batch norm of the {part} a single number: choose more of one."


def _crop(settings: Settings) -> Iterator[str]:
    """Crops that are too small for a loss, or whose side is no multiple of what the degradation and the discriminator need."""
    data, scale = settings["data"], _step(settings)
    crops = {key: data[key] for key in ("crop", "late_crop") if data[key] is not None}
    needs = {f"the scale {scale}, which degradation.output=native needs": scale}
    discriminator = settings["system"].get("discriminator")
    if multiple := _said(discriminator, "multiple"):
        needs[f"{multiple}, which discriminator=vgg_as_coded needs"] = multiple
        if _said(discriminator, "one_size") and len(set(crops.values())) > 1:
            yield f"data.late_crop={data['late_crop']} does not suit discriminator=vgg_as_coded, which fits crops of one size."
    step = math.lcm(*needs.values())
    perceptual = settings["loss"]["perceptual"]
    deep = "losses" in settings["system"] and _built(perceptual) and perceptual["weight"]
    least = (deep and _said(perceptual["function"], "least_side")) or 0
    for key, crop in crops.items():
        if crop < least:
            more = "choose more, or loss/perceptual=none"
            yield f"data.{key}={crop} is too small for loss/perceptual, which needs {least} px: {more}."
        for reason, each in needs.items():
            if crop % each:
                below, above = crop // step * step, (crop // step + 1) * step
                nearest = f"{below} and {above} are" if below else f"{above} is"
                yield f"data.{key}={crop} is no multiple of {reason}; {nearest}."


def _step(settings: Settings) -> int:
    """How many times H is as large as L."""
    degradation = settings["degradation"]
    scale = degradation["scale"]["high"]
    return int(scale) if degradation["output"] == "native" and scale == round(scale) else 1


def _built(node: object) -> TypeGuard[Settings]:
    return isinstance(node, dict) and "_target_" in node


def _said(node: object, name: str) -> Any:
    """What the class that a node builds says of itself; None where it says nothing."""
    return constant(node["_target_"], name) if _built(node) else None


def _class(node: object) -> str:
    return str(node["_target_"]).rpartition(".")[2] if _built(node) else ""


def _listed(names: tuple[str, ...], between: str) -> str:
    return between.join(f"loss/{name}" for name in names)
