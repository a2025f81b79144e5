"""Paths, names and sentences among the words of a command, as people have them: with blanks, commas, brackets, in any script.

The value of a key in PATHS is the path itself, letter for letter, and Hydra's grammar is not needed to write it. In this order:

1. Nothing, and `null`, stay what they are.
2. What exists under exactly this name is meant. `~` and `~user` at the beginning are a home folder, also behind the `=`.
3. With -m, `a,b` is a sweep over two, and so is `choice(...)`; of a key that takes one folder for all jobs (ONE) it never is.
4. A value in quotes is what stands between them.
5. `[a,b]` is a list where the key takes one (LISTS), and `{_target_: ...}` an object. `${...}` is an interpolation.
6. Anything else is the path. The members of a sweep and of a list are read by these rules, too.

The values of TEXTS are names and sentences: the same, but that nothing is looked for on the disk.

A path that Hydra would read as something else reaches it as `${path:...}`, percent-encoded, which becomes the path when the
configuration is read, and is neither parsed nor resolved again.
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

# By their whole name or, where there are dots before it, by its end.
PATHS = (
    *("source", "destination", "checkpoint", "run_dir", "resume", "init_from", "folder", "file", "weights"),
    *("data.train", "data.valid", "data.cache", "data.archive"),
)
TEXTS = ("title", "question", "baseline", "score", "project", "entity", "url")
ONE = ("run_dir", "resume")
LISTS = ("data.train", "data.valid", "data.archive")

WORD = re.compile(r"(?P<sign>\+{0,2})(?P<key>[A-Za-z_][\w.]*)=(?P<value>.*)", re.DOTALL | re.ASCII)
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*|\.\.?|(?=[^/]*/)[A-Za-z0-9_./:-]+")  # Hydra reads it as the same text
NO_TEXT = ("true", "false", "null", "inf", "nan")  # but not these
SWEEP = re.compile(r"(choice|range|interval|glob|shuffle|sort|tag)\(.*\)", re.DOTALL)
QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
ENCODED = re.compile(r"\$\\?\{path\\?:([^}\\]*)\\?\}")
ESCAPED = re.compile(r"(\\+)\$\{")
AMBIGUOUS = re.compile(r"""[,'"$\\]|^[\[{~\s]|\s$|^null$|^\w+\(""", re.IGNORECASE)


def _decoded(text: object) -> str:
    return unquote(str(text), errors="surrogateescape")


OmegaConf.register_new_resolver("path", _decoded, replace=True)


def _is_path(key: str) -> bool:
    return _among(key, PATHS)


def _among(key: str, names: Sequence[str]) -> bool:
    return any(key == name or key.endswith(f".{name}") for name in names)


def for_hydra(words: Sequence[str]) -> list[str]:
    """The words of a command, flags among them, as Hydra is to read them. Once more, they stay what they are."""
    several = any(map(starts_sweep, words)) and "hydra.mode=RUN" not in words
    return [_word(word, several) for word in words]


def literal_path(word: str) -> str:
    """The path that a single word such as `resume=FOLDER` names; empty where it names none."""
    override = _parsed(_word(word, several=False))
    return str(DictConfig({"value": override.value()})["value"] or "") if override else ""


def encoded(text: str) -> str:
    """A text that OmegaConf reads as itself, whatever is in it."""
    data = text.encode("utf-8", "surrogateescape")
    sentence = "".join(chr(byte) if re.match(r"[A-Za-z0-9_./-]", chr(byte)) else f"%{byte:02X}" for byte in data)
    return f"${{path:{sentence if '%' in sentence else f'%{ord(sentence[0]):02X}{sentence[1:]}'}}}"


def with_decoded_paths(sentence: str) -> str:
    """A sentence that names paths as they are, and not as Hydra was given them."""
    return ENCODED.sub(lambda found: _decoded(found[1]), sentence)


def restart_words(words: Sequence[str]) -> list[str]:
    """The words that Hydra was given, as they are kept for another start: paths as they are, in quotes where they need them, and
    interpolations resolved."""
    given = cast(ListConfig, words)
    raw = cast(list[str], OmegaConf.to_container(given))
    return [_kept(word, given, index) for index, word in enumerate(raw)]


def _kept(raw: str, words: ListConfig, place: int) -> str:
    match = WORD.fullmatch(raw)
    override = _parsed(raw) if match and _among(match["key"], (*PATHS, *TEXTS)) else None
    if match is None or override is None:
        return str(words[place])
    asked = DictConfig({"value": override.value()})
    asked._set_parent(words)
    value = contents(asked)["value"]
    if isinstance(value, str):
        return f"{match['sign']}{match['key']}={_quoted(value) if AMBIGUOUS.search(value) else value}"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return f"{match['sign']}{match['key']}=[{','.join(map(_quoted, value))}]"
    return raw


def _quoted(text: str) -> str:
    """Hydra's quotes around a text, in which OmegaConf will find no interpolation."""
    return QuotedString(re.sub(r"(\\*)\$\{", r"\1\1\\${", text), Quote.single).with_quotes()


def starts_sweep(word: str) -> bool:
    """Whether a word may start a sweep."""
    group, _, choice = word.partition("=")
    if group in ("experiment", "sweep"):
        files = [file for file in dict(groups()).get(group, []) if file.stem == choice]
        return any("MULTIRUN" in file.read_text(encoding="utf-8") for file in files)
    return word in ("-m", "hydra.mode=MULTIRUN") or (len(group) > 2 and SEVERAL.startswith(group))


def _word(word: str, several: bool) -> str:
    match = WORD.fullmatch(word)
    if not match or not _among(key := match["key"], (*PATHS, *TEXTS)):
        return word
    several = several and _is_path(key) and key not in ONE
    return f"{match['sign']}{key}={_value(key, match['value'], several)}"


def _value(key: str, text: str, several: bool) -> str:
    if text in ("", "null") or ENCODED.fullmatch(text):
        return text
    return (_is_path(key) and _existing(text)) or _by_grammar(key, text, several)


def _existing(text: str) -> str:
    """For what exists under this name; empty where nothing does."""
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
    return os.path.exists(text)  # noqa: PTH110  # which takes any text


def _at_home(text: str) -> str:
    """With a home folder for `~` or `~user` at the beginning, where there is such a user."""
    return os.path.expanduser(text)  # noqa: PTH111


def _parsed(word: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None


def _text(text: str) -> str:
    """A literal text: as it is, where Hydra takes it as that."""
    return text if PLAIN.fullmatch(text) and text.lower() not in NO_TEXT else encoded(text)


def _mixed(text: str) -> str:
    """A text with interpolations in it, which stay, between literal parts."""
    parts = [part for part in _parts(text) if part]
    if len(parts) == 1:
        return parts[0]
    nested = any("}" in part[:-1] for part in parts)
    return QuotedString("".join(parts), Quote.single).with_quotes() if nested else "".join(parts)


def _parts(text: str) -> Iterator[str]:
    plain, place = "", 0
    while place < len(text):
        if escape := ESCAPED.match(text, place):  # OmegaConf takes away every other backslash
            plain += "\\" * (len(escape[1]) // 2) + "${" * (len(escape[1]) % 2)
            place = escape.end() - 2 * (len(escape[1]) % 2 == 0)
        elif end := _interpolation(text, place):
            yield _text(plain) if plain else ""
            yield text[place:end]
            plain, place = "", end
        else:
            plain += text[place]
            place += 1
    yield _text(plain) if plain else ""


def _interpolation(text: str, place: int) -> int:
    """Where the interpolation ends that begins at `place`; 0 where none does."""
    if not text.startswith("${", place):
        return 0
    depth = 0
    for end in range(place, len(text)):
        depth += (text[end] == "{") - (text[end] == "}")
        if text[end] == "}" and depth == 0:
            return 0 if broken_interpolation(text[place : end + 1]) else end + 1
    return 0


def broken_interpolation(text: str) -> bool:
    """Whether OmegaConf takes a text for the beginning of an interpolation, and fails."""
    if "${" not in text:
        return False
    try:
        parse(text)
        return False
    except GrammarParseError:
        return True


def _members(text: str) -> list[str]:
    """What stands between the commas that are in no quotes and no brackets; between all of them where these do not match."""
    parts, depth, place = [""], 0, 0
    while place < len(text):
        quoted = "" if parts[-1].strip() else QUOTED.match(text, place)
        sign = quoted[0] if quoted else text[place]
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
        place += len(sign)
    return parts if depth == 0 else text.split(",")
