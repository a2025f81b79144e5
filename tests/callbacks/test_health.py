"""Failures of GAN training are detected, reported and acted on; a nonfinite batch changes no weight and can be replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from composed import composed
from lightning import Callback, Trainer
from rich.console import Console
from systems import made, same, state

from csrgan.callbacks.health import Health
from csrgan.cli import main
from csrgan.config.location import conf
from csrgan.errors import RunStopped, UserError

WATCHED = {
    "saturation": {"limit": 0.5, "action": "pause"},
    "collapse": {"limit": 0.1, "action": "stop"},
    "drift": {"limit": 0.1, "action": "log"},
    "explosion": {"limit": 10, "action": "reduce_lr"},
}


def health(folder: Path, *, patience: int = 10, window: int = 2, **change: Any) -> tuple[Health, Console]:
    console = Console(record=True, width=1000, quiet=False, file=(folder / "said.txt").open("w"))
    return Health(folder, console, every=1, window=window, patience=patience, **(WATCHED | change)), console


def spoil(data: Any, batches: tuple[int, ...], sample: int | slice) -> None:
    """Set one value of L to NaN in that sample, or those, of these batches."""
    degrade, count = data.on_after_batch_transfer, iter(range(1000))

    def spoilt(batch: Any, dataloader_idx: int) -> Any:
        done = degrade(batch, dataloader_idx)
        if next(count) in batches:
            done.low[sample, 1, 3, 4] = float("nan")
        return done

    data.on_after_batch_transfer = spoilt


def fit(system: Any, data: Any, *callbacks: Callback) -> None:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, limit_val_batches=0, num_sanity_val_steps=0, callbacks=list(callbacks), **quiet
    )
    trainer.fit(system, data)


class States(Callback):
    """Record weights and buffers after each batch."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        self.held.append({name: state(network) for name, network in pl_module.networks().items()})


@pytest.mark.parametrize("name", ["csrgan", "srgan", "ikc", "dan"])
def test_a_nonfinite_batch_changes_nothing_and_is_reported_saved_and_replayed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """srgan has batch norm: one picture spoils the batch, and would spoil the running means."""
    system, data = made(name)
    spoil(data, (2,), sample=1)
    watching, console = health(tmp_path)
    states = States()
    fit(system, data, watching, states)
    before, after = states.held[1:3]
    assert all(same(before[part], after[part]) for part in before)
    assert (system.images_seen, system.state.batches_seen) == (8, 4)
    assert not all(same(after[part], states.held[3][part]) for part in after)  # the next batch is learned from
    assert all(bool(torch.isfinite(value).all()) for part in states.held[3].values() for value in part.values())
    (file,) = (tmp_path / "replay").iterdir()
    said = console.export_text()
    assert "batch 3: " in said
    assert "is not finite, from sample 5 (" in said  # batches of two: sample 1 of the third
    assert f"csrgan replay file={file} shows where" in said
    assert main(["replay", f"file={file}"]) == 0
    told = capsys.readouterr().out
    assert "samples of the batch: 1 (" in told
    assert "its input is not finite" in told
    assert "the repeated step is not finite in the same terms" in told


def test_of_many_samples_a_sentence_names_two_and_the_end_none(tmp_path: Path) -> None:
    system, data = made("csrgan", "data.batch_size=4")
    spoil(data, (1,), sample=slice(None))
    watching, console = health(tmp_path, patience=0)
    with pytest.raises(
        RunStopped, match=r"more than health\.patience=0: csrgan replay file=\S+ shows where the last one was not\.$"
    ):
        fit(system, data, watching)
    said = console.export_text()
    assert said.count("sample ") == 2
    assert " and 2 more; no weight was changed" in said


def test_replay_finds_the_layer_that_overflows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system, data = made("csrgan")
    watching, _ = health(tmp_path)

    class Break(Callback):
        def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
            if batch_idx == 1:
                convolutions = [layer for layer in pl_module.generator.modules() if isinstance(layer, torch.nn.Conv2d)]
                convolutions[3].weight.data[:] = 3e38

    fit(system, data, watching, Break())
    first, *_ = sorted((tmp_path / "replay").iterdir())
    assert main(["replay", f"file={first}"]) == 0
    sentence = " ".join(capsys.readouterr().out.split())
    assert "its input is finite" in sentence
    assert "(Conv2d); its input is finite" in sentence


