"""Wrong input: sentences are read from stderr, exit statuses from the process."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import SMOKE, csrgan

from csrgan.cli import main

FAULTS = [
    (["trian"], "Did you mean train?"),
    (["train", "trainer.imagse=5"], "trainer has no imagse. Its choices:"),
    (["train", "trainer.imagse=5"], "Did you mean images?"),
    (
        ["train", "output=sigmiod"],
        "output has no sigmiod. Its choices: clamp, minmax, minmax_batch, residual, sigmoid, tanh. Did you mean sigmoid?",
    ),
    (["train", "sede=1"], "Did you mean seed?"),
    (["train", "+colour=red"], "+colour is not a setting"),
    (["train", "trainer.images=many"], "trainer.images=many is not a number."),
    (["train", "trainer.images=1.5"], "trainer.images=1.5 is not a whole number."),
    (["train", "trainer.compile=7"], "trainer.compile=7 is neither true nor false."),
    (["train", "output=sigmiod", "loss/image=l3"], "loss/image has no l3."),
    (["train", "-m", "output=sigmoid,tahn"], "Did you mean tanh?"),
    (["train", "bare"], "bare is no setting: a setting is given as key=value."),
    (["train", "seed=-1"], "seed=-1 is below 0"),
    (["train", "data.crop=null"], "data.crop=null is not a number."),
    (["train", "generator.width=0"], "generator.width=0 is below 1"),
    (["train", "optimizer.generator.lr=-1"], "optimizer.generator.lr=-1 is below 0"),
    (["train", "evaluation.grid.blur=0"], "evaluation.grid.blur=0 is below 1"),
    (["train", "trainer.precision=16"], "trainer.precision has no 16. Its choices: 32-true, bf16-mixed."),
    (["train", "loss.adversarial.generator=3"], "loss.adversarial.generator holds several settings"),
    (["train", "degradation.blur.low=60"], "degradation.blur.low=60"),
    (["train", "degradation.blur.low=-1"], "degradation.blur.low=-1 lies below 0"),
    (["train", "degradation.scale.low=0.5"], "degradation.scale.low=0.5 lies below 1"),
    (["train", "degradation.kernel_size=14"], "degradation.kernel_size=14 is not an odd number of pixels"),
    (["train", "degradation.output=native"], "degradation.output=native gives every L the same size, so degradation.scale.low=1"),
    (
        ["evaluate", "system=kernelgan", "degradation=readme"],
        "degradation.output=upsampled does not suit KernelGAN, which takes L of H/s pixels",
    ),
    (["train", "degradation=bicubic_x4", "degradation.output=upsampled"], "choose loss/parameters=none."),
    (["train", "degradation=gaussian8"], "degradation has no gaussian8. Its choices: as_coded, bicubic_x4,"),
    (["train", "degradation.kernel={{_target_: csrgan.degradation.shapes.FreeForm, file: no.npy}}"], "file=no.npy is not a file"),
    (["train", "degradation=srmd_x2", "degradation.output=upsampled", "degradation.blur.low=0"], "degradation.blur.low=0 would"),
    (["train", "degradation.backend=opencv"], "degradation.backend has no opencv. Its choices: banded, kornia."),
    (["degrade", "source={tmp}", "destination={tmp}/out", "degradation.noise.low=1"], "lies above degradation.noise.high"),
    (["train", "data=folder"], "data.train is empty"),
    (["train", "data=folder", "data.train={tmp}/absent", "data.valid={tmp}"], "is not a folder"),
    (["train", "data=folder", "data.train={tmp}", "data.valid={tmp}"], "holds no picture"),
    (["train", "data.valid={tmp}"], "holds no picture"),
    (["train", "data.crop=9999"], "data.crop=9999 is larger than"),
    (["train", "resume={tmp}"], "is not the folder of a run"),
    (["train", "run_dir={tmp}/file/inside"], "file"),
    (["evaluate"], "checkpoint is needed"),
    (["evaluate", "checkpoint={tmp}/file"], "no checkpoint that can be read"),
    (["restore", "checkpoint={tmp}/absent", "source={tmp}", "destination={tmp}/out"], "holds no picture"),
    (["restore", "checkpoint={tmp}/absent", "source={tmp}/absent", "destination={tmp}/out"], "does not exist"),
    (["degrade", "source={tmp}/file", "destination={tmp}/out"], "is no picture"),
    (["degrade", "source={tmp}/file", "destination={tmp}/out", "format=jpg"], "format has no jpg"),
    (["list", "group=outputs"], "Did you mean output?"),
    (["report"], "folder is needed"),
    (["report", "{tmp}"], "is not the folder of a sweep"),
    (["report", "{tmp}/absent"], "is not a folder"),
]


@pytest.mark.parametrize(("words", "said"), FAULTS, ids=[" ".join(words) for words, _ in FAULTS])
def test_wrong_input_gets_one_sentence_and_status_2(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("some text")
    smoke = [*SMOKE] if words[0] == "train" else []
    assert main([words[0], *smoke, *(word.format(tmp=tmp_path) for word in words[1:])]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert all(line.startswith("csrgan") for line in told.strip().split("\n"))


def test_a_real_process_tells_it_in_one_line(tmp_path: Path) -> None:
    done = csrgan("train", "trainer=smoke", "data.batch_size=0", f"run_dir={tmp_path}/r")
    assert done.returncode == 2
    assert done.stderr.strip() == "csrgan train: data.batch_size=0 is below 1, the least that it can be."
