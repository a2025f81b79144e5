"""Somebody else's network, trained elsewhere, as a restorer. Only the user's own words may name these classes, see
`config.targets`: they read files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError, require
from csrgan.ranges import Count
from csrgan.records import Restoration
from csrgan.restorers.external import architecture, ncnn_file, onnx_file, srmd, state
from csrgan.restorers.external.network import ExternalNetwork, probed_scale
from csrgan.restorers.restorer import Restorer, finite_image

KEY = "checkpoint"  # the user's word for the file
SCALE = "{scale}"


class External(Restorer):
    """file: weights (.pth, .pt, .ckpt, .safetensors), an ONNX file, or one of ncnn's two (.param, .bin). {scale} in its name
    is the scale of the protocol, for networks that come as a file a scale.
    network: the module that weights belong to; None: spandrel recognizes it.
    multiple: sides of L are padded to multiples of it, px; what spandrel recognizes knows its own.
    kernel_basis: file with the PCA basis of SRMD's kernels, which its release keeps apart from the weights.
    degradation: the protocol of L; None: bicubic down-sampling by the network's own scale.
    """

    outputs = ("upsampled", "native")
    brings_protocol = True  # neither a degradation nor a checkpoint of csrgan's is needed, see `workflow.trained`

    def __init__(
        self,
        *,
        file: str | None = None,
        network: nn.Module | None = None,
        multiple: Count = 1,
        kernel_basis: str | None = None,
        degradation: Degradation | None = None,
    ) -> None:
        file = _of_scale(file, degradation)
        self.external = _read(file, network, multiple)
        super().__init__(degradation or bicubic_by(self.external.scale))
        self.srmd = srmd.Codes.of(self.external.channels, kernel_basis, f"{KEY}={file}")
        if self.srmd:
            self.oracle_modes = ("truth",)
            self.use_oracle("truth")  # it knows no other

    @property
    def enlarge(self) -> int:
        return self.external.scale

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        if self.srmd:
            raise UserError(
                "this network is SRMD, which must be told the degradation: csrgan evaluate tells it the true one, and its"
                " restorer's restore_given takes one that is known."
            )
        return Restoration(finite_image(self.external(low)))

    def restore_given(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        if not self.srmd:
            return super().restore_given(low, parameters)
        return Restoration(finite_image(self.external(torch.cat([low, self.srmd.maps(low, parameters)], dim=1))))


def bicubic_by(scale: int) -> Degradation:
    """Return the protocol of most papers on super-resolution, as bicubic_x2 is: MATLAB's bicubic down-sampling alone, in 8 bits."""
    none = {"low": 0.0, "high": 0.0, "uniform_in": "value", "absent": 0.0}
    by = {**none, "low": float(scale), "high": float(scale)}
    protocol = {"downsampling": "matlab", "output": "native", "bits": 8}
    return Degradation(blur=none, scale=by, noise=none, predicted=[], **protocol)  # type: ignore[arg-type]


def _of_scale(file: str | None, degradation: Degradation | None) -> str | None:
    """Return the name of the file with the protocol's scale in place of {scale}."""
    if not file or SCALE not in file:
        return file
    needs = f"{KEY}={file}: {SCALE} stands for the scale of a protocol: name one, as in degradation=bicubic_x2."
    require(degradation is not None, needs)
    assert degradation
    return file.replace(SCALE, str(degradation.multiple))


def _read(file: str | None, network: nn.Module | None, multiple: int) -> ExternalNetwork:
    """Return the network in a file, by the file's suffix."""
    place = f"{KEY}={file}"
    path = Path(file).expanduser() if file else None
    require(path is not None or network is not None, f"{KEY} is needed: name the file of the network, as in {KEY}=FILE.")
    require(path is None or path.is_file(), f"{place} is no file.")
    if network is not None:
        if path:
            state.load_into(network, state.read(path, place), place)
        elif next(network.parameters(), None) is not None:
            warnings.warn(f"no {KEY}: system.network keeps the weights that its class gives it.", stacklevel=2)
        network.eval()
        return ExternalNetwork(network, probed_scale(network, multiple, "system.network"), multiple=multiple, module=network)
    assert path
    if path.suffix == ".onnx":
        return onnx_file.read(path, place, multiple)
    if path.suffix == ".param" or path.with_suffix(".param").is_file():
        return ncnn_file.read(path, place)
    known = (*state.SUFFIXES, ".onnx", ".param")
    require(path.suffix in known, f"{place} has a suffix that tells no format: csrgan reads {', '.join(known)}.")
    return architecture.read(path, place)
