"""A trained network as an ONNX file that restores pictures of any size without csrgan and PyTorch."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.calibration import interpolated
from csrgan.config.location import extra
from csrgan.errors import UserError, require
from csrgan.networks.generator import GeneratorOutput
from csrgan.networks.portable import size
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.restorer import finite_image

PACKAGES = ("onnx", "onnxruntime")
TRACED = (2, 3, 75, 101)  # the shape that is traced; no side is a multiple that a network pads to
CHECKED = ((1, 3, 64, 96), (2, 3, 37, 50), (1, 3, 129, 131), (3, 3, 80, 45), (1, 3, 200, 163))
TOLERANCE = 1e-4  # of S and of the predictions, for an absolute and for a relative difference
KEY = "csrgan"  # of the metadata


def exported(restorer: LearnedRestorer, described: Mapping[str, object]) -> bytes:
    """Return the file, which agrees with the network at five sizes.

    Its input `low` is L, (batch, 3, height, width) in [0,1]; its outputs are `restored`, S, and, if they are predicted, `theta` and
    `std`, (batch, parameters) in physical units. described: metadata, as JSON under the key `csrgan`.
    Raises UserError if a package is missing, if a part of the network has no form in ONNX, or if the file disagrees.
    """
    for package in PACKAGES:
        if find_spec(package) is None:
            raise UserError(f"format=onnx needs {package}, which is not installed: {extra('onnx')}.")
    network = _Portable(restorer).eval()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        _trace(network, file)
        onnx = import_module("onnx")
        model = onnx.load(file)
        onnx.helper.set_model_props(model, {KEY: json.dumps({**described, "outputs": network.outputs})})
        content: bytes = model.SerializeToString()
    _check(network, content)
    return content


class _Portable(nn.Module):
    """From L to the outputs as tensors."""

    def __init__(self, restorer: LearnedRestorer) -> None:
        super().__init__()
        self.restorer, self.network = restorer, restorer.network
        with torch.no_grad():
            names = ("restored", "theta", "std")
            self.outputs = [name for name, _ in zip(names, self(torch.rand(TRACED)), strict=False)]

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> tuple[Tensor, ...]:
        output: GeneratorOutput = self.network(self.restorer.preprocess(low))
        image = output.image.clamp(0, 1) if torch.onnx.is_in_onnx_export() else finite_image(output.image)
        if output.theta is None:
            return (image,)
        theta = output.theta
        if output.log_variance is None:
            return image, self._physical(theta, shown=True)
        std = (0.5 * output.log_variance).exp()
        if rows := self.restorer.calibration.rows:
            std = std * interpolated(rows, (size(image, 2) * size(image, 3)).float().log(), std)
        return image, self._physical(theta, shown=True), (self._physical(theta + std) - self._physical(theta - std)) / 2

    def _physical(self, theta: Float[Tensor, "b p"], *, shown: bool = False) -> Float[Tensor, "b p"]:
        """Return the predicted parameters in physical units, in the order of `predicted`. shown: kept within what is possible."""
        prior, restorer = self.restorer.prior, self.restorer
        if type(restorer).to_physical is LearnedRestorer.to_physical:
            drawn = [prior.ranges[name] for name in prior.predicted]
            columns = [each.physical(theta[:, k]) for k, each in enumerate(drawn)]
            columns = [each.possible(x) for each, x in zip(drawn, columns, strict=True)] if shown else columns
        else:
            parameters = restorer.to_physical(theta)
            columns = [parameters.number(name) for name in prior.predicted]
        return torch.stack(columns, dim=1)


def _trace(network: _Portable, file: Path) -> None:
    free = {name: {0: "batch"} for name in network.outputs}
    free |= {name: {0: "batch", 2: f"{name}_height", 3: f"{name}_width"} for name in ("low", "restored")}
    try:
        with warnings.catch_warnings(), torch.no_grad(), _silenced():
            warnings.simplefilter("ignore")  # of a tracer that warns of every size; the file is checked at others
            torch.onnx.export(
                network,
                (torch.rand(TRACED),),
                file,
                dynamo=False,
                opset_version=17,
                input_names=["low"],
                output_names=network.outputs,
                dynamic_axes=free,
            )
    except Exception as reason:
        why = " ".join(str(reason).split()).split(". ")[0][:200]
        raise UserError(f"format=onnx: a part of this network has no form in ONNX ({type(reason).__name__}: {why}).") from reason


@contextmanager
def _silenced() -> Iterator[None]:
    """Close the standard output meanwhile: a tracer that fails prints the whole graph from C++."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


def _check(network: _Portable, content: bytes) -> None:
    """Raise UserError unless onnxruntime gives what PyTorch gives at each size."""
    session = import_module("onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    for shape in CHECKED:
        low = torch.rand(shape, generator=generator)
        with torch.no_grad():
            expected = [output.numpy() for output in network(low)]
        try:
            found = session.run(None, {"low": low.numpy()})
        except Exception as reason:
            sentence = f"format=onnx: the file of this network works for one size alone: it fails at {_size(shape)}."
            raise UserError(sentence) from reason
        for name, mine, theirs in zip(network.outputs, expected, found, strict=True):
            same = mine.shape == theirs.shape and np.allclose(mine, theirs, atol=TOLERANCE, rtol=TOLERANCE)
            require(same, f"format=onnx: {name} of the file differs from that of the network at {_size(shape)}: it was not kept.")


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[3]}x{shape[2]} px"


def described(restorer: LearnedRestorer) -> Iterator[tuple[str, object]]:
    """Yield what one must know to use a network: its input, its scale, and the degradations that it was trained to undo."""
    prior = restorer.prior
    yield "input", "L: RGB in [0,1], sRGB, (batch, 3, height, width), float32"
    yield "scale", restorer.enlarge
    yield "predicted", list(prior.predicted)
    yield "units", {"blur_std": "px of S", "scale": "size of H / size of L", "noise_std": "fraction of full scale"} | prior.units
    yield "degradation", {name: [bound for bound in drawn.bounds if math.isfinite(bound)] for name, drawn in prior.ranges.items()}