def test_the_file_to_replay_is_named_as_the_run_folder_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the current folder, where a command makes its run_dir absolute."""
    system, data = made("csrgan")
    spoil(data, (2,), sample=1)
    monkeypatch.chdir(tmp_path)
    watching, console = health(tmp_path)
    fit(system, data, watching)
    assert "csrgan replay file=replay/batch_000003.pt shows where." in console.export_text()


@pytest.mark.parametrize("name", sorted(file.stem for file in (conf() / "experiment").glob("*.yaml")))
def test_health_can_judge_well_before_the_end_of_every_experiment(name: str) -> None:
    settings = composed(f"experiment={name}", "data=sample")
    batches = settings["trainer"]["images"] // settings["data"]["batch_size"]
    assert settings["health"]["every"] * settings["health"]["window"] <= 0.7 * batches


def test_more_nonfinite_batches_than_patience_end_the_run(tmp_path: Path) -> None:
    system, data = made("csrgan")
    spoil(data, (1, 2, 3), sample=0)
    watching, _ = health(tmp_path, patience=1)
    with pytest.raises(RunStopped, match=r"2 batches were not finite, more than health\.patience=1"):
        fit(system, data, watching)


def test_without_the_health_callback_the_first_nonfinite_batch_is_an_error() -> None:
    system, data = made("csrgan")
    spoil(data, (1,), sample=0)
    with pytest.raises(UserError, match="not finite in the batch after 2 images"):
        fit(system, data)


class Tell(Callback):
    """Replace the recorded values by these, batch by batch."""

    def __init__(self, *values: dict[str, float]) -> None:
        self.values = list(values)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        told = self.values.pop(0)
        pl_module.state.recorded |= {name: torch.tensor(value) for name, value in told.items()}


def test_the_discriminator_is_paused_while_it_is_far_ahead(tmp_path: Path) -> None:
    system, data = made("csrgan")
    watching, console = health(tmp_path)
    ahead, level = {"D(real)": 0.9, "D(fake)": 0.1}, {"D(real)": 0.5, "D(fake)": 0.5}
    states = States()
    fit(system, data, Tell(ahead, ahead, level, level), watching, states)
    judges = [held["discriminator"] for held in states.held]
    assert not same(judges[0], judges[1])
    assert same(judges[1], judges[2])  # told at the end of the second that it leads by 0.8 in the mean
    assert not same(judges[2], judges[3])  # 0.4 in the mean
    said = console.export_text()
    assert "4 images: saturation: the discriminator always tells S from H" in said
    assert "D(real) - D(fake) is 0.8 (health.saturation.limit=0.5); the discriminator is paused" in said
    assert "6 images: saturation is over" in said


def test_a_collapse_stops_the_run_and_an_explosion_slows_it(tmp_path: Path) -> None:
    system, data = made("csrgan")
    watching, _ = health(tmp_path)
    with pytest.raises(RunStopped, match=r"health\.collapse\.action=stop: collapse: S hardly varies from picture to picture"):
        fit(system, data, Tell(*[{"signs/diversity": 0.01}] * 4), watching)
    system, data = made("csrgan")
    watching, console = health(tmp_path, collapse=None)
    fit(
        system,
        data,
        Tell(*({"generator/gradient_norm": size, "discriminator/gradient_norm": 0} for size in (1, 1, 99, 1))),
        watching,
    )
    assert system.state.lr_scale == 0.5
    assert "explosion: the gradient norm is 99 times its median" in console.export_text()
    system, data = made("csrgan")
    watching, console = health(tmp_path, collapse=None)
    fit(system, data, Tell(*[{"signs/drift": 0.3}] * 4), watching)
    assert "drift: the mean colour of S differs from H's by 0.3 of full scale (health.drift.limit=0.1)" in console.export_text()
    assert system.state.lr_scale == 1


def test_the_health_signs_measure_what_they_name() -> None:
    from csrgan.training.gan_diagnostics import signs

    sharp = torch.rand(4, 3, 16, 16)
    found = signs({"restored": sharp, "sharp": sharp})
    assert float(found["signs/diversity"]) == pytest.approx(1, abs=1e-4)
    assert float(found["signs/drift"]) == 0
    shifted = sharp.clone()
    shifted[:, 2] += 0.2
    found = signs({"restored": shifted[:1].expand(4, -1, -1, -1), "sharp": sharp})
    assert float(found["signs/diversity"]) == pytest.approx(0, abs=1e-5)
    assert float(signs({"restored": shifted, "sharp": sharp})["signs/drift"]) == pytest.approx(0.2, abs=1e-5)


def test_the_conditions_survive_a_resume(tmp_path: Path) -> None:
    one, _ = health(tmp_path)
    one.conditions["saturation"].values.extend([0.9, 0.8])
    one.conditions["saturation"].holds, one.left_out = True, 3
    one.norms.append(2.0)
    other, _ = health(tmp_path)
    other.load_state_dict(one.state_dict())
    assert other.state_dict() == one.state_dict()
    system, _ = made("csrgan")
    other.on_train_start(Trainer(accelerator="cpu", logger=False), system)
    assert system.updaters["discriminator"].frozen


def test_an_unknown_action_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"health: action has no paus\. Its choices: log, pause, reduce_lr, stop\. Did you mean pause"
    ):
        health(tmp_path, drift={"limit": 1, "action": "paus"})
