"""Hydra's own flags among the words of a command, wherever they stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csrgan.errors import UserError

SEVERAL = "--multirun"
SHORT = {"-h": "--help", "-c": "--cfg", "-p": "--package", "-r": "--run", "-m": SEVERAL, "-i": "--info"}
SHORT |= {"-cp": "--config-path", "-cn": "--config-name", "-cd": "--config-dir", "-sc": "--shell-completion"}
PLAIN = ("--help", "--hydra-help", "--multirun", "--resolve", "--run", "--shell-completion", "--version")
CHOICES = {"--cfg": ("job", "hydra", "all"), "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")}
ALONE = ("--run", SEVERAL, "--cfg", "--info", "--shell-completion")  # each asks for another thing
VALUED = (*CHOICES, "--config-dir", "--config-name", "--config-path", "--experimental-rerun", "--package")


def split_flags(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The flags, in full and each with its value (`-c job` is `--cfg=job`), and the overrides. Hydra takes no flag between two
    overrides, so they go to it in this order."""
    flags: list[str] = []
    overrides: list[str] = []
    waiting = False  # for the value of the last flag
    for word in words:
        if word.startswith("-"):
            flags.append(_full(word))
            waiting = flags[-1] in VALUED
        elif waiting and not (flags[-1] == "--info" and "=" in word):
            flags[-1] += f"={word}"
            waiting = False
        else:
            overrides.append(word)
            waiting = False
    return flags, overrides


def flag_faults(command: str, flags: Sequence[str]) -> Iterator[str]:
    """A sentence for each flag that Hydra does not have, or not so."""
    for flag in sorted(set(flags)):
        name, given, value = flag.partition("=")
        if name not in (*PLAIN, *VALUED):
            yield str(UserError.unknown(f"csrgan {command}", flag, (*PLAIN, *VALUED)))
        elif name in PLAIN and given:
            yield f"{name} takes no value: {flag}."
        elif name in VALUED and not value and name != "--info":
            yield f"{name} needs a value, as in {name}={CHOICES.get(name, ('NAME',))[0]}."
        elif name in CHOICES and given and value not in CHOICES[name]:
            yield str(UserError.unknown(name, value, CHOICES[name]))
    names = list(dict.fromkeys(flag.partition("=")[0] for flag in flags))
    if len(asked := [name for name in names if name in ALONE]) > 1:
        yield f"{' and '.join(asked)} ask for different things: give one of them."
    if "--resolve" in names and not {"--cfg", "--help"} & set(names):
        yield "--resolve changes nothing without --cfg=job."


def _full(word: str) -> str:
    """A flag by its whole name: `-m`, or the beginning of a long one that no other begins with, as argparse takes it."""
    name, given, value = word.partition("=")
    name = SHORT.get(name, name)
    named = [each for each in (*PLAIN, *VALUED) if name.startswith("--") and each.startswith(name)]
    return (named[0] if len(named) == 1 and name not in (*PLAIN, *VALUED) else name) + given + value
