"""The Cramer-Rao bound on blind estimates of a degradation, for a picture of known spectrum."""

from __future__ import annotations

import math
import warnings
from functools import partial
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.kernels import even_response
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.resample import response
from csrgan.degradation.spec import DegradationSpec
from csrgan.networks.spectrum import CENTRE, FLOOR, SPREAD, RadialLogSpectrum
from csrgan.records import Picture

RINGS = 40  # of the spectrum, up to 0.5 cycles/px
GRID = 32  # frequencies along an axis from 0 to Nyquist; each stands for many frequencies of a picture
NAMES = ("blur_std", "noise_std")


def least_std(sharp: Picture, parameters: Parameters, spec: DegradationSpec) -> dict[str, float]:
    """Return the least standard deviation of any unbiased estimator of blur_std (px) and noise_std (fraction of full scale) from
    one picture L. It follows from Whittle's likelihood (1953) of a Gaussian field with the picture's spectrum, whose strength and
    steepness are unknown. Infinite if L carries no information.

    The scale counts as known, because it can be read without error: an enlarged picture has no energy of its own beyond the Nyquist
    frequency of the smaller one. The bound is of L before it is enlarged, with its frequencies aliased as sampling aliases them.
    A network that knows the prior is biased, and its error can be smaller where the bound is wide.

    sharp: H, (1, 3, h, w). parameters: theta of one picture, without a kernel.
    """
    height, width = sharp.shape[-2:]
    sharp = sharp.cpu()
    with torch.no_grad():
        rings = RadialLogSpectrum(RINGS, max(height, width))(sharp)[0].double()
        power = ((rings * SPREAD + CENTRE).exp() - FLOOR).clamp(min=1e-12)
        colours = _colours(sharp)
    scale = float(parameters.scale[0])
    theta = torch.tensor([float(parameters.blur_std[0]), float(parameters.noise_std[0]), 0.0, 0.0], dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")  # torch's own use, in its forward derivatives
        slopes = torch.func.jacfwd(partial(_log_spectrum, power=power, colours=colours, scale=scale, spec=spec))(theta)
    pixels = height * width / scale**2
    information = 0.5 * pixels * torch.einsum("cfi,cfj->ij", slopes, slopes) / slopes.shape[1]
    informed = [k for k in range(len(theta)) if float(information[k, k]) > 1e-9 * pixels]
    variances = torch.linalg.pinv(information[informed][:, informed], hermitian=True).diagonal()
    variance = dict(zip(informed, variances.tolist(), strict=True))
    return {name: math.sqrt(variance[k]) if variance.get(k, 0.0) > 0 else math.inf for k, name in enumerate(NAMES)}


def _log_spectrum(
    theta: Float[Tensor, " 4"], *, power: Float[Tensor, " rings"], colours: Float[Tensor, " 3"], scale: float, spec: DegradationSpec
) -> Float[Tensor, "3 frequencies"]:
    """Return the logarithm of the power of L before it is enlarged, for each principal colour and frequency.

    theta: blur_std, noise_std, the logarithm of the strength of H's spectrum relative to `power`, and its steepness relative to it.
    """
    blur_std, noise_std, strength, steepness = theta
    low = (torch.arange(GRID, dtype=torch.float64) + 0.5) / (2 * GRID)  # cycles a pixel of L; one quadrant, as the others are equal
    parameters = Parameters(blur_std[None], blur_std.new_full((1,), scale), noise_std[None])
    taps, centre = spec.taps(parameters), spec.shift(parameters)
    smooths = spec.downsampling != "direct" and scale > 1
    # What sampling aliases, in cycles/px. Taking every s-th pixel folds the s frequencies of H that lie 1/s apart, each once.
    copies = (-1, 0, 1) if smooths else range(-(round(scale) // 2), (round(scale) + 1) // 2)
    folds = [(low + k) / scale for k in copies]
    responses = [
        even_response(taps, f, centre)[0] * (response(spec.downsampling, scale * f.abs()) if smooths else 1.0) for f in folds
    ]
    signal = torch.zeros(GRID, GRID, dtype=torch.float64)
    for (down, response_down), (across, response_across) in product(zip(folds, responses, strict=True), repeat=2):
        radius = torch.hypot(down[:, None], across)
        ring = radius * (2 * RINGS) - 0.5
        below = ring.floor().long().clamp(0, len(power) - 2)
        logarithms = torch.lerp(power.log()[below], power.log()[below + 1], (ring - below).clamp(0, 1))
        field = (logarithms + strength - steepness * (radius / 0.1).log()).exp()
        signal = signal + (response_down[:, None] * response_across) ** 2 * field / scale**2
    return (colours[:, None] * signal.flatten() + noise_std**2 + FLOOR).log()


def _colours(sharp: Picture) -> Float[Tensor, " 3"]:
    """Return the powers of the principal colours of a picture's detail; their mean is 1."""
    detail = (sharp[..., 1:] - sharp[..., :-1])[0].flatten(1).double()
    powers = torch.linalg.eigvalsh(detail @ detail.T).clamp(min=0)
    return powers / powers.mean().clamp(min=1e-30)
