"""Match degraded and sharp pictures by the names that people give their files, as `0001x2.png` belongs to `0001.png`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePath

from csrgan.data import picture
from csrgan.data.pairs import LOW_FILE, METHODS, SHARP_FILE, is_low, is_sharp

SHOWN = 20  # sentences in a message
# Words that say which half of a pair a file is, at the end or the beginning of its name.
KINDS = (
    rf"hr|gt|l[rq][a-z]*|low|lowres|high|highres|hires|sharp|clean|targets?|originals?|ground[\W_]?truth|inputs?|noisy|noise"
    rf"|blurry|blurred|degraded|jpeg|compressed|hazy|rainy|{METHODS}"
)
END = re.compile(rf"(?<=[^\W_])([\W_]+({KINDS})([\W_]?x?\d)?|[\W_]*x[1-9](\.\d+)?)$")
LR = re.compile(r"[\W_]l[rq][^\W_]*([\W_]?x?\d)?$")
START = re.compile(rf"^({KINDS})[\W_]+(?=[^\W_])")


@dataclass(frozen=True)
class Matches:
    """pairs: the names (degraded, sharp) that belong together, in order. faults: a sentence for each name that belongs to none or
    to several."""

    pairs: list[tuple[PurePath, PurePath]]
    faults: list[str]


def match(low: Iterable[PurePath], sharp: Iterable[PurePath], key: str, *, spare: bool = False) -> Matches:
    """Match names of pictures, each relative to its folder. key: as in data.valid. spare: whether sharp pictures may be left over.

    The same name, whatever the suffix, goes first; then names that are the same without the words that tell a degraded picture from
    a sharp one.
    """
    lows, sharps = sorted(low), sorted(sharp)
    pairs, faults = list[tuple[PurePath, PurePath]](), list[str]()
    for called in _stem, shared_name:
        groups = _by_name(lows, called), _by_name(sharps, called)
        for name in groups[0].keys() & groups[1].keys():
            mine, theirs = groups[0][name], groups[1][name]
            if len(mine) == len(theirs) == 1:
                pairs.append((mine[0], theirs[0]))
            else:
                faults.append(_ambiguous(mine, theirs, key))
        lows, sharps = ([path for path in left if called(path) not in groups[1 - k]] for k, left in enumerate((lows, sharps)))
    faults = sorted(faults) + _alone(lows, [] if spare and (pairs or not lows) else sharps, pairs, key)
    return Matches(sorted(pairs, key=lambda pair: pair[1]), faults)


def shared_name(path: PurePath) -> str:
    """Return the part of a name that a degraded picture shares with its sharp one: `0001` of `LR/X2/0001x2.png`."""
    folders = [part.casefold() for part in path.parts[:-1] if not (is_low(part) or is_sharp(part))]
    stem = path.stem.casefold()
    while (shorter := START.sub("", END.sub("", stem))) != stem:
        stem = shorter
    return "/".join([*folders, stem])


def split(names: Sequence[PurePath]) -> tuple[list[PurePath], list[PurePath]]:
    """Return the degraded and the sharp pictures among the names in one folder; those that are neither are left out.

    Names of inner folders decide, as in `LR/0001.png`; where there are none, the names of the files.
    """
    low, sharp = ([path for path in names if any(map(is_half, path.parts[:-1]))] for is_half in (is_low, is_sharp))
    if low and sharp:
        return low, sharp
    low = [path for path in names if LOW_FILE.fullmatch(path.stem.casefold())]
    sharp = [path for path in names if SHARP_FILE.fullmatch(path.stem.casefold())]
    sharp = sharp or [path for path in names if path not in low]
    return [path for path in low if LR.search(path.stem.casefold())] or low, sharp


def at_most(faults: Sequence[str]) -> list[str]:
    """Return the first sentences, and one that counts the others."""
    more = len(faults) - SHOWN
    return list(faults) if more <= 0 else [*faults[:SHOWN], f"{more} more of this kind."]


def _stem(path: PurePath) -> str:
    return path.with_suffix("").as_posix().casefold()


def _by_name(paths: Iterable[PurePath], called: Callable[[PurePath], str]) -> dict[str, list[PurePath]]:
    groups = dict[str, list[PurePath]]()
    for path in paths:
        groups.setdefault(called(path), []).append(path)
    return groups


def _ambiguous(low: Sequence[PurePath], sharp: Sequence[PurePath], key: str) -> str:
    degraded, theirs = (_listed(names) for names in (low, sharp))
    return (
        f"{key}: by their names, {degraded} (degraded) and {theirs} (sharp) all belong together: name a folder with one of each, or"
        f" say which belong together in a csv file, as {key}.pairs=FILE."
    )


def _alone(low: Sequence[PurePath], sharp: Sequence[PurePath], pairs: Sequence[tuple[PurePath, PurePath]], key: str) -> list[str]:
    """Return a sentence for each name without a partner; one for all if no name has any."""
    if low and sharp and not pairs:
        return [
            f"{key}: no name of a degraded picture ({_listed(low)}) belongs to one of a sharp picture ({_listed(sharp)}): say which"
            f" belong together in a csv file with the columns low and sharp, as {key}.pairs=FILE."
        ]
    taken = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    sentences = list[str]()
    for alone, others, which, other in (
        (low, [*sharp, *taken[1]], "low", "sharp"),
        (sharp, [*low, *taken[0]], "sharp", "degraded"),
    ):
        names = [picture.called(path) for path in others] if len(alone) + len(sentences) < 10 * SHOWN else []
        for path in alone:
            near = get_close_matches(picture.called(path), names, n=1, cutoff=0.0)
            nearest = f"; the nearest name is {near[0]}" if near else ""
            sentences.append(f"{key}.{which}: {picture.called(path)} has no {other} picture{nearest}.")
    return sentences


def _listed(paths: Sequence[PurePath]) -> str:
    names = [picture.called(path) for path in paths[:4]]
    return ", ".join(names) + (f" and {len(paths) - 4} more" if len(paths) > 4 else "")
