"""The command `csrgan`. Heavy imports wait until they are needed, so --help answers at once."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from csrgan.cli.interruption import CTRL_C
from csrgan.cli.pages import PAGES
from csrgan.config.flags import FULL_HELP, HELP, requested_help, split_flags
from csrgan.errors import RunStopped, Terminated, UserError, printable
from csrgan.version import __version__

if TYPE_CHECKING:
    from omegaconf import DictConfig

COMMANDS = {name: page.purpose for name, page in PAGES.items()}

HELP_WORDS = ("-h", HELP, "help")

WORKER_KILLED = ("TerminatedWorkerError", "UncompletedJobError")  # errors of joblib and submitit

USAGE = """csrgan: blind image super-resolution, trained and compared under control

usage: csrgan COMMAND [key=value ...]
       csrgan COMMAND --help              shows what a command needs, with examples
       csrgan COMMAND --help=all          shows all its keys and choices
       csrgan --version

commands:
{commands}

examples:
  csrgan train trainer=smoke                                 run everything once, within a minute
  csrgan train output=minmax loss/parameters=none seed=1     change one factor with one override
  csrgan train -m loss.parameters.weight=0,0.1,1             run a sweep
  csrgan restore checkpoint=runs/csrgan/TIME source=photos destination=restored
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 2, after plain sentences, if the user's input cannot be used."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[1:] and words[0] in HELP_WORDS:
        words = [words[1], HELP, *words[2:]]
    if not words or words[0] in HELP_WORDS:
        width = max(map(len, COMMANDS))
        print(USAGE.format(commands="\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())))
        return 0
    if "--version" in words[:2]:
        print(f"csrgan {__version__}")
        return 0
    command, *rest = words
    if command not in COMMANDS:
        print(printable(f"csrgan: {_unknown(command, rest)}"), file=sys.stderr)
        return 2
    return _run(command, rest)


def _unknown(command: str, rest: list[str]) -> str:
    """Return a sentence about a first word that is not a command."""
    example = next(iter(COMMANDS)) if command.partition("=")[0] in HELP_WORDS else None  # of `csrgan --help=all`
    later_command = next((word for word in rest if word in COMMANDS), example)
    if later_command and (command.startswith("-") or "=" in command):
        return f"the command comes first, as in csrgan {later_command} {command}."
    nearest = get_close_matches(command.lower().lstrip("-"), (*COMMANDS, "help"), n=1)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    return f"there is no command {command}. The commands: {', '.join(COMMANDS)}.{hint}"


def _run(command: str, words: list[str]) -> int:
    """Run a command, or print its page, and print errors as plain sentences."""
    try:
        depth = requested_help(command, words)
        if command == "completion" or depth == HELP:  # neither needs a configuration, nor may wait for one
            module = import_module("csrgan.cli.help" if depth else "csrgan.cli.completion")
            print(module.page(command) if depth else module.run(words), end="", flush=True)
            return 0
        with CTRL_C.noted():
            return execute(command, words).status
    except KeyboardInterrupt as stop:
        _end_compilation()
        _say(f"csrgan {command}: stopped.{_missing_jobs()}")
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:  # the reader closed the pipe, as in `csrgan train --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except RunStopped as stop:
        _end_compilation()
        if _speaks():
            _say(printable(f"csrgan {command}: {stop}"))
        return stop.status
    except Exception as error:
        from csrgan.config import messages, own_code

        sentence = messages.user_message(error)
        if sentence is None:
            raise
        if own_code.wants_traceback():
            traceback.print_exception(error)
        _say("\n".join(f"csrgan {command}: {line}" for line in sentence.split("\n")))
        return 2


def _speaks() -> bool:
    """Return whether this process, of several that train together, says why all of them stop."""
    from csrgan import ranks

    return ranks.SAYS in os.environ or ranks.own().leads


def _say(text: str) -> None:
    """Print why a command ended. A process that trains with others tells the one that started them, which prints it once."""
    from csrgan import ranks

    if file := os.environ.get(ranks.SAYS):
        Path(file).write_text("\n".join(line.partition(": ")[2] for line in text.split("\n")), encoding="utf-8")
    else:
        print(text, file=sys.stderr)


def _end_compilation() -> None:
    """End the processes that compile networks. Nothing is imported for it: an import that was interrupted cannot be repeated."""
    execution = sys.modules.get("csrgan.training.execution")
    if execution and "torch._inductor" in sys.modules and hasattr(execution, "end_compilation"):
        execution.end_compilation()


@dataclass(frozen=True)
class Outcome:
    """The exit status of a command, and the folders of the runs that it finished in this process."""

    status: int
    folders: tuple[Path, ...] = ()


def execute(command: str, words: list[str]) -> Outcome:
    """Run a command. Raises the command's errors, and UserError for everything wrong with the words before anything begins."""
    from csrgan.cli.bare_words import with_keys
    from csrgan.config import faults, old_names, paths, search

    warnings.filterwarnings("ignore", "Glyph .* missing from")  # matplotlib's font lacks the script of some file names
    os.environ["HYDRA_FULL_ERROR"] = "1"  # makes Hydra pass errors on
    # Waiting threads sleep soon: beside another program they would hold its cores, and both would take several times as long.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    flags, words = split_flags(words)
    with search.search_config_dirs([*words, *flags]) as remaining:
        words = old_names.translate(remaining, command)
        words = import_module("csrgan.config.resume").with_resumed(words) if command == "train" else words
        words = paths.for_hydra(with_keys(command, words))
        faults.check_command(command, words)
        return _hydra(command, words)


def _hydra(command: str, words: list[str]) -> Outcome:
    """Compose the configuration and run the command with it."""
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import DictConfig

    from csrgan.cli import module
    from csrgan.config import job
    from csrgan.config.folder import contents
    from csrgan.config.location import conf
    from csrgan.config.paths import encoded

    statuses: list[int] = []
    failures: list[Exception] = []
    folders: list[Path] = []

    def task(config: DictConfig) -> float | None:
        CTRL_C.raise_lost()
        several = HydraConfig.get().mode == RunMode.MULTIRUN
        runtime = contents(cast(DictConfig, HydraConfig.get().runtime), resolve=False)  # a path may look like an interpolation
        config.run_dir = encoded(runtime["output_dir"] if several else str(Path(config.run_dir).absolute()))
        try:
            result = module.run(command, config, several=several)
        except Exception as error:  # Hydra would add a line of its own; _run reports the error
            reported = _reported(error, config)
            if several:  # this may be another process, where nobody reads the list; Hydra tells one failure, after the last job
                _say_failed(config.run_dir, reported)
                raise reported from reported.__cause__
            failures.append(reported)
            return None
        folders.append(Path(config.run_dir))
        statuses.append(result if isinstance(result, int) else 0)
        return result if isinstance(result, float) else None

    before = sys.argv
    flags, overrides = split_flags(words)
    flags = [HELP if flag == FULL_HELP else flag for flag in flags]
    sys.argv = [f"csrgan {command}", *flags, *overrides]
    try:
        if flags or not job.run(command, overrides, task):
            hydra.main(version_base="1.3", config_path=str(conf()), config_name=command)(task)()
    except SystemExit as stop:  # after --help and the like
        return Outcome(int(stop.code or 0))
    except BaseException as error:
        _end_sweep(error)
        raise
    finally:
        sys.argv = before
    if failures:
        raise failures[0]
    return Outcome(max(_sweep_status() or statuses, default=0), tuple(folders))


def _reported(error: Exception, config: DictConfig) -> Exception:
    """Return the sentence about the user's own code if it raised the error, else the error itself."""
    from csrgan.config import messages, own_code
    from csrgan.config.folder import contents

    reported = None if messages.sign_message(error) else own_code.failure(error, contents(config, resolve=False))
    if reported is None:
        return error
    reported.__cause__ = error
    return reported


def _say_failed(folder: str, error: Exception) -> None:
    """Print at once why a job of several failed, if that can be said in sentences."""
    from csrgan.config import messages
    from csrgan.files import relative

    for sentence in (messages.user_message(error) or "").splitlines():
        print(printable(f"{relative(folder)} failed: {sentence}"), file=sys.stderr, flush=True)


def _sweep_status() -> list[int]:
    """Print a table of the jobs of the sweep that this process ran, and return its exit status; empty without a sweep."""
    swept = _swept()
    return [import_module("csrgan.cli.sweep").report(*swept)] if swept else []


def _end_sweep(error: BaseException) -> None:
    """After an error: let a sweep that has begun no job leave nothing behind. Raises the reason of one that was refused, or whose
    launcher lost a process."""
    if hydra_sweep := sys.modules.get("csrgan.workflow.hydra_sweep"):
        hydra_sweep.SweepRecorder.leave_nothing()
        if isinstance(error, KeyboardInterrupt):  # its message names the sweep
            return
        swept = hydra_sweep.SweepRecorder.take()
        if isinstance(error, hydra_sweep.Refused):
            raise error.error
        if swept and type(error).__name__ in WORKER_KILLED:
            raise UserError(f"a process that ran jobs was killed; {swept[1]} runs what is missing.") from error


def _missing_jobs() -> str:
    """Return what became of the jobs of a sweep that was stopped, and how it goes on; empty without a sweep."""
    hydra_sweep = sys.modules.get("csrgan.workflow.hydra_sweep")
    said = hydra_sweep.SweepRecorder.end_jobs() if hydra_sweep else ""
    if not (swept := _swept()):
        return ""
    return f"{said} {swept[1][0].upper()}{swept[1][1:]} runs what is missing."


def _swept() -> tuple[Path, str] | None:
    """Return the folder of the sweep that this process ran, and how to name the command that goes on with it, once; None without
    a sweep."""
    hydra_sweep = sys.modules.get("csrgan.workflow.hydra_sweep")
    return hydra_sweep.SweepRecorder.take() if hydra_sweep else None
