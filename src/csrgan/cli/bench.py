"""csrgan bench: images/s and memory of the degradation beside plain compositions, what a training step costs, and reading."""

from __future__ import annotations

import platform
from itertools import product
from pathlib import Path
from typing import Any

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


def run(config: DictConfig) -> int:
    """Print a table, and write every figure to a json file."""
    settings = checked_settings(config)
    if settings["device"] == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda: there is no GPU that torch can use here; choose cpu.")
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
    read = bench_io.reading(**settings["reading"], seed=settings["seed"], console=console) if settings["reading"]["count"] else {}
    machine = {"machine": platform.machine(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    file = Path(settings["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    found = {**machine, "rows": rows, "training_steps": steps, "loops": loops, "reading": read}
    files.write_json(file, found)
    for device in devices:
        console.print(compositions.table([row for row in rows if row["device"] == device], settings["batch"], device))
    for step in steps:
        whole, part = 1e3 * step["step_seconds"], 1e3 * step["degradation_seconds"]
        sentence = (
            f"{step['device']}: a training step takes {whole:.0f} ms, the degradation in it {part:.1f} ms: {step['share']:.1%}"
        )
        console.print(sentence, highlight=False)
    for loop in loops:
        console.print(hand_loop.told(loop), highlight=False, soft_wrap=True)
    if read:
        for line in bench_io.told(read).split("\n"):
            console.print(line, highlight=False, soft_wrap=True)
    console.print(str(file), highlight=False, markup=False, soft_wrap=True)
    return 0


def _training_step(settings: dict[str, Any], device: str) -> dict[str, Any]:
    """Of the configured training."""
    seed_everything(settings["seed"], verbose=False)
    data, system = build(settings["data"], "data"), build(settings["system"], "system")
    configure_execution(system, settings["trainer"])
    return training_step.measure(data, system, device, precision=settings["trainer"]["precision"], count=settings["steps"])
