"""csrgan bench times every method, the training step and the reading of crops."""

from __future__ import annotations

import json
from pathlib import Path

from commands import csrgan

from csrgan.benchmarks import compositions


def test_bench_measures_every_method_and_the_training_step(tmp_path: Path) -> None:
    small = [
        "sizes=[128,512]",
        "max_stds=[7.07]",
        "batch=4",
        "repeats=3",
        "steps=2",
        "loop.turns=0",
        "data.crop=32",
        "data.batch_size=2",
        "trainer.images=16",
        "reading={count: 4, crop: 512, crops: 100}",
    ]
    # In a process of its own: here every call is checked for its types, which takes longer than some of what is timed.
    done = csrgan("bench", *small, f"file={tmp_path}/bench.json")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "bench.json").read_text())
    rows = [row for row in told["rows"] if row["device"] == "cpu"]
    assert [row["method"] for row in rows] == 2 * list(compositions.METHODS)
    speed = [{row["method"]: row["images_per_second"] for row in rows if row["size"] == size} for size in (128, 512)]
    # 2.8 and 5 times as fast on a quiet machine.
    for found, least in zip(speed, (1.0, 1.5), strict=True):
        assert found["csrgan, banded"] > least * found[compositions.KORNIA] > 0
    assert 0 < told["training_steps"][0]["share"] < 1
    read = told["reading"]
    assert read["crops_per_second"] > 20 * read["opencv_per_second"]  # some 300 times on a quiet machine
    assert read["crops_per_second"] > 0.1 * read["page_cache_per_second"]  # 0.6; less beside other work
    assert max(read["resident_mb"].values()) < 64 + 40
