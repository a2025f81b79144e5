"""Part of csrgan bench: the time of a training step of csrgan train, compared with the same step in a loop written by hand."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import redirect_stdout
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Protocol, cast

import torch
from lightning import Callback, LightningModule, Trainer
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader

from csrgan.data.crops import CropBatch, Crops
from csrgan.data.module import Photographs
from csrgan.degradation.noise import standard_normal
from csrgan.errors import UserError
from csrgan.losses import adversarial, image, parameters
from csrgan.training.algorithms.csrgan import CSRGAN
from csrgan.training.schedule import cosine
from csrgan.training.system import System
from csrgan.tree import Settings

TOLERANCE = 1e-6  # greatest difference of two weights after the same training
Train = Callable[..., float]  # (settings, folder, also=callbacks)
Networks = tuple[nn.Module, nn.Module, nn.Module]  # generator, discriminator, moving average of the generator


class WithData(Protocol):
    """A trainer that was given a data module."""

    datamodule: Photographs


def compare(settings: Settings, device: str, train: Train, *, turns: int, steps: int) -> Settings:
    """Return the seconds per step, and their ratios, of csrgan train and of the loop by hand, which take turns of so many steps.

    train: trains as csrgan train does, with settings and a folder. Each runs on one thread, with one loader process.
    wall: clock time; cpu: time of this process. ratio: of the medians over the turns; ratio_whole: of the sums, which include work
    done in some turns only. Raises UserError if the two do not reach the same weights.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    against = Turns(settings, turns, steps)
    try:
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
            train(_training_settings(settings, device, (turns + 1) * steps, folder), Path(folder), also=[against])
    except Enough:
        pass
    finally:
        torch.set_num_threads(threads)
    if not against.difference <= TOLERANCE:
        raise UserError(
            f"loop: its weights differ by {against.difference:.1g} from those of csrgan train; it assumes the default settings."
        )
    results: Settings = {"device": device, "turns": turns, "steps": steps, "apart": against.difference}
    for clock in ("wall", "cpu"):
        mine, hand = ([each[clock] / steps for each in times[1:]] for times in (against.mine, against.hand))  # the first warm up
        results[clock] = {
            "csrgan_seconds": median(mine),
            "by_hand_seconds": median(hand),
            "ratio": median(mine) / median(hand),
            "ratio_whole": sum(mine) / sum(hand),
        }
    return results


def sentence(results: Settings) -> str:
    """Return the results in words."""
    wall, cpu = results["wall"], results["cpu"]
    return (
        f"{results['device']}: a training step of csrgan train takes {1e3 * wall['csrgan_seconds']:.1f} ms, one written by hand"
        f" {1e3 * wall['by_hand_seconds']:.1f} ms: the ratio is {wall['ratio']:.3f}, and {cpu['ratio']:.3f} in CPU time"
        f" ({wall['ratio_whole']:.3f} and {cpu['ratio_whole']:.3f} over all turns together)"
    )


def _training_settings(settings: Settings, device: str, steps: int, folder: str) -> Settings:
    """Return the settings of a csrgan train of so many steps, whose first evaluation would come at the end."""
    images = steps * settings["data"]["batch_size"]
    budget = {"images": images, "validate_every": images, "save_every": images}
    where = {"accelerator": "gpu" if device == "cuda" else "cpu", "precision": "32-true", "compile": False}
    data = settings["data"] | {"images": images, "workers": 1}
    return settings | {
        "trainer": settings["trainer"] | budget | where,
        "data": data,
        "run_dir": folder,
        "resume": None,
        "init_from": None,
    }


class Enough(Exception):
    """Ends the training once its time is measured."""


