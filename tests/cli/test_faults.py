"""Wrong input: sentences are read from stderr, exit statuses from the process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import SMOKE, csrgan

from csrgan import rules
from csrgan.cli import main
from csrgan.config import search
from csrgan.config.faults import check_command
from csrgan.config.location import conf
from csrgan.errors import UserError

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
    (["train", "loss/imag=mse"], "Did you mean loss/image?"),
    (["report", "runs", "basline=loss.parameters.weight=1"], "the configuration has no basline. Its choices: baseline, "),
    (["train", "los/image=mse"], "conf/ has no los/image. Its choices: condition, data, "),
    (["train", "experiments=csrgan"], "Did you mean experiment?"),
    (
        ["train", "degradation=file", "+factor/jpeg_quality=web"],
        "+factor/jpeg_quality=web: factor/jpeg_quality has a choice already, and is chosen without the +.",
    ),
    (["train", "+loss/image=mse"], "+loss/image=mse: loss/image has a choice already, and is chosen without the +."),
    (["train", "degradation/kernel=x"], "degradation/kernel is no group of choices, but degradation.kernel is a setting"),
    (["evaluate", "optimizer=adam"], "optimizer=adam: csrgan evaluate has no optimizer to choose."),
    (["train", "seed=("], "seed=( is no override of the form key=value: text with special characters needs quotes, as in seed='"),
    (["train", "k y=1"], "k y=1: k y is no key; a key is letters, digits and _ with dots between them"),
    (["train", "seed=range(0,1,0)"], "seed=range(0,1,0): range() does not take this: "),
    (["degrade", "source={tmp}/absent (1)", "destination={tmp}/out"], "/absent (1) does not exist"),
    (["train", "bare"], "bare is no setting: a setting is given as key=value."),
    (["train", "seed=-1"], "seed=-1 is not in [0,4294967295]"),
    (["train", "--multirn", "seed=1"], "csrgan train has no --multirn. Its choices: "),
    (["train", "--multirn", "sede=1"], "Did you mean seed?"),
    (["train", "~seed"], "~seed deletes a setting that is read"),
    (
        ["train", "seed=[1,2]"],
        "seed=[1, 2] is not a number: write it without brackets, as in seed=1,2 (with -m, one run for each).",
    ),
    (["train", "-m", 'seed="0",1'], 'seed="0" is not a number: leave out the quotes, as in seed=0.'),
    (["train", "seed='3'"], "seed=3 is not a number: leave out the quotes, as in seed=3."),
    (["train", "-m", "seed=1..3"], "seed=1..3 is not a number: several values have commas between them, as in seed=1,2,3 with -m."),
    (
        ["train", "-m", "seed=1;5;20"],
        "seed=1;5;20 is no number: several values have commas between them, as in seed=1,5,20 with -m.",
    ),
    (["train", "-m", "data.crop=64,96,"], "data.crop=64,96, has a comma too many: write data.crop=64,96."),
    (["train", "-m", "data.crop=64,", "96"], "data.crop=64, ends with a comma: a list of values has no space in it"),
    (["train", "trainer.images=1e3"], "trainer.images=1000.0 is not a whole number: write 1000."),
    (["train", "trainer.images=${{trainer.imagse}}"], "trainer.images=${trainer.imagse}: Interpolation key"),
    (["train", "trainer.devices=3"], "data.batch_size=4 cannot be shared evenly by 3 devices; 3 and 6 can."),
    (["train", "trainer.devices=2", "data.batch_size=1"], "data.batch_size=1 cannot be shared evenly by 2 devices; 2 can."),
    (["train", "trainer.images=2"], "trainer.images=2 is less than one batch of data.batch_size=4."),
    (["train", "optimizer.generator.lr=nan"], "optimizer.generator.lr=nan is not a number."),
    (["train", "degradation.noise.high=inf"], "degradation.noise.high=inf is not finite."),
    (["train", "optimizer.generator.betas=[0.9,1]"], "optimizer.generator.betas=[0.9, 1]: 1 is not in [0,1)."),
    (
        ["train", "optimizer.generator.betas=0.9"],
        "optimizer.generator.betas=0.9 is not a list: write optimizer.generator.betas=[0.9].",
    ),
    (["train", "optimizer.ema=1"], "optimizer.ema=1 is not in [0,1)."),
    (["train", "optimizer.clip=0"], "optimizer.clip=0 is not above 0."),
    (["train", "evaluation.contrast=0"], "evaluation.contrast=0 is not in (0,1]."),
    (
        ["train", "evaluation.metrics=[clip_iqa]"],
        "evaluation.metrics has no clip_iqa, which needs a network of another package: see docs",
    ),
    (["train", "evaluation.metrics=[lpisp]"], "evaluation.metrics has no lpisp. Its choices: ciede2000, dists, hf_ratio, lpips,"),
    (["evaluate", "system=bicubic", "degradation=readme", "evaluation.metrics=[dist]"], "Did you mean dists?"),
    (["compare", "{tmp}", "{tmp}/..", "metrics=[psnr_y]"], "metrics has no psnr_y. Its choices: ciede2000,"),
    (["train", "evaluation.crop=16"], "evaluation.crop=16 is below 32"),
    (["train", "degradation.blur.uniform_in=std"], "degradation.blur.uniform_in has no std. Its choices: value, variance."),
    (
        ["train", "degradation=gaussian8_x3"],
        "data.crop=64 is no multiple of the scale 3, which degradation.output=native needs; 63 and 66",
    ),
    (
        ["train", "degradation=gaussian8_x3", "data.crop=63", "data.final_crop=64"],
        "data.final_crop=64 is no multiple of the scale 3, which degradation.output=native needs; 63 and 66",
    ),
    (["train", "discriminator=vgg_as_coded", "data.final_crop=128"], "data.final_crop=128 does not suit discriminator VGGAsCoded"),
    (["train", "data.final_crop=9999"], "data.final_crop=9999 is larger than every photograph of data.train"),
    (["train", "data.final_crop=64", "data.final_fraction=1"], "data.final_fraction=1 is not in (0,1)."),
    (["train", "condition=film", "parameter_head=none"], "choose parameter_head=bottleneck or parameter_head=separate"),
    (["train", "loss/consistency=redegrade", "parameter_head=none"], "choose loss/consistency=none."),
    (["train", "generator=unfolded", "parameter_head=decoder_mean"], "generator needs a prediction before the picture is made"),
    (["train", "generator=unfolded", "degradation=div2krk_x2"], "choose generator=spectral_unet."),
    (["train", "generator=tv_unet", "degradation=div2krk_x2"], "choose generator=spectral_unet."),
    (["train", "generator=spectral", "output=tanh"], "choose output=residual or output=sigmoid."),
    (["train", "loss/image=none", "loss/adversarial=none", "loss/parameters=none"], "every loss of the generator is none"),
    (["train", "loss/parameters=shuffled", "data.batch_size=1"], "data.batch_size=1 has none"),
    (["train", "discriminator=srgan", "data.batch_size=1", "data.crop=16"], "the batch norm of the discriminator a single number"),
    (["train", "loss/perceptual=efficientnet", "data.crop=8"], "data.crop=8 is too small for loss/perceptual"),
    (["train", "data.crop=null"], "data.crop=null is not a number."),
    (["train", "generator.width=0"], "generator.width=0 is below 1"),
    (["train", "optimizer.generator.lr=-1"], "optimizer.generator.lr=-1 is below 0"),
    (["train", "evaluation.grid.blur=0"], "evaluation.grid.blur=0 is below 1"),
    (["train", "trainer.precision=16"], "trainer.precision has no 16. Its choices: 32-true, bf16-mixed."),
    (["train", "loss.adversarial.generator=3"], "loss.adversarial.generator holds several settings"),
    (["train", "degradation.blur.low=60"], "degradation.blur.low=60"),
    (["train", "degradation.blur.low=-1"], "degradation.blur.low=-1 is below 0"),
    (["train", "degradation.scale.low=0.5"], "degradation.scale.low=0.5 is below 1"),
    (["train", "degradation.kernel_size=14"], "degradation.kernel_size=14 is not an odd number of pixels"),
    (["train", "degradation.output=native"], "degradation.output=native gives every L the same size, so degradation.scale.low=1"),
    (
        ["evaluate", "system=kernelgan", "degradation=readme"],
        "degradation.output=upsampled does not suit KernelGAN, which takes L of H/s pixels",
    ),
    (["train", "degradation=bicubic_x4", "degradation.output=upsampled"], "choose loss/parameters=none."),
    (["train", "degradation=gaussian8"], "degradation has no gaussian8. Its choices: as_coded, bicubic_x2,"),
    (
        ["train", "degradation.kernel={{_target_: csrgan.degradation.kernel_priors.FreeForm, file: no.npy}}"],
        "file=no.npy is not a file",
    ),
    (["train", "degradation=srmd_x2", "degradation.output=upsampled", "degradation.blur.low=0"], "degradation.blur.low=0 would"),
    (["train", "degradation.backend=opencv"], "degradation.backend has no opencv. Its choices: banded, kornia."),
    (["degrade", "source={tmp}", "destination={tmp}/out", "degradation.noise.low=1"], "lies above degradation.noise.high"),
    (["train", "data=folder"], "data.train is empty"),
    (["train", "data=folder", "data.train={tmp}/absent", "data.valid={tmp}"], "is not a folder"),
    (["train", "data=folder", "data.train={tmp}", "data.valid={tmp}"], "holds no picture"),
    (["train", "data.valid={tmp}"], "holds no picture"),
    (["train", "data.crop=9999"], "data.crop=9999 is larger than"),
    (["train", "resume={tmp}"], "is not the folder of a run: it holds none."),
    (["train", "seed=1,2"], "seed=1,2 holds several values: add -m to run once for each."),
    (["train", "output=clamp,tanh"], "output=clamp,tanh holds several values: add -m to run once for each."),
    (["train", "data.crop=range(32,64,8)", "data.crops=1,2"], "data.crop=range(32,64,8) holds several values: add -m"),
    (["train", "logger=csv,wandb"], "add -m to run once for each, or write logger=[csv,wandb] for a list."),
    (["evaluate", "evaluation.metrics=lpips,dists"], "or write evaluation.metrics=[lpips,dists] for a list."),
    (["restore", "tile=640,1280"], "tile=640,1280 holds several values: add -m to run once for each."),
    (
        ["train", *(f"evaluation.grid={member}" for member in ("blur:2", "scale:1", "noise:1"))],
        "quote the word, as in 'evaluation.grid={blur: 2, scale: 1, noise: 1}'.",
    ),
    (
        ["train", "evaluation.grid={{blur:", "2,", "scale:", "1}}", "seed=many"],
        "quote the word, as in 'evaluation.grid={blur: 2, scale: 1}'.",
    ),
    (["train", "run_dir={tmp}/file/inside"], "file"),
    (["evaluate"], "checkpoint is needed"),
    (["evaluate", "system=wiener"], "degradation is needed if there is no checkpoint"),
    (["evaluate", "system=csrgan"], "system=csrgan is trained: name its run as checkpoint=RUN, without system."),
    (["evaluate", "oracle=truht"], "oracle has no truht. Its choices: mismatch, prediction, truth. Did you mean truth?"),
    (["restore", "enlarge=0"], "enlarge=0 is not above 0."),
    (["restore", "enlarge=0"], "destination is needed"),
    (["prepare", "format=shards"], "destination is empty"),
    (["bench", "sizes=[0]"], "sizes=[0]: 0 is below 1"),
    (["evaluate", "checkpoint={tmp}/file"], "not a readable checkpoint"),
    (["restore", "checkpoint={tmp}/absent", "source={tmp}", "destination={tmp}/out"], "holds no picture"),
    (["restore", "checkpoint={tmp}/absent", "source={tmp}/absent", "destination={tmp}/out"], "does not exist"),
    (["degrade", "source={tmp}/file", "destination={tmp}/out"], "cannot be read as a picture"),
    (["degrade", "source={tmp}/file", "destination={tmp}/out", "format=jpg"], "format has no jpg"),
    (["list", "group=outputs"], "Did you mean output?"),
    (["report"], "folder is needed"),
    (["report", "{tmp}"], "holds neither a sweep nor a run"),
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


def test_a_sweep_is_not_resumed_as_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", f"resume={tmp_path}"]) == 2
    assert capsys.readouterr().err == f"csrgan train: resume={tmp_path} is not the folder of a run: it holds none.\n"
    (tmp_path / "multirun.yaml").touch()
    said = f"csrgan train: resume={tmp_path} is a sweep: its own command, with run_dir={tmp_path}, runs what is missing"
    assert main(["train", f"resume={tmp_path}"]) == 2
    assert capsys.readouterr().err == f"{said}.\n"
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "job.json").touch()
    assert main(["train", f"resume={tmp_path}"]) == 2
    assert capsys.readouterr().err == f"{said}; resume={tmp_path}/0 goes on with one job.\n"
    words = (
        "{job: {config_name: train}, overrides: {hydra: [hydra.mode=MULTIRUN], task: [run_dir=elsewhere, 'seed=1,2', title=a b]}}"
    )
    (tmp_path / "multirun.yaml").write_text(f"hydra: {words}\n")
    assert main(["train", f"resume={tmp_path}"]) == 2
    again = f"is a sweep: csrgan train -m seed=1,2 'title=a b' run_dir={tmp_path} runs what is missing; resume="
    assert again in capsys.readouterr().err


@pytest.mark.parametrize("saved", [False, True])
def test_ctrl_c_says_how_to_go_on(
    saved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(config: object) -> float:
        if saved:
            (tmp_path / "checkpoints").mkdir()
            (tmp_path / "checkpoints" / "last.ckpt").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("csrgan.cli.train.run", interrupted)
    assert main(["train", *SMOKE, f"run_dir={tmp_path}"]) == 130
    again = f"what was saved before is whole. To continue: csrgan train resume={tmp_path}"
    sentence = again if saved else "nothing is saved yet: the same command begins again."
    assert capsys.readouterr().err == f"csrgan train: stopped; {sentence}\n"


ALL_AT_ONCE = {
    "sede=1": "the configuration has no sede.",
    "+trainer.colour=red": "+trainer.colour is not a setting that anything reads.",
    "data.crop=0": "data.crop=0 is below 1",
    "loss/image=mes": "loss/image has no mes.",
    "degradation.output=native": "degradation.scale.low=1 and degradation.scale.high=3 must be the same.",
    "output=minmaxx": "output has no minmaxx.",
    "trainer.panels=1.5": "trainer.panels=1.5 is not a whole number.",
    "condition=film": "condition needs a prediction before the picture is made",
    "parameter_head=none": "choose loss/parameters=none.",
}


def test_processes_that_another_program_starts_together_must_be_as_many_as_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    for name in names:  # a training in this process may have left some
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match=r"^WORLD_SIZE=2 in the environment says .* but RANK and .* MASTER_PORT are missing: "):
        check_command("train", [])
    for name in names:
        monkeypatch.setenv(name, "2" if name == "LOCAL_WORLD_SIZE" else "0")
    check_command("train", ["trainer.devices=2"])
    with pytest.raises(UserError, match=r"^trainer\.devices=1: torchrun has started 2 .* choose trainer\.devices=2\.$"):
        check_command("train", [])


def test_all_faults_are_reported_at_once_and_nothing_else() -> None:
    with pytest.raises(UserError) as told:
        check_command("train", list(ALL_AT_ONCE))
    lines = str(told.value).split("\n")
    assert len(lines) == len(ALL_AT_ONCE)
    assert all(any(said in line for line in lines) for said in ALL_AT_ONCE.values())


TERM = """# A term of one's own
_target_: csrgan.losses.objective.Term
weight: 1.0
start: 0
ramp: 0
function: {_target_: csrgan.losses.image.charbonnier, _partial_: true, epsilon: 0.001}
"""


@pytest.mark.parametrize("place", ["--config-dir={own}", "hydra.searchpath=[file://{own}]"])
def test_a_users_group_is_added_with_a_plus(place: str, tmp_path: Path) -> None:
    (tmp_path / "loss" / "frequency").mkdir(parents=True)
    (tmp_path / "loss" / "frequency" / "fft.yaml").write_text(TERM)
    with search.search_config_dirs([place.format(own=tmp_path)]):
        check_command("train", ["+loss/frequency=fft", "loss.image.weight=2"])
        with pytest.raises(UserError, match="loss/frequency has no ftf"):
            check_command("train", ["+loss/frequency=ftf"])
        with pytest.raises(UserError) as told:
            check_command("train", ["loss/frequency=fft", "sede=1"])
    added, other = str(told.value).split("\n")
    assert added.endswith("chooses from by itself: it is added with a +, as in +loss/frequency=fft.")
    assert "Did you mean seed?" in other  # all faults at once


def test_a_users_loss_is_left_out_where_others_become_none(tmp_path: Path) -> None:
    (tmp_path / "loss" / "edges").mkdir(parents=True)
    function = "function: {_target_: csrgan.losses.consistency.redegrade, _partial_: true}"
    (tmp_path / "loss" / "edges" / "masked.yaml").write_text(re.sub(r"function: .*", function, TERM))
    with search.search_config_dirs([f"--config-dir={tmp_path}"]), pytest.raises(UserError) as told:
        check_command("train", ["+loss/edges=masked", "system=srgan", "loss/consistency=redegrade"])
    own, added = str(told.value).split("\n")
    assert added.startswith("loss/edges needs redegraded, which SRGAN does not offer;")
    assert added.endswith(": choose another, or leave loss/edges out.")
    assert own.endswith(": choose another, or loss/consistency=none.")


def test_the_losses_with_a_choice_none_are_those_of_the_rules() -> None:
    assert tuple(sorted(file.parent.name for file in (conf() / "loss").glob("*/none.yaml"))) == rules.WITH_NONE


@pytest.mark.parametrize(
    ("word", "silent"), [("parameter_head=non", "condition"), ("degradation.blur.high=x", "above"), ("system=dann", "DAN")]
)
def test_a_wrong_word_causes_no_follow_up_faults(word: str, silent: str) -> None:
    with pytest.raises(UserError) as told:
        check_command("train", [word, "condition=film", "degradation.blur.low=60", "loss/parameters=none"])
    assert silent not in str(told.value).replace(word.partition("=")[0], "")


def test_help_is_given_where_something_is_missing() -> None:
    check_command("restore", ["--help"])
    with pytest.raises(UserError, match="source is needed"):
        check_command("restore", [])


def test_faults_are_reported_before_anything_heavy_is_imported() -> None:
    words = ["train", *ALL_AT_ONCE]
    program = f"import sys; from csrgan.cli import main; assert main({words}) == 2; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_real_process_prints_one_line(tmp_path: Path) -> None:
    done = csrgan("train", "trainer=smoke", "data.batch_size=0", f"run_dir={tmp_path}/r")
    assert done.returncode == 2
    assert done.stderr.strip() == "csrgan train: data.batch_size=0 is below 1, the least that it can be."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["restore", "absent.png", "destination=out"], "source=absent.png does not exist."),
        (["restore", "a.png", "destination=b.png"], "destination=b.png is a file: choose a folder."),
        (["restore", "a.png", "destination=out", "checkpoint=no.ckpt"], "checkpoint=no.ckpt is neither a file nor a folder with"),
        (["degrade", "absent.png", "destination=out"], "source=absent.png does not exist."),
        (["evaluate", "no.ckpt"], "checkpoint=no.ckpt is neither a file nor a folder with"),
        (["report", "absent"], "folder=absent is not a folder."),
        (["report", "."], "folder=. holds neither a sweep nor a run: no folder in it has a job.json or overrides.json."),
        (["compare", "absent", "."], "folders: absent is not a folder."),
        (["replay", "b.pn"], "file=b.pn does not exist. Did you mean b.png?"),
        (["train", "init_from=no.ckpt"], "init_from=no.ckpt is neither a file nor a folder with"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_files_that_are_not_there_are_told_before_anything_heavy_is_imported(words: list[str], said: str, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    program = f"import sys; from csrgan.cli import main; assert main({words}) == 2; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr.startswith(f"csrgan {words[0]}: {said}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["output=[tanh,sigmoid]"],
            "output=[tanh,sigmoid]: output takes one choice. To run once for each, write -m output=tanh,sigmoid.",
        ),
        (["-m", "output=[tanh, sigmoid],[clamp]"], "output=[tanh,sigmoid]: output takes one choice."),
        (["+loss/image=[l1,mse]"], "loss/image=[l1,mse]: loss/image takes one choice."),
    ],
)
def test_several_choices_of_which_the_last_would_replace_the_others_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        check_command("train", words)
    check_command("train", ["output=[tanh]", "logger=[csv,tensorboard]"])
