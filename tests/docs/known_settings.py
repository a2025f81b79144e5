"""The settings and choices that exist, and those that a page names in its inline code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pages import ROOT, Block
from prose import CODE, ROLE, Sentence

from csrgan.config import renamed
from csrgan.config.folder import conf
from csrgan.config.settings import Health

TEMPLATE = ROOT / "src" / "csrgan" / "template" / "mypackage" / "conf"  # what `csrgan new` writes
LABEL = "label."  # what follows is a key of the jobs of a report
PLACEHOLDERS = ("key", "group")  # as in key=value and group=choice
HYDRA = ("hydra", "hydra/launcher", "hydra/sweeper", "hydra/job_logging")
SUFFIXES = frozenset(  # of files
    (
        *("py", "yaml", "md", "csv", "tex", "json", "jsonl", "html", "png", "svg", "pdf", "ckpt", "toml", "txt", "npy", "ipynb"),
        *("tar", "pt", "wandb"),
    )
)
KEY = re.compile(r"[A-Za-z_]\w*(?:[./@][A-Za-z_]\w*)*")
PACKAGE = re.compile(r"^# @package (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Names:
    """keys: every setting, in full, and everything that holds some. groups: every group with its choices.

    arguments: names in the code of a page, which its text may name with a value.
    """

    keys: set[str]
    groups: dict[str, set[str]]
    arguments: set[str] = field(default_factory=set)

    @property
    def roots(self) -> set[str]:
        return {key.partition(".")[0] for key in self.keys}


@cache
def own_names() -> Names:
    """Return the names of csrgan, and of the package that `csrgan new` writes."""
    return names({})


def names(more: Mapping[str, str]) -> Names:
    """Return the names of csrgan, of the package that `csrgan new` writes, and of more yaml files. more: texts by path in conf."""
    result = Names(set(), {})
    texts = {**_texts(conf()), **_texts(TEMPLATE), **more}
    for path, text in texts.items():
        group = path.rpartition("/")[0].removesuffix("/finally")
        package = declared[1] if (declared := PACKAGE.search(text)) else group.replace("/", ".")
        result.keys.update(_keys(path, "" if package == "_global_" else package, texts))
        if group:
            result.groups.setdefault(group, set()).add(path.rpartition("/")[2])
    return result


@cache
def _texts(folder: Path) -> dict[str, str]:
    """Return the text of each yaml file by its path in the folder, without suffix."""
    files = sorted(folder.rglob("*.yaml"))
    return {file.relative_to(folder).with_suffix("").as_posix(): file.read_text(encoding="utf-8") for file in files}


def _keys(path: str, place: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield the keys of a file whose content is put at `place`, and of the files that its defaults put inside."""
    content = _parsed(texts[path])
    for entry in content.get("defaults", ()):
        name, at, package = entry.partition("@") if isinstance(entry, str) else ("", "", "")
        other = next((other for other in (name.lstrip("/"), f"{path.rpartition('/')[0]}/{name}") if at and other in texts), None)
        if other:
            yield from _keys(other, "" if package == "_global_" else f"{place}.{package}".lstrip("."), texts)
    yield from _nested({key: value for key, value in content.items() if key != "defaults"}, place)


def _nested(node: object, place: str) -> Iterator[str]:
    if place:
        yield place
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from _nested(value, f"{place}.{key}".lstrip("."))


@cache
def _parsed(text: str) -> dict[str, Any]:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}


def names_of(page: Iterable[Block]) -> Names:
    """Return the names that a page may use: those of csrgan, and those in the files and Python blocks of its own."""
    page = list(page)
    named = ((block.marks["file"].rpartition("conf/")[2], block.code) for block in page if "conf/" in block.marks.get("file", ""))
    own = {file.removesuffix(".yaml"): code for file, code in named if file.endswith(".yaml")}
    code = "\n".join(block.code for block in page if block.language in ("python", "yaml", "diff"))
    return replace(names(own) if own else own_names(), arguments=set(re.findall(r"\b([a-z_]\w*) ?[:=]", code)))


def codes(page: str) -> Iterator[Sentence]:
    """Yield each inline code of a page with its line, also from tables and headings."""
    for number, line in _lines(page):
        yield from (Sentence(number, match[2]) for match in CODE.finditer(ROLE.sub("", line)))


