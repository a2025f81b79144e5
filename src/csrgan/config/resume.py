"""Going on with a stopped run: its own overrides come first, new ones after them, and each new one takes effect or is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from csrgan.config.check import REFERENCE
from csrgan.config.folder import groups
from csrgan.config.old_names import translate_silently
from csrgan.config.paths import literal_path
from csrgan.config.settings import CHANGEABLE, KEPT
from csrgan.declared import constant
from csrgan.errors import UserError
from csrgan.run_folder import CHECKPOINTS, LAST, OVERRIDES, PREVIOUS
from csrgan.tree import Settings, value_at

ONE_JOB = "hydra.mode=RUN"  # the one override of Hydra's own that a run keeps: it was a job of a sweep


BUILT = ("degradation", "system")  # objects, which are made from what a checkpoint says of them


def with_resumed(words: Sequence[str]) -> list[str]:
    """The words of the command line, preceded by those that the run named by resume=FOLDER was started with."""
    named = [literal_path(word) for word in words if word.startswith("resume=")]
    if not named or not named[-1]:
        return translate_silently(words)
    folder = Path(named[-1])
    checkpoints = [folder / CHECKPOINTS / name for name in (LAST, PREVIOUS)]
    if not (folder / OVERRIDES).is_file() or not any(file.is_file() for file in checkpoints):
        raise UserError(f"resume={folder} is not the folder of a run that has saved a checkpoint.")
    started = original_words(folder)
    new = _new(words, started)
    faults = [_word_fault(word, folder) for word in new]
    if any(faults):
        raise UserError(*filter(None, faults))
    return [*started, *new, f"run_dir={folder}"]


def _new(words: Sequence[str], started: Sequence[str]) -> list[str]:
    """The words without those that only repeat what was said last of their key: Hydra takes some of them once alone."""
    last = {word.partition("=")[0]: word for word in started}
    new = []
    for word in words:
        key = word.partition("=")[0]
        if last.get(key) != word:
            new.append(word)
        last[key] = word
    return new


def _word_fault(word: str, folder: Path) -> str:
    """What is wrong with a new word for a run that goes on, as far as the word alone tells."""
    key, _, value = word.partition("=")
    if key == "run_dir" and Path(literal_path(word)).resolve() != folder.resolve():
        return f"{word}: a run goes on in its own folder, resume={folder}; init_from={folder} begins in another."
    if key == "init_from" and value != "null":
        return f"{word}: a run that goes on has a network already; without resume={folder} it begins with this one."
    name = key.lstrip("+~")
    if name in dict(groups()) and name.partition("/")[0] not in CHANGEABLE:  # other files have other keys
        return f"{word}: a run goes on with the {name} that it began with; init_from={folder} begins another with its network."
    return ""


def original_words(folder: Path) -> list[str]:
    """The overrides that a run was started with, by today's names. They may be a stranger's: none may change what Hydra does."""
    try:
        words = json.loads((folder / OVERRIDES).read_text(encoding="utf-8"))
        good = isinstance(words, list) and all(isinstance(word, str) for word in words)
    except (OSError, ValueError, RecursionError):
        good = False
    if not good:
        raise UserError(f"{folder / OVERRIDES} is damaged: it holds no overrides.")
    for word in words:
        if word.lstrip("+~").startswith(("hydra.", "hydra/", "-")) and word != ONE_JOB:
            raise UserError(
                f"{folder / OVERRIDES} holds {word}, which no run leaves there: it would change what Hydra itself does."
            )
    return translate_silently(words)


def resumed_settings(recipe: Settings, before: Settings, now: Settings) -> Settings:
    """The settings of a run that goes on: those in its checkpoint, with what the command has changed.

    recipe: of the checkpoint. before: what its own overrides give today, without the new ones: where a later csrgan has other
    defaults, the run keeps what it began with. now: what all overrides give.
    """
    return {key: _kept(recipe.get(key, value), before.get(key), value, built=key in BUILT) for key, value in now.items()}


def _kept(old: object, before: object, now: object, *, built: bool) -> object:
    """built: an object is made from it, and gets no argument that its checkpoint does not name."""
    if isinstance(now, dict) and isinstance(old, dict):
        known = before if isinstance(before, dict) else {}
        another = old.get("_target_") != now.get("_target_")
        if before == now and (built or another):
            return old
        return {key: _kept(old.get(key, value), known.get(key), value, built=built) for key, value in now.items()}
    return old if before == now else now


def change_faults(old: Settings, new: Settings, folder: Path, images_seen: int, tied: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each change of a run's settings that cannot take effect. tied: see `references`."""
    changed = [key for key, _ in changes(old, new) if not _below(key, tied)]
    refused = [key for key in changed if not _may_change(key, new, tied) and not _below(key, ("system",))]
    refused += ["loss.adversarial"] if _plays(old) != _plays(new) else []
    for key in refused or [key for key in changed if _below(key, ("system",))]:  # which may follow from another
        then, now = (_short(value_at(settings, key)) for settings in (old, new))
        yield f"{key}={now}: the run has {then}, and goes on with it; init_from={folder} begins another run with its network."
    budget = new["trainer"]["images"]
    if budget < images_seen:
        yield f"trainer.images={budget} is less than the {images_seen} images that the run has seen already."


