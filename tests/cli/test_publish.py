"""csrgan publish: a network that restores elsewhere what it restored here."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from commands import train
from composed import composed
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save

import csrgan
from csrgan.api import onnx_file
from csrgan.calibration import Calibration
from csrgan.cli import main
from csrgan.config.build import build
from csrgan.errors import UserError
from csrgan.networks.generator import Generator
from csrgan.runs.checkpoint import read


def test_a_published_network_restores_the_same_picture_and_tells_nothing_of_its_maker(
    run: Path, photographs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "published"
    assert main(["publish", f"checkpoint={run}", f"destination={out}"]) == 0
    network, page = out / "network.safetensors", (out / "README.md").read_text()
    whole = (run / "checkpoints" / "last.ckpt").stat().st_size
    assert network.stat().st_size < whole / 3
    assert hashlib.sha256(network.read_bytes()).hexdigest() in page
    assert "| PSNR, RGB, dB |" in page
    assert "| noise std, /255 | 0 | 10 |" in page
    assert str(run).encode() not in network.read_bytes()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(out, elsewhere)
    made = []
    for number, checkpoint in enumerate((run, elsewhere / "network.safetensors")):
        folder = tmp_path / f"restored{number}"
        words = ("restore", f"checkpoint={checkpoint}", f"source={photographs / 'colour.png'}", f"destination={folder}")
        assert main([*words]) == 0
        made.append(np.asarray(Image.open(folder / "colour.png")))
        made.append((folder / "parameters.csv").read_text())
    assert (made[0] == made[2]).all()
    assert made[1] == made[3]


def test_the_folder_of_a_published_network_is_enough(run: Path, tmp_path: Path) -> None:
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/published"]) == 0
    published, trained = (csrgan.load(folder).system.ema.state_dict() for folder in (tmp_path / "published", run))
    assert all(torch.equal(weight, trained[name]) for name, weight in published.items())


def test_a_training_begins_with_a_published_network(run: Path, tmp_path: Path) -> None:
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/published"]) == 0
    network = tmp_path / "published" / "network.safetensors"
    train(tmp_path / "on", f"init_from={network}", "optimizer.generator.lr=0", "trainer.images=4", size=())
    mine, theirs = (read(file)["state_dict"] for file in (tmp_path / "on/checkpoints/last.ckpt", network))
    for name, weight in theirs.items():
        torch.testing.assert_close(mine[name], weight, atol=1e-6, rtol=0)


def test_the_file_opens_without_csrgan_and_says_how_to_use_the_weights(run: Path, tmp_path: Path) -> None:
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/out"]) == 0
    with safe_open(tmp_path / "out" / "network.safetensors", framework="numpy") as opened:
        facts = json.loads(opened.metadata()["csrgan"])
        weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (it is no mapping)
    assert facts["described"]["input"] == "L: RGB in [0,1], sRGB, (batch, 3, height, width), float32"
    assert facts["described"]["degradation"]["scale"] == [1.0, 3.0]
    trained = csrgan.load(run).system.ema.state_dict()
    assert {name.removeprefix("ema.") for name in weights if name.startswith("ema.")} == trained.keys()
    for name, weight in trained.items():
        np.testing.assert_array_equal(weights[f"ema.{name}"], weight.numpy())


def test_half_the_bits_restore_the_same_picture_to_a_fraction_of_a_level(run: Path, tmp_path: Path, chelsea: torch.Tensor) -> None:
    for name, half in (("whole", "false"), ("half", "true")):
        assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/{name}", f"half={half}"]) == 0
    sizes = [(tmp_path / name / "network.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    low = chelsea[..., :96, :96]
    whole, half = (csrgan.load(tmp_path / name)(low) for name in ("whole", "half"))
    torch.testing.assert_close(half.image, whole.image, atol=0.25 / 255, rtol=0)
    assert all(weight.dtype == torch.float32 for weight in csrgan.load(tmp_path / "half").system.ema.state_dict().values())


def test_a_network_published_before_safetensors_is_read(run: Path, tmp_path: Path) -> None:
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/new"]) == 0
    (tmp_path / "old").mkdir()
    torch.save(read(tmp_path / "new"), tmp_path / "old" / "network.ckpt")
    old, new = (csrgan.load(tmp_path / name).system.ema.state_dict() for name in ("old", "new"))
    assert all(torch.equal(weight, new[name]) for name, weight in old.items())


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff" * 100, save({"a": torch.ones(2)}), save({"a": torch.ones(2)}, {"csrgan": "["}), save({}, {"csrgan": "3"})],
)
def test_a_damaged_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "network.safetensors"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"is not a (readable )?checkpoint"):
        csrgan.load(file)


def test_the_page_tells_of_larger_crops_at_the_end(run: Path, tmp_path: Path) -> None:
    content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    content["csrgan"]["recipe"]["data"] |= {"final_crop": 96, "final_fraction": 0.25}
    torch.save(content, tmp_path / "own.ckpt")
    for name, checkpoint in (("final_fraction", tmp_path / "own.ckpt"), ("plain", run)):
        assert main(["publish", f"checkpoint={checkpoint}", f"destination={tmp_path}/{name}"]) == 0
        page = (tmp_path / name / "README.md").read_text()
        assert ("(the last 25% of 96 px)" in page) == (name == "final_fraction")


def test_what_cannot_be_published_is_told(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/full"]) == 2
    assert "is not empty: choose a new folder." in capfd.readouterr().err
    assert main(["publish", f"checkpoint={run}"]) == 2
    assert "destination is needed" in capfd.readouterr().err
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/one"]) == 0
    assert main(["publish", f"checkpoint={tmp_path}/one/network.safetensors", f"destination={tmp_path}/two"]) == 2
    assert "was published already: copy it." in capfd.readouterr().err
    assert [file.name for file in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_a_file_of_the_makers_machine_is_not_published(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    held = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    held["csrgan"]["recipe"]["degradation"]["kernel"] = {
        "_target_": "csrgan.degradation.kernel_priors.FreeForm",
        "file": str(tmp_path / "kernels.npy"),
    }
    torch.save(held, tmp_path / "own.ckpt")
    assert main(["publish", f"checkpoint={tmp_path}/own.ckpt", f"destination={tmp_path}/out"]) == 2
    assert f"recipe.degradation.kernel.file={tmp_path}/kernels.npy is a file that others do not have" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def own_session(file: Path) -> Any:
    """What a program has that knows nothing of csrgan."""
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def test_an_onnx_file_restores_any_size_as_the_network_does(run: Path, tmp_path: Path) -> None:
    assert main(["publish", f"checkpoint={run}", f"destination={tmp_path}/out", "format=onnx"]) == 0
    file, page = tmp_path / "out" / "network.onnx", (tmp_path / "out" / "README.md").read_text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in page
    assert str(run).encode() not in file.read_bytes()
    session, model = own_session(file), csrgan.load(run)
    facts = json.loads(session.get_modelmeta().custom_metadata_map["csrgan"])
    assert facts["predicted"] == ["blur_std", "scale", "noise_std"]
    assert facts["degradation"]["scale"] == [1.0, 3.0]
    assert (facts["scale"], facts["outputs"]) == (1, ["restored", "theta"])
    for number, side in enumerate((1, 45, 100, 211)):
        low = np.random.default_rng(number).random((2, 3, side, side + 7 * number), np.float32)
        restored, theta = session.run(None, {"low": low})
        expected = model(torch.from_numpy(low))
        np.testing.assert_allclose(restored, expected.image.numpy(), atol=1e-4)
        for name, found in zip(facts["predicted"], theta.T, strict=True):
            np.testing.assert_allclose(found, getattr(expected.parameters, name), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "csrgan",
            ("generator=unet", "generator.width=8", "loss/parameters=nll", "parameter_head=bottleneck_mlp3", "condition=film"),
        ),
        (
            "csrgan",
            (
                "generator=spectral",
                "parameter_head=separate",
                "output=residual",
                "degradation=gaussian8_x2",
                "degradation.output=native",
            ),
        ),
        (
            "csrgan",
            (
                "degradation=file",
                "generator.width=8",
                "generator.levels=2",
                "generator.first.directions=true",
                "generator.first.block_dct=true",
            ),
        ),
        ("csrgan", ("generator=tv_unet",)),
        ("csrgan", ("generator=unet_as_coded",)),
        ("srgan", ("degradation=bicubic_x4",)),
    ],
)
def test_other_networks_have_a_form_in_onnx(name: str, words: tuple[str, ...]) -> None:
    """Their files are compared with them where they are made; calibrated standard deviations depend on the size of the picture."""
    torch.manual_seed(0)
    restorer = build(composed(f"system={name}", "size=small", *words)["system"]).restorer
    for layer in restorer.network.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear) and not layer.weight.any():
            torch.nn.init.normal_(layer.weight, std=0.02)
    if restorer.uncertain:
        levels = [1.0, 2.0, 3.0, 2.0, 1.0, 0.5, 0.01, 0.1, 0.2, 0.4, 0.6, 0.9]  # factors at two levels, then the levels
        restorer.calibration = Calibration([[1000.0, *levels], [90000.0, *levels[3:6], *levels[:3], *levels[6:]]])
    content = onnx_file.exported(restorer, dict(onnx_file.described(restorer)))
    low = torch.rand(1, 3, 67, 90)
    found = own_session(content).run(None, {"low": low.numpy()})
    expected = restorer.restore(low)
    np.testing.assert_allclose(found[0], expected.image, atol=1e-4)
    if expected.spread:
        stds = torch.stack([expected.spread.number(each) for each in restorer.prior.predicted], dim=1)
        np.testing.assert_allclose(found[2], stds, atol=1e-4, rtol=1e-3)


def test_what_has_no_form_in_onnx_is_told_and_nothing_is_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A network that follows only the size that is traced; a package that is missing; a format that there is not."""
    words = ["publish", f"checkpoint={run}", f"destination={tmp_path}/out"]
    forward = Generator.forward

    def fixed(self: Generator, low: torch.Tensor) -> object:
        output = forward(self, low)
        return output._replace(image=output.image + float(low.shape[-1]) / 1000)

    with monkeypatch.context() as context:
        context.setattr(Generator, "forward", fixed)
        assert main([*words, "format=onnx"]) == 2
    assert (
        "format=onnx: restored of the file differs from that of the network at 96x64 px: it was not kept." in capfd.readouterr().err
    )
    with monkeypatch.context() as context:
        context.setattr(onnx_file, "find_spec", lambda package: None)
        assert main([*words, "format=onnx"]) == 2
    assert "format=onnx needs onnx, which is not installed: pip install -e '.[onnx]'." in capfd.readouterr().err
    assert main([*words, "format=pickle"]) == 2
    assert "format has no pickle. Its choices: onnx, safetensors." in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
