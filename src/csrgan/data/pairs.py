"""Pairs of sharp and degraded pictures, known by the names that people give their folders and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

WORDS = re.compile(r"[^a-z0-9]+")
SPLITS = ("train", "training", "valid", "validation", "val", "test", "testing")  # which say nothing here

# Words that say it wherever they stand in a name, as in DIV2K_train_LR_bicubic, and those that are the whole name.
SHARP, LOW = re.compile(r"hr(x\d)?|(gt|hr)(mod)?\d*|groundtruth"), re.compile(r"l[rq](bic|bicubic)?(x?\d+)?")
WHOLLY_SHARP = re.compile(r"sharp|clean|targets?|originals?|high|hires|highres|truth")
WHOLLY_LOW = re.compile(r"low|lowres|inputs?|noisy|blur|blurry|blurred|degraded|bicubic|x[2348]|jpeg|compressed|hazy|rainy")

# How the name of a file ends, after what it shares with its partner's.
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
    known = all(WHOLLY_SHARP.fullmatch(word) or WHOLLY_LOW.fullmatch(word) for word in words)
    return any(map(LOW.fullmatch, words)) or (known and any(map(WHOLLY_LOW.fullmatch, words)))


def paired_folders(folders: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Of folders, those that lie side by side with the sharp and the degraded pictures of pairs."""
    sharp, low = dict[Path, Path](), dict[Path, Path]()
    for folder in sorted(folders):
        for kept, holds in ((sharp, is_sharp), (low, is_low)):
            if holds(folder.name):
                kept.setdefault(folder.parent, folder)
    return [(sharp[parent], low[parent]) for parent in sharp if parent in low]


def paired_files(files: Iterable[Path]) -> tuple[Path, Path] | None:
    """Of files, a sharp and a degraded picture, where most of the files in one folder are of such pairs; else None."""
    folders = dict[Path, list[Path]]()
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    for held in folders.values():
        stems = {file.stem.casefold(): file for file in sorted(held, reverse=True)}
        sharp = stems | {match[1]: file for stem, file in stems.items() if (match := SHARP_FILE.fullmatch(stem))}
        ends = [(match[1], file) for stem, file in stems.items() if (match := LOW_FILE.fullmatch(stem))]
        pairs = [(sharp[base], file) for base, file in ends if base in sharp]
        if 2 * len({file for pair in pairs for file in pair}) > len(held):
            return pairs[-1]
    return None


def sharp_files(files: Sequence[Path]) -> list[Path]:
    """Of the files in one folder, those that are known to be sharp by their names; all of them where no name tells of another kind,
    and none where that cannot be told."""
    stems = {file.stem.casefold() for file in files}
    told = [file for file in files if SHARP_FILE.fullmatch(file.stem.casefold())]
    unsure = any(LOW_FILE.fullmatch(stem) or ((match := FURTHER.fullmatch(stem)) and match[1] in stems) for stem in stems)
    return told or ([] if unsure else list(files))


def _words(name: str) -> list[str]:
    words = [word for word in WORDS.split(name.casefold()) if word]
    while len(words) > 1 and words[0] in SPLITS:
        words = words[1:]
    return ["groundtruth"] if words == ["ground", "truth"] else words
