"""What ends a process while there is nothing to save."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import SMOKE
from forked import until
from lightning import Callback
from systems import made

from csrgan.api.evaluation import evaluated
from csrgan.training import fit_batches


class Signalled(Callback):
    """Sends a signal in the first step or picture."""

    def __init__(self, number: int) -> None:
        self.number, self.after = number, 0

    def on_train_batch_start(self, *_: object) -> None:
        os.kill(os.getpid(), self.number)
        self.after += 1

    def on_validation_batch_start(self, *_: object) -> None:
        self.on_train_batch_start()


def of_training(signalled: Signalled) -> None:
    system, data = made("csrgan")
    loader = data.train_dataloader()
    samples = loader.collate_fn([loader.dataset[0], loader.dataset[1]])
    fit_batches.fit(system, [samples, samples], signalled, transfer=data.on_after_batch_transfer)


def of_evaluation(signalled: Signalled) -> None:
    system, data = made("csrgan")
    evaluated(system, data, "cpu", [signalled])


@pytest.mark.parametrize("run", [of_training, of_evaluation])
def test_sigterm_ends_a_process_with_nothing_to_save_at_once(run: object) -> None:
    process = os.fork()
    if not process:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            run(Signalled(signal.SIGTERM))  # type: ignore[operator]
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGTERM


@pytest.mark.parametrize("run", [of_training, of_evaluation])
def test_ctrl_c_stays_a_keyboard_interrupt(run: object) -> None:
    signalled = Signalled(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs with & ignores it, and so do its children
    with pytest.raises(KeyboardInterrupt):
        run(signalled)  # type: ignore[operator]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


ENDING = """
import time, torch, torch._inductor.async_compile as compiling
from csrgan.training.execution import end_compilation
compiling.get_compile_threads = lambda: 2
for _ in range(20):
    compiling.AsyncCompile.pool().submit(time.sleep, 1)
compiling.AsyncCompile.process_pool()  # a process that has to import torch first
end_compilation()
compiling.AsyncCompile.pool().submit(time.sleep, 0).result()  # it works again
print("ended", flush=True)
"""


@pytest.mark.long
def test_what_torch_still_compiles_is_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", ENDING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ended\n"
        began = time.monotonic()
        assert process.wait(60) == 0
    assert time.monotonic() - began < 5


@pytest.mark.long
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ on a CPU, and there is none here")
def test_sigterm_ends_a_training_whose_networks_are_being_compiled(tmp_path: Path) -> None:
    words = ["train", f"run_dir={tmp_path / 'run'}", *SMOKE, "trainer.compile=true"]
    settings = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "compiled")}
    with subprocess.Popen([sys.executable, "-m", "csrgan", *words], env=settings, stderr=subprocess.DEVNULL) as process:
        assert until(lambda: any((tmp_path / "compiled").rglob("*.cpp")), seconds=120)
        process.terminate()
        began = time.monotonic()
        assert process.wait(120) == -signal.SIGTERM
    assert time.monotonic() - began < 5
