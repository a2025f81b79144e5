"""What the released SRMD is told of the degradation: a code of the blur kernel, and the noise level (Zhang 2018, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.io import loadmat
from torch import Tensor
from torch.nn import functional

from csrgan.degradation.kernel_priors import isotropic
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError, require

TAPS, LENGTH, RGB = 15, 15, 3  # taps a side of a kernel, numbers in its code, channels of L
NOISE_FREE, NOISY = RGB + LENGTH, RGB + LENGTH + 1  # input channels of SRMDNF and SRMD


@dataclass(frozen=True)
class Codes:
    """basis: P of the code P k. noisy: whether the noise level follows the code."""

    basis: Float[Tensor, "length taps"]
    noisy: bool

    @classmethod
    def of(cls, channels: int, file: str | None, place: str) -> Codes | None:
        """Return the codes of a network with so many input channels; None for one that takes RGB alone."""
        if channels == RGB:
            return None
        found = f"{place} takes {channels} channels"
        require(channels in (NOISE_FREE, NOISY), f"{found}: csrgan knows 3 (RGB), and SRMD's {NOISE_FREE} and {NOISY}.")
        require(
            file is not None,
            f"{found}, so it is SRMD: name the basis of its kernels, as in system.kernel_basis=FILE.mat.",
        )
        return cls(_basis(Path(str(file)).expanduser()), channels == NOISY)

    def maps(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Float[Tensor, "b c h w"]:
        """Return the code and the noise level of each picture as maps of the size of L."""
        kernels = isotropic(parameters.blur_std, TAPS) if parameters.kernel is None else _fitted(parameters.kernel)
        flat = kernels.transpose(1, 2).flatten(1)  # by columns, as MATLAB counts
        codes = flat.to(low) @ self.basis.to(low).T
        if self.noisy:
            codes = torch.cat([codes, parameters.noise_std[:, None].to(low)], dim=1)
        return codes[:, :, None, None].expand(-1, -1, *low.shape[-2:])


def _basis(file: Path) -> Float[Tensor, "length taps"]:
    """Return P from a MATLAB file or a NumPy array."""
    try:
        matrix = np.load(file, allow_pickle=False) if file.suffix == ".npy" else loadmat(file)["P"]
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as reason:
        raise UserError(f"system.kernel_basis={file} holds no matrix P: {reason}.") from reason
    found = np.shape(matrix)
    require(found == (LENGTH, TAPS**2), f"system.kernel_basis={file} holds a matrix of {found}, and SRMD's is {(LENGTH, TAPS**2)}.")
    return torch.from_numpy(np.asarray(matrix, np.float32))


def _fitted(kernels: Float[Tensor, "b k k"]) -> Float[Tensor, "b 15 15"]:
    """Return the middle 15 x 15 taps, of sum 1; smaller kernels are padded with zeros."""
    margin = (TAPS - kernels.shape[-1]) // 2
    cut = functional.pad(kernels, (margin,) * 4)
    return cut / cut.sum(dim=(1, 2), keepdim=True)
