"""Which choices go together: every rule once, with its sentence.

A constructor enforces a rule on its own arguments (`errors.raise_faults`). `config/combinations.py` applies the same rule before
anything is imported, to the configuration and to the facts that classes declare in their source (`declared.constant`). A rule takes
plain values and yields a sentence for each fault. None knows a class by its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from csrgan.errors import UserError

SIZES = {"upsampled": "of the same size as H", "native": "of H/s pixels"}  # of L, by degradation.output
OTHERS = {"generator": "generator=spectral_unet", "system": "system=wiener", "condition": "condition=none"}  # that need less
PREDICTED = ("theta", "theta_true", "redegraded")  # evidence that there is where the degradation is predicted
SHOWN = ("real", "fake")  # evidence that there is where a discriminator judges; it is shown no other


class SystemFacts(NamedTuple):
    """What a system's class says of itself, see `systems.base.System`; None where it says nothing."""

    name: str
    outputs: tuple[str, ...] | None = None
    noise_free: bool | None = None
    isotropic: bool | None = None
    coded: bool | None = None
    teaching: tuple[str, ...] | None = None
    loss_inputs: tuple[str, ...] | None = None
    code_loss_inputs: tuple[str, ...] | None = None

    @classmethod
    def of(cls, name: str, said: Callable[[str], Any]) -> SystemFacts:
        return cls(name, *(said(each) for each in cls._fields[1:]))


class LossRequest(NamedTuple):
    """What a loss that is switched on asks for. needs: names of evidence. start: images seen when it enters. against: of an
    adversarial loss, what its other side needs."""

    needs: tuple[str, ...]
    start: int = 0
    against: tuple[str, ...] = ()


# The degradation.


def low_below_high(place: str, low: float, high: float) -> Iterator[str]:
    if low > high:
        yield f"{place}.low={low:g} lies above {place}.high={high:g}."


def odd_kernel_size(kernel_size: int | None) -> Iterator[str]:
    if kernel_size is not None and kernel_size % 2 == 0:
        yield f"degradation.kernel_size={kernel_size} is not an odd number of pixels; null means full support."


def single_scale(output: str, downsampling: str, low: float, high: float) -> Iterator[str]:
    one = f"degradation.scale.low={low:g} and degradation.scale.high={high:g} must be the same"
    if output == "native" and low != high:
        yield f"degradation.output=native gives every L the same size, so {one}."
    if downsampling == "direct" and not low == high == round(high):
        yield f"degradation.downsampling=direct takes every s-th pixel, so {one} whole number."


def tested_blur_std(stds: Any) -> Iterator[str]:
    if stds is not None and not (isinstance(stds, list | tuple) and stds and all(0 <= std < math.inf for std in stds)):
        yield f"degradation.tested_blur_std={stds} must be a list of one or more stds in px, 0 or above; or null."


def known_parameters(names: Collection[str], known: Collection[str]) -> Iterator[str]:
    yield from (str(UserError.unknown("degradation.predicted", str(name), known)) for name in names if name not in known)


def positive_width(has_axes: bool | None, low: float) -> Iterator[str]:
    """Of a kernel's shape that draws a width for each axis. low: of the blur."""
    if has_axes and low <= 0:
        yield "degradation.blur.low=0 would give an anisotropic kernel no width along an axis; it must be above 0."


# Systems, and the parts of a network.


def suits_degradation(kind: SystemFacts, *, output: str, multiple: int, noise: float, drawn: bool) -> Iterator[str]:
    """Whether a system can undo a degradation. multiple: how many times H is as large as L. noise: the most. drawn: whether kernels
    are drawn in place of the isotropic Gaussian."""
    if kind.outputs and output not in kind.outputs:
        size, other = SIZES[kind.outputs[0]], kind.outputs[0]
        yield f"degradation.output={output} does not suit {kind.name}, which takes L {size}: choose degradation.output={other}."
    if kind.noise_free and (noise > 0 or multiple not in (2, 3, 4)):
        such = "choose a degradation such as gaussian8_x2 or div2krk_x2"
        yield f"{kind.name} has no model of noise, and enlarges by 2, 3 or 4: {such}."
    yield from isotropic_kernel("system", kind.name, kind.isotropic, drawn)


def isotropic_kernel(place: str, name: str, isotropic: bool | None, drawn: bool) -> Iterator[str]:
    if isotropic and drawn:
        yield f"{name} undoes an isotropic Gaussian, and this degradation draws other kernels: choose {OTHERS[place]}."


def something_varies(kind: str, varies: Collection[str]) -> Iterator[str]:
    """Of the code that a network is told. kind: see `degradation.code.Code`. varies: parameters that have more than one value."""
    if kind != "kernel" and not varies:
        yield "no parameter of this degradation varies: there is nothing that a system could be told."


def kernel_estimation(estimates: str | None, kind: str, varies: Collection[str]) -> Iterator[str]:
    if estimates == "kernel" and (kind != "kernel" or set(varies) - {"blur_std"}):
        yield "system.estimates=kernel needs system.code.kind=kernel, and a degradation of which nothing but the blur varies."


