"""Faults in a command's overrides, and errors of Hydra and OmegaConf, each as one plain sentence with the valid choices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from csrgan import rules
from csrgan.config import search
from csrgan.config.check import Rules, declared_rules
from csrgan.config.chosen import (
    PLUGINS,
    Groups,
    available_groups,
    choice_faults,
    chosen_group,
    group_fault,
    plugin_fault,
    rejected_choices,
    unused_part_faults,
)
from csrgan.config.composed import composed_faults, folder_faults
from csrgan.config.flags import SEVERAL, flag_faults, split_flags
from csrgan.config.folder import contents
from csrgan.config.hydras_own import file_fault
from csrgan.config.location import conf
from csrgan.config.lost import lost_choices
from csrgan.config.misplaced import OF_KINDS, package_faults
from csrgan.config.override import (
    double_fault,
    first_line,
    override_faults,
    several_fault,
    single,
    takes_list,
    unreadable,
)
from csrgan.config.paths import literal_path, with_decoded_paths
from csrgan.config.swept import hydra_fault, list_fault, params, place, unasked
from csrgan.config.torn import torn_at_blanks, torn_at_commas
from csrgan.config.unread import misnamed_metrics, unread_faults
from csrgan.errors import UserError


def check_command(command: str, arguments: Sequence[str]) -> None:
    """Raise UserError for all faults in the overrides of a command and in the configuration that they compose.

    Nothing heavy is imported. For a sweep, each choice and each value is checked here, and their combinations job by job.
    """
    flags, overrides = split_flags(arguments)
    with initialize_config_dir(str(conf()), version_base="1.3", job_name=command):
        faults = list(dict.fromkeys(_faults(command, overrides, flags)))
    for folder in (literal_path(word) for word in overrides if word.startswith("resume=")):
        faults += list(lost_choices(Path(folder), faults)) if folder else []
    if faults:
        raise UserError(*map(with_decoded_paths, faults))


def _faults(command: str, words: Sequence[str], flags: Sequence[str]) -> Iterator[str]:
    yield from flag_faults(command, flags)
    yield from search.unknown_packages()
    yield from search.name_clashes(conf())
    yield from misnamed_metrics(" ".join(words))
    words, torn = torn_at_blanks(words)
    parsed, wrong = _parsed(words)
    available = available_groups()
    for override in parsed:
        if sentences := list(choice_faults(command, override, available)):
            wrong.setdefault(str(override.key_or_group), []).extend(sentences)
    chosen = [override for override in parsed if chosen_group(override, available)]
    plugins = [override for override in parsed if override.key_or_group in PLUGINS]
    good = [override for override in (*chosen, *plugins) if str(override.key_or_group) not in wrong]
    base = _composed(command, good, wrong)
    swept: list[Override] = []
    several = base is not None and _several(base, words, flags)
    if base is not None and several:  # a single run ignores the lists of a sweep's file
        swept, told = _swept(command, base, {str(override.key_or_group) for override in parsed}, available)
        first = [override for override in swept if chosen_group(override, available)]
        base = _composed(command, [*first, *good], wrong) if first else base
        yield from told
    lost = [] if base is None else _lost(command, base, words)
    if base is None or lost:
        yield from (*lost, *(sentence for sentences in wrong.values() for sentence in sentences))
        return
    with open_dict(base):
        hydra = base.pop("hydra")
    wrong |= _unknown_keys(base, words, [key for key in wrong if key not in (*available, *OF_KINDS)])
    torn |= torn_at_commas(base, words)
    wrong |= torn
    if "system" not in wrong:
        yield from unused_part_faults(base, parsed)
    ranges = declared_rules(contents(base, resolve=False))
    for override in (override for override in swept if not chosen_group(override, available)):
        found = _sentences(command, base, override, available, ranges)
        yield from (f"{place(override.get_key_element(), hydra.runtime.choices)}: {sentence}" for sentence in found)
    for override in parsed:
        key = str(override.key_or_group)
        within_wrong = any(key.startswith(f"{name.replace('/', '.')}.") for name in wrong)
        if override in chosen or key in PLUGINS or (key in OF_KINDS and key in wrong) or within_wrong or key in torn:
            continue
        if key.startswith(("hydra.", "hydra/")):
            sentences = list(hydra_fault(hydra, override))
        else:
            sentences = _sentences(command, base, override, available, ranges)
        if sentences:
            wrong.setdefault(key, []).extend(sentences)
    _add_faults_of_several(base, parsed, wrong, several)
    yield from (sentence for sentences in wrong.values() for sentence in sentences)
    if set(flags) <= {SEVERAL}:  # other flags, such as --help, start no run
        asked = several or base.get("resume") or any(word.startswith("hydra.mode=") for word in words)
        yield from () if asked else unasked(hydra, {str(override.key_or_group) for override in parsed})
        yield from folder_faults(command, base, several)
        yield from composed_faults(base, wrong, several)


def _lost(command: str, base: DictConfig, words: Sequence[str]) -> list[str]:
    """Return sentences about settings of the user's files that go nowhere: for want of a line in the file, or else unread."""
    return [*package_faults(base, base.hydra.runtime.choices)] or [*unread_faults(command, base, words)]


