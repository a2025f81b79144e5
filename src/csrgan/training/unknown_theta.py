"""What cannot learn or be scored where the degradation of given pairs is unknown, said before it starts."""

from __future__ import annotations

from collections.abc import Iterator

from csrgan import rules
from csrgan.data.module import Photographs
from csrgan.data.paired import Paired
from csrgan.errors import raise_faults
from csrgan.restorers.restorer import Restorer
from csrgan.training.module import TrainingModule


def examine(system: TrainingModule, data: Photographs) -> None:
    """Raise UserError for what learns from the true degradation where pairs of data.train, or an oracle where pairs of data.valid
    lack it."""
    raise_faults(_of_losses(system, data), of_oracle(system.restorer, data))


def of_oracle(restorer: Restorer, data: Photographs) -> Iterator[str]:
    """Yield a sentence where a restorer is given the true degradation in an evaluation, and pairs of data.valid lack it."""
    paired = _given(data, "data.valid")
    if paired is None or restorer.oracle in (None, "prediction"):
        return
    if lacking := _lacking(paired, (*paired.degradation.prior.ranges, "kernel")):
        other = ", take oracle=prediction with a checkpoint that predicts it," if "prediction" in restorer.oracle_modes else ""
        yield (
            f"{restorer.kind.name} is given the true degradation (oracle={restorer.oracle}), and {lacking}: give it as columns of"
            f" data.valid.pairs=FILE.csv{other} or choose another system."
        )


def _of_losses(system: TrainingModule, data: Photographs) -> Iterator[str]:
    paired = _given(data, "data.train")
    if paired is None:
        return
    prior, remedies = system.restorer.prior, dict[str, str]()
    names: tuple[str, ...] = prior.predicted
    if getattr(system, "coded", False):
        remedies[system.restorer.kind.name] = "choose a system that does not learn from it, such as system=srgan"
        names = (*(name for name, drawn in prior.ranges.items() if drawn.ends[0] < drawn.ends[1]), "kernel")
    else:
        terms = [item for updater in system.updaters.values() for item in updater.objective.terms.items()]
        if system.restorer.needs_truth:
            remedies[f"{system.restorer.kind.name} with system.oracle={system.restorer.oracle}"] = "choose system.oracle=null"
        for name in (name for name, term in terms if "theta_true" in term.needs):
            without = rules.without_loss(name, "choose ")
            remedies[f"loss/{name}"] = f"{without} parameter_head=none" if name == "parameters" else without
        discriminator = getattr(system, "discriminator", None)
        if getattr(discriminator, "reads_theta", False):
            remedies[f"the discriminator {type(discriminator).__name__}"] = (
                "choose another discriminator, such as discriminator=vgg"
            )
    lacking = _lacking(paired, names)
    for who, choice in remedies.items() if lacking else ():
        yield f"{who} needs the true degradation, and {lacking}: {choice}, or give it as columns of data.train.pairs=FILE.csv."


def _given(data: Photographs, key: str) -> Paired | None:
    """Return the pairs of data.train or data.valid; None where L is made from photographs."""
    pictures = data.pictures(key) if data.sources[key] else None
    return pictures if isinstance(pictures, Paired) and pictures.share < 1 else None


def _lacking(paired: Paired, names: tuple[str, ...]) -> str:
    """Say which of these parameters the pairs lack; empty if they lack none."""
    unknown = paired.unknown(names)
    if not unknown:
        return ""
    most = max(unknown.values())
    return f"{paired.key} does not give {', '.join(unknown)} of {most} of its {len(paired.names)} pairs"
