"""Faults in a command's overrides, and errors of Hydra and OmegaConf, each as one plain sentence with the valid choices."""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from csrgan import rules
from csrgan.config import search
from csrgan.config.arguments import argument_faults
from csrgan.config.check import Rules, declared_rules, value_faults
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
from csrgan.config.combinations import brings_protocol, combination_faults
from csrgan.config.flags import SEVERAL, flag_faults, split_flags
from csrgan.config.folder import contents
from csrgan.config.hydras_own import file_fault
from csrgan.config.location import conf
from csrgan.config.lost import lost_choices
from csrgan.config.misplaced import OF_KINDS, package_faults
from csrgan.config.occupied import occupied_faults
from csrgan.config.optional_packages import missing_packages
from csrgan.config.override import (
    double_fault,
    first_line,
    override_faults,
    several_fault,
    single,
    takes_list,
    torn_at_blanks,
    torn_at_commas,
    unreadable,
)
from csrgan.config.paths import broken_interpolation, literal_path, with_decoded_paths
from csrgan.config.swept import hydra_fault, list_fault, params, place, unasked
from csrgan.config.targets import early_faults
from csrgan.config.unread import misnamed_metrics, unread_faults
from csrgan.config.yaml_errors import yaml_message
from csrgan.errors import UserError, memory_ran_out, needed, printable
from csrgan.tree import Settings

MEMORY = (
    "out of memory: lower data.batch_size (optimizer.accumulate makes up for it), data.crop, evaluation.crop or data.memory_mb, or"
    " take trainer.precision=bf16-mixed; what was saved before is whole, and csrgan train resume=RUN_FOLDER goes on with it."
)

KILLED = (
    "a process that reads photographs was killed, probably because memory ran out: lower data.workers or data.memory_mb."
    " What was saved before is whole, and csrgan train resume=RUN_FOLDER goes on with it."
)

TORCHVISION = (
    "torchvision is installed, and does not fit this torch: pip uninstall torchvision, which csrgan does not need, or install"
    " it from the same source as torch."
)

# Errors of other libraries, by a type or by words in them, with what they mean to a user.
SIGNS = {
    **dict.fromkeys(("is killed by signal", "exited unexpectedly"), KILLED),  # raised by torch's loader
    "torchvision::nms": TORCHVISION,  # lightning and torchmetrics import it if it is installed
    "BasicSweeper does not support": "interval() and tag() are for a guided search: add hydra/sweeper=optuna.",
    'Could not detect "srun"': (
        "hydra/launcher=submitit_slurm needs Slurm, and there is no srun here: start the command where Slurm is, or choose"
        " hydra/launcher=joblib."
    ),
    "No trials are completed yet": "no trial of the search is complete; job.json in each one's folder says why.",
}


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
        yield from _folder_faults(command, base, several)
        yield from _composed_faults(base, wrong, several)


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


def _folder_faults(command: str, config: DictConfig, several: bool) -> Iterator[str]:
    """Yield why a command cannot write into its run_dir. several: whether it is a sweep."""
    folder = with_decoded_paths(str(config._get_node("run_dir")))
    if several and broken_interpolation(folder):
        yield f"run_dir={folder}: a sweep cannot use a folder whose name has a ${{ that is not closed."
    if not config.get("resume"):  # a run goes on wherever it lies
        checkpoint = config._get_node("checkpoint") if command == "evaluate" else None
        scores = None if checkpoint is None or checkpoint._is_none() else Path(with_decoded_paths(str(checkpoint)))
        yield from occupied_faults(command, Path(folder), several=several, scores=scores)