def changes(old: object, new: object, place: str = "") -> Iterator[tuple[str, tuple[object, object]]]:
    """What is not the same in two configurations, by key: of an object that is another one, the object alone."""
    if isinstance(old, dict) and isinstance(new, dict) and old.get("_target_") == new.get("_target_"):
        for key in [*new, *(old.keys() - new.keys())]:
            yield from changes(old.get(key), new.get(key), f"{place}.{key}".lstrip("."))
    elif old != new and place not in ("resume", "run_dir"):
        yield place, (old, new)


def references(tree: object, place: str = "") -> dict[str, str]:
    """The keys of a configuration whose interpolations stand as they are that only repeat another, with that one: a change is told
    of that one alone."""
    if isinstance(tree, Mapping):
        return {at: key for name, each in tree.items() for at, key in references(each, f"{place}.{name}".lstrip(".")).items()}
    found = REFERENCE.fullmatch(tree) if isinstance(tree, str) else None
    return {place: found[1]} if found else {}


def is_copy(key: str, tied: Mapping[str, str]) -> bool:
    """Whether a key only repeats what others say. tied: see `references`."""
    return _below(key, tied)


def describe_change(key: str, values: tuple[object, object]) -> str:
    """A change in a few words."""
    return f"{key} {_short(values[0])} -> {_short(values[1])}"


def _may_change(key: str, settings: Settings, tied: Mapping[str, str]) -> bool:
    """See `settings.CHANGEABLE`."""
    of_system = {key for place, key in tied.items() if place.rpartition(".")[0] == "system"}
    if not _below(key, CHANGEABLE) or key in KEPT or key in {"data", *of_system}:  # of these it is their class that has changed
        return False
    parts = key.split(".")
    for length in range(1, len(parts)):
        around = value_at(settings, ".".join(parts[:length]))
        kept = constant(around["_target_"], "kept_on_resume") if isinstance(around, dict) and "_target_" in around else None
        if isinstance(kept, tuple) and parts[length] in kept:
            return False
    return True


def _below(key: str, places: Iterable[str]) -> bool:
    return any(key == place or key.startswith(f"{place}.") for place in places)


def _plays(settings: Settings) -> bool:
    """Whether there is a discriminator."""
    return bool(settings["loss"].get("adversarial", {}).get("weight"))


def _short(value: object) -> str:
    """A value as a sentence names it: of an object its class, of a choice that is switched off `none`."""
    if isinstance(value, dict):
        return str(value["_target_"]).rpartition(".")[2] if "_target_" in value else "none" if not value else str(value)
    return "null" if value is None else str(value)
