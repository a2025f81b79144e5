"""A sweep survives its failures, ends with all its processes, and is the same under every launcher."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import SMOKE, csrgan
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from csrgan.cli import main
from csrgan.config.location import conf
from csrgan.runs.record import folder_of
from csrgan.workflow import hydra_sweep

JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
SUBMITIT = ("hydra/launcher=submitit_local",)
TOO_LARGE = "data.crop=9999"  # a job that fails at little cost
needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds processes in /proc, which is Linux's")


def processes(holds: str, file: str = "cmdline") -> list[int]:
    """The processes that have this word in their command line, or in their environment."""
    result = []
    for path in Path("/proc").glob(f"[0-9]*/{file}"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if holds in words:
            result.append(int(path.parent.name))
    return result


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()


def kill_when_it_runs(run_dir: Path) -> threading.Thread:
    """SIGKILL for the job of this folder, a moment after it has started."""

    def watch() -> None:
        if until(lambda: bool(processes(f"run_dir={run_dir}")), 3600):
            time.sleep(1)
            os.kill(processes(f"run_dir={run_dir}")[0], signal.SIGKILL)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def complete(folder: Path, *words: str, gain_db: float = 1.0, seconds: float = 1.0) -> None:
    """What a complete job leaves, as far as a sweep looks at it."""
    folder.mkdir(parents=True, exist_ok=True)
    job = {"words": words, "command": "csrgan train", "status": "complete", "reason": "", "seconds": seconds}
    (folder / "job.json").write_text(json.dumps(job))
    (folder / "summary.json").write_text(json.dumps({"gain_db": gain_db}))


def jobs_die(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on each job of a sweep ends at once."""
    (folder / "sitecustomize.py").write_text("import os, sys; 'csrgan.runs.watchdog' in sys.orig_argv and os._exit(7)")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def job(folder: Path) -> dict[str, str]:
    return json.loads((folder / "job.json").read_text())