def _lines(page: str) -> Iterator[tuple[int, str]]:
    text = re.sub(r"<!--.*?-->", lambda match: "\n" * match[0].count("\n"), page, flags=re.DOTALL)
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"[ ]*(`{3,}|~{3,})", line)
        if fence:
            fence = "" if line.strip().startswith(fence) and not line.strip().strip(fence[0]) else fence
        elif mark:
            fence = "" if "{glossary}" in line else mark[1]
        else:
            yield number, line


def faults(code: str, known: Names) -> Iterator[str]:
    """Yield a sentence for each setting or choice in an inline code that does not exist.

    A word with a = is a setting, unless it is Python's or names a variable of the environment. A word with a point is one if it
    begins with a group or a key of the first level, and is no file and no column. Capitals stand for any name.
    """
    if re.match(r"[\w.]+\(|from |import |pip |docker |git |uv ", code):
        return
    for word in (part.strip("\"',;:") for part in code.split()):
        key, equals, value = word.lstrip("+~").partition("=")
        if not KEY.fullmatch(key) or _is_no_setting(key, value):
            continue
        if word.startswith("~"):
            yield f"csrgan refuses to delete {key}"
            continue
        old = renamed.new_key(key)
        if old != key:
            yield f"{key} is an old name of {old}"
        elif "/" in key or (key in known.groups and equals):
            yield from _choice_faults(key, value, known)
        elif word.startswith("+") and _adds(key, known):
            continue
        elif equals or (key.partition(".")[0] in known.roots and not _is_path(key.replace(".", "/"))):
            yield from _key_faults(key, value, known)


def _is_no_setting(key: str, value: str) -> bool:
    """Return whether a word is Python's, a variable of the environment, a placeholder, a file or a label of a report."""
    python = value.startswith("=") or value in ("True", "False", "None")
    return python or key.isupper() or key in PLACEHOLDERS or key.startswith(LABEL) or key.rpartition(".")[2] in SUFFIXES


def _adds(key: str, known: Names) -> bool:
    """Return whether + may add the key: to a setting that is null by default, such as system.network."""
    above = key.rpartition(".")[0]
    return "." in above and above in known.keys


def _key_faults(key: str, value: str, known: Names) -> Iterator[str]:
    if value in renamed.VALUES.get(key, {}):
        yield f"{key}={value} is an old value; now {renamed.VALUES[key][value]}"
    if not key.startswith("hydra.") and key not in known.arguments and not any(map(_pattern(key, ".").fullmatch, known.keys)):
        yield f"{key} is no setting"


def _choice_faults(group: str, value: str, known: Names) -> Iterator[str]:
    if group in HYDRA or group.startswith("callbacks/") or (not value and (_is_path(group) or _is_logged(group, known))):
        return
    matching = [name for name in known.groups if _pattern(group, "/").fullmatch(name)]
    if not matching and not value and group.rpartition("/")[0] in known.groups:  # as in loss/image/charbonnier
        group, _, value = group.rpartition("/")
        matching = [group]
    holds_groups = not value and any(name.startswith(f"{group}/") for name in known.groups)
    if not matching and not holds_groups and (value or group.partition("/")[0] in known.roots):
        yield f"{group} is no group of choices"
    for choice in re.split(r"[,|]", value.strip("[]")) if matching else ():
        name = choice.strip("\"'")
        offered = {choice for each in matching for choice in known.groups[each]}
        if re.fullmatch(r"[a-z_0-9]+", name) and name != "null" and name not in offered:
            yield f"{group}={name} is no choice"


def _pattern(name: str, separator: str) -> re.Pattern[str]:
    """Return what a name with placeholders in capitals may stand for."""
    parts = (r"\w+" if part.isupper() and len(part) > 1 else re.escape(part) for part in name.split(separator))
    return re.compile(re.escape(separator).join(parts))


def _is_path(word: str) -> bool:
    """Return whether the word is a file or folder of the repository or of the package, or a module without its suffix."""
    places = (ROOT, ROOT / "src" / "csrgan", conf())
    return any((place / word).exists() or (place / f"{word}.py").is_file() for place in places)


def _is_logged(word: str, known: Names) -> bool:
    """Return whether a run logs a number under this word: a loss of a network, or a condition of health."""
    kind, _, name = word.partition("/")
    terms = {group.rpartition("/")[2] for group in known.groups if group.startswith("loss/")} | {"loss", "gradient_norm"}
    return (kind in ("generator", "discriminator") and name in terms) or (kind == "health" and name in Health.__annotations__)
