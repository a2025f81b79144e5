"""Tab completion of commands, groups, choices (your own too), keys and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from csrgan.cli import COMMANDS
from csrgan.cli.help import page
from csrgan.config import announced, search
from csrgan.config.flags import FULL_HELP, PLAIN, VALUED, split_flags
from csrgan.config.folder import contents, groups
from csrgan.config.location import conf
from csrgan.config.paths import PATHS
from csrgan.tree import value_at

# bash ends words at = and :, so an offered word replaces only what follows the last of them.
SCRIPT = """\
_csrgan() {
    local IFS=$'\\n' word="${COMP_LINE:0:COMP_POINT}"
    COMPREPLY=($(csrgan completion "line=$word" 2>/dev/null))
    [[ ${COMPREPLY[0]} == *[=/.] ]] && compopt -o nospace 2>/dev/null
    return 0
}
[[ -n $ZSH_VERSION ]] && autoload -U +X bashcompinit && bashcompinit
complete -o default -o nosort -F _csrgan csrgan
"""


def run(words: list[str]) -> str:
    """Return what `csrgan completion` prints: its page, the script for a shell, or the words that may continue a typed line."""
    if words in (["bash"], ["zsh"]):
        return SCRIPT
    if len(words) == 1 and words[0].startswith("line="):
        return "\n".join(completions(words[0].removeprefix("line=")))
    return page("completion")


def completions(line: str) -> list[str]:
    """Return the words that may complete the last word of a line, each from its last = on."""
    *before, word = line.split(" ")
    before = [each for each in before[1:] if each]
    if not before:
        return sorted(name for name in COMMANDS if name.startswith(word))
    flags, _ = split_flags(before)
    folders = [each for each in flags if each.startswith(announced.FLAG)]
    try:
        with search.search_config_dirs(folders):
            candidates = sorted(set(_candidates(before[0], word)))
    except ValueError:  # a missing folder, which the command itself will report
        return []
    start = word.rpartition("=")[0]
    return [each.removeprefix(f"{start}=") if start else each for each in candidates if each.startswith(word)]


def _candidates(command: str, word: str) -> Iterator[str]:
    """Yield complete words at the depth of a typed word, whether or not they begin with it."""
    if word.startswith("-"):
        yield from (*PLAIN, FULL_HELP, *(f"{flag}=" for flag in VALUED))
        return
    key, equals, typed = word.partition("=")
    choices = {name: [file.stem for file in files] for name, files in groups()}
    sign = "+" if key.startswith("+") else ""
    if equals and key.lstrip("+") in choices:
        *chosen, _ = typed.split(",")  # several choices, of a sweep
        yield from (f"{key}={','.join([*chosen, name])}" for name in choices[key.lstrip("+")])
    elif equals and any(key == name or key.endswith(f".{name}") for name in PATHS):
        folder = typed.rpartition("/")[0]
        path = Path(folder or ".").expanduser()
        yield from (f"{key}={folder}{'/' * bool(folder)}{each.name}{'/' * each.is_dir()}" for each in _files(path))
    elif not equals:
        yield from (f"{sign}{name}=" for name in choices)
        yield from _keys(command, key)


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _keys(command: str, typed: str) -> Iterator[str]:
    """Yield the keys of a command's configuration at the typed depth."""
    from hydra import compose, initialize_config_dir

    if not (conf() / f"{command}.yaml").is_file():
        return
    with initialize_config_dir(str(conf()), version_base="1.3", job_name=command):
        config = contents(compose(command), resolve=False)
    *above, _ = typed.split(".")
    tree = value_at(config, ".".join(above)) if above else config
    for key, value in tree.items() if isinstance(tree, dict) else ():
        yield ".".join([*above, str(key)]) + ("." if isinstance(value, dict) else "=")
