"""What the words of a sweep mean, and what is told of those that mean nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from csrgan.cli import main, sweep
from csrgan.config.faults import check_command
from csrgan.config.location import conf
from csrgan.errors import UserError
from csrgan.runs.watchdog import SWEEP
from csrgan.workflow.hydra_sweep import SweepRecorder


def test_a_sweep_of_its_own_name_is_a_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sweep=lambda_sigmo"]) == 2
    assert "Did you mean lambda_sigma?" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "place"), [("seed=0", "runs/csrgan"), ("sweep=lambda_sigma", "runs/sweeps/lambda_sigma")])
def test_a_sweep_has_a_folder_without_being_given_one(word: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWEEP, "")  # what the start of a sweep leaves in the environment
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    with initialize_config_dir(str(conf()), version_base="1.3", job_name="train"):
        SweepRecorder().on_multirun_start(compose("train", [word], return_hydra_config=True))
    swept = SweepRecorder.take()
    assert swept is not None
    folder, again = swept
    assert str(folder).startswith(place)
    assert again == ("the same command" if word.startswith("sweep=") else f"the same command with run_dir={folder}")


def test_every_kind_of_sweep_is_examined() -> None:
    kinds = ("interval(0.001,1)", "tag(log,interval(1e-3,1))", "range(0,1,0.1)", "shuffle(range(1,4))", "choice(0,1)")
    check_command("train", ["-m", "output=glob(min*)", *(f"loss.parameters.weight={values}" for values in kinds)])
    with pytest.raises(UserError) as told:
        check_command("train", ["-m", "data.crop=interval(32.5,64)", "loss.parameters.weigt=interval(0,1)"])
    assert "data.crop=32.5 is not a whole number." in str(told.value)
    assert "Did you mean weight?" in str(told.value)
    with pytest.raises(UserError) as told:
        check_command("train", ["-m", "output=glob(x*)", "hydra/launcher=jobli"])
    assert "output=glob(x*) is none of output's choices: clamp, " in str(told.value)
    assert "Its choices: basic, joblib, ray, submitit_local, submitit_slurm. Did you mean joblib?" in str(told.value)


WITHOUT_PLUGINS = (
    "import sys, hydra_plugins; hydra_plugins.__path__ = []; from csrgan.cli import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize("word", ["sweep=lambda_guided", "hydra/sweeper=optuna", "hydra/launcher=joblib", "hydra/launcher=ray"])
def test_a_missing_package_is_named(word: str) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_PLUGINS, "train", "-m", word], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    package = f"hydra-{word.partition('=')[2]}-launcher" if "launcher" in word else "hydra-optuna-sweeper"
    assert done.stderr.endswith(f"needs {package}, which is not installed: pip install {package}.\n")
    assert done.stderr.count("\n") == 1


def test_an_interval_without_a_search_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "-m", f"run_dir={tmp_path}", "loss.parameters.weight=interval(0,1)"]) == 2
    assert "add hydra/sweeper=optuna" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hydra/launcher=submitit_slurm"], "hydra/launcher=submitit_slurm needs Slurm, and there is no srun here: start the"),
        (["hydra/launcher=joblib", "hydra.launcher.batch_size=nonsense"], "hydra_joblib_launcher cannot run this sweep: "),
        (
            ["hydra/sweeper=optuna", "hydra.sweeper.storage=sqlite:////absent/trials.db"],
            "hydra_optuna_sweeper cannot run this sweep: OperationalError: ",
        ),
    ],
)
def test_what_stops_a_launcher_or_sweeper_is_said_in_one_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # without srun
    assert main(["train", "-m", "trainer=smoke", f"run_dir={tmp_path}/sweep", "seed=1,2", *words]) == 2
    lines = capsys.readouterr().err.strip().split("\n")
    assert [line for line in lines if line.startswith("csrgan train: ")] == [lines[-1]]
    assert said in lines[-1]


def test_an_error_of_a_job_is_not_taken_for_one_of_its_sweeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(config: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sweep, "run", fails)
    with pytest.raises(ZeroDivisionError):
        main(["train", "-m", "hydra/sweeper=optuna", "trainer=smoke", f"run_dir={tmp_path}/sweep", "seed=1,2"])
