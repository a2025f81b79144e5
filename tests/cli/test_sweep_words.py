"""What the words of a sweep mean, and what is told of those that mean nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from csrgan.cli import main, sweep
from csrgan.config import job, search
from csrgan.config.faults import check_command
from csrgan.config.location import conf
from csrgan.config.misplaced import GLOBAL
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


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that writes own/sweep/edges.yaml below the current folder, from what follows the line of its package."""
    monkeypatch.chdir(tmp_path)
    Path("own/sweep").mkdir(parents=True)

    def written(text: str) -> None:
        Path("own/sweep/edges.yaml").write_text(f"{GLOBAL}\n{text}")

    return written


EDGES = """run_dir: runs/edges
hydra:
  mode: MULTIRUN
  sweeper:
    params:
      {values}
"""


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("loss.image.weigt: 0,1", "loss.image has no weigt. Its choices: _target_, function, ramp, start, weight. Did you mean"),
        ("output: sigmoid,tahn", "output has no tahn. Its choices: clamp, minmax, minmax_batch, residual, sigmoid, tanh. Did you"),
        ("seed: 1,x", "seed=x is not a number."),
        ("seed: (", "seed=( is no override of the form key=value: text with special characters needs quotes"),
        (
            "loss.image.weight: [0, 1]",
            "loss.image.weight: [0, 1] is a list, which a job would get as its one value: write loss.image.weight: 0,1, without",
        ),
        ("loss.image: {weight: '0,1'}", "loss.image: a key that is swept stands in one piece: write loss.image.weight: 0,1."),
        ("seed: 1,1", "seed=1,1 names 1 twice: leave one of the two out, for their jobs would be equal."),
    ],
)
def test_a_fault_in_the_lists_of_a_sweeps_file_is_told_as_one_in_a_command(
    values: str, said: str, write: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file and the line. A value in the command takes the place of the file's."""
    write(EDGES.format(values=values))
    assert main(["train", "--config-dir=own", "sweep=edges"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"csrgan train: own/sweep/edges.yaml, line 7: {said}")
    assert told.count("\n") == 1
    assert main(["train", "--config-dir=own", "sweep=edges", f"{values.partition(':')[0]}=nonsense"]) == 2
    assert "edges.yaml" not in capsys.readouterr().err


@pytest.mark.parametrize("sweeper", ["params:\n      'seed': 1,x", "params: {output: tanh,\n      seed: '1,x'}"])
def test_the_line_of_a_fault_is_that_of_the_list_not_of_a_setting_above_it(sweeper: str, write: Callable[[str], None]) -> None:
    write(f"seed: 7\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    {sweeper}\n")
    with search.search_config_dirs(["--config-dir=own"]), pytest.raises(UserError) as told:
        check_command("train", ["sweep=edges"])
    assert str(told.value) == "own/sweep/edges.yaml, line 7: seed=x is not a number."


def test_a_single_run_ignores_the_lists_of_a_sweeps_file_as_hydra_does(write: Callable[[str], None]) -> None:
    write(EDGES.format(values="seed: 1,x"))
    with search.search_config_dirs(["--config-dir=own"]):
        check_command("train", ["sweep=edges", "hydra.mode=RUN"])
        with pytest.raises(UserError, match="seed=x is not a number"):
            check_command("train", ["sweep=edges", "hydra.mode=RUN", "-m"])


def test_lists_in_a_file_that_asks_for_no_sweep_are_not_left_out_without_a_word(
    write: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A word in the command may ask for the sweep or for one run, and takes the place of the list of its key."""
    write(EDGES.format(values="seed: 1,2").replace("  mode: MULTIRUN\n", ""))
    assert main(["train", "--config-dir=own", "sweep=edges"]) == 2
    assert capsys.readouterr().err == (
        "csrgan train: own/sweep/edges.yaml gives values to a sweep (seed), but nothing asks for one: add mode: MULTIRUN below"
        " hydra: in the file, or -m to the command (hydra.mode=RUN trains once, without them).\n"
    )
    with search.search_config_dirs(["--config-dir=own"]):
        for word in ("-m", "hydra.mode=RUN", "hydra.mode=MULTIRUN", "seed=1"):
            check_command("train", ["sweep=edges", word])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("+hydra.sweeper.params.seed=1,2", "seed=1,2"),
        ('+hydra.sweeper.params.seed="1,2"', "seed=1,2"),
        ("hydra.sweeper.params={seed: 1}", "seed=1"),
        ("hydra.sweeper.params=null", "KEY=ONE,OTHER"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["-m"]], ids=["one", "sweep"])
def test_a_command_gives_values_to_a_sweep_by_their_own_keys(word: str, meant: str, flags: list[str]) -> None:
    """What stands below hydra.sweeper.params would be lost without -m, and Hydra fails over it with -m."""
    with pytest.raises(UserError) as told:
        check_command("train", [*flags, word])
    assert str(told.value) == f"{word}: a command gives values to a sweep by their own keys: write -m {meant}."


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("sweper: {params: {seed: 1}}", "line 3: hydra has no sweper. Its choices: callbacks, "),
        ("sweper: {params: {seed: 1}}", "Did you mean sweeper?"),
        (
            "sweeper:\n    param:\n      seed: 1",
            "line 4: hydra.sweeper has no param. Its choices: _target_, max_batch_size, params. Did",
        ),
        (
            "sweep:\n    params:\n      seed: 1",
            "line 4: hydra.sweep has no params. Its choices: dir, subdir. Did you mean hydra.sweeper.",
        ),
        ("mode: MULTRUN", "line 3: hydra.mode has no MULTRUN. Its choices: MULTIRUN, RUN. Did you mean MULTIRUN?"),
        ("sweeper:\n    params: 0,1", "line 4: hydra.sweeper.params=0,1 stands where several keys are needed"),
        ("sweeper: 3", "edges.yaml: 3 stands where several keys are needed."),
        ("launcher:\n    n_jobs: 2", "line 4: the launcher basic has no n_jobs: add hydra/launcher=joblib."),
    ],
)
def test_what_hydra_does_not_take_in_a_users_file_is_told_with_its_place(
    lines: str, said: str, write: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(f"hydra:\n  {lines}\n")
    assert main(["train", "--config-dir=own", "sweep=edges"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("csrgan train: own/sweep/edges.yaml")
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("group", ["sweep", "experiment"])
def test_a_file_without_the_line_that_places_it_is_refused(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the line stands below another comment. What another file lacks is no matter."""
    monkeypatch.chdir(tmp_path)
    file = Path("own", group, "edges.yaml")
    file.parent.mkdir(parents=True)
    for text in ("", f"# Mine\n{GLOBAL}\n"):
        file.write_text(text + EDGES.format(values="seed: 1,2"))
        assert main(["train", "--config-dir=own", f"{group}=edges"]) == 2
        said = f"csrgan train: own/{group}/edges.yaml sets nothing, because a line is missing: begin the file with {GLOBAL}\n"
        assert capsys.readouterr().err == said
    with search.search_config_dirs(["--config-dir=own"]):
        check_command("train", [])
        file.write_text(f"{GLOBAL}\n{EDGES.format(values='seed: 1,2')}")
        check_command("train", [f"{group}=edges"])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=1,2,1", "seed=1,2,1 names 1 twice"),
        ("loss.parameters.weight=1,1.0", "loss.parameters.weight=1,1.0 names 1 twice"),
        ("loss.parameters.weight=1e-3,0.5,0.001", "loss.parameters.weight=1e-3,0.5,0.001 names 0.001 twice"),
        ("output=tanh,tanh", "output=tanh,tanh names tanh twice"),
        ("hydra.launcher.n_jobs=2", "hydra.launcher.n_jobs=2: the launcher basic has no n_jobs: add hydra/launcher=joblib."),
        ("hydra.sweeper.n_trials=2", "hydra.sweeper.n_trials=2: the sweeper basic has no n_trials: add hydra/sweeper=optuna."),
        ("hydra.lancher.n_jobs=2", "Did you mean launcher?"),
        ("hydra.sweeper.max_batch_sise=2", "Did you mean max_batch_size?"),
        ("hydra.sweeper.max_batch_size=two", "hydra.sweeper.max_batch_size=two is not a whole number."),
        ("hydra.job.chdir=maybe", "hydra.job.chdir=maybe is neither true nor false."),
        ("hydra.mode=MULTRUN", "hydra.mode has no MULTRUN. Its choices: MULTIRUN, RUN. Did you mean MULTIRUN?"),
    ],
)
def test_a_word_that_no_sweep_can_use_is_told(word: str, said: str) -> None:
    with pytest.raises(UserError) as told:
        check_command("train", ["-m", word])
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_launcher_that_runs_no_job_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=0", f"run_dir={tmp_path}/sweep"]
    assert main(["train", "-m", *words, "seed=1,2"]) == 2
    assert capsys.readouterr().err == (
        "csrgan train: hydra.launcher.n_jobs=0 runs no job: give how many run at a time, or -1 for as many as there are cores.\n"
    )
    assert not any(tmp_path.iterdir())


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


def test_a_command_may_add_values_to_a_sweep_that_its_file_asks_for() -> None:
    """Without -m. Composed as one run, Hydra calls such a word ambiguous."""
    words = ["sweep=race", "output=sigmoid,residual"]
    check_command("train", words)
    assert not job.run("train", words, pytest.fail)