def _composed_faults(config: DictConfig, wrong: Collection[str], several: bool) -> Iterator[str]:
    """Yield what is missing or impossible in a composed configuration, and choices that do not go together.

    wrong: keys and groups that were not set because they have faults. several: whether the configuration is a sweep's.
    """
    with open_dict(config):
        config.run_dir = ""  # it names the time and the experiment, which Hydra resolves later
        config.setdefault("degradation", None)  # missing if a checkpoint holds it
    if "rule" in (config.get("system") or {}) and "optimizer" not in config:
        yield from rules.untrained(str(config.system._target_).rpartition(".")[2].lower(), trained=True)
        return
    ranges, absent = declared_rules(contents(config, resolve=False)), list(early_faults(contents(config, resolve=False)))
    try:
        settings = contents(config)
        missing = sorted(key for key in OmegaConf.missing_keys(config) if key not in wrong)
        faults = [
            *map(needed, missing),
            *_checkpoint_faults(config),
            *_logger_faults(config),
            *missing_packages(_own_values(config)),
            *value_faults(_own_values(config), ranges),
            *absent,
            *argument_faults(contents(config, resolve=False)),
        ]
    except OmegaConfBaseException as reason:
        yield f"{reason.full_key}: {first_line(reason)}."
        return
    yield from faults
    if not several and not absent and not list(value_faults(settings, ranges)):
        yield from combination_faults(settings, wrong)


def _checkpoint_faults(config: DictConfig) -> Iterator[str]:
    """Yield what csrgan evaluate and restore need if they are given no checkpoint."""
    if "checkpoint" in config:
        given = config.checkpoint is not None, bool(config.get("system")), bool(config.get("degradation"))
        if config.get("results") is not None:
            pairs = bool(config.data.get("pairs"))
            yield from rules.given_results(str(config.results), other=any(given[:2]), degradation=given[2], pairs=pairs)
            return
        if not brings_protocol(contents(config, resolve=False).get("system")):
            yield from rules.checkpoint_or_system(*given, restores="evaluation" not in config)


def _logger_faults(config: DictConfig) -> Iterator[str]:
    if "_target_" in (config.get("logger") or {}):
        yield f"logger: a logger needs a name in its yaml file, as in mine: {{_target_: {config.logger._target_}}}."


def _own_values(config: DictConfig) -> Settings:
    """Return a configuration without interpolations, so that a fault is reported only at the key where it was made."""
    names = [str(name) for name in config]
    own = [name for name in names if not OmegaConf.is_interpolation(config, name) and not OmegaConf.is_missing(config, name)]
    return {name: _own_values(config[name]) if OmegaConf.is_dict(config[name]) else _plain(config[name]) for name in own}


def _plain(value: object) -> object:
    return OmegaConf.to_container(value, resolve=True) if isinstance(value, DictConfig | ListConfig) else value


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


def user_message(error: BaseException) -> str | None:
    """Return the sentence for an error that the user can fix, one per line for a UserError; None for a fault in csrgan."""
    sentence = str(error) if isinstance(error, UserError) else _library_message(error)
    return sentence if isinstance(error, UserError) or sentence is None else printable(sentence)


def _library_message(error: BaseException) -> str | None:
    """Return the sentence for an error that a library raised."""
    if isinstance(error, MissingMandatoryValue):
        return needed(str(error.full_key))
    if isinstance(error, InstantiationException):
        return re.sub(r"\s+", " ", str(error))
    if isinstance(error, OSError) and error.filename is not None:
        return f"{Path(str(error.filename))}: {error.strerror}."
    if sentence := sign_message(error):
        return sentence
    known = isinstance(error, HydraException | OmegaConfBaseException)
    return first_line(error) if known else yaml_message(error) or _plugin_message(error)


def sign_message(error: BaseException) -> str | None:
    """Return the sentence for an error that is known by its words, wherever it was raised."""
    text = f"{type(error).__name__}: {error}"
    return MEMORY if memory_ran_out(error) else next((sentence for sign, sentence in SIGNS.items() if sign in text), None)


def _plugin_message(error: BaseException) -> str | None:
    """Return the sentence for an error of a launcher or sweeper; None for one of a job that it ran, which is a fault in csrgan."""
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = max((index for index, module in enumerate(modules) if module.startswith("hydra_plugins.")), default=None)
    of_job = type(error.__cause__).__name__ == "_RemoteTraceback" or "Traceback" in str(error)  # of joblib or submitit
    if last is None or of_job or any(module.startswith("csrgan.") for module in modules[last:]):
        return None
    return f"{modules[last].split('.')[1]} cannot run this sweep: {type(error).__name__}: {first_line(error)}"
