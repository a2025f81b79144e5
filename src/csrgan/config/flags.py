"""Hydra's flags among the words of a command, at any position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from csrgan.errors import UserError, raise_faults

HELP, FULL_HELP = "--help", "--help=all"  # csrgan's page of a command, and what Hydra prints for its own --help
SEVERAL = "--multirun"
SHORT = {"-h": HELP, "-c": "--cfg", "-p": "--package", "-r": "--run", "-m": SEVERAL, "-i": "--info"}
SHORT |= {"-cp": "--config-path", "-cn": "--config-name", "-cd": "--config-dir", "-sc": "--shell-completion"}
PLAIN = (HELP, "--hydra-help", "--multirun", "--resolve", "--run", "--shell-completion", "--version")
CHOICES = {"--cfg": ("job", "hydra", "all"), "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")}
ALONE = ("--run", SEVERAL, "--cfg", "--info", "--shell-completion")  # no two of them together
VALUED = (*CHOICES, "--config-dir", "--config-name", "--config-path", "--experimental-rerun", "--package")


def split_flags(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the flags, spelt out and with their values (`-c job` is `--cfg=job`), and the overrides. Hydra accepts no flag between
    two overrides, so the flags go first."""
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


def requested_help(command: str, words: Sequence[str]) -> str:
    """Return HELP if the words ask for the page of a command, FULL_HELP if for all its keys, "" if for neither.

    Raises UserError for another value of --help."""
    flags = [flag for flag in split_flags(words)[0] if flag.partition("=")[0] == HELP]
    raise_faults(flag_faults(command, flags))
    return max(flags, default="")  # the longer one says more


def flag_faults(command: str, flags: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each flag that Hydra lacks or that is used wrongly."""
    for flag in sorted(set(flags)):
        name, equals, value = flag.partition("=")
        if name not in (*PLAIN, *VALUED):
            yield _unknown(command, flag)
        elif name == HELP and flag not in (HELP, FULL_HELP):
            yield f"{flag}: {HELP} takes no value but all, as in csrgan {command} {FULL_HELP}."
        elif name in PLAIN and name != HELP and equals:
            yield f"{name} takes no value: {flag}."
        elif name in VALUED and not value and name != "--info":
            yield f"{name} needs a value, as in {name}={CHOICES.get(name, ('NAME',))[0]}."
        elif name in CHOICES and equals and value not in CHOICES[name]:
            yield str(UserError.unknown(name, value, CHOICES[name]))
    names = list(dict.fromkeys(flag.partition("=")[0] for flag in flags))
    if len(exclusive := [name for name in names if name in ALONE]) > 1:
        yield f"{' and '.join(exclusive)} ask for different things: give one of them."
    if "--resolve" in names and not {"--cfg", HELP} & set(names):
        yield "--resolve changes nothing without --cfg=job."


def _unknown(command: str, flag: str) -> str:
    """Return the sentence on a flag that there is not: one of Hydra's misspelt, or a key as other programs write theirs."""
    name, _, value = flag.partition("=")
    if get_close_matches(name, (*PLAIN, *VALUED), n=1, cutoff=0.75):
        return str(UserError.unknown(f"csrgan {command}", flag, (*PLAIN, *VALUED)))
    key = name.lstrip("-").replace("-", "_")
    example = f"{key if len(key) > 1 else 'key'}={value or 'value'}"
    where = f"csrgan {command} --help names them"
    return f"csrgan {command} has no flag {flag}: settings are written without dashes, as in {example}; {where}."


def _full(word: str) -> str:
    """Return a flag with its full name, given a short one such as `-m` or an unambiguous prefix, as argparse does."""
    name, equals, value = word.partition("=")
    name = SHORT.get(name, name)
    matches = [flag for flag in (*PLAIN, *VALUED) if name.startswith("--") and flag.startswith(name)]
    return (matches[0] if len(matches) == 1 and name not in (*PLAIN, *VALUED) else name) + equals + value
