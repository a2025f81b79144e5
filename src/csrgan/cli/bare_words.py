"""Words of a command that are given without a key, as in `csrgan restore photos`."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import takewhile

from csrgan.config import paths
from csrgan.config.folder import settings
from csrgan.config.labels import PREFIX, gathered
from csrgan.config.location import conf
from csrgan.errors import UserError, require
from csrgan.files import exists

# The key of a word that is given without one: there is one natural meaning.
BARE = {
    **{"list": "group", "new": "folder", "replay": "file", "report": "folder"},
    **{"evaluate": "checkpoint", "publish": "checkpoint", "demo": "checkpoint"},
}
# The key of one word or of several, which may be given without one.
SETTINGS = "baseline"  # the key of csrgan report whose text is itself made of words with a =
SEVERAL = {"compare": "folders", "restore": "source", "degrade": "source"}


def with_keys(command: str, words: list[str]) -> list[str]:
    """Return the words, with its key added to the one that was given without. Raises UserError for several."""
    if command in SEVERAL:
        return _with_list(command, SEVERAL[command], words)
    key, said = BARE.get(command), words
    words = gathered(words) if command == "report" else words
    bare = [word for word in words if not word.startswith(("-", "~", "+")) and ("=" not in word or exists(word))]
    given = [word for word in words if word.startswith(f"{key}=") and word not in bare]
    if key and (torn := list(_torn(said, several=len(bare) + len(given) > 1))):
        raise UserError(*torn)
    if key is None or not bare:
        return words
    sentence = f"csrgan {command} takes one {key}, not {len(bare) + len(given)}: {', '.join([*given, *bare])}."
    require(len(bare) + len(given) == 1, sentence)
    return [f"{key}={word}" if word in bare else word for word in words]


def _with_list(command: str, key: str, words: list[str]) -> list[str]:
    """Return the words, with those that were given without a key as the list of this one. Raises UserError if it is given too."""
    signed = [word.startswith(("-", "+", "~")) and not word.startswith("~/") for word in words]
    bare = [word for word, sign in zip(words, signed, strict=True) if not sign and ("=" not in word or exists(word))]
    unkeyed = set(bare)
    others = [word for word in words if word not in unkeyed]
    given = [word for word in others if word.startswith(f"{key}=")]
    named = ", ".join([*given, *bare[:3]]) + (", ..." if len(bare) > 3 else "")
    require(not (bare and given), f"csrgan {command} takes {key} as words without a key or as {key}=, not as both: {named}.")
    return [f"{key}={bare[0] if len(bare) == 1 else paths.listed(bare)}", *others] if bare else words


def _torn(words: list[str], *, several: bool) -> Iterator[str]:
    """Yield a sentence for each text of several words that a shell has torn apart, for want of quotes: of `title=One more try` it
    makes `title=One`, `more` and `try`. several: whether more words have no key than the command takes."""
    for place, first in enumerate(words):
        key, equals, _ = first.partition("=")
        if not equals or _stands_alone(first):
            continue
        own = settings(conf() / "report.yaml") if key == SETTINGS else None
        rest = takewhile(lambda word: not _stands_alone(word), words[place + 1 :])
        belongs = [_is_setting(word, own) if own and "=" in word else several and "=" not in word for word in rest]
        if count := len(list(takewhile(bool, belongs))):
            key, text = _key_and_text(" ".join(words[place : place + 1 + count]))
            yield f"{key}={text}: a text of several words needs quotes, as in {key}={shlex.quote(text)}."


def _stands_alone(word: str) -> bool:
    return word.startswith(("-", "~", "+")) or exists(word)


def _is_setting(word: str, own: Collection[str]) -> bool:
    """Return whether a word is a setting of a training, and none of the command's own keys, nor one of these misspelt."""
    key = word.partition("=")[0].partition(".")[0].partition("/")[0]
    return not word.startswith((PREFIX, "hydra")) and key not in own and not get_close_matches(key, own, n=1)


def _key_and_text(word: str) -> tuple[str, str]:
    """Return the key and the value of a word; the key of a label may have a = in it, as in `label.system=dan=DAN`."""
    key, _, text = word.rpartition("=") if word.startswith(PREFIX) else word.partition("=")
    return key, text
