"""Everything that only a GPU can tell, in one command and one folder; a step that is done is not done again.

    python tests/gpu/check.py cuda                # `make gpu`: under nine minutes on one H100
    python tests/gpu/check.py cpu                 # the same steps, small, to try the script itself
    python tests/gpu/check.py cpu bench train     # some of them

Photographs come from .gpu/photos/train and .gpu/photos/valid, or else from scikit-image. The folder is runs/gpu, or GPU_FOLDER.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT / ".gpu" / "photos"
PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # operations a second, dense bf16, by the makers' data sheets
MINUTES = 5.0  # of training
TOY = [
    *("trainer.minutes=0.1", "data.crop=64", "data.batch_size=4", "data.workers=0", "generator.width=8", "evaluation.crop=64"),
    *("trainer.calibration_images=4", "trainer.compile=false", "trainer.accelerator=cpu"),
]
TOY_BENCH = [
    *("sizes=[64]", "max_stds=[7.07]", "batch=2", "repeats=1", "steps=1", "loop={turns: 1, steps: 1}"),
    *("reading={count: 0, crop: 512, crops: 100}", "data.crop=32", "data.batch_size=2", "trainer.images=16"),
]


def main(device: str, chosen: Sequence[str] = ()) -> int:
    """Do all steps, or those chosen, each as a command of its own. Return how many failed; none stops the others."""
    folder = Path(os.environ.get("GPU_FOLDER", ROOT / "runs" / "gpu"))
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "machine.json", _machine(device))
    csrgan, run = [sys.executable, "-m", "csrgan"], folder / "run"
    small = device == "cpu"
    photos = [f"data.{part}={PHOTOS / part}" for part in ("train", "valid")] if (PHOTOS / "train").is_dir() else []
    words = [*(["data=folder", *photos] if photos else []), "logger=csv", "trainer.measure_macs=true"]
    words += TOY if small else [f"trainer.minutes={MINUTES:g}"]
    train = (
        [f"resume={run}"] if (run / "checkpoints" / "last.ckpt").is_file() else ["experiment=csrgan_gpu", *words, f"run_dir={run}"]
    )
    steps = {
        "tests": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "tests" / "gpu" / "test_gpu.py")],
        "bench": [*csrgan, "bench", f"device={device}", f"file={folder / 'bench.json'}", *(TOY_BENCH if small else [])],
        "train": [*csrgan, "train", *train],
        "publish": [*csrgan, "publish", f"checkpoint={run}", f"destination={folder / 'published'}", "half=true"],
    }
    failed = [name for name, command in steps.items() if name in (chosen or steps) and not _done(folder, name, command, device)]
    _write(folder / "found.json", _found(folder))
    print(json.dumps(_found(folder), indent=1))
    return len(failed)


def _done(folder: Path, name: str, command: list[str], device: str) -> bool:
    """Return whether a step is done, now or before. Its output is in NAME.txt, its seconds in NAME.json."""
    record = folder / f"{name}.done.json"
    if record.is_file():
        return True
    began = time.monotonic()
    with (folder / f"{name}.txt").open("w", encoding="utf-8") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=_environment(device), check=False)
    seconds = time.monotonic() - began
    print(f"{name}: exit status {done.returncode} after {seconds:.0f} s", flush=True)
    if done.returncode == 0:
        _write(record, {"seconds": seconds})
    return done.returncode == 0


def _environment(device: str) -> dict[str, str]:
    """Return the variables of a step. The tests' helpers are found, and cuBLAS may be asked for the same bits twice."""
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": paths, "CSRGAN_DEVICE": device, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def _machine(device: str) -> dict[str, object]:
    name = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
    return {"device": name, "python": platform.python_version(), "torch": torch.__version__, "cores": os.cpu_count()}


def _found(folder: Path) -> dict[str, object]:
    """Return the numbers that the predictions are about, as far as the steps got."""
    found: dict[str, object] = dict(json.loads((folder / "machine.json").read_text()))
    if (folder / "run" / "summary.json").is_file():
        summary = json.loads((folder / "run" / "summary.json").read_text())
        speed = summary["images_seen"] / summary["seconds_training"]
        found |= {"gain_db": summary["gain_db"], "images_seen": summary["images_seen"], "training_images_per_second": speed}
        found["waiting_for_data"] = summary["seconds_waiting"] / summary["seconds_training"]
        peak = next((peak for name, peak in PEAK.items() if name in str(found["device"])), None)
        if peak:
            found["model_flops_utilisation"] = 2 * summary["multiply_adds_training"] * speed / peak
    if (folder / "bench.json").is_file():
        found["bench"] = json.loads((folder / "bench.json").read_text())
    return found


def _write(file: Path, content: dict[str, object]) -> None:
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2] or ["cuda"], sys.argv[2:]))
