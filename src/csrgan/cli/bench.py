"""csrgan bench: time the degradation against plain compositions, a training step, and the reading of crops."""

from __future__ import annotations

import platform
from itertools import product
from pathlib import Path

import torch
from lightning import seed_everything
from omegaconf import DictConfig
from rich.progress import track

from csrgan import files
from csrgan.benchmarks import bench_io, compositions, hand_loop, training_step
from csrgan.cli.train import trained
from csrgan.config.build import build, checked_settings
from csrgan.console import Console, quiet
from csrgan.errors import UserError
from csrgan.training.execution import configure_execution
from csrgan.tree import Settings


def run(config: DictConfig) -> int:
    """Print tables and sentences, and write every number to a json file."""
    settings = checked_settings(config)
    if settings["device"] == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda: torch finds no GPU here; choose cpu.")
    devices = [settings["device"]] if settings["device"] else ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    quiet()
    console = Console()
    cases = list(product(devices, settings["sizes"], settings["max_stds"]))
    rows = [
        row
        for device, size, max_std in track(cases, "timing", console=console, disable=not console.is_terminal)
        for row in compositions.measure(settings, device, size, max_std)
    ]
    steps = [_training_step(settings, device) for device in devices] if settings["steps"] else []
    loops = [hand_loop.compare(settings, device, trained, **settings["loop"]) for device in devices if settings["loop"]["turns"]]
    reading = (
        bench_io.measure(**settings["reading"], seed=settings["seed"], console=console) if settings["reading"]["count"] else {}
    )
    machine = {"machine": platform.machine(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    file = Path(settings["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(file, {**machine, "rows": rows, "training_steps": steps, "loops": loops, "reading": reading})
    for device in devices:
        console.print(compositions.table([row for row in rows if row["device"] == device], settings["batch"], device))
    for step in steps:
        total, degradation = 1e3 * step["step_seconds"], 1e3 * step["degradation_seconds"]
        share = f"{degradation:.1f} ms ({step['share']:.1%}) of it for the degradation"
        sentence = f"{step['device']}: a training step takes {total:.0f} ms, {share}"
        console.print(sentence, highlight=False)
    for loop in loops:
        console.print(hand_loop.sentence(loop), highlight=False, soft_wrap=True)
    if reading:
        for line in bench_io.sentences(reading):
            console.print(line, highlight=False, soft_wrap=True)
    console.print(str(file), highlight=False, markup=False, soft_wrap=True)
    return 0


def _training_step(settings: Settings, device: str) -> Settings:
    """Time a step of the configured training."""
    seed_everything(settings["seed"], verbose=False)
    data, system = build(settings["data"], "data"), build(settings["system"], "system")
    configure_execution(system, settings["trainer"])
    return training_step.measure(data, system, device, trainer=settings["trainer"], count=settings["steps"])
