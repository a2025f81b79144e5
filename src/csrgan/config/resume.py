"""Resume a stopped run: its own overrides come first, new ones follow, and each new one takes effect or is refused."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path

import yaml

from csrgan.config import announced
from csrgan.config.check import REFERENCE
from csrgan.config.folder import groups
from csrgan.config.old_names import translate_silently
from csrgan.config.override import plain_number
from csrgan.config.paths import literal_path, with_decoded_paths
from csrgan.config.settings import CHANGEABLE
from csrgan.declared import constant
from csrgan.errors import UserError, meant, printable, require
from csrgan.run_folder import CHECKPOINTS, CONFIG, JOB, LAST, OVERRIDES, PREVIOUS, SWEEP
from csrgan.tree import Settings, value_at

# Keys and groups that decide on the layers of the restoring network, or on the units of what it predicts: a run with others cannot
# begin from it.
LAYERS = (
    *("generator", "parameter_head", "condition", "upsampling", "size", "system", "experiment", "loss.parameters.variance"),
    *("degradation.predicted", "degradation.factors", *(f"degradation.{key}.uniform_in" for key in ("blur", "scale", "noise"))),
)

NOT_AGAIN = ("run_dir=", "hydra.mode=")  # words of a sweep's command that are given in another way

ONE_JOB = "hydra.mode=RUN"  # the only override of Hydra itself that a run keeps: it was a job of a sweep


def with_resumed(words: Sequence[str]) -> list[str]:
    """Return the words of the command line, preceded by those that started the run named by resume=FOLDER."""
    folders = [literal_path(word) for word in words if word.startswith("resume=")]
    if not folders or not folders[-1]:
        return translate_silently(words)
    folder = Path(folders[-1])
    checkpoints = [folder / CHECKPOINTS / name for name in (LAST, PREVIOUS)]
    if not (folder / OVERRIDES).is_file() or not any(file.is_file() for file in checkpoints):
        require(folder.exists(), f"resume={folder} does not exist.{meant(folder)}")
        _require_run(folder)
        sentence = f"resume={folder} is not the folder of a run that has saved a checkpoint"
        again = ""
        if (folder / OVERRIDES).is_file() and begun_by_training(folder):
            again = f" This does: {announced.command('train', *original_words(folder), f'run_dir={folder}')}"
        raise UserError(f"{sentence}: one that ended before its first save (trainer.save_every) can only begin again.{again}")
    original = original_words(folder)
    new = _new_words(words, original)
    faults = [_word_fault(word, folder) for word in new]
    if any(faults):
        raise UserError(*filter(None, faults))
    return [*original, *new, f"run_dir={folder}"]


def _require_run(folder: Path) -> None:
    """Raise UserError for what is no run's folder: a sweep's, or one in which no run began."""
    jobs = sorted(file.parent for file in folder.glob(f"*/{JOB}"))
    again = command_of_sweep(folder)
    sweep = (
        f"resume={folder} is a sweep: {again or f'its own command, with run_dir={folder},'} runs what is missing"
        f"{f'; resume={jobs[0]} goes on with one job' if jobs else ''}."
    )
    require(not jobs and not (folder / SWEEP).is_file(), sweep)
    begun = (folder / OVERRIDES).is_file() or (folder / CHECKPOINTS).is_dir()
    require(begun, f"resume={folder} is not the folder of a run: it holds none.")


def command_of_sweep(folder: Path) -> str:
    """Return the command that goes on with a sweep, as Hydra has written it down; empty if it did not."""
    try:
        hydra = yaml.safe_load((folder / SWEEP).read_text(encoding="utf-8"))["hydra"]
        name, given = str(hydra["job"]["config_name"]), hydra["overrides"]
        words = [word for word in map(with_decoded_paths, (*given["hydra"], *given["task"])) if not word.startswith(NOT_AGAIN)]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ""
    return printable(announced.command(name, "-m", *words, f"run_dir={folder}"))


def _new_words(words: Sequence[str], original: Sequence[str]) -> list[str]:
    """Return the words without those that only repeat the last word of their key: Hydra accepts some words only once."""
    last = {word.partition("=")[0]: word for word in original}
    new = []
    for word in words:
        key = word.partition("=")[0]
        if last.get(key) != word:
            new.append(word)
        last[key] = word
    return new


def _word_fault(word: str, folder: Path) -> str:
    """Return what is wrong with a new word for a resumed run, judged by the word alone; empty if nothing is."""
    key, _, value = word.partition("=")
    if key == "run_dir" and Path(literal_path(word)).resolve() != folder.resolve():
        return f"{word}: a run goes on in its own folder, resume={folder}; init_from={folder} begins in another."
    if key == "init_from" and value != "null":
        return f"{word}: a run that goes on has a network already; without resume={folder} it begins with this one."
    name = key.lstrip("+~")
    if name in dict(groups()) and name.partition("/")[0] not in CHANGEABLE:  # another choice has other keys
        return f"{word}: a resumed run keeps the {name} that it began with: {_remedy(name, folder)}."
    return ""


def original_words(folder: Path) -> list[str]:
    """Return the overrides that started a run, with the new names. They may be a stranger's: none may configure Hydra."""
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


