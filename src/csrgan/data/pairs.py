"""Recognize pairs of sharp and degraded pictures by the names that people give their folders and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

WORDS = re.compile(r"[^a-z0-9]+")
SPLITS = ("train", "training", "valid", "validation", "val", "test", "testing")  # ignored before other words

# Words that count anywhere in a name, as in DIV2K_train_LR_bicubic, and words that count only if the name has no others.
SHARP, LOW = re.compile(r"hr(x\d)?|(gt|hr)(mod)?\d*|groundtruth"), re.compile(r"l[rq](bic|bicubic)?(x?\d+)?")
WHOLLY_SHARP = re.compile(r"sharp|clean|targets?|originals?|high|hires|highres|truth")
WHOLLY_LOW = re.compile(r"low|lowres|inputs?|noisy|blur|blurry|blurred|degraded|bicubic|x[2348]|jpeg|compressed|hazy|rainy")

# How the name of a file ends, after the part that it shares with its partner's.
METHODS = (
    "nearest|bilinear|bicubic|bic|scsr|anr|glasner|kim|srcnn|selfex|selfexsr|vdsr|edsr|rcan|srgan|esrgan|swinir|sr|low|noisy|blur"
)
SHARP_FILE = re.compile(r"(.+?)[\W_](hr|gt)(x\d)?")
LOW_FILE = re.compile(rf"(.+?)([\W_](l[rq][^\W_]*|{METHODS})([\W_]?x\d)?|[\W_]?x[2348])")
FURTHER = re.compile(r"(.+)[\W_](?!\d+$)[^\W_]+")  # any other word


def is_sharp(name: str) -> bool:
    """Whether a folder of this name holds the sharp pictures of pairs."""
    words = _words(name)
    sharp = any(SHARP.fullmatch(word) for word in words) or all(WHOLLY_SHARP.fullmatch(word) for word in words)
    return bool(words) and sharp and not is_low(name)


def is_low(name: str) -> bool:
    """Whether a folder of this name holds the degraded pictures of pairs."""
    words = _words(name)
    no_others = all(WHOLLY_SHARP.fullmatch(word) or WHOLLY_LOW.fullmatch(word) for word in words)
    return any(map(LOW.fullmatch, words)) or (no_others and any(map(WHOLLY_LOW.fullmatch, words)))


def paired_folders(folders: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Return the pairs (sharp, degraded) among `folders` that lie side by side."""
    sharp, low = dict[Path, Path](), dict[Path, Path]()
    for folder in sorted(folders):
        for by_parent, matches in ((sharp, is_sharp), (low, is_low)):
            if matches(folder.name):
                by_parent.setdefault(folder.parent, folder)
    return [(sharp[parent], low[parent]) for parent in sharp if parent in low]


def paired_files(files: Iterable[Path]) -> tuple[Path, Path] | None:
    """Return an example (sharp, degraded) if most of the files in one folder form such pairs; else None."""
    folders = dict[Path, list[Path]]()
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    for members in folders.values():
        stems = {file.stem.casefold(): file for file in sorted(members, reverse=True)}
        sharp = stems | {match[1]: file for stem, file in stems.items() if (match := SHARP_FILE.fullmatch(stem))}
        ends = [(match[1], file) for stem, file in stems.items() if (match := LOW_FILE.fullmatch(stem))]
        pairs = [(sharp[base], file) for base, file in ends if base in sharp]
        if 2 * len({file for pair in pairs for file in pair}) > len(members):
            return pairs[-1]
    return None


def sharp_files(files: Sequence[Path]) -> list[Path]:
    """Return the files of one folder that are sharp by their names; if no name says so, all of them, or none if some names point to
    pictures of another kind."""
    stems = {file.stem.casefold() for file in files}
    sharp = [file for file in files if SHARP_FILE.fullmatch(file.stem.casefold())]
    mixed = any(LOW_FILE.fullmatch(stem) or ((match := FURTHER.fullmatch(stem)) and match[1] in stems) for stem in stems)
    return sharp or ([] if mixed else list(files))


def _words(name: str) -> list[str]:
    words = [word for word in WORDS.split(name.casefold()) if word]
    while len(words) > 1 and words[0] in SPLITS:
        words = words[1:]
    return ["groundtruth"] if words == ["ground", "truth"] else words
