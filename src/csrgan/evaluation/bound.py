"""How well a degradation can be known at all: the Cramer-Rao bound for a picture of known spectrum."""

from __future__ import annotations

import math
from functools import partial
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.kernels import even_response
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.resample import cubic_response
from csrgan.degradation.spec import DegradationSpec
from csrgan.networks.spectrum import CENTRE, FLOOR, SPREAD, RadialLogSpectrum
from csrgan.records import Picture

RINGS = 40  # of the spectrum, up to 0.5 cycles/px
GRID = 32  # frequencies from 0 to the Nyquist frequency along an axis, of which each stands for many of a picture's
NAMES = ("blur_std", "noise_std")


def least_std(sharp: Picture, parameters: Parameters, spec: DegradationSpec) -> dict[str, float]:
    """Standard deviations below which no unbiased estimator of blur_std (px) and noise_std (fraction of full scale) comes,
    given one picture L: from Whittle's likelihood (1953) of a Gaussian field with the picture's spectrum, of which strength and
    steepness are not known. Infinite where L says nothing.

    The scale is given, because it can be read without an error: an enlarged picture has no energy of its own beyond the Nyquist
    frequency of the smaller one, and is known to the last digit. L is looked at before it is enlarged, its frequencies folded as
    sampling folds them. A network that knows the prior is biased, and can err less where the bound is wide.

    sharp: (1, 3, h, w). parameters: of one picture, without a kernel.
    """
    height, width = sharp.shape[-2:]
    sharp = sharp.cpu()
    with torch.no_grad():
        rings = RadialLogSpectrum(RINGS, max(height, width))(sharp)[0].double()
        power = ((rings * SPREAD + CENTRE).exp() - FLOOR).clamp(min=1e-12)
        colours = _colours(sharp)
    scale = float(parameters.scale[0])
    theta = torch.tensor([float(parameters.blur_std[0]), float(parameters.noise_std[0]), 0.0, 0.0], dtype=torch.float64)
    slopes = torch.func.jacfwd(partial(_log_spectrum, power=power, colours=colours, scale=scale, spec=spec))(theta)
    pixels = height * width / scale**2
    information = 0.5 * pixels * torch.einsum("cfi,cfj->ij", slopes, slopes) / slopes.shape[1]
    told = [k for k in range(len(theta)) if float(information[k, k]) > 1e-9 * pixels]
    variances = torch.linalg.pinv(information[told][:, told], hermitian=True).diagonal()
    found = dict(zip(told, variances.tolist(), strict=True))
    return {name: math.sqrt(found[k]) if found.get(k, 0.0) > 0 else math.inf for k, name in enumerate(NAMES)}


def _log_spectrum(
    theta: Float[Tensor, " 4"], *, power: Float[Tensor, " rings"], colours: Float[Tensor, " 3"], scale: float, spec: DegradationSpec
) -> Float[Tensor, "3 frequencies"]:
    """Logarithm of the power of L before it is enlarged, for each principal colour and frequency; theta: blur_std, noise_std,
    logarithm of the strength of H's spectrum, and of its steepness, relative to `power`."""
    blur_std, noise_std, strength, steepness = theta
    low = (torch.arange(GRID, dtype=torch.float64) + 0.5) / (2 * GRID)  # cycles a pixel of L; a quarter is as the others are
    taps = spec.taps(Parameters(blur_std[None], blur_std.new_full((1,), scale), noise_std[None]))
    folds = [(low + k) / scale for k in ((-1, 0, 1) if scale > 1 else (0,))]  # what sampling cannot tell apart, cycles/px
    smooths = spec.downsampling == "bicubic" and scale > 1
    kept = [even_response(taps, f)[0] * (cubic_response(scale * f.abs()) if smooths else 1.0) for f in folds]
    signal = torch.zeros(GRID, GRID, dtype=torch.float64)
    for (down, kept_down), (across, kept_across) in product(zip(folds, kept, strict=True), repeat=2):
        radius = torch.hypot(down[:, None], across)
        place = radius * (2 * RINGS) - 0.5
        below = place.floor().long().clamp(0, len(power) - 2)
        logarithms = torch.lerp(power.log()[below], power.log()[below + 1], (place - below).clamp(0, 1))
        field = (logarithms + strength - steepness * (radius / 0.1).log()).exp()
        signal = signal + (kept_down[:, None] * kept_across) ** 2 * field / scale**2
    return (colours[:, None] * signal.flatten() + noise_std**2 + FLOOR).log()


def _colours(sharp: Picture) -> Float[Tensor, " 3"]:
    """Powers of the principal colours of a picture's detail; their mean is 1."""
    detail = (sharp[..., 1:] - sharp[..., :-1])[0].flatten(1).double()
    found = torch.linalg.eigvalsh(detail @ detail.T).clamp(min=0)
    return found / found.mean().clamp(min=1e-30)
