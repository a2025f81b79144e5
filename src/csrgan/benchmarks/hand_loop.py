"""A part of csrgan bench: what a training step of csrgan train costs beside the same step in a loop written by hand."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import redirect_stdout
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Any

import torch
from lightning import Callback, Trainer
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader

from csrgan.data.module import Photographs
from csrgan.degradation.noise import standard_normal
from csrgan.errors import UserError
from csrgan.losses import adversarial, image, parameters
from csrgan.training.schedule import cosine
from csrgan.tree import Settings

ALIKE = 1e-6  # greatest difference of two weights that were trained alike
Train = Callable[..., float]  # (settings, folder, also=callbacks)
Networks = tuple[nn.Module, nn.Module, nn.Module]  # generator, discriminator, average of the generator


def compare(settings: Settings, device: str, train: Train, *, turns: int, steps: int) -> dict[str, Any]:
    """Seconds a step, and their ratios, of csrgan train and of the loop by hand, which take turns of so many steps.

    train: what csrgan train does with its settings and a folder. On one thread; each has a loader process.
    wall: by the clock; cpu: of this process. ratio: of the medians over the turns; ratio_whole: of the sums, with what is done in
    some turns only. Raises UserError where the two do not come to the same weights.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    against = Turns(settings, turns, steps)
    try:
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
            train(_of_train(settings, device, (turns + 1) * steps, folder), Path(folder), also=[against])
    except Enough:
        pass
    finally:
        torch.set_num_threads(threads)
    if not against.apart <= ALIKE:
        raise UserError(f"loop: its weights differ by {against.apart:.1g} from csrgan train's, for whose defaults it is written.")
    found: dict[str, Any] = {"device": device, "turns": turns, "steps": steps, "apart": against.apart}
    for clock in ("wall", "cpu"):
        mine, hand = ([each[clock] / steps for each in times[1:]] for times in (against.mine, against.hand))  # the first warm up
        found[clock] = {
            "csrgan_seconds": median(mine),
            "by_hand_seconds": median(hand),
            "ratio": median(mine) / median(hand),
            "ratio_whole": sum(mine) / sum(hand),
        }
    return found


def told(found: dict[str, Any]) -> str:
    """The figures in words."""
    wall, cpu = found["wall"], found["cpu"]
    return (
        f"{found['device']}: a training step of csrgan train takes {1e3 * wall['csrgan_seconds']:.1f} ms, by hand"
        f" {1e3 * wall['by_hand_seconds']:.1f} ms: {wall['ratio']:.3f} times as long; {cpu['ratio']:.3f} in CPU time"
        f" (all turns together {wall['ratio_whole']:.3f} and {cpu['ratio_whole']:.3f})"
    )


def _of_train(settings: dict[str, Any], device: str, steps: int, folder: str) -> dict[str, Any]:
    """The settings of a run of csrgan train with so many steps, at the end of which the first evaluation would be."""
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
    """Ends a training whose time has been taken."""


class Turns(Callback):
    """Lets the loop by hand take its turn after each turn of the training, beginning with the same weights.

    mine, hand: the time of each turn, by both clocks.
    """

    def __init__(self, settings: dict[str, Any], turns: int, steps: int) -> None:
        self.settings, self.turns, self.length = settings, turns, steps
        self.mine: list[dict[str, float]] = []
        self.hand: list[dict[str, float]] = []
        self.apart = float("inf")  # the greatest difference of two weights after the first turn

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        self.networks: Networks = deepcopy((pl_module.generator, pl_module.discriminator, pl_module.ema))
        self.loop = by_hand(self.networks, data, self.settings, (self.turns + 1) * self.length)
        self.began = _clocks(pl_module.device)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        if pl_module.state.batches_seen % self.length:
            return
        self.mine.append(_since(self.began, pl_module.device))
        began = _clocks(pl_module.device)
        for _turn in range(self.length):
            next(self.loop)
        self.hand.append(_since(began, pl_module.device))
        if len(self.hand) == 1:
            theirs: Networks = (pl_module.generator, pl_module.discriminator, pl_module.ema)
            self.apart = max(_difference(*pair) for pair in zip(self.networks, theirs, strict=True))
        if len(self.hand) > self.turns:
            self.loop.close()
            raise Enough
        self.began = _clocks(pl_module.device)


def by_hand(networks: Networks, data: Photographs, settings: dict[str, Any], steps: int) -> Generator[None]:
    """The training of csrgan train as a plain loop, from step to step; nothing of Lightning's or of the systems' is in it."""
    generator, discriminator, ema = networks
    device = next(generator.parameters()).device
    loss, optimizer, prior = settings["loss"], settings["optimizer"], data.degradation.prior
    weight, epsilon = loss["adversarial"]["weight"], loss["image"]["function"]["epsilon"]
    of_generator = torch.optim.Adam(generator.parameters(), lr=optimizer["generator"]["lr"], betas=(0.9, 0.99))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=optimizer["discriminator"]["lr"], betas=(0.9, 0.99))
    total, warmup, seen = optimizer["schedule"]["total"], optimizer["schedule"]["warmup"], 0
    for step, batch in enumerate(_batches(data, steps), start=1):
        sharp, theta = batch.sharp.to(device).float() / 255, batch.parameters.to(device)
        noise = standard_normal(tuple(sharp.shape), theta, device, batch.noise)
        low = data.degradation.degrade(sharp, theta, noise)
        for one in (of_generator, of_discriminator):
            one.param_groups[0]["lr"] = one.defaults["lr"] * cosine(seen, total=total, warmup=warmup)
        target = prior.normalise(theta)
        found = generator(low)

        real, fake = discriminator(sharp, low, target), discriminator(found.image.detach(), low, target)
        of_judge = adversarial.bce_discriminator(real, fake)
        of_discriminator.zero_grad()
        of_judge.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(discriminator.parameters(), optimizer["clip"])
        of_discriminator.step()

        discriminator.requires_grad_(False)
        parts = {
            "image": loss["image"]["weight"] * image.charbonnier(found.image, sharp, epsilon=epsilon),
            "parameters": loss["parameters"]["weight"] * parameters.mse(found.theta, target),
            "adversarial": weight * adversarial.bce_generator(discriminator(found.image, low, target)),
        }
        of_generator.zero_grad()
        torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = clip_grad_norm_(generator.parameters(), optimizer["clip"])
        of_generator.step()
        discriminator.requires_grad_(True)

        decay = min(optimizer["ema"], (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(generator.parameters()), 1 - decay)
        seen += len(sharp)
        if step % settings["logger"]["every"] == 0:
            words = " ".join(f"{name} {value.item():.4g}" for name, value in parts.items())
            print(f"{seen} {words} D {of_judge.item():.4g} norm {norm.item():.4g}")
        yield


def _clocks(device: torch.device) -> dict[str, float]:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return {"wall": time.perf_counter(), "cpu": time.process_time()}


def _since(began: dict[str, float], device: torch.device) -> dict[str, float]:
    return {clock: now - began[clock] for clock, now in _clocks(device).items()}


def _difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((mine - theirs).detach().abs().max()) for mine, theirs in pairs)


def _batches(data: Photographs, steps: int) -> Iterator[Any]:
    """The batches of the training, read by a process of their own."""
    crops: Any = data.train_dataloader().dataset
    size = data.batch_size
    which = [list(range(step * size, (step + 1) * size)) for step in range(steps)]
    return iter(DataLoader(crops, batch_sampler=which, num_workers=1, collate_fn=crops.collate))
