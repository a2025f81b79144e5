"""The command `csrgan`. Nothing heavy is imported before it is needed: --help answers at once."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from csrgan.errors import RunStopped, printable

COMMANDS = {
    "train": "train a system; ends with a table, panels and checkpoints in one run folder",
    "evaluate": "score a checkpoint on photographs over the frozen grid of degradations",
    "restore": "restore photographs with a checkpoint, and say how they had been degraded",
    "publish": "write what others need of a trained system: its network alone, and a page about it",
    "degrade": "degrade photographs with known parameters, as a benchmark set",
    "prepare": "decode photographs once, or pack them into shards, before they are needed",
    "report": "turn a sweep into one page",
    "dashboard": "create the workspace of charts, pictures and tables at Weights & Biases",
    "replay": "show why nothing could be learned from a batch that a run left out",
    "bench": "time the degradation beside plain compositions, and as a share of a training step",
    "list": "show what can be chosen",
    "completion": "complete commands, groups, choices, keys and files by the tabulator",
    "new": "write a package of your own, with a network, a loss, a system and a degradation that train at once",
}

HELP = ("-h", "--help", "help")

# The key of a word that may be given without one, first.
FIRST = {"list": "group", "new": "folder", "replay": "file", "report": "folder"}

# A module named `list` would, once imported, hide the builtin in this package.
MODULES = {"list": "list_choices"}

USAGE = """csrgan: blind image super-resolution, trained and compared under control

usage: csrgan COMMAND [key=value ...]        csrgan COMMAND --help shows a command's keys and choices

commands:
{commands}

examples:
  csrgan train trainer=smoke                                 a whole run in well under a minute
  csrgan train output=minmax loss/parameters=none seed=1     one factor changed is one override
  csrgan train -m loss.parameters.weight=0,0.1,1             a sweep
  csrgan restore checkpoint=runs/csrgan/TIME source=photos destination=restored
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 2 where the user's input cannot be used, told in plain sentences."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[1:] and words[0] in HELP:
        words = [words[1], "--help", *words[2:]]
    if not words or words[0] in HELP:
        width = max(map(len, COMMANDS))
        print(USAGE.format(commands="\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())))
        return 0
    if "--version" in words[:2]:
        print(f"csrgan {version('csrgan')}")
        return 0
    command, *rest = words
    if command not in COMMANDS:
        print(printable(f"csrgan: {_unknown(command, rest)}"), file=sys.stderr)
        return 2
    if command == "completion":  # it has no keys, and may not wait for a configuration
        print(import_module("csrgan.cli.completion").run(rest), end="")
        return 0
    return _run(command, rest)


def _unknown(command: str, rest: list[str]) -> str:
    """A sentence for a first word that is no command."""
    meant = next((word for word in rest if word in COMMANDS), None)
    if meant and (command.startswith("-") or "=" in command):
        return f"the command comes first, as in csrgan {meant} {command}."
    near = get_close_matches(command.lower().lstrip("-"), (*COMMANDS, "help"), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"there is no command {command}. The commands: {', '.join(COMMANDS)}.{hint}"


def _run(command: str, words: list[str]) -> int:
    from csrgan.config import faults

    try:
        return execute(command, words).status
    except KeyboardInterrupt:
        print("csrgan: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # who read the output has enough of it, as in `csrgan train --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except RunStopped as stop:
        print(printable(f"csrgan {command}: {stop}"), file=sys.stderr)
        return stop.status
    except Exception as error:
        sentence = faults.user_message(error)
        if sentence is None:
            raise
        for line in sentence.split("\n"):
            print(f"csrgan {command}: {line}", file=sys.stderr)
        return 2


@dataclass(frozen=True)
class Done:
    """What a command came to: its exit status, and the folders of the runs that it finished in this process."""

    status: int
    folders: tuple[Path, ...] = ()


def execute(command: str, words: list[str]) -> Done:
    """Run a command, whose errors are raised. Raises UserError for all that is wrong with the words, before anything begins."""
    from csrgan.config import faults, old_names, paths, search
    from csrgan.config.flags import split_flags

    warnings.filterwarnings("ignore", "Glyph .* missing from")  # of a name in a script that matplotlib's font has not
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then lets errors through
    flags, words = split_flags(words)
    with search.search_config_dirs([*words, *flags]) as left:
        known = old_names.translate(left, command)
        known = import_module("csrgan.config.resume").with_resumed(known) if command == "train" else known
        known = paths.for_hydra(_with_key(command, known))
        faults.check_command(command, known)
        return _hydra(command, known)


def _with_key(command: str, words: list[str]) -> list[str]:
    """The words of a command whose first may be given without its key."""
    bare = command in FIRST and words and not words[0].startswith("-") and ("=" not in words[0] or Path(words[0]).exists())
    return [f"{FIRST[command]}={words[0]}", *words[1:]] if bare else words


def _hydra(command: str, words: list[str]) -> Done:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import DictConfig, OmegaConf

    from csrgan.config import job
    from csrgan.config.build import checked_settings
    from csrgan.config.flags import split_flags
    from csrgan.config.folder import conf
    from csrgan.config.paths import encoded

    statuses: list[int] = []
    failures: list[Exception] = []
    folders: list[Path] = []

    def task(config: DictConfig) -> float | None:
        several = HydraConfig.get().mode == RunMode.MULTIRUN
        runtime: Any = OmegaConf.to_container(cast(Any, HydraConfig.get().runtime))  # as it is: nothing in it is an interpolation
        config.run_dir = encoded(runtime["output_dir"] if several else str(Path(config.run_dir).absolute()))
        command_module = "sweep" if several and command == "train" else MODULES.get(command, command)
        try:
            if command == "train" and not several:
                checked_settings(config)  # an impossible value is told before anything heavy is imported
            result = _imported(f"csrgan.cli.{command_module}").run(config)
        except Exception as error:  # Hydra would add a line of its own; it is told by _run
            if several:  # perhaps in another process, where nobody would read the list
                raise
            failures.append(error)
            return None
        folders.append(Path(config.run_dir))
        statuses.append(result if isinstance(result, int) else 0)
        return result if isinstance(result, float) else None

    before = sys.argv
    flags, overrides = split_flags(words)
    sys.argv = [f"csrgan {command}", *flags, *overrides]
    try:
        if flags or not job.run(command, overrides, task):
            hydra.main(version_base="1.3", config_path=str(conf()), config_name=command)(task)()
    except SystemExit as left:  # after --help and its like
        return Done(int(left.code or 0))
    finally:
        sys.argv = before
    if failures:
        raise failures[0]
    return Done(max(_swept() or statuses, default=0), tuple(folders))


def _swept() -> list[int]:
    """The exit status of the sweep that this process ran, after a table of its jobs; empty where there was none."""
    hydra_sweep = sys.modules.get("csrgan.workflow.hydra_sweep")
    folder = hydra_sweep.SweepRecorder.taken() if hydra_sweep else None
    return [import_module("csrgan.cli.sweep").report(folder)] if folder else []


def _imported(name: str) -> ModuleType:
    """A module with all that it imports. None of that is garbage, and to look for some would take a fifth of the start."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()
