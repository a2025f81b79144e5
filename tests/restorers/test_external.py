"""Networks of other people: read safely, with their scale and padding, and run as their own programs run them."""

from __future__ import annotations

import csv
import os
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from csrgan.cli import main
from csrgan.config import targets
from csrgan.config.build import build
from csrgan.degradation.parameters import Parameters
from csrgan.errors import UserError
from csrgan.restorers.external import architecture, ncnn_file, state
from csrgan.restorers.external.network import ExternalNetwork
from csrgan.restorers.external.restorer import External

PARAM = """7767517
7 8
Input input 0 1 data
Split copies 1 2 data a b
Convolution first 1 1 a c 0=12 1=3 4=1 5=1 6=324 9=2 -23310=1,2.000000e-01
PReLU slopes 1 1 c d 0=12
PixelShuffle larger 1 1 d e 0=2
Interp nearest 1 1 b f 0=1 1=2.000000e+00 2=2.000000e+00
Eltwise sum 2 1 e f out 0=1 -23301=2,5.000000e-01,1.000000e+00
"""


class Written:
    """Two files of ncnn's, and the same network by torch."""

    def __init__(self, folder: Path, half: bool) -> None:
        generator = np.random.default_rng(0)
        number = np.float16 if half else np.float32
        weight, bias, slope = (generator.standard_normal(shape).astype(np.float32) for shape in ((12, 3, 3, 3), 12, 12))
        weight = weight.astype(number)
        self.file = folder / "net.param"
        self.file.write_text(PARAM)
        flag = struct.pack("<I", ncnn_file.FP16 if half else 0)
        self.file.with_suffix(".bin").write_bytes(flag + weight.tobytes() + bias.tobytes() + slope.tobytes())
        self.weight, self.bias, self.slope = (torch.from_numpy(each.astype(np.float32)) for each in (weight, bias, slope))

    def __call__(self, low: Tensor) -> Tensor:
        image = functional.leaky_relu(functional.conv2d(low, self.weight, self.bias, padding=1), 0.2)
        image = functional.pixel_shuffle(functional.prelu(image, self.slope), 2)
        return 0.5 * image + low.repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.mark.parametrize("half", [True, False])
def test_ncnn_files_are_run_as_torch_runs_the_same_layers(tmp_path: Path, half: bool) -> None:
    written = Written(tmp_path, half)
    low = torch.rand(2, 3, 9, 11)
    network = ncnn_file.read(written.file, "checkpoint=x")
    assert network.scale == 2
    assert torch.allclose(network(low), written(low), atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("PReLU slopes", "GELU slopes", "has a layer that csrgan does not run: GELU (slopes)"),
        ("0=12 1=3 4=1", "0=12 1=3 14=7 4=1", "does not run: Convolution (first)"),
        ("0=12 1=3", "0=11 1=3", "324 weights, and 11 kernels of 3x3"),
        ("0=12 1=3 4=1 5=1 6=324", "0=12 1=3 4=1 5=1 6=3240", "is too short"),
        ("0=12 1=3 4=1 5=1", "0=12 1=3 4=1", "is longer than the layers need"),
        ("1 1 d e", "1 1 nothing e", "a layer reads what none makes: nothing"),
        ("7767517", "7767", "is no text file of ncnn's"),
        ("1 2 data", "one 2 data", "line 4 describes no layer"),
    ],
)
def test_a_damaged_ncnn_file_is_one_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = Written(tmp_path, half=True).file
    file.write_text(PARAM.replace(old, new, 1))
    with pytest.raises(UserError) as fault:
        ncnn_file.read(file, "checkpoint=x")
    assert said in str(fault.value) and "\n" not in str(fault.value)