def early_prediction(*, condition: bool, reads_theta: bool | None, predicts: bool) -> Iterator[str]:
    """Who needs a prediction before the picture is made. predicts: whether there is one by then."""
    for what, needs in (("condition", condition), ("generator", reads_theta)):
        if needs and not predicts:
            yield (
                f"{what} needs a prediction before the picture is made: choose parameter_head=bottleneck or"
                f" parameter_head=separate, with parameters in degradation.predicted; or {OTHERS[what]}."
            )


def output_of_body(body: str, draws: bool | None, output: str, ignores_low: bool | None) -> Iterator[str]:
    """body, output: their names. draws: whether the body gives a picture of its own. ignores_low: whether the output knows no L."""
    if draws is False and ignores_low:
        yield (
            f"{body} changes L and draws nothing of its own, and output {output} does not know L:"
            " choose output=residual or output=sigmoid."
        )


# Losses.


def losses(kind: SystemFacts, asked: Mapping[str, LossRequest], *, predicts: bool = True, variance: bool = True) -> Iterator[str]:
    """Whether a system can learn from the losses that are switched on. predicts, variance: whether this network predicts the
    degradation, and a variance."""
    for key, loss in asked.items():
        loss_inputs = kind.code_loss_inputs if kind.code_loss_inputs and key == "parameters" else kind.loss_inputs
        if loss_inputs is None:
            continue
        told = list(available_inputs(key, tuple(dict.fromkeys(loss.needs + loss.against)), loss_inputs, kind.name))
        told = told or list(available_inputs(key, loss.against, SHOWN, f"the discriminator of {kind.name}"))
        yield from told or _evidence_here(key, loss.needs, predicts, variance, plays="adversarial" in asked)
    if kind.coded:
        teaching = kind.teaching or ()
        if not ("parameters" in asked and asked.keys() & set(teaching)):
            listed = " or a ".join(f"loss/{name}" for name in teaching)
            yield f"{kind.name} needs a {listed} for its restorer and a loss/parameters for its codes."
    elif not asked:
        yield "every loss of the generator is none or weighs 0: choose a loss/image or a loss/adversarial."
    else:
        first = min(asked, key=lambda key: asked[key].start)
        if until := asked[first].start:
            yield f"loss.{first}.start={until} leaves the generator nothing to learn until then: no other loss is earlier."


def available_inputs(key: str, needs: Collection[str], loss_inputs: Collection[str], who: str = "this system") -> Iterator[str]:
    """Whether a loss gets the evidence that it asks for. who: offers it."""
    if missing := [need for need in needs if need not in loss_inputs]:
        yield (
            f"loss/{key} needs {', '.join(missing)}, which {who} does not offer; it offers {', '.join(sorted(loss_inputs))}:"
            f" choose another, or loss/{key}=none."
        )


def _evidence_here(key: str, needs: Collection[str], predicts: bool, variance: bool, plays: bool) -> Iterator[str]:
    """Of evidence that a system offers where its parts are such that it has it."""
    if not predicts and {*PREDICTED, "log_variance"} & set(needs):
        nothing = "because parameter_head is none or degradation.predicted is empty"
        yield f"loss/{key} needs a prediction, and there is none, {nothing}: choose loss/{key}=none."
    elif not variance and "log_variance" in needs:
        yield f"loss/{key} needs a predicted variance: loss.parameters.variance must be true."
    if not plays and set(SHOWN) & set(needs):
        yield f"loss/{key} needs a discriminator, and there is none: choose a loss/adversarial, or loss/{key}=none."


# Batches and crops.


def budget(images: int, size: int, devices: int = 1) -> Iterator[str]:
    if images < size * devices:
        each = f" on each of trainer.devices={devices}" if devices > 1 else ""
        yield f"trainer.images={images} is less than one batch of data.batch_size={size}{each}."


def multiples(key: str, side: int, needs: Mapping[str, int]) -> Iterator[str]:
    """Of the side of a crop. needs: what it must be a multiple of, by who needs it."""
    step = math.lcm(*needs.values())
    for reason, each in needs.items():
        if side % each:
            below, above = side // step * step, (side // step + 1) * step
            nearest = f"{below} and {above} are" if below else f"{above} is"
            yield f"{key}={side} is no multiple of {reason}; {nearest}."


def scale_multiple(multiple: int) -> dict[str, int]:
    return {f"the scale {multiple}, which degradation.output=native needs": multiple}


def discriminator_multiple(name: str, multiple: int) -> dict[str, int]:
    return {f"{multiple}, which the discriminator {name} needs": multiple}


def stem_side(enlarge: int, unshuffle: int) -> int:
    """Side in pixels of S of what one pixel behind a stem stands for, see `networks.papers.stem_upsample.Stem`."""
    return enlarge if enlarge > 1 else unshuffle