def begun_by_training(folder: Path) -> bool:
    """Return whether the words in a folder started a training; else they started an evaluation. Its config.yaml tells."""
    if (folder / CHECKPOINTS).is_dir() or not (folder / CONFIG).is_file():
        return True
    return "\ninit_from:" in (folder / CONFIG).read_text(encoding="utf-8", errors="replace")


def same_start(before: Sequence[str], now: Sequence[str]) -> bool:
    """Return whether two lists of words start the same: of each key the last word counts, and their order does not."""
    return start(before) == start(now)


def start(words: Sequence[str]) -> frozenset[str]:
    """Return what two lists of words that start the same have in common."""
    return frozenset({word.partition("=")[0]: plain_number(word) for word in words}.values())


def differing(there: Sequence[str], here: Sequence[str]) -> str:
    """Return the words in which two starts differ, as `seed=1 there, seed=2 here`."""
    parts = (
        " ".join(word for word in one if plain_number(word) not in map(plain_number, two)) or "nothing"
        for one, two in permutations((there, here))
    )
    return "{} there, {} here".format(*parts)


def resumed_settings(recipe: Settings, before: Settings, now: Settings, computed: Collection[str] = ()) -> Settings:
    """Return the settings of a resumed run: those in its checkpoint, with the changes of the command.

    recipe: of the checkpoint. before: settings composed today from the original overrides only; if this csrgan has other defaults,
    the run keeps those it began with. now: settings composed from all overrides. computed: see `computed_keys`; those of objects
    that are rebuilt stay as they were.
    """
    result = {}
    for key, value in now.items():
        built = key not in CHANGEABLE
        wanted = _with_values_at(value, before.get(key), computed, key) if built else value
        result[key] = _merged(recipe.get(key, wanted), before.get(key), wanted, built=built)
    return result


def _with_values_at(now: object, before: object, places: Collection[str], place: str) -> object:
    """Return a tree with the values that another one has at these places."""
    if isinstance(now, dict) and isinstance(before, dict):
        return {key: _with_values_at(value, before.get(key), places, f"{place}.{key}") for key, value in now.items()}
    return before if place in places else now


def _merged(old: object, before: object, now: object, *, built: bool) -> object:
    """built: an object is rebuilt from it as the checkpoint has it, so it gets no argument that its checkpoint lacks."""
    if isinstance(now, dict) and isinstance(old, dict):
        earlier = before if isinstance(before, dict) else {}
        another_class = old.get("_target_") != now.get("_target_")
        if before == now and (built or another_class):
            return old
        return {
            key: _merged(old.get(key, value), earlier.get(key), value, built=built)
            for key, value in now.items()
            if key in old or not built or another_class or earlier.get(key) != value
        }
    return old if before == now else now


def computed_keys(now: object, before: object, place: str = "") -> frozenset[str]:
    """Return the keys that follow from other settings, such as ${share:0.6} from trainer.images, in two unresolved configurations
    alike. Keys that repeat another one whole are not among them."""
    if isinstance(now, Mapping) and isinstance(before, Mapping):
        found = (computed_keys(value, before.get(name), f"{place}.{name}".lstrip(".")) for name, value in now.items())
        return frozenset().union(*found)
    follows = isinstance(now, str) and "${" in now and now == before and not REFERENCE.fullmatch(now)
    return frozenset({place} if follows else ())