class Runs:
    """Pickled, it would write a file where it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.file),)


def test_a_file_of_weights_runs_nothing(tmp_path: Path) -> None:
    torch.save({"params": Runs(tmp_path / "harm")}, tmp_path / "bad.pth")
    with pytest.raises(UserError, match="holds more than tensors"):
        state.read(tmp_path / "bad.pth", "checkpoint=bad.pth")
    assert not (tmp_path / "harm").exists()
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(UserError, match=r"checkpoint=text\.pth"):
        state.read(tmp_path / "text.pth", "checkpoint=text.pth")


def test_a_strangers_file_cannot_name_these_restorers() -> None:
    node = {"_target_": "csrgan.restorers.external.restorer.External", "file": "x.pth"}
    targets.check_targets(node)
    for tree in (node, {"deep": [node]}, {"_target_": "csrgan.restorers.external.ncnn_file.read", "_partial_": True}):
        with pytest.raises(UserError, match="may not be built"):
            targets.check_targets(tree, "recipe", stranger=True)


def test_l_is_padded_to_what_a_network_asks_for_and_s_is_cut_back() -> None:
    asked: list[tuple[int, ...]] = []

    def twice(low: Tensor) -> Tensor:
        asked.append(tuple(low.shape[-2:]))
        return low.repeat_interleave(2, 2).repeat_interleave(2, 3)

    low = torch.rand(1, 3, 13, 18)
    restored = ExternalNetwork(twice, 2, multiple=8)(low)
    assert asked == [(16, 24)]
    assert torch.equal(restored, twice(low))


def test_a_module_takes_the_weights_that_fit_it(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
    torch.save({"params_ema": {f"module.{name}": value for name, value in network.state_dict().items()}}, tmp_path / "net.pth")
    blank = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
    restorer = External(file=str(tmp_path / "net.pth"), network=blank)
    low = torch.rand(1, 3, 10, 12)
    assert restorer.enlarge == 2 and restorer.degradation.multiple == 2
    assert torch.allclose(restorer.restore(low).image, network(low).clamp(0, 1))
    with pytest.raises(UserError, match=r"does not fit Sequential: 0\.weight is"):
        External(file=str(tmp_path / "net.pth"), network=nn.Sequential(nn.Conv2d(3, 12, 1), nn.PixelShuffle(2)))
    with pytest.raises(UserError, match="no RGB picture enlarged by a whole number"):
        External(network=nn.Conv2d(3, 1, 1))


def test_srmd_is_told_the_code_of_the_kernel_and_the_noise(tmp_path: Path) -> None:
    """A network that passes its inputs on shows what it was told: the products of the basis with the kernel."""
    file = tmp_path / "srmd.param"
    file.write_text("7767517\\n2 2\\nInput input 0 1 data\\nConvolution c 1 1 data out 0=3 1=1 5=0 6=57\\n".replace("\\n", "\n"))
    passes = np.zeros((3, 19), np.float32)
    passes[0, 3], passes[1, 4], passes[2, 18] = 1, 1, 1
    file.with_suffix(".bin").write_bytes(struct.pack("<I", 0) + passes.tobytes())
    basis = np.zeros((15, 225), np.float32)
    basis[0] = 1  # the sum of the taps
    basis[1, 112] = 1  # the middle tap
    np.save(tmp_path / "basis.npy", basis)
    with pytest.raises(UserError, match="so it is SRMD: name the basis"):
        External(file=str(file))
    restorer = External(file=str(file), kernel_basis=str(tmp_path / "basis.npy"))
    with pytest.raises(UserError, match="must be told the degradation: csrgan evaluate tells it"):
        restorer.restore(torch.rand(1, 3, 4, 5))
    assert restorer.oracle == "truth"
    parameters = Parameters.of(
        {name: torch.tensor([value]) for name, value in (("blur_std", 1.5), ("scale", 1.0), ("noise_std", 0.1))}
    )
    image = restorer.restore_given(torch.rand(1, 3, 4, 5), parameters).image
    taps = np.exp(-0.5 * (np.arange(-7, 8) / 1.5) ** 2)
    for channel, wanted in enumerate((1.0, 1 / taps.sum() ** 2, 0.1)):
        assert torch.allclose(image[0, channel], torch.tensor(wanted, dtype=torch.float32), atol=2e-4)


def test_onnx_is_run_as_torch_runs_what_it_was_made_from(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    weight = np.random.default_rng(0).standard_normal((12, 3, 3, 3)).astype(np.float32) / 10
    helper, number = onnx.helper, onnx.TensorProto.FLOAT

    def written(name: str, sides: tuple[object, object]) -> Path:
        nodes = [
            helper.make_node("Conv", ["low", "w"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("DepthToSpace", ["c"], ["out"], blocksize=2, mode="CRD"),
        ]
        ends = [helper.make_tensor_value_info("low", number, [1, 3, *sides]), helper.make_tensor_value_info("out", number, None)]
        graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [onnx.numpy_helper.from_array(weight, "w")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        (tmp_path / name).write_bytes(model.SerializeToString())
        return tmp_path / name

    restorer = External(file=str(written("net.onnx", ("h", "w"))))
    low = torch.rand(2, 3, 10, 13)
    wanted = functional.pixel_shuffle(functional.conv2d(low, torch.from_numpy(weight), padding=1), 2).clamp(0, 1)
    assert torch.allclose(restorer.restore(low).image, wanted, atol=1e-5)
    with pytest.raises(UserError, match="takes only pictures of 64x64 px"):
        External(file=str(written("fixed.onnx", (64, 64))))
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read as an ONNX file"):
        External(file=str(tmp_path / "bad.onnx"))


@pytest.mark.skipif(find_spec("spandrel") is None, reason="the extra external is not installed")
def test_spandrel_recognizes_weights_without_torchvision(tmp_path: Path) -> None:
    spandrel = architecture._imported()
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    network = SRVGGNetCompact(num_feat=8, num_conv=1, upscale=2)
    torch.save({"params": network.state_dict()}, tmp_path / "compact.pth")
    found = architecture.read(tmp_path / "compact.pth", "checkpoint=compact.pth")
    low = torch.rand(1, 3, 12, 15)
    assert found.scale == 2 and torch.allclose(found(low), network(low).clamp(0, 1), atol=1e-6)
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "linear.pth")
    with pytest.raises(UserError, match=f"belongs to no architecture that spandrel {spandrel.__version__} knows"):
        architecture.read(tmp_path / "linear.pth", "checkpoint=linear.pth")


def test_it_is_evaluated_and_restores_with_its_own_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = Written(tmp_path, half=True)
    (tmp_path / "photos").mkdir()
    picture = skimage.data.chelsea()[100:180, 100:196]
    Image.fromarray(picture).save(tmp_path / "photos" / "cat.png")
    words = ["system=external", f"checkpoint={written.file}"]
    place = ["data=folder", f"data.valid={tmp_path}/photos", "evaluation.grid={blur: 1, scale: 1, noise: 1}", "panels=0"]
    assert main(["evaluate", *words, *place, f"run_dir={tmp_path}/a"]) == 0
    (row,) = csv.DictReader((tmp_path / "a" / "results.csv").open())
    assert row["scale"] == "2.0"
    assert main(["evaluate", *words, *place, "degradation=bicubic_x4", f"run_dir={tmp_path}/b"]) == 2
    assert "the network enlarges by 2, and L of this degradation is smaller than H by 4" in capsys.readouterr().err
    assert main(["restore", *words, f"source={tmp_path}/photos", f"destination={tmp_path}/out"]) == 0
    low = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
    wanted = (255 * written(low).clamp(0, 1))[0].permute(1, 2, 0).round().numpy()
    assert np.abs(np.asarray(Image.open(tmp_path / "out" / "cat.png")) - wanted).max() <= 1
    assert main(["evaluate", "system=external", "checkpoint=nowhere.pth", *place, f"run_dir={tmp_path}/c"]) == 2
    assert "checkpoint=nowhere.pth is no file" in capsys.readouterr().err


def test_its_yaml_file_builds_it(tmp_path: Path) -> None:
    written = Written(tmp_path, half=True)
    node = {"_target_": "csrgan.restorers.external.restorer.External", "file": str(written.file)}
    assert build(node, "system").enlarge == 2


def test_a_class_is_named_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words of the documentation; an argument before its class, and a class without weights, are told."""
    (tmp_path / "theirs_words.py").write_text(
        "from torch import nn\n\n\nclass Network(nn.Conv2d):\n"
        "    def __init__(self, size: int = 1) -> None:\n        super().__init__(3, 3, size, padding=size // 2)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CSRGAN_ALLOW", "theirs_words")
    weights = nn.Conv2d(3, 3, 3).state_dict()
    nn.init.dirac_(weights["weight"])
    torch.save(weights | {"bias": torch.zeros(3)}, tmp_path / "theirs.pth")
    Image.fromarray(skimage.data.astronaut()[:64, :64]).save(tmp_path / "a.png")
    command = ["restore", "system=external", f"source={tmp_path / 'a.png'}", f"destination={tmp_path / 'out'}"]
    named, sized = "+system.network._target_=theirs_words.Network", "+system.network.size=3"
    assert main([*command, f"checkpoint={tmp_path / 'theirs.pth'}", sized]) == 2
    assert (
        "system.network is null, and has no size unless a class is named first, as in +system.network._target_="
        in capsys.readouterr().err
    )
    assert main([*command, f"checkpoint={tmp_path / 'theirs.pth'}", named, sized]) == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "a.png")), skimage.data.astronaut()[:64, :64])
    with pytest.warns(UserWarning, match="no checkpoint: system.network keeps the weights that its class gives it"):
        build(
            {"_target_": "csrgan.restorers.external.restorer.External", "network": {"_target_": "theirs_words.Network"}}, "system"
        )
