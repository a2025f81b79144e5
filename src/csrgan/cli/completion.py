"""Completion on the command line: of commands, groups, choices (those of one's own too), keys and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from csrgan.cli import COMMANDS
from csrgan.config import search
from csrgan.config.flags import PLAIN, VALUED, split_flags
from csrgan.config.folder import conf, groups
from csrgan.config.paths import PATHS

# bash takes = and : for the ends of words: what is offered then stands for the part behind the last of them.
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
HELP = """csrgan completion: complete commands, groups, choices, keys and files by the tabulator

  bash:  echo 'eval "$(csrgan completion bash)"' >> ~/.bashrc
  zsh:   echo 'eval "$(csrgan completion zsh)"' >> ~/.zshrc
"""


def run(words: list[str]) -> str:
    """What `csrgan completion` prints: the script for a shell, or what may follow a line that has been typed so far."""
    if words in (["bash"], ["zsh"]):
        return SCRIPT
    if len(words) == 1 and words[0].startswith("line="):
        return "\n".join(offered(words[0].removeprefix("line=")))
    return HELP


def offered(line: str) -> list[str]:
    """What the last word of a line may be, from its last = on."""
    *before, word = line.split(" ")
    before = [each for each in before[1:] if each]
    if not before:
        return sorted(name for name in COMMANDS if name.startswith(word))
    flags, _ = split_flags(before)
    folders = [each for each in flags if each.startswith(search.FLAG)]
    try:
        with search.search_config_dirs(folders):
            found = sorted(set(_whole(before[0], word)))
    except ValueError:  # a folder that is not there: the command will say it
        return []
    start = word.rpartition("=")[0]
    return [each.removeprefix(f"{start}=") if start else each for each in found if each.startswith(word)]


def _whole(command: str, word: str) -> Iterator[str]:
    """Whole words that begin in this way, and others."""
    if word.startswith("-"):
        yield from (*PLAIN, *(f"{flag}=" for flag in VALUED))
        return
    key, given, typed = word.partition("=")
    of_group = {name: [file.stem for file in files] for name, files in groups()}
    sign = "+" if key.startswith("+") else ""
    if given and key.lstrip("+") in of_group:
        *chosen, _ = typed.split(",")  # in a sweep
        yield from (f"{key}={','.join([*chosen, name])}" for name in of_group[key.lstrip("+")])
    elif given and any(key == name or key.endswith(f".{name}") for name in PATHS):
        folder = typed.rpartition("/")[0]
        inside = Path(folder or ".").expanduser()
        yield from (f"{key}={folder}{'/' * bool(folder)}{each.name}{'/' * each.is_dir()}" for each in _in(inside))
    elif not given:
        yield from (f"{sign}{name}=" for name in of_group)
        yield from _keys(command, key)


def _in(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _keys(command: str, typed: str) -> Iterator[str]:
    """Keys of a command's configuration at the depth that has been typed."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    if not (conf() / f"{command}.yaml").is_file():
        return
    with initialize_config_dir(str(conf()), version_base="1.3", job_name=command):
        tree: Any = OmegaConf.to_container(compose(command), resolve=False)
    *above, _ = typed.split(".")
    for key in above:
        tree = tree.get(key) if isinstance(tree, dict) else None
    for key, value in tree.items() if isinstance(tree, dict) else ():
        yield ".".join([*above, str(key)]) + ("." if isinstance(value, dict) else "=")