def _several(base: DictConfig, words: Sequence[str], flags: Sequence[str]) -> bool:
    """Return whether a sweep is asked for, by the command or by its yaml file."""
    modes = [word.partition("=")[2] for word in words if word.startswith("hydra.mode=")] or [str(base.hydra.mode)]
    return SEVERAL in flags or modes[-1].endswith("MULTIRUN")


def _unknown_keys(base: DictConfig, words: Sequence[str], keys: Sequence[str]) -> dict[str, list[str]]:
    """Return a sentence for each key that does not exist, which matters more than why its value cannot be read."""
    given = [key for key in keys if any(word.startswith(f"{key}=") for word in words)]
    tops = {key: key.partition(".")[0] for key in given}
    unknown = {key: top for key, top in tops.items() if top.isidentifier() and top not in (*base, "hydra")}
    return {key: [str(UserError.unknown("the configuration", top, map(str, base)))] for key, top in unknown.items()}


def _add_faults_of_several(base: DictConfig, parsed: Sequence[Override], wrong: dict[str, list[str]], several: bool) -> None:
    """Add to `wrong` what is wrong with overrides that hold several values. several: whether a sweep is asked for."""
    for override in parsed:
        key = str(override.key_or_group)
        sentences = list(double_fault(override) if several else several_fault(base, override))
        if sentences and (key not in wrong or (not several and takes_list(base, key))):
            wrong[key] = sentences


def _swept(command: str, base: DictConfig, given: Collection[str], available: Groups) -> tuple[list[Override], list[str]]:
    """Return the overrides that the yaml file of a sweep holds, and sentences for what can be none, with their place. given: keys
    of the command, whose values replace the file's."""
    good: list[Override] = []
    told: list[str] = []
    for key, value in params(base.hydra, given).items():
        sentences = list(list_fault(base, key, value))
        parsed, wrong = ([], {}) if sentences else _parsed([f"{key}={value}"])
        sentences += [sentence for found in wrong.values() for sentence in found]
        for override in parsed:
            sentences += [*choice_faults(command, override, available)] or [*double_fault(override)]
        told += [f"{place(key, base.hydra.runtime.choices)}: {sentence}" for sentence in sentences]
        good += [] if sentences else parsed
    return good, told


def _sentences(command: str, base: DictConfig, override: Override, available: Groups, ranges: Rules) -> list[str]:
    """Return what is wrong with the override of a value. If nothing is, set it in the configuration, unless it is a sweep's."""
    return (
        [*group_fault(command, override, base, available)]
        or [*override_faults(base, override, ranges)]
        or [*_apply(base, override)]
    )


def _apply(config: DictConfig, override: Override) -> Iterator[str]:
    """Set the override's value in the configuration, unless it is a sweep's. Faults in a mapping appear only here."""
    try:
        if not override.is_sweep_override():
            OmegaConf.update(config, str(override.key_or_group), override.value(), force_add=override.is_add())
    except OmegaConfBaseException as reason:
        yield f"{override.input_line}: {first_line(reason)}."


def _parsed(words: Sequence[str]) -> tuple[list[Override], dict[str, list[str]]]:
    """Return the overrides, and sentences for words that are none, by the text before the =."""
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    parsed: list[Override] = []
    wrong: dict[str, list[str]] = {}
    for word, after in zip(words, [*words, "="][1:], strict=True):
        key = word.partition("=")[0]
        if ("=" not in word and not word.startswith("~")) or word.startswith("="):
            wrong.setdefault(word, []).append(f"{word} is no setting: a setting is given as key=value.")
            continue
        try:
            (override,) = parser.parse_overrides([word])
            next(single(override), None)  # a range() may have step 0
            parsed.append(override)
        except (OverrideParseException, ValueError) as reason:
            wrong.setdefault(key.lstrip("+~"), []).append(unreadable(word, reason, torn="=" not in after))
    return parsed, wrong


def _composed(command: str, chosen: list[Override], wrong: dict[str, list[str]]) -> DictConfig | None:
    """Return the configuration of these choices, without those that Hydra rejects, for which sentences are added to `wrong`; None
    if it cannot be composed."""
    while True:
        try:
            return _compose(command, [next(single(override)) for override in chosen])
        except UserError as fault:
            rejected = next(rejected_choices(command, str(fault.__context__), chosen), None)
            if rejected is None:
                wrong.setdefault("", []).append(str(fault))
                return None
            override, sentence = rejected
            chosen.remove(override)
            wrong.setdefault(str(override.key_or_group), []).append(sentence)


def _compose(command: str, words: list[str]) -> DictConfig:
    try:
        return compose(command, words, return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as reason:
        missing = re.search(r"'(hydra/\w+)/(\w+)'", str(reason))
        if missing:
            raise UserError(*plugin_fault(*missing.groups())) from None
        trained = re.search(r"In 'system/(\w+)': Could not override", str(reason))
        if trained:
            raise UserError(*rules.untrained(trained[1], trained=True)) from None
        raise UserError(file_fault(reason) or f"the configuration cannot be composed: {first_line(reason)}") from None
