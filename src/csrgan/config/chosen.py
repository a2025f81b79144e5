"""Groups among the overrides of a command: faults in their names and choices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from csrgan.config import misplaced, search
from csrgan.config.folder import groups
from csrgan.config.override import BY_FILE, by_file, single, unknown_key
from csrgan.config.unread import misnamed_group
from csrgan.errors import UserError
from csrgan.files import exists

Groups = Mapping[str, Sequence[str]]

# Choices that Hydra finds in separate packages, with the package.
PLUGINS = {
    "hydra/launcher": {
        "joblib": "hydra-joblib-launcher",
        "ray": "hydra-ray-launcher",
        "submitit_local": "hydra-submitit-launcher",
        "submitit_slurm": "hydra-submitit-launcher",
    },
    "hydra/sweeper": {"optuna": "hydra-optuna-sweeper"},
}

# Groups of parts from which a system may be assembled.
PARTS = ("generator", "output", "parameter_head", "condition", "upsampling", "discriminator")

# Groups of which several choices go together, as in logger=[csv,wandb]; of another, the last would replace the others.
SEVERAL = ("logger", "callbacks", "experiment", "sweep")

# Prefixes of the groups that a user may add to a command.
ADDED = {"train": ("",), "bench": ("",), "degrade": ("factor/",), "evaluate": ("factor/",)}


def available_groups() -> Groups:
    """Return each group with its choices, the user's own included."""
    return {name: sorted({file.stem for file in files}) for name, files in groups()}


def choice_faults(command: str, override: Override, available: Groups) -> Iterator[str]:
    """Yield a sentence for each choice that its group, sweeper or launcher lacks."""
    name = chosen_group(override, available)
    if sentence := misplaced.kind_fault(override, available):
        yield sentence
    elif name and isinstance(override.value(), bool | int | float):
        yield str(UserError.unknown(name, str(override.input_line).partition("=")[2], available[name]))
    elif name:
        choices = list(filter(None, _choices(override)))
        several = next((value for value in _values(override) if value[:1] == "[" and "," in value), "")
        if several and name.partition("/")[0] not in SEVERAL:
            swept = several[1:-1].replace(" ", "")
            yield f"{name}={several}: {name} takes one choice. To run once for each, write -m {name}={swept}."
        if not choices:
            yield f"{override.input_line} is none of {name}'s choices: {', '.join(available[name])}."
        for choice in choices:
            if choice not in available[name]:
                own = misplaced.hint(name, choice) + misplaced.forgotten(name, choice) + misplaced.package_hint()
                hint = _photographs(command, choice) if name == "data" and exists(choice) and Path(choice).is_dir() else own
                yield str(UserError.unknown(name, choice, available[name])) + hint
            elif choice != "none":
                yield from (f"{name}={choice}: {file} is empty, so it would change nothing." for file in _empty_files(name, choice))
    elif override.key_or_group in PLUGINS:
        yield from plugin_fault(override.key_or_group, str(override.input_line).partition("=")[2])


def _photographs(command: str, folder: str) -> str:
    """Return how a command takes a folder of photographs."""
    given = {"evaluate": f"data.valid={folder}", "prepare": f"data.train={folder}"}
    return f" For a folder of photographs: data=folder {given.get(command, f'data.train={folder} data.valid=10%')}."


def _empty_files(group: str, choice: str) -> Iterator[Path]:
    """Yield the files of a user's choice that hold nothing, not even a comment."""
    for name, files in groups() if search.folders() else ():
        yield from (file for file in files if name == group and file.stem == choice and not file.read_text("utf-8").strip())


def unused_part_faults(base: DictConfig, parsed: Sequence[Override]) -> Iterator[str]:
    """Yield a sentence for each override of a part that the chosen system lacks."""
    if "system" not in base:
        return
    used, visited = {"system"}, set[str]()
    while used - visited:
        name = next(iter(used - visited))
        visited.add(name)
        node = base.get(name, None)
        text = OmegaConf.to_yaml(node) if OmegaConf.is_config(node) else ""
        used |= {part for part in PARTS if f"${{{part}" in text}
    for override in parsed:
        part = str(override.key_or_group).split(".")[0]
        if part in PARTS and part not in visited:
            system = base.system._target_.rpartition(".")[2]
            yield f"{override.input_line} changes nothing: {system} has no {part} of this kind to choose."


def group_fault(command: str, override: Override, base: DictConfig, available: Groups) -> Iterator[str]:
    """Yield a sentence for a key that looks like a group but is not one."""
    key = str(override.key_or_group)
    top = key.partition(".")[0]
    if "/" in key and OmegaConf.select(base, key.replace("/", "."), default="absent") != "absent":
        yield f"{key} is no group of choices, but {key.replace('/', '.')} is a setting or holds some."
    elif "/" in key:
        choices = list(_choices(override)) if not override.is_delete() else []
        too_high = "".join(misplaced.hint(key, choice) for choice in choices)
        hint = misplaced.group_hint(key) or "".join(misplaced.forgotten(key, choice) for choice in choices)
        yield str(UserError.unknown("conf/", key, available)) + hint + too_high + misplaced.package_hint()
    elif top not in list(base) and top in BY_FILE:
        yield by_file(key)
    elif top not in list(base):
        others = (name for name in available if "/" not in name and _may_add(command, name))
        added = f"+{key} is not a setting that anything reads. " if override.is_add() else ""
        yield added + unknown_key(base, "", top, others)


def rejected_choices(command: str, message: str, chosen: Collection[Override]) -> Iterator[tuple[Override, str]]:
    """Yield the choice that Hydra rejected, with a sentence for it. message: Hydra's own."""
    for override in chosen:
        name = str(override.key_or_group)
        if f"To append to your default list use +{name}=" in message:
            added = f"{name} is no group that csrgan {command} chooses from by itself: it is added with a +, as in +"
            unknown = f"{override.input_line}: csrgan {command} has no {name} to choose."
            misnamed = misnamed_group(name, next(_choices(override)))
            yield override, misnamed or (f"{added}{override.input_line}." if _may_add(command, name) else unknown)
        elif f"Multiple values for {name}." in message or f"{name} appears more than once" in message:
            yield override, f"{override.input_line}: {name} has a choice already, and is chosen without the +."


def _may_add(command: str, group: str) -> bool:
    return group.startswith(ADDED.get(command, ()))


def plugin_fault(group: str, choice: str) -> Iterator[str]:
    """Yield a sentence for a sweeper or launcher that Hydra does not find. Hydra's own message is many lines long."""
    options = GlobalHydra.instance().config_loader().get_group_options(group)
    if choice not in options and choice in PLUGINS[group]:
        yield f"{group}={choice} needs {PLUGINS[group][choice]}, which is not installed: pip install {PLUGINS[group][choice]}."
    elif choice not in options:
        yield str(UserError.unknown(group, choice, {*options, *PLUGINS[group]}))


def chosen_group(override: Override, available: Groups) -> str:
    """Return the group that an override chooses from; empty if it does not choose."""
    name = str(override.key_or_group)
    return name if name in available and not override.is_delete() else ""


def _values(override: Override) -> Iterator[str]:
    return (word.split("=", 1)[1] for word in single(override))


def _choices(override: Override) -> Iterator[str]:
    for value in _values(override):
        names = value[1:-1].split(",") if value[:1] == "[" else [value]  # a list chooses several at once
        yield from (name.strip().strip("'\"") for name in names)