@needs_proc
def test_a_sweep_survives_a_killed_job_and_runs_only_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two jobs at a time, in processes of their own."""
    folder = tmp_path / "sweep"
    words = ["train", "-m", *JOBLIB, f"run_dir={folder}", *SMOKE, "trainer.images=8", "data.crop=32,64"]
    killer = kill_when_it_runs(folder / "1")
    done = csrgan(*words)
    killer.join()
    assert done.returncode == 1, done.stderr
    assert "1 killed: ended by SIGKILL" in done.stdout
    assert "1 of 2 jobs was killed" in done.stdout
    jobs = [job(folder / name) for name in "01"]
    assert [job["status"] for job in jobs] == ["complete", "killed"]
    assert jobs[0]["command"].startswith("csrgan train trainer=smoke")
    assert json.loads((folder / "0" / "overrides.json").read_text())[-1] == "data.crop=32"
    first = (folder / "0" / "summary.json").stat().st_mtime_ns
    assert main([*words[:2], *words[4:-1], "data.crop=48,64"]) == 2
    assert f"csrgan train: {folder}/0 holds another job" in capsys.readouterr().err
    assert main([*words[:2], *words[4:]]) == 0
    assert (folder / "0" / "summary.json").stat().st_mtime_ns == first
    assert job(folder / "1")["status"] == "complete"
    assert main(["report", str(folder), "question=Is a larger crop, by itself, better?"]) == 0
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "Is a larger crop, by itself, better?" in text
    assert "2 of 2 jobs complete" in text


def test_a_job_that_cannot_run_says_why_and_a_changed_sweep_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["train", "-m", f"run_dir={tmp_path}/sweep", "trainer=smoke", "data.crop=9999"]
    assert main(words) == 1
    told = capsys.readouterr().out
    assert "0 failed: data.crop=9999 is larger than" in told
    assert "1 of 1 jobs failed" in told
    (tmp_path / "sweep" / "0" / "job.json").rename(tmp_path / "sweep" / "0" / "job.json.part")  # as if the power had gone
    jobs_die(tmp_path, monkeypatch)
    assert main(words) == 1
    assert "1 of 1 jobs failed" in capsys.readouterr().out
    assert main([*words[:-1], "data.crop=48"]) == 2
    assert "holds another job" in capsys.readouterr().err
    assert main(["list", "group=output"]) == 0  # nothing of the sweep is left in this process
    assert "jobs failed" not in capsys.readouterr().out


def test_a_sweep_without_a_run_dir_names_its_own_for_the_next_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For its name holds the time, so the command alone would begin another."""
    jobs_die(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "-m", "seed=1,2"]) == 1
    (folder,) = (tmp_path / "runs" / "csrgan").iterdir()
    added = f"run_dir=runs/csrgan/{folder.name}"
    assert f"2 of 2 jobs failed; the same command with {added} runs only those." in capsys.readouterr().out
    assert main(["train", "-m", "seed=1,2", added]) == 1
    assert "2 of 2 jobs failed; the same command runs only those." in capsys.readouterr().out
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_changed_sweep_is_refused_before_any_job_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its first jobs are new. More values at the end are no change."""
    complete(tmp_path / "sweep" / "1", "data.batch_size=4.0", "seed=2")  # equal numbers may be written in two ways
    jobs_die(tmp_path, monkeypatch)
    words = ["train", "-m", f"run_dir={tmp_path}/sweep", "data.batch_size=4"]
    assert main([*words, "seed=1,3"]) == 2
    told = capsys.readouterr()
    assert (
        f"{tmp_path}/sweep/1 holds another job (seed=2 there, seed=3 here): give the changed sweep its own run_dir, or" in told.err
    )
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1", "job.json", "sitecustomize.py", "summary.json", "sweep"]
    assert main([*words, "seed=1,2,3"]) == 1
    assert "2 of 3 jobs failed" in capsys.readouterr().out
    (tmp_path / "sweep" / "2" / "job.json").write_text("{}")
    assert main([*words, "seed=1,2,3"]) == 2
    assert "2/job.json is damaged (KeyError): remove its folder to run the job anew." in capsys.readouterr().err


def test_a_widened_sweep_runs_only_what_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs keep their folders, whatever their numbers; new ones get free folders, and the same at another start."""
    pairs = [("0", "1"), ("0", "2"), ("0.1", "1"), ("0.1", "2")]
    for number, (weight, seed) in enumerate(pairs):
        complete(tmp_path / str(number), f"loss.parameters.weight={weight}", f"seed={seed}")
    jobs_die(tmp_path, monkeypatch)
    words = ["train", "-m", f"run_dir={tmp_path}", "loss.parameters.weight=0,0.1"]
    for _ in range(2):
        assert main([*words, "seed=1,2,3"]) == 1
        lines = [line.removeprefix(f"{tmp_path}/") for line in capsys.readouterr().out.splitlines()]
        assert [line for line in lines if "complete before" in line or " begins" in line] == [
            "0  +1.00 dB  (complete before)",
            "1  +1.00 dB  (complete before)",
            "4  3 of 6 begins: loss.parameters.weight=0 seed=3",
            "2  +1.00 dB  (complete before)",
            "3  +1.00 dB  (complete before)",
            "5  6 of 6 begins: loss.parameters.weight=0.1 seed=3",
        ]
        assert sorted(path.parent.name for path in tmp_path.glob("*/job.json")) == list("012345")
    assert main([*words, "seed=2"]) == 0  # the two that failed are not its own
    told = capsys.readouterr().out
    assert " begins" not in told
    assert "Also not complete, but not among the values of this command: 4 (failed), 5 (failed)." in told
    assert "Complete, but not among the values of this command: 0, 2." in told
    assert [line.split()[1] for line in told.splitlines() if line.startswith("│")] == ["1", "3"]
    assert "jobs failed" not in told
    assert main([*words, "seed=3"]) == 1
    assert "2 of 2 jobs failed; the same command runs only those." in capsys.readouterr().out
    assert main([*words, "seed=2,4"]) == 2  # what it adds would lie among what it does not ask for
    assert (
        "0 holds another job (seed=1 there, seed=4 here): give the changed sweep its own run_dir, or keep"
        in capsys.readouterr().err
    )


