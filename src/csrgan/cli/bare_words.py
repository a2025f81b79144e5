"""Words of a command that are given without a key, as in `csrgan restore photos`."""

from __future__ import annotations

from csrgan.config import paths
from csrgan.config.labels import gathered
from csrgan.errors import require
from csrgan.files import exists

# The key of a word that is given without one: there is one natural meaning.
BARE = {
    **{"list": "group", "new": "folder", "replay": "file", "report": "folder"},
    **{"evaluate": "checkpoint", "publish": "checkpoint", "demo": "checkpoint"},
}
# The key of one word or of several, which may be given without one.
SEVERAL = {"compare": "folders", "restore": "source", "degrade": "source"}


def with_keys(command: str, words: list[str]) -> list[str]:
    """Return the words, with its key added to the one that was given without. Raises UserError for several."""
    if command in SEVERAL:
        return _with_list(command, SEVERAL[command], words)
    words = gathered(words) if command == "report" else words
    key = BARE.get(command)
    bare = [word for word in words if not word.startswith(("-", "~", "+")) and ("=" not in word or exists(word))]
    if key is None or not bare:
        return words
    given = [word for word in words if word.startswith(f"{key}=") and word not in bare]
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
