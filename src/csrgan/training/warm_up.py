"""What of a training's warm-up does not fit into its budget: the rise of the learning rate, late and slowly rising losses."""

from __future__ import annotations

from collections.abc import Iterator

from csrgan.training.module import TrainingModule


def too_long(system: TrainingModule, images: int, batch_size: int) -> list[str]:
    """Return a sentence for each, with the key to change. images: the budget. The running average needs none: it adapts itself."""
    return list(dict.fromkeys([*_schedule(system, images, batch_size), *_losses(system, images, batch_size)]))


def _schedule(system: TrainingModule, images: int, batch_size: int) -> Iterator[str]:
    warmup = getattr(system.state.rule.schedule, "keywords", {}).get("warmup", 0)
    if _seen_by_last_batch(images, batch_size) < warmup:
        remedy = _remedy("optimizer.schedule.warmup")
        yield f"the learning rate rises over {warmup} images, and is never full in a training of {images}: {remedy}"


def _losses(system: TrainingModule, images: int, batch_size: int) -> Iterator[str]:
    last = _seen_by_last_batch(images, batch_size)
    for name, term in (item for updater in system.updaters.values() for item in updater.objective.terms.items()):
        share, start, ramp = term.share(last), f"loss.{name}.start", f"loss.{name}.ramp"
        if not share:
            yield f"loss.{name} starts after {term.start} images, and never in a training of {images}: {_remedy(start)}"
        elif share < 1:
            whole, keys = term.start + term.ramp, f"{start} or {ramp}" if term.start else ramp
            yield f"loss.{name} has its whole weight after {whole} images, and never in a training of {images}: {_remedy(keys)}"


def _seen_by_last_batch(images: int, batch_size: int) -> int:
    """Return how many images have been seen when the last batch begins."""
    return (images // batch_size - 1) * batch_size


def _remedy(keys: str) -> str:
    return f"lower {keys}, or raise trainer.images"
