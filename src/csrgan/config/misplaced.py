"""Yaml files of the user's that lie one folder too high, and words that choose without the kind in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hydra.core.override_parser.types import Override

from csrgan.config import search
from csrgan.config.location import conf
from csrgan.files import relative

# Groups whose choices lie in folders of their kinds, with what a kind holds: there is conf/loss/KIND/NAME.yaml.
OF_KINDS = {"factor": "a factor of the degradation", "loss": "a loss term"}


def kind_fault(override: Override, available: Mapping[str, Sequence[str]]) -> str | None:
    """Return a sentence for a choice from a group of kinds, as in loss=sobel; None for any other override."""
    group, value = str(override.key_or_group), override.value()
    if group not in OF_KINDS or override.is_delete() or not isinstance(value, str) or "$" in value:
        return None
    said = f"{override.input_line} names no kind: {OF_KINDS[group]} is chosen as {group}/KIND=NAME"
    files = [folder / group / f"{value}.yaml" for folder in search.folders()]
    for file in (file for file in files if file.is_file()):
        there = f"{relative(file)} lies one folder too high: move it to {relative(file.parent)}/KIND/{file.name}, with a KIND of"
        return f"{said}. {there} your own, and add it with +{group}/KIND={value}."
    kinds = [kind for kind, choices in available.items() if kind.startswith(f"{group}/") and value in choices]
    words = [f"{'' if _is_chosen(kind) else '+'}{kind}={value}" for kind in kinds]
    return f"{said}, here {' or '.join(words)}." if words else f"{said}; the kinds are {', '.join(_kinds(group, available))}."


def hint(group: str, choice: str) -> str:
    """Return where a user's file lies that a group lacks, if that is a folder above; empty if there is none."""
    above = ["", *("/".join(group.split("/")[:depth]) for depth in range(1, group.count("/") + 1))]
    files = [(folder, folder / place / f"{choice}.yaml") for folder in search.folders() for place in above]
    found = [
        f" {relative(file)} lies too high: move it to {relative(folder / group / file.name)}."
        for folder, file in files
        if file.is_file()
    ]
    return "".join(found)


def _kinds(group: str, available: Mapping[str, Sequence[str]]) -> Iterator[str]:
    return (kind for kind in available if kind.startswith(f"{group}/"))


def _is_chosen(kind: str) -> bool:
    """Return whether csrgan train chooses from a kind by itself, so that no + is needed."""
    return f"- {kind}: " in Path(conf(), "train.yaml").read_text(encoding="utf-8")
