"""Networks in ncnn's two files, NAME.param and NAME.bin: the layers that SRMD's and Real-ESRGAN's releases need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from csrgan.errors import UserError, require
from csrgan.restorers.external.network import ExternalNetwork, probed_scale

MAGIC = "7767517"  # first line of every .param file
FP16, FP32 = 0x01306B47, 0  # the word before a convolution's weights
ARRAY = -23300  # -23310=2,0.1,0.2 is key 10 with two values
MODES = {1: "nearest", 2: "bilinear", 3: "bicubic"}
ACTIVATIONS: dict[int, Callable[[Tensor, list[float]], Tensor]] = {
    0: lambda image, _: image,
    1: lambda image, _: functional.relu(image),
    2: lambda image, slopes: functional.leaky_relu(image, slopes[0]),
}


@dataclass
class Layer:
    """One line of a .param file. settings: numbers by ncnn's keys; those that are missing are 0."""

    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    settings: dict[int, list[float]] = field(default_factory=dict)

    def number(self, key: int, default: float = 0) -> float:
        return self.settings.get(key, [default])[0]

    def whole(self, key: int, default: int = 0) -> int:
        return int(self.number(key, default))


class NCNNNetwork(nn.Module):
    """Runs layers in the order of their file."""

    def __init__(self, layers: list[Layer], weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.layers = layers
        for name, weight in weights.items():
            self.register_buffer(name, weight)

    def forward(self, low: Tensor) -> Tensor:
        results: dict[str, Tensor] = {}
        for layer in self.layers:
            if layer.kind == "Input":
                results[layer.outputs[0]] = low
                continue
            inputs = [results.pop(name) for name in layer.inputs]  # each result is read once; Split copies it
            outputs = inputs * len(layer.outputs) if layer.kind == "Split" else [self._result(layer, inputs)]
            results.update(zip(layer.outputs, outputs, strict=True))
        return results[self.layers[-1].outputs[0]]

    def _result(self, layer: Layer, inputs: list[Tensor]) -> Tensor:
        if layer.kind in OPERATIONS:
            return OPERATIONS[layer.kind](layer, inputs)
        if layer.kind == "PReLU":
            return functional.prelu(inputs[0], getattr(self, f"{place(layer)}_slope"))
        weight: Tensor = getattr(self, f"{place(layer)}_weight")
        bias: Tensor | None = getattr(self, f"{place(layer)}_bias", None)
        image = functional.conv2d(inputs[0], weight, bias, layer.whole(3, 1), layer.whole(4), layer.whole(2, 1))
        return ACTIVATIONS[layer.whole(9)](image, layer.settings.get(10, []))


def _resized(layer: Layer, inputs: list[Tensor]) -> Tensor:
    mode = MODES[layer.whole(0)]
    corners = None if mode == "nearest" else False
    factors = layer.number(1, 1), layer.number(2, 1)
    return functional.interpolate(inputs[0], scale_factor=factors, mode=mode, align_corners=corners)


def _added(layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Return the sum; Eltwise may have a factor for each."""
    first, second = layer.settings.get(1, [1.0, 1.0]) if layer.kind == "Eltwise" else (1.0, 1.0)
    return first * inputs[0] + second * inputs[1]


# Layers without weights.
OPERATIONS: dict[str, Callable[[Layer, list[Tensor]], Tensor]] = {
    "ReLU": lambda layer, inputs: functional.leaky_relu(inputs[0], layer.number(0)),
    "PixelShuffle": lambda layer, inputs: functional.pixel_shuffle(inputs[0], layer.whole(0, 1)),
    "Concat": lambda _, inputs: torch.cat(inputs, dim=1),
    "Interp": _resized,
    "Eltwise": _added,
    "BinaryOp": _added,
}


def read(file: Path, place: str) -> ExternalNetwork:
    """Return the network in NAME.param and NAME.bin beside it. file: either. Raises UserError for one that cannot be run."""
    text, binary = file.with_suffix(".param"), file.with_suffix(".bin")
    for each in (text, binary):
        require(
            each.is_file(), f"{place}: there is no {each.name} beside it; ncnn keeps the layers in .param and the weights in .bin."
        )
    layers = _layers(text.read_text(encoding="utf-8", errors="replace").splitlines(), f"{place}: {text.name}")
    weights = dict(_weights(layers, binary.read_bytes(), f"{place}: {binary.name}"))
    network = NCNNNetwork(layers, weights).eval()
    first = next((weight for name, weight in weights.items() if name.endswith("_weight")), None)
    require(first is not None, f"{place} has no convolution.")
    assert first is not None
    channels = first.shape[1]
    return ExternalNetwork(network, probed_scale(network, 1, place, channels), channels, module=network)


def place(layer: Layer) -> str:
    """Return the name of a layer as that of a tensor."""
    return layer.name.replace(".", "_")


def _layers(lines: list[str], origin: str) -> list[Layer]:
    """Return the layers of a .param file. Raises UserError for one that is none, or has layers that are not known here."""
    require(bool(lines) and lines[0].strip() == MAGIC, f"{origin} is no text file of ncnn's: its first line is not {MAGIC}.")
    layers = []
    for number, line in enumerate(lines[2:], start=3):
        words = line.split()
        if not words:
            continue
        try:
            count_in, count_out = int(words[2]), int(words[3])
            names, pairs = words[4 : 4 + count_in + count_out], words[4 + count_in + count_out :]
            settings = dict(_setting(pair) for pair in pairs)
        except (ValueError, IndexError):
            raise UserError(f"{origin}, line {number} describes no layer.") from None
        layers.append(Layer(words[0], words[1], names[:count_in], names[count_in:], settings))
    unknown = [f"{layer.kind} ({layer.name})" for layer in layers if not (layer.kind in KNOWN and KNOWN[layer.kind](layer))]
    if unknown:
        raise UserError(f"{origin} has a layer that csrgan does not run: {unknown[0]}; convert the network to ONNX instead.")
    read = {name for layer in layers for name in layer.inputs}
    made = {name for layer in layers for name in layer.outputs}
    require(bool(layers) and read <= made, f"{origin}: a layer reads what none makes: {', '.join(sorted(read - made)[:3])}.")
    return layers


def _setting(pair: str) -> tuple[int, list[float]]:
    key, _, text = pair.partition("=")
    numbers = [float(each) for each in text.split(",")]
    return (int(key), numbers) if int(key) > ARRAY else (ARRAY - int(key), numbers[1:])


def _convolves(layer: Layer) -> bool:
    whole = layer.whole
    square = all(whole(base + 10, whole(base)) == whole(base) for base in (1, 2, 3)) and whole(1) > 0
    even = whole(4) >= 0 and all(whole(key, whole(4)) == whole(4) for key in (14, 15, 16))
    return square and even and whole(9) in ACTIVATIONS and not whole(8)


# Whether a layer with these settings is run exactly: other settings of ncnn's would change what it computes.
KNOWN: dict[str, Callable[[Layer], bool]] = {
    "Input": lambda _: True,
    "Split": lambda layer: len(layer.inputs) == 1,
    "Convolution": _convolves,
    "PReLU": lambda layer: layer.whole(0) > 0,
    "ReLU": lambda _: True,
    "Interp": lambda layer: layer.whole(0) in MODES and min(layer.number(1), layer.number(2)) > 0 and not layer.whole(6),
    "Eltwise": lambda layer: layer.whole(0) == 1 and len(layer.inputs) == 2 and len(layer.settings.get(1, [1, 1])) == 2,
    "BinaryOp": lambda layer: layer.whole(0) == 0 and not layer.whole(1) and len(layer.inputs) == 2,
    "Concat": lambda layer: layer.whole(0) == 0,
    "PixelShuffle": lambda layer: not layer.whole(1),
}


def _weights(layers: list[Layer], data: bytes, origin: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of the layers, in the order of the file. Raises UserError where it is too short or long."""
    at = 0

    def taken(count: int, kind: type[np.generic]) -> Tensor:
        nonlocal at
        size = count * np.dtype(kind).itemsize
        require(0 <= size <= len(data) - at, f"{origin} is too short: it was cut off, or belongs to another .param file.")
        values = np.frombuffer(data, np.dtype(kind), count, at).astype(np.float32)
        at += -(-size // 4) * 4
        return torch.from_numpy(values)

    for layer in layers:
        if layer.kind == "PReLU":
            yield f"{place(layer)}_slope", taken(layer.whole(0), np.float32)
        if layer.kind != "Convolution":
            continue
        outputs, side, count = layer.whole(0), layer.whole(1), layer.whole(6)
        flag = int.from_bytes(data[at : at + 4], "little")
        at += 4
        require(
            flag in (FP16, FP32),
            f"{origin}: {layer.name} is quantized: take the file of full precision.",
        )
        divides = outputs > 0 and count > 0 and count % (outputs * side * side) == 0
        require(divides, f"{origin}: {layer.name} has {count} weights, and {outputs} kernels of {side}x{side}.")
        yield f"{place(layer)}_weight", taken(count, np.float16 if flag == FP16 else np.float32).view(outputs, -1, side, side)
        if layer.whole(5):
            yield f"{place(layer)}_bias", taken(outputs, np.float32)
    require(at >= len(data), f"{origin} is longer than the layers need: it belongs to another .param file.")
