"""The prior distribution of the degradation parameters, and the units in which a network predicts them."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation import axial
from csrgan.degradation.bounds import KEYS, NEUTRAL, POSSIBLE, Blur, Noise, Scale
from csrgan.degradation.kernel_priors import KernelPrior, isotropic
from csrgan.degradation.kernels import ellipticity
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.degradation.uniform import Uniform
from csrgan.errors import raise_faults, require

NINETY = 1.6448536  # standard deviations to either side of the mean that hold 90 % of a Gaussian


class Prior(Recorded):
    """Independent uniform priors of blur, scale, noise and further factors, and the prior of the blur's kernel.

    blur, scale, noise: `{low, high, uniform_in, absent}` each, see `Uniform`. With a kernel prior, blur is the range of its first
    axis.
    predicted: the parameters that a network predicts, in the order of its outputs; the prior's mean stands for the others.
    tested_blur_std: the blurs of the evaluation grid, px; None: mid-quantiles of the prior.
    kernel: draws the kernels, see `kernel_priors`; None: the isotropic Gaussian. kernel_size, shift: of these kernels.
    more: the priors of the numbers of further factors, by name. axes: keys of factors whose two numbers are a size and an angle,
    with the names of the two (see `axial`).
    What a network may predict besides: `ellipticity_0` and `ellipticity_45` of drawn kernels, and KEY_0 and KEY_45 of `axes`. These
    follow from the kernel and from the two numbers; they are recorded where they are predicted.
    Raises UserError if a range is impossible, or too narrow for the kernel.
    """

    def __init__(
        self,
        blur: Blur,
        scale: Scale,
        noise: Noise,
        predicted: Sequence[str] = NAMES,
        *,
        tested_blur_std: Sequence[float] | None = None,
        kernel: KernelPrior | None = None,
        kernel_size: int | None = None,
        shift: float = 0.0,
        more: Mapping[str, Uniform] | None = None,
        axes: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        own = (blur, scale, noise)
        self.ranges: dict[str, Uniform] = {
            name: replace(Uniform(**bounds), neutral=neutral, least=POSSIBLE[name][0], most=POSSIBLE[name][1])
            for name, bounds, neutral in zip(NAMES, own, NEUTRAL, strict=True)
        }
        self.predicted = tuple(predicted)
        self._tested_blur_std, self.kernel, self.kernel_size, self.shift = tested_blur_std, kernel, kernel_size, shift
        self._more = tuple(more or ())
        self.ranges |= more or {}
        self.axes = dict(axes or {})
        followers = self._following()
        self.ranges |= {name: drawn for name, drawn in followers.items() if name in self.predicted}
        raise_faults(
            *(rules.low_below_high(f"degradation.{key}", each["low"], each["high"]) for key, each in zip(KEYS, own, strict=True)),
            rules.tested_blur_std(tested_blur_std),
            rules.known_parameters(self.predicted, (*NAMES, *self._more, *followers)),
            rules.whole_axes(self.predicted, self.axes, kernel is not None),
            rules.positive_width(kernel is not None and kernel.has_axes, blur["low"]),
        )

    def sample(self, generator: np.random.Generator, count: int = 1) -> Parameters:
        """Draw theta `count` times, independently; the same generator state gives the same draws on every machine."""
        shares = torch.from_numpy(generator.random((count, len(NAMES)))).float()
        drawn = self._with_kernels(self.quantiles(shares), generator)
        if self._more:  # further factors come last, so that they do not change the draws of the others
            drawn = self._with_factors(drawn, torch.from_numpy(generator.random((count, len(self._more)))).float())
        return self.completed(drawn)

    def _following(self) -> dict[str, Uniform]:
        """Return the ranges of what a network may predict in place of numbers that jump."""
        size = {key: self.ranges[names[0]] for key, names in self.axes.items()}
        ends = {key: (drawn.bounds[1], drawn.unit) for key, drawn in size.items()}
        if self.kernel is not None:
            ends[axial.KERNEL] = (1.0, "")
        limits = {key: 1.0 if key == axial.KERNEL else math.inf for key in ends}
        return {
            name: Uniform(-most, most, least=-limits[key], most=limits[key], unit=unit)
            for key, (most, unit) in ends.items()
            for name in axial.names(key)
        }

    @property
    def drawn(self) -> tuple[str, ...]:
        """The names of the numbers of further factors, in the order in which they are drawn."""
        return self._more

    @property
    def determined(self) -> frozenset[str]:
        """The names of the numbers that theta^ says: those predicted, a size and an angle whose components are predicted, and those
        that are the same in all pictures."""
        follow = {name for key, of in self.axes.items() if set(axial.names(key)) <= set(self.predicted) for name in of}
        same = {name for name, drawn in self.ranges.items() if drawn.bounds[0] == drawn.bounds[1]}
        return frozenset(self.predicted) | follow | same

    @property
    def may_be_sharp(self) -> bool:
        """Whether a share of the pictures is drawn that nothing was done to."""
        angles = {angle for _, angle in self.axes.values()}
        drawn = [self.ranges[name] for name in (*NAMES, *self._more) if name not in angles]
        return all(each.absent > 0 or each.low == each.high == each.neutral for each in drawn)

    @property
    def continuous(self) -> dict[str, Uniform]:
        """The ranges of the numbers that say all without a jump: components in place of a size and an angle; without
        a drawn kernel's shape."""
        replaced = {name for pair in self.axes.values() for name in pair} | set(axial.names(axial.KERNEL))
        followers = self._following()
        own = {name: drawn for name, drawn in self.ranges.items() if name not in replaced and name not in followers}
        return own | {name: followers[name] for key in self.axes for name in axial.names(key)}

    def completed(self, parameters: Parameters, names: Collection[str] | None = None) -> Parameters:
        """Return the parameters with those numbers that follow from others. names: which; None: those that are predicted.

        Pictures of a protocol without a factor of this prior get its number that changes nothing; nan where there is none, and
        where theta is unknown.
        """
        names = self.predicted if names is None else names
        lacking = [name for name in self._more if name not in parameters.more]
        more = {**parameters.more, **{name: parameters.blur_std * 0 + self.ranges[name].neutral for name in lacking}}
        for key, of in {**self.axes, axial.KERNEL: ()}.items():
            wanted = [name for name in axial.names(key) if name in names]
            if not wanted or (key == axial.KERNEL and parameters.kernel is None and wanted[0] in more):
                continue
            if key == axial.KERNEL:
                pair = ellipticity(parameters.kernel) if parameters.kernel is not None else (parameters.blur_std * 0,) * 2
            else:
                pair = axial.components(*(more[name] for name in of))
            more |= dict(zip(axial.names(key), (value.to(parameters.blur_std) for value in pair), strict=True))
        return replace(parameters, more=more)

    def quantiles(self, u: Float[Tensor, "batch 3"]) -> Parameters:
        """Return the value of blur, scale and noise below which a share `u` of the draws of each lies; without a kernel."""
        return Parameters.of({name: self.ranges[name].quantile(u[:, k]) for k, name in enumerate(NAMES)})

    def _with_factors(self, parameters: Parameters, shares: Float[Tensor, "batch m"]) -> Parameters:
        """Add further factors: the number of each below which these shares of its draws lie."""
        return replace(parameters, more={name: self.ranges[name].quantile(shares[:, k]) for k, name in enumerate(self._more)})

    def _with_kernels(self, parameters: Parameters, generator: np.random.Generator) -> Parameters:
        """Draw a kernel for each picture if there is a kernel prior; blur_std comes in as that of the kernel's first axis."""
        if self.kernel is None:
            return parameters
        first, drawn = parameters.blur_std, self.ranges["blur_std"]
        bounds = replace(drawn, absent=0.0).bounds
        kernel, std = self.kernel.draw(
            generator, first.clamp(min=bounds[0]), bounds=bounds, size=self.kernel_size, shift=self.shift
        )
        if drawn.absent:
            absent = first < bounds[0]
            none = isotropic(torch.zeros_like(first), kernel.shape[-1], self.shift).to(kernel)
            kernel, std = torch.where(absent[:, None, None], none, kernel), torch.where(absent, first, std)
        return replace(parameters, blur_std=std, kernel=kernel)

    def grid(self, *, blur: int, scale: int, noise: int) -> Parameters:
        """Return the cells of a frozen evaluation grid: mid-quantiles of the prior, with this many levels of each parameter.

        A parameter with a single value gets one level; `tested_blur_std`, or the kernels that a prior of kernels names, replace the
        levels of the blur. Else each cell draws one kernel; these draws have a seed of their own. Further factors take values of a
        low-discrepancy sequence, one a cell (Roberts 2018).
        """
        levels = []
        for name, count in zip(NAMES, (blur, scale, noise), strict=True):
            drawn = self.ranges[name]
            several = count if drawn.bounds[1] > drawn.bounds[0] else 1
            levels.append(drawn.quantile((torch.arange(several) + 0.5) / several))
        if self._tested_blur_std is not None:
            levels[0] = torch.tensor(self._tested_blur_std, dtype=torch.float32)
        tested = self.kernel.tested(self.kernel_size) if self.kernel else None
        if tested:
            levels[0] = torch.arange(len(tested[0]), dtype=torch.float32)
        cells = Parameters.unstack(torch.cartesian_prod(*levels))
        if tested:
            kernels, stds = (each[cells.blur_std.long()] for each in tested)
            cells = replace(cells, blur_std=stds, kernel=kernels)
        else:
            cells = self._with_kernels(cells, np.random.default_rng(0))
        if not self._more:
            return self.completed(cells)
        root = 2.0  # converges to the root of x^(m + 1) = x + 1, for m factors
        for _ in range(60):
            root = (1 + root) ** (1 / (len(self._more) + 1))
        steps = torch.tensor([root ** -(k + 1) for k in range(len(self._more))])
        return self.completed(self._with_factors(cells, (0.5 + torch.arange(len(cells))[:, None] * steps) % 1))

    @property
    def units(self) -> dict[str, str]:
        """The unit of each further factor that has one, by the factor's name."""
        return {name: drawn.unit for name, drawn in self.ranges.items() if name not in NAMES and drawn.unit}

    def mean(self, count: int = 1, more: Collection[str] = ()) -> Parameters:
        """Return the expectation of each parameter: the best answer without a picture. more: further ones of `continuous`."""
        return Parameters.of({name: torch.full((count,), float(self._means[name])) for name in (*self.ranges, *more)})

    @cached_property
    def _means(self) -> dict[str, float]:
        means = {name: drawn.mean for name, drawn in self.ranges.items()}
        following = list(self._following())
        if following:  # a drawn kernel has a shape
            drawn = self.completed(self.sample(np.random.default_rng(0), 4096), following)
            means |= {name: float(drawn.number(name).mean()) for name in following}
            means["blur_std"] = float(drawn.blur_std.mean()) if self.kernel is not None else means["blur_std"]
        return means

    def measured_by(self, other: Prior) -> Prior:
        """Return this prior with the ranges of another for what both vary: the errors of networks that were trained on different
        priors compare only in the same units."""
        result = copy.copy(self)
        varied = {name: given for name, given in other.ranges.items() if given.bounds[0] < given.bounds[1]}
        result.ranges = {name: varied.get(name, own) for name, own in self.ranges.items()}
        return result

    def normalise(self, parameters: Parameters) -> Float[Tensor, "batch p"]:
        """Return the predicted parameters in network units: each mapped to [0,1] by its own prior."""
        if not set(self.predicted) <= set(parameters.names):
            parameters = self.completed(parameters)
        columns = [self.ranges[name].normalise(parameters.number(name)) for name in self.predicted]
        return torch.stack(columns, dim=1) if columns else parameters.blur_std.new_zeros(len(parameters), 0)

    def denormalise(self, theta: Float[Tensor, "batch p"]) -> Parameters:
        """Convert network units to physical units, kept within what is possible, not within the prior; a parameter that is not
        predicted takes the prior's mean. A size and an angle follow from their predicted components."""
        return self.possible(self._denormalise(theta))

    def _denormalise(self, theta: Float[Tensor, "batch p"]) -> Parameters:
        means = {name: value.to(theta) for name, value in self.mean(len(theta)).present().items()}
        predicted = {name: self.ranges[name].physical(theta[:, k]) for k, name in enumerate(self.predicted)}
        return Parameters.of(means | self.resolved(predicted))

    def possible(self, parameters: Parameters) -> Parameters:
        """Return the parameters with each number kept within what is possible at all."""
        known = {name: drawn.possible(parameters.number(name)) for name, drawn in self.ranges.items() if name in parameters.names}
        return Parameters.of(parameters.present() | known)

    def resolved(self, numbers: Mapping[str, Tensor], *, bounded: bool = True) -> dict[str, Tensor]:
        """Add each size and angle that is missing and whose components are there. bounded: keep sizes within their ranges."""
        result = dict(numbers)
        for key, of in self.axes.items():
            if set(axial.names(key)) <= numbers.keys():
                most = self.ranges[of[0]].bounds[1] if bounded else math.inf
                pair = axial.size_and_angle(*(numbers[name] for name in axial.names(key)), most=most)
                result = dict(zip(of, pair, strict=True)) | result
        return result

    def units_of(self, other: Prior) -> tuple[Float[Tensor, " p"], Float[Tensor, " p"]]:
        """Return a factor and a shift for each predicted parameter that convert network units of the `other` prior to units of this
        one. Raises UserError if no such pair exists, or if the two priors predict different parameters."""
        require(
            self.predicted == other.predicted,
            f"degradation.predicted={list(self.predicted)}: the network of init_from predicts {list(other.predicted)}.",
        )
        conversions = {name: self.ranges[name].units_of(other.ranges[name]) for name in self.predicted}
        keys = dict(zip(NAMES, KEYS, strict=True))
        for name in self.predicted:
            key = keys.get(name, f"factors.{name}")
            mine, theirs = (prior.ranges[name].uniform_in for prior in (self, other))
            require(
                conversions[name] is not None,
                f"degradation.{key}.uniform_in={mine}: the network of init_from learned {name} in units of its {theirs},"
                f" which cannot be converted: choose degradation.{key}.uniform_in={theirs}.",
            )
        pairs = torch.tensor([pair for pair in conversions.values() if pair], dtype=torch.float64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def spread(self, theta: Float[Tensor, "batch p"], std: Float[Tensor, "batch p"]) -> Parameters:
        """Return standard deviations in physical units, from a mean and a standard deviation in network units: half the distance
        from one standard deviation below to one above; 0 for a parameter that is not predicted."""
        low, high = (self._denormalise(end).present() for end in (theta - std, theta + std))
        half = {name: (high[name] - low[name]) / 2 for name in high}
        return Parameters.of(half | self._spread_of_axes(self._denormalise(theta).present(), half))

    def _spread_of_axes(self, middle: Mapping[str, Tensor], half: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the standard deviations of each size and angle that follow from predicted components, to first order."""
        result: dict[str, Tensor] = {}
        for key, of in self.axes.items():
            names = axial.names(key)
            if set(names) <= set(self.predicted):
                spreads = axial.spreads(*(middle[name] for name in names), *(half[name] for name in names))
                result |= {name: std for name, std in zip(of, spreads, strict=True) if name not in self.predicted}
        return result

    def interval(self, theta: Float[Tensor, "batch p"], std: Float[Tensor, "batch p"]) -> tuple[Parameters, Parameters]:
        """Return the physical bounds of the central 90 % of a Gaussian in network units, kept within what is possible; they may lie
        outside the prior."""
        ends = [self._denormalise(end).present() for end in (theta - NINETY * std, theta + NINETY * std)]
        middle, half = self._denormalise(theta).present(), self.spread(theta, std).present()
        for name in self._spread_of_axes(middle, half):
            for end, sign in zip(ends, (-NINETY, NINETY), strict=True):
                end[name] = middle[name] + sign * half[name]
        return self.possible(Parameters.of(ends[0])), self.possible(Parameters.of(ends[1]))
