"""Networks in ONNX files, which onnxruntime runs."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from csrgan.config.location import extra
from csrgan.errors import UserError, require
from csrgan.restorers.external.network import ExternalNetwork, probed_scale


def read(file: Path, place: str, multiple: int) -> ExternalNetwork:
    """Return the network, of one picture in [0,1] to one picture. It runs on the CPU. multiple: see `ExternalNetwork`."""
    require(find_spec("onnxruntime") is not None, f"{place} needs onnxruntime: {extra('onnx')}.")
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    try:
        session = runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as reason:
        raise UserError(f"{place} cannot be read as an ONNX file: {str(reason).splitlines()[0]}.") from reason
    inputs = session.get_inputs()
    shape = list(inputs[0].shape)
    require(
        len(inputs) == 1 and len(shape) == 4,
        f"{place} takes {len(inputs)} inputs, the first {shape}, and not one picture.",
    )
    fixed = [side for side in shape[2:] if isinstance(side, int)]
    sentence = f"{place} takes only pictures of {'x'.join(map(str, fixed))} px: export it with sides that may vary (dynamic axes)."
    require(not fixed, sentence)

    def run(low: Tensor) -> Tensor:
        # One by one, since many files take no larger batch.
        images = [session.run([session.get_outputs()[0].name], {inputs[0].name: each[None].cpu().numpy()})[0] for each in low]
        return torch.cat([torch.from_numpy(image) for image in images]).to(low)

    return ExternalNetwork(run, probed_scale(run, multiple, place), multiple=multiple)