class Turns(Callback):
    """Runs a turn of the loop by hand after each turn of the training; both start from the same weights.

    mine, hand: the time of each turn, by both clocks.
    """

    def __init__(self, settings: Settings, turns: int, steps: int) -> None:
        self.settings, self.turns, self.length = settings, turns, steps
        self.mine: list[dict[str, float]] = []
        self.hand: list[dict[str, float]] = []
        self.difference = float("inf")  # the greatest difference of two weights after the first turn

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.networks: Networks = deepcopy(_networks(pl_module))
        data = cast(WithData, trainer).datamodule
        self.loop = by_hand(self.networks, data, self.settings, (self.turns + 1) * self.length)
        self.start = _clocks(pl_module.device)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        if cast(System, pl_module).state.batches_seen % self.length:
            return
        self.mine.append(_since(self.start, pl_module.device))
        start = _clocks(pl_module.device)
        for _turn in range(self.length):
            next(self.loop)
        self.hand.append(_since(start, pl_module.device))
        if len(self.hand) == 1:
            pairs = zip(self.networks, _networks(pl_module), strict=True)
            self.difference = max(_difference(*pair) for pair in pairs)
        if len(self.hand) > self.turns:
            self.loop.close()
            raise Enough
        self.start = _clocks(pl_module.device)


def by_hand(networks: Networks, data: Photographs, settings: Settings, steps: int) -> Generator[None]:
    """Run the training of csrgan train as a plain loop, one step at a time, without Lightning or the systems."""
    generator, discriminator, ema = networks
    device = next(generator.parameters()).device
    loss, optimizer, prior = settings["loss"], settings["optimizer"], data.degradation.prior
    weight, epsilon = loss["adversarial"]["weight"], loss["image"]["function"]["epsilon"]
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=optimizer["generator"]["lr"], betas=(0.9, 0.99))
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=optimizer["discriminator"]["lr"], betas=(0.9, 0.99))
    total, warmup, seen = optimizer["schedule"]["total"], optimizer["schedule"]["warmup"], 0
    for step, batch in enumerate(_batches(data, steps), start=1):
        sharp, theta = batch.sharp.to(device).float() / 255, batch.parameters.to(device)
        noise = standard_normal(tuple(sharp.shape), theta, device, cast(tuple[int, ...], batch.noise))
        low = data.degradation.degrade(sharp, theta, noise)
        for network_optimizer in (generator_optimizer, discriminator_optimizer):
            network_optimizer.param_groups[0]["lr"] = network_optimizer.defaults["lr"] * cosine(seen, total=total, warmup=warmup)
        target = prior.normalise(theta)
        restored = generator(low)

        real, fake = discriminator(sharp, low, target), discriminator(restored.image.detach(), low, target)
        discriminator_loss = adversarial.bce_discriminator(real, fake)
        discriminator_optimizer.zero_grad()
        torch.autograd.backward(discriminator_loss)
        clip_grad_norm_(discriminator.parameters(), optimizer["clip"])
        discriminator_optimizer.step()

        discriminator.requires_grad_(False)
        parts = {
            "image": loss["image"]["weight"] * image.charbonnier(restored.image, sharp, epsilon=epsilon),
            "parameters": loss["parameters"]["weight"] * parameters.mse(restored.theta, target),
            "adversarial": weight * adversarial.bce_generator(discriminator(restored.image, low, target)),
        }
        generator_optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(parts.values())).sum())
        norm = clip_grad_norm_(generator.parameters(), optimizer["clip"])
        generator_optimizer.step()
        discriminator.requires_grad_(True)

        decay = min(optimizer["ema"], (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(generator.parameters()), 1 - decay)
        seen += len(sharp)
        if step % settings["logger"]["every"] == 0:
            losses = " ".join(f"{name} {value.item():.4g}" for name, value in parts.items())
            print(f"{seen} {losses} D {discriminator_loss.item():.4g} norm {norm.item():.4g}")
        yield


def _networks(module: LightningModule) -> Networks:
    system = cast(CSRGAN, module)
    assert system.discriminator is not None
    return system.generator, system.discriminator, system.ema


def _clocks(device: torch.device) -> dict[str, float]:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return {"wall": time.perf_counter(), "cpu": time.process_time()}


def _since(began: dict[str, float], device: torch.device) -> dict[str, float]:
    return {clock: now - began[clock] for clock, now in _clocks(device).items()}


def _difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((mine - theirs).detach().abs().max()) for mine, theirs in pairs)


def _batches(data: Photographs, steps: int) -> Iterator[CropBatch]:
    """Return the batches of the training, which a separate process reads."""
    crops = cast(Crops, data.train_dataloader().dataset)
    size = data.batch_size
    which = [list(range(step * size, (step + 1) * size)) for step in range(steps)]
    return iter(DataLoader(crops, batch_sampler=which, num_workers=1, collate_fn=crops.collate))
