"""Paths and texts in the words of a command, as users write them: with blanks, commas, brackets, in any script.

The value of a key in PATHS is the path itself, character for character; no knowledge of Hydra's grammar is needed. Rules, in order:

1. An empty value and `null` stay as they are.
2. If a file or folder of exactly this name exists, it is meant. A leading `~` or `~user` is a home folder.
3. With -m, `a,b` and `choice(...)` are sweeps, except for a key that takes one folder for all jobs (ONE).
4. A value in quotes is the text between them.
5. `[a,b]` is a list if the key takes one (LISTS), and `{_target_: ...}` is an object. `${...}` is an interpolation.
6. Anything else is the path. The members of a sweep or list follow the same rules.

The values of TEXTS are names and sentences; the same rules hold, but the disk is not searched.

A path that Hydra would misread is passed to it as `${path:...}`, percent-encoded. That becomes the path when the configuration is
read, and is neither parsed nor resolved again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import cast
from urllib.parse import unquote

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import GrammarParseError
from omegaconf.grammar_parser import parse

from csrgan.config.flags import SEVERAL
from csrgan.config.folder import contents, groups

# Full keys, or the last parts of longer keys.
PATHS = (
    *("source", "destination", "checkpoint", "run_dir", "resume", "init_from", "folder", "file", "weights", "folders", "sharp"),
    *("data.train", "data.valid", "data.cache", "data.archive"),
    *(f"data.{half}.{key}" for half in ("train", "valid") for key in ("low", "sharp", "pairs")),
)
TEXTS = ("title", "question", "baseline", "score", "font", "project", "entity", "url", "host")
ONE = ("run_dir", "resume")
LISTS = ("data.train", "data.valid", "data.archive", "folders", "source")

WORD = re.compile(r"(?P<sign>\+{0,2})(?P<key>[A-Za-z_][\w.]*)=(?P<value>.*)", re.DOTALL | re.ASCII)
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*|\.\.?|(?=[^/]*/)[A-Za-z0-9_./:-]+")  # text that Hydra reads unchanged
NO_TEXT = ("true", "false", "null", "inf", "nan")  # except these
SWEEP = re.compile(r"(choice|range|interval|glob|shuffle|sort|tag)\(.*\)", re.DOTALL)
NO_NAME = re.compile(r"[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[+-]?\d+)?|[+-]?(nan|inf)|true|false|null", re.IGNORECASE)
QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
ENCODED = re.compile(r"\$\\?\{path\\?:([^}\\]*)\\?\}")
LISTED = re.compile(r"\$\\?\{paths\\?:(\d+)\\?\}")  # what `listed` returns
ESCAPED = re.compile(r"(\\+)\$\{")
AMBIGUOUS = re.compile(r"""[,'"$\\]|^[\[{~\s]|\s$|^null$|^\w+\(""", re.IGNORECASE)


def _decoded(text: object) -> str:
    return unquote(str(text), errors="surrogateescape")


_listed: list[list[str]] = []  # by the number that stands for them
OmegaConf.register_new_resolver("path", _decoded, replace=True)
OmegaConf.register_new_resolver("paths", lambda number: list(_listed[int(number)]), replace=True)


def is_literal(key: str) -> bool:
    """Return whether the value of a key is a path or a text, character for character."""
    return _among(key, (*PATHS, *TEXTS))


def _is_path(key: str) -> bool:
    return _among(key, PATHS)


def _among(key: str, names: Sequence[str]) -> bool:
    return any(key == name or key.endswith(f".{name}") for name in names)


def for_hydra(words: Sequence[str]) -> list[str]:
    """Return the words of a command, flags included, as Hydra must get them. Idempotent."""
    several = any(map(starts_sweep, words)) and "hydra.mode=RUN" not in words
    return [_with_quoted_choice(_word(word, several)) for word in words]


def _with_quoted_choice(word: str) -> str:
    """Quote a choice that Hydra would read as a number or the like, where there is a file of that name: `loss/image=1e3`."""
    group, _, value = word.partition("=")
    listed = value[:1] == "[" and value[-1:] == "]"
    members = (value[1:-1] if listed else value).split(",")
    if not any(NO_NAME.fullmatch(member.strip()) for member in members):
        return word
    choices = {file.stem for file in dict(groups()).get(group.lstrip("+"), [])}
    quoted = [f"'{name}'" if NO_NAME.fullmatch(name := member.strip()) and name in choices else member for member in members]
    return f"{group}={'[' * listed}{','.join(quoted)}{']' * listed}"


def literal_path(word: str) -> str:
    """Return the path in a single word such as `resume=FOLDER`; empty if there is none."""
    override = _parsed(_word(word, several=False))
    return str(DictConfig({"value": override.value()})["value"] or "") if override else ""


def encoded(text: str) -> str:
    """Return a text so encoded that OmegaConf reads it as itself, whatever it contains."""
    data = text.encode("utf-8", "surrogateescape")
    quoted = "".join(chr(byte) if re.match(r"[A-Za-z0-9_./-]", chr(byte)) else f"%{byte:02X}" for byte in data)
    return f"${{path:{quoted if '%' in quoted else f'%{ord(quoted[0]):02X}{quoted[1:]}'}}}"


def with_decoded_paths(sentence: str) -> str:
    """Return a sentence in which encoded paths are decoded."""
    return LISTED.sub(lambda match: ",".join(_listed[int(match[1])]), ENCODED.sub(lambda match: _decoded(match[1]), sentence))


def restart_words(words: Sequence[str]) -> list[str]:
    """Return the words that Hydra was given in a form to record for another start: paths decoded and quoted if necessary,
    interpolations resolved."""
    config = cast(ListConfig, words)
    raw = cast(list[str], OmegaConf.to_container(config))
    return [_restart_word(word, config, index) for index, word in enumerate(raw)]


def _restart_word(raw: str, words: ListConfig, index: int) -> str:
    match = WORD.fullmatch(raw)
    override = _parsed(raw) if match and is_literal(match["key"]) else None
    if match is None or override is None:
        return str(words[index])
    node = DictConfig({"value": override.value()})
    node._set_parent(words)
    value = contents(node)["value"]
    if isinstance(value, str):
        return f"{match['sign']}{match['key']}={_quoted(value) if AMBIGUOUS.search(value) else value}"
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return f"{match['sign']}{match['key']}=[{','.join(map(_quoted, value))}]"
    return raw


def listed(paths: Sequence[str]) -> str:
    """Return paths as the value of a key that takes a list, by a number: Hydra's parser takes minutes for thousands of names."""
    _listed.append([path if _exists(path) else _at_home(path) for path in paths])
    return f"${{paths:{len(_listed) - 1}}}"


def _quoted(text: str) -> str:
    """Return a text in Hydra's quotes, escaped so that OmegaConf finds no interpolation in it."""
    return QuotedString(re.sub(r"(\\*)\$\{", r"\1\1\\${", text), Quote.single).with_quotes()


def starts_sweep(word: str) -> bool:
    """Return whether a word may start a sweep."""
    group, _, choice = word.partition("=")
    if group in ("experiment", "sweep"):
        files = [file for file in dict(groups()).get(group, []) if file.stem == choice]
        return any("MULTIRUN" in file.read_text(encoding="utf-8") for file in files)
    return word in ("-m", "hydra.mode=MULTIRUN") or (len(group) > 2 and SEVERAL.startswith(group))


def _word(word: str, several: bool) -> str:
    match = WORD.fullmatch(word)
    if not match or not is_literal(key := match["key"]):
        return word
    several = several and _is_path(key) and key not in ONE
    return f"{match['sign']}{key}={_value(key, match['value'], several)}"


def _value(key: str, text: str, several: bool) -> str:
    if text in ("", "null") or ENCODED.fullmatch(text) or LISTED.fullmatch(text):
        return text
    return (_is_path(key) and _existing(text)) or _by_grammar(key, text, several)


def _existing(text: str) -> str:
    """Return the value for a file or folder of this name; empty if none exists."""
    if _exists(text):
        return _text(f"./{text}" if text[0] == "~" or text == "???" else text)
    return _text(_at_home(text)) if _exists(_at_home(text)) else ""


def _by_grammar(key: str, text: str, several: bool) -> str:
    if several and SWEEP.fullmatch(text):
        return text
    if several and len(members := _members(text)) > 1:
        return ",".join(_value(key, member.strip(), several=False) for member in members)
    if text[0] in "'\"" and (quoted := _parsed(f"key={text}")) and isinstance(quoted._value, QuotedString):
        return _mixed(_at_home(quoted._value.text) if _is_path(key) else quoted._value.text)
    if text[0] == "[" and text[-1] == "]" and key in LISTS:
        return f"[{','.join(_value(key, member.strip(), several=False) for member in _members(text[1:-1]))}]"
    if text[0] == "{" and text[-1] == "}" and key in LISTS and _parsed(f"key={text}"):
        return text
    return _mixed(_at_home(text) if _is_path(key) else text)


def _exists(text: str) -> bool:
    return os.path.exists(text)  # noqa: PTH110  # Path.exists raises for some texts


def _at_home(text: str) -> str:
    """Replace a leading `~` or `~user` by the home folder, if there is such a user."""
    return os.path.expanduser(text)  # noqa: PTH111


def _parsed(word: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None


def _text(text: str) -> str:
    """Return a literal text, encoded unless Hydra reads it unchanged."""
    return text if PLAIN.fullmatch(text) and text.lower() not in NO_TEXT else encoded(text)


def _mixed(text: str) -> str:
    """Return a text with its interpolations kept and the literal parts between them encoded if necessary."""
    parts = [part for part in _parts(text) if part]
    if len(parts) == 1:
        return parts[0]
    nested = any("}" in part[:-1] for part in parts)
    return QuotedString("".join(parts), Quote.single).with_quotes() if nested else "".join(parts)


def _parts(text: str) -> Iterator[str]:
    literal, start = "", 0
    while start < len(text):
        if escape := ESCAPED.match(text, start):  # OmegaConf removes every other backslash
            literal += "\\" * (len(escape[1]) // 2) + "${" * (len(escape[1]) % 2)
            start = escape.end() - 2 * (len(escape[1]) % 2 == 0)
        elif end := _interpolation_end(text, start):
            yield _text(literal) if literal else ""
            yield text[start:end]
            literal, start = "", end
        else:
            literal += text[start]
            start += 1
    yield _text(literal) if literal else ""


def _interpolation_end(text: str, start: int) -> int:
    """Return the end of the interpolation that begins at `start`; 0 if none does."""
    if not text.startswith("${", start):
        return 0
    depth = 0
    for end in range(start, len(text)):
        depth += (text[end] == "{") - (text[end] == "}")
        if text[end] == "}" and depth == 0:
            return 0 if broken_interpolation(text[start : end + 1]) else end + 1
    return 0


def broken_interpolation(text: str) -> bool:
    """Return whether OmegaConf reads a text as an interpolation and fails to parse it."""
    if "${" not in text:
        return False
    try:
        parse(text)
        return False
    except GrammarParseError:
        return True


def _members(text: str) -> list[str]:
    """Split a text at the commas outside quotes and brackets; at every comma if the brackets do not match."""
    parts, depth, index = [""], 0, 0
    while index < len(text):
        quoted = "" if parts[-1].strip() else QUOTED.match(text, index)
        sign = quoted[0] if quoted else text[index]
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
        index += len(sign)
    return parts if depth == 0 else text.split(",")
