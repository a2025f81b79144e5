"""How well a degradation can be known at all: the Cramer-Rao bound for a picture of known spectrum."""

from __future__ import annotations

import math
from functools import partial
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.chain import Chain
from csrgan.degradation.kernels import even_response
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.resample import cubic_response
from csrgan.networks.spectrum import CENTRE, FLOOR, SPREAD, RadialLogSpectrum
from csrgan.records import Picture

RINGS = 40  # of the spectrum, up to 0.5 cycles/px
GRID = 32  # frequencies from 0 to the Nyquist frequency along an axis, of which each stands for many of a picture's
NAMES = ("blur_std", "noise_std")


def least_std(sharp: Picture, parameters: Parameters, chain: Chain) -> dict[str, float]:
    """Standard deviations below which no unbiased estimator of blur_std (px) and noise_std (fraction of full scale) comes,
    given one picture L: from Whittle's likelihood (1953) of a Gaussian field with the picture's spectrum, of which strength and
    steepness are not known. Infinite where L says nothing.

    The scale is given, because it can be read without an error: an enlarged picture has no energy of its own beyond the Nyquist
    frequency of the smaller one, and is known to the last digit. L is looked at before it is enlarged, its frequencies folded as
    sampling folds them. A network that knows the prior is biased, and can err less where the bound is wide.

    sharp: (1, 3, h, w). parameters: of one picture, without a kernel.
    """
    height, width = sharp.shape[-2:]
    with torch.no_grad():
        rings = RadialLogSpectrum(RINGS, max(height, width))(sharp)[0].double()
        power = (rings * SPREAD + CENTRE).exp() - FLOOR
        colours = _colours(sharp)
    scale = float(parameters.scale[0])
    theta = torch.tensor([float(parameters.blur_std[0]), float(parameters.noise_std[0]), 0.0, 0.0], dtype=torch.float64)
    slopes = torch.func.jacfwd(partial(_log_spectrum, power=power, colours=colours, scale=scale, chain=chain))(theta)
    pixels = height * width / scale**2
    information = 0.5 * pixels * torch.einsum("cfi,cfj->ij", slopes, slopes) / slopes.shape[1]
    told = [k for k in range(len(theta)) if float(information[k, k]) > 1e-9 * pixels]
    variances = torch.linalg.pinv(information[told][:, told], hermitian=True).diagonal()
    found = dict(zip(told, variances.tolist(), strict=True))
    return {name: math.sqrt(found[k]) if found.get(k, 0.0) > 0 else math.inf for k, name in enumerate(NAMES)}


def _log_spectrum(
    theta: Float[Tensor, " 4"], *, power: Float[Tensor, " rings"], colours: Float[Tensor, " 3"], scale: float, chain: Chain
) -> Float[Tensor, "3 frequencies"]:
    """Logarithm of the power of L before it is enlarged, for each principal colour and frequency; theta: blur_std, noise_std,
    logarithm of the strength of H's spectrum, and of its steepness, relative to `power`."""
    blur_std, noise_std, strength, steepness = theta
    low = (torch.arange(GRID, dtype=torch.float64) + 0.5) / (2 * GRID)  # cycles a pixel of L; a quarter is as the others are
    taps = chain.taps(Parameters(blur_std[None], blur_std.new_full((1,), scale), noise_std[None]))
    signal = torch.zeros(GRID, GRID, dtype=torch.float64)
    for fold in product((-1, 0, 1), repeat=2) if scale > 1 else [(0, 0)]:
        down, across = ((low + k) / scale for k in fold)
        radius = torch.hypot(down[:, None], across)
        place = radius * (2 * RINGS) - 0.5
        below = place.floor().long().clamp(0, len(power) - 2)
        logarithms = power.clamp(min=1e-12).log()
        here = torch.lerp(logarithms[below], logarithms[below + 1], (place - below).clamp(0, 1))
        response = torch.ones(1, 1, dtype=torch.float64)
        for f, shape in ((down, (-1, 1)), (across, (1, -1))):
            resampled = cubic_response(scale * f.abs()) if chain.downsampling == "bicubic" and scale > 1 else torch.ones_like(f)
            response = response * (even_response(taps, f)[0] * resampled).view(shape)
        signal = signal + response**2 * (here + strength - steepness * (radius / 0.1).log()).exp() / scale**2
    return (colours[:, None] * signal.flatten() + noise_std**2 + FLOOR).log()


def _colours(sharp: Picture) -> Float[Tensor, " 3"]:
    """Powers of the principal colours of a picture's detail; their mean is 1."""
    detail = (sharp[..., 1:] - sharp[..., :-1])[0].flatten(1).double()
    found = torch.linalg.eigvalsh(detail @ detail.T).clamp(min=0)
    return found / found.mean().clamp(min=1e-30)