def test_a_sweep_says_what_begins_and_how_long_the_rest_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(tmp_path / "2", "data.batch_size=4", "seed=3", seconds=600.0)
    jobs_die(tmp_path, monkeypatch)
    assert main(["train", "-m", f"run_dir={tmp_path}", "data.batch_size=4", "seed=1,2,3,4"]) == 1
    lines = [line.removeprefix(f"{tmp_path}/") for line in capsys.readouterr().out.splitlines()[:9]]
    assert lines == [
        "0  1 of 4 begins: seed=1",
        "0  failed: exit status 7",
        "about 20 min for the other 2 jobs, if they take as long as those that are complete",
        "1  2 of 4 begins: seed=2",
        "1  failed: exit status 7",
        "about 10 min for the last job, if it takes as long as those that are complete",
        "2  +1.00 dB  (complete before)",
        "3  4 of 4 begins: seed=4",
        "3  failed: exit status 7",
    ]


def test_the_report_counts_the_jobs_that_have_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a sweep that ended after its second job."""
    jobs_die(tmp_path, monkeypatch)
    assert main(["train", "-m", f"run_dir={tmp_path}/sweep", "data.batch_size=4", "seed=1,2,3,4"]) == 1
    for name in "23":
        shutil.rmtree(tmp_path / "sweep" / name)
    capsys.readouterr()
    assert main(["report", str(tmp_path)]) == 0
    assert "0 of 4 jobs complete: " in capsys.readouterr().out
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("failed: exit status 7") == text.count("has not begun") == 2
    again = f"csrgan train -m data.batch_size=4 seed=1,2,3,4 run_dir={tmp_path}/sweep"
    assert text.count(f"has not begun</span><br><code>{again}</code>") == 2
    assert "\n\n0 of 4 jobs complete.\n\n" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert main(["train", "-m", f"run_dir={tmp_path}/sweep", "data.batch_size=4", "seed=2"]) == 1
    assert main(["report", str(tmp_path)]) == 0
    assert "0 of 1 job complete, and 0 of 1 that the last command did not ask for: " in capsys.readouterr().out
    assert "0 of 1 job complete, and 0 of 1 that the last" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_command_of_a_job_names_the_folder_of_its_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it runs as it stands in job.json and on the page."""
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    (tmp_path / "own" / "experiment" / "mine.yaml").write_text("# @package _global_\n# Mine\nseed: 5\n")
    jobs_die(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--config-dir", "own", "-m", "experiment=mine", "seed=1", "run_dir=sweep"]) == 1
    command = job(tmp_path / "sweep" / "0")["command"]
    assert command == "csrgan train --config-dir=own experiment=mine seed=1 hydra.mode=RUN run_dir=sweep/0"


@needs_proc
def test_submitit_runs_the_same_sweep(tmp_path: Path) -> None:
    """One job is there already, one is killed."""
    words = ["train", "-m", *SUBMITIT, f"run_dir={tmp_path}", *SMOKE, "data.crop=48,32"]
    complete(tmp_path / "0", *SMOKE, "data.crop=48", gain_db=2.5)
    killer = kill_when_it_runs(tmp_path / "1")
    done = csrgan(*words)
    killer.join()
    assert done.returncode == 1, done.stderr
    assert "1 killed: ended by SIGKILL" in done.stdout
    assert "+2.50 dB" in done.stdout
    assert "1 of 2 jobs was killed" in done.stdout
    assert (tmp_path / ".submitit").is_dir()


@needs_proc
@pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")
def test_a_local_cluster_of_ray_runs_the_same_sweep(tmp_path: Path) -> None:
    """One job is there already."""
    complete(tmp_path / "0", *SMOKE, "data.crop=48", gain_db=2.5)
    done = csrgan("train", "-m", "hydra/launcher=ray", f"run_dir={tmp_path}", *SMOKE, "data.crop=48,32")
    assert done.returncode == 0, done.stderr
    assert "+2.50 dB" in done.stdout and "its page: csrgan report" in done.stdout
    assert job(tmp_path / "1")["status"] == "complete"


def test_cores_are_divided_among_the_jobs_that_run_at_once() -> None:
    cores = os.cpu_count() or 1

    def divided(*words: str) -> int | None:
        with initialize_config_dir(str(conf()), version_base="1.3"):
            return hydra_sweep.cores(compose("train", [*words], return_hydra_config=True).hydra)

    assert divided() is None
    assert divided("hydra/launcher=joblib", f"hydra.launcher.n_jobs={cores}") == 1
    assert divided("hydra/launcher=joblib", "hydra.launcher.n_jobs=1") == cores
    assert divided("hydra/launcher=joblib", "hydra.launcher.n_jobs=-1") == 1
    assert divided(*SUBMITIT) == 1
    assert divided("hydra/launcher=submitit_slurm", "hydra.launcher.cpus_per_task=8") == 8


def test_as_many_jobs_run_together_as_launcher_and_sweeper_allow() -> None:
    cores = os.cpu_count() or 1

    def together(*words: str) -> int | None:
        with initialize_config_dir(str(conf()), version_base="1.3"):
            return hydra_sweep.together(compose("train", [*words], return_hydra_config=True).hydra)

    def of_ray(init: dict[str, object], **remote: float) -> int | None:
        launcher = {
            "_target_": "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
            "ray": {"init": init, "remote": remote},
        }
        return hydra_sweep.together(OmegaConf.create({"launcher": launcher, "sweeper": {"max_batch_size": None}}))

    assert together() == 1
    assert together("hydra/launcher=joblib", "hydra.launcher.n_jobs=3") == 3
    assert together("hydra/launcher=joblib", "hydra.launcher.n_jobs=-1") == cores
    assert together("hydra/launcher=joblib", "hydra.launcher.n_jobs=3", "hydra.sweeper.max_batch_size=2") == 2
    assert together("hydra/launcher=joblib", "hydra.launcher.n_jobs=3", "hydra/sweeper=optuna", "hydra.sweeper.n_jobs=1") == 1
    assert together(*SUBMITIT) == cores
    assert together("hydra/launcher=submitit_slurm") is None
    assert of_ray({"address": None}) == cores
    assert of_ray({"address": None, "num_cpus": 8}, num_cpus=2) == 4
    assert of_ray({"address": "auto"}) is None


@needs_proc
@pytest.mark.parametrize(
    ("launcher", "end"),
    [
        ((), signal.SIGTERM),
        pytest.param((), signal.SIGINT, marks=pytest.mark.long),
        (JOBLIB, signal.SIGKILL),
        (SUBMITIT, signal.SIGTERM),
        pytest.param(JOBLIB, signal.SIGINT, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_no_process_outlives_its_sweep(tmp_path: Path, launcher: tuple[str, ...], end: signal.Signals) -> None:
    words = ["train", "-m", *launcher, f"run_dir={tmp_path}", *SMOKE, "seed=1,2"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs with & ignores it, and so do its children
    sweep = subprocess.Popen([sys.executable, "-m", "csrgan", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    last = 1 if launcher == JOBLIB else 0
    assert until(lambda: bool(processes(f"run_dir={tmp_path}/{last}")))
    sweep.send_signal(end)
    _, said = sweep.communicate()
    if not launcher:
        assert sweep.returncode == 128 + end
        assert said.endswith("csrgan train: stopped. The same command runs what is missing.\n")
    assert until(lambda: not processes(f"CSRGAN_SWEEP={sweep.pid}", "environ"), 10)
    # A signal may also come before the job is written down. Either way it is run again: only a complete job is not.
    if (tmp_path / str(last) / "job.json").exists():
        assert until(lambda: job(tmp_path / str(last))["status"] == "stopped", 10)
        assert not {"pid", "host", "began"} & job(tmp_path / str(last)).keys()


def test_two_sweeps_in_one_folder_leave_each_other_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "0").mkdir()
    with (tmp_path / "0" / "output.txt").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        main(["train", "-m", f"run_dir={tmp_path}", TOO_LARGE])
    assert "0  another sweep is running it" in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "0").iterdir()] == ["output.txt"]


def test_a_guided_search_goes_on_after_failures_and_finds_its_trials_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The highest gain is sought, and a failed trial is none."""
    jobs_die(tmp_path, monkeypatch)
    search = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=2", "loss.parameters.weight=interval(0.001,1)")
    words = ["train", "-m", *search, f"run_dir={tmp_path}"]
    best = tmp_path / "optimization_results.yaml"
    assert main(words) == 2
    assert "no trial of the search is complete" in capsys.readouterr().err
    trials = [job(tmp_path / name)["words"] for name in "01"]
    complete(tmp_path / "0", *trials[0], gain_db=1.0)
    assert main(words) == 1
    assert "best_value: 1.0" in best.read_text()
    complete(tmp_path / "1", *trials[1], gain_db=2.0)
    assert main(words) == 0
    assert "best_value: 2.0" in best.read_text()
    assert folder_of(tmp_path / "1", ["seed=7"], guided=True) == tmp_path / "1.2"  # where the search has turned elsewhere


MEMORY = """
import gc, sys
from csrgan.cli import main, sweep
held = []
sweep._report_job = lambda *_: held.append(gc.collect() * 0 + len(gc.get_objects()))
assert main(["train", "-m", sys.argv[1], "seed=range(0,6)"]) == 0
print(held[-1] - held[2], "torch" in sys.modules, file=sys.stderr)
"""


def test_memory_does_not_grow_from_job_to_job(tmp_path: Path) -> None:
    """Objects alive in the process that starts the jobs: as many at the sixth as at the third. It never loads torch."""
    for k in range(6):
        complete(tmp_path / str(k), f"seed={k}")
    done = subprocess.run([sys.executable, "-c", MEMORY, f"run_dir={tmp_path}"], capture_output=True, text=True, check=True)
    grown, torch = done.stderr.split()
    assert torch == "False"
    assert int(grown) < 100


@pytest.mark.long
@needs_proc
def test_twelve_jobs_one_crashes_one_is_killed(tmp_path: Path) -> None:
    crops = ",".join(map(str, range(32, 120, 8)))
    words = ["train", "-m", f"run_dir={tmp_path}", *SMOKE, "trainer.images=8", f"data.crop={crops},9999"]
    killer = kill_when_it_runs(tmp_path / "5")
    done = csrgan(*words, *JOBLIB)
    killer.join()
    assert "2 of 12 jobs are not complete (1 killed, 1 failed)" in done.stdout, done.stderr
    assert "5 killed: ended by SIGKILL" in done.stdout
    assert "11 failed: data.crop=9999 is larger than" in done.stdout
    assert main(["report", str(tmp_path)]) == 0
    assert "10 of 12 jobs complete" in (tmp_path / "report.html").read_text(encoding="utf-8")
    ended = {file.parent.name: file.stat().st_mtime_ns for file in tmp_path.glob("*/job.json")}
    assert "1 of 12 jobs failed" in csrgan(*words).stdout
    assert {name for name, before in ended.items() if (tmp_path / name / "job.json").stat().st_mtime_ns != before} == {"5", "11"}


@pytest.mark.long
@needs_proc
def test_a_killed_job_goes_on_from_its_checkpoint_and_a_failed_one_begins_anew(tmp_path: Path) -> None:
    words = ["train", "-m", f"run_dir={tmp_path}", *SMOKE, "trainer.images=160", "trainer.save_every=8", "data.crop=32"]
    last = tmp_path / "0" / "checkpoints" / "last.ckpt"

    def kill() -> None:
        if until(last.is_file, 3600):
            os.kill(processes(f"run_dir={tmp_path}/0")[0], signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    assert "0 killed: ended by SIGKILL" in csrgan(*words).stdout
    killer.join()
    assert csrgan(*words).returncode == 0
    assert "resumed after" in (tmp_path / "0" / "output.txt").read_text()
    held = job(tmp_path / "0")
    (tmp_path / "0" / "job.json").write_text(json.dumps(held | {"status": "failed", "reason": "something"}))
    assert csrgan(*words).returncode == 0
    assert "resumed after" not in (tmp_path / "0" / "output.txt").read_text()


def test_the_jobs_of_a_ready_sweep_have_its_settings_and_can_be_resumed(tmp_path: Path) -> None:
    """Not only what it varies."""
    one = ("loss.adversarial.weight=1e-2", "upsampling=bilinear", "seed=1")  # the command line's values take the place of its own
    small = (*SMOKE, "trainer.images=8", "data.crop=32")
    assert main(["train", "sweep=mse_or_gan", *one, *small, f"run_dir={tmp_path}"]) == 0
    settings = OmegaConf.load(tmp_path / "0" / "config.yaml")
    assert settings.loss.adversarial.start == 800
    assert settings.optimizer.discriminator.lr == 1e-3
    assert not settings.loss.parameters
    assert main(["train", f"resume={tmp_path}/0"]) == 0
    assert not (tmp_path / "0" / "0").exists()  # one job goes on, not the whole sweep in its folder