def completed(recipe: Settings, before: Settings) -> Settings:
    """Return the settings of a checkpoint with the keys that a later csrgan has added at their default, where they are no change.

    before: settings composed today from the run's original overrides.
    """
    return {key: _filled(value, before.get(key)) if key in CHANGEABLE else value for key, value in recipe.items()}


def _filled(old: object, before: object) -> object:
    if not isinstance(old, dict) or not isinstance(before, dict) or old.get("_target_") != before.get("_target_"):
        return old
    return before | {key: _filled(value, before.get(key)) for key, value in old.items()}


def change_faults(old: Settings, new: Settings, folder: Path, images_seen: int, copies: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each change of a run's settings that cannot take effect. copies: see `references`."""
    changed = [key for key, _ in changes(old, new) if not _below(key, copies)]
    refused = [key for key in changed if not _may_change(key, new, copies) and not _below(key, ("system",))]
    refused += ["loss.adversarial"] if _has_discriminator(old) != _has_discriminator(new) else []
    for key in refused or [key for key in changed if _below(key, ("system",))]:  # which may follow from another change
        then, now = (_short(value_at(settings, key)) for settings in (old, new))
        yield f"{key}={now}: a resumed run keeps what it began with, here {then}: {_remedy(key, folder)}."
    budget = new["trainer"]["images"]
    if budget < images_seen:
        yield f"trainer.images={budget} is less than the {images_seen} images that the run has seen already."


def _remedy(key: str, folder: Path) -> str:
    """Return what to do about a key or group that a resumed run cannot change."""
    own = "begin a new run without resume="
    return (
        f"leave this out, or {own if _below(key, LAYERS) else f'begin another run with its network, by init_from={folder} instead'}"
    )


def changes(old: object, new: object, place: str = "") -> Iterator[tuple[str, tuple[object, object]]]:
    """Yield each difference between two configurations as (key, (old, new)); for an object of another class, the object only."""
    if isinstance(old, dict) and isinstance(new, dict) and old.get("_target_") == new.get("_target_"):
        for key in [*new, *(old.keys() - new.keys())]:
            yield from changes(old.get(key), new.get(key), f"{place}.{key}".lstrip("."))
    elif old != new and place not in ("resume", "run_dir"):
        yield place, (old, new)


def references(tree: object, place: str = "") -> dict[str, str]:
    """Return the keys of an unresolved configuration that only repeat another key, with that key. A change is reported for the
    latter only."""
    if isinstance(tree, Mapping):
        inner = (references(value, f"{place}.{name}".lstrip(".")) for name, value in tree.items())
        return {copy: key for found in inner for copy, key in found.items()}
    match = REFERENCE.fullmatch(tree) if isinstance(tree, str) else None
    return {place: match[1]} if match else {}


def is_copy(key: str, copies: Mapping[str, str]) -> bool:
    """Return whether a key only repeats another. copies: see `references`."""
    return _below(key, copies)


def describe_change(key: str, values: tuple[object, object]) -> str:
    """Return a change as `key old -> new`."""
    return f"{key} {_short(values[0])} -> {_short(values[1])}"


def _may_change(key: str, settings: Settings, copies: Mapping[str, str]) -> bool:
    """Return whether a resumed run may change a key, see `settings.CHANGEABLE`."""
    of_system = {key for place, key in copies.items() if place.rpartition(".")[0] == "system"}
    if not _below(key, CHANGEABLE) or key in {"data", *of_system}:  # the last means that their class changed
        return False
    parts = key.split(".")
    for length in range(1, len(parts)):
        outer = value_at(settings, ".".join(parts[:length]))
        kept = constant(outer["_target_"], "kept_on_resume") if isinstance(outer, dict) and "_target_" in outer else None
        if isinstance(kept, tuple) and parts[length] in kept:
            return False
    return True


def _below(key: str, places: Iterable[str]) -> bool:
    return any(key == place or key.startswith(f"{place}.") for place in places)


def _has_discriminator(settings: Settings) -> bool:
    return bool(settings["loss"].get("adversarial", {}).get("weight"))


def _short(value: object) -> str:
    """Return a value as messages name it: an object by its class, a choice that is switched off as `none`."""
    if isinstance(value, dict):
        return str(value["_target_"]).rpartition(".")[2] if "_target_" in value else "none" if not value else str(value)
    return "null" if value is None else str(value)
