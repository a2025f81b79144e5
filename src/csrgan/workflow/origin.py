"""What a run was scored on, as published numbers name it: the protocol, the benchmark set, the method, and how it was scored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path, PurePath

import yaml

from csrgan.config import compose
from csrgan.data.benchmark import COUNTS
from csrgan.declared import constant
from csrgan.errors import UserError
from csrgan.evaluation.results import Row
from csrgan.reports.published import canonical
from csrgan.run_folder import CONFIG
from csrgan.tree import Settings, value_at

# What changes no L of an evaluation: what a network predicts, the program, and where the user's kernels lie.
IRRELEVANT = ("predicted", "backend", "kernel.file")
PAPERS = {"RestorerV1": "DANv1", "RestorerV2": "DANv2", "KernelGAN": "KernelGAN+ZSSR"}  # the papers' names of our classes


@dataclass(frozen=True)
class Origin:
    """protocol: the degradation that made L; empty: none that has a name. folder: of the photographs, with the parts of its path as
    words. given_set: by the user. method: of the restoration. scored: in words, empty for all that papers do."""

    protocol: str
    folder: tuple[str, ...]
    given_set: str
    method: str
    scored: str


def read(folder: Path, protocols: Collection[str]) -> Origin | None:
    """Return what the config.yaml of a run says; None where there is none that can be read, or for a stress test.

    protocols: names that may be recognised by their settings.
    """
    config = _config(folder)
    if not isinstance(config.get("degradation"), dict) or _stressed(config):
        return None
    published_as = config.get("published_as")
    published_as = published_as if isinstance(published_as, dict) else {}
    own, given = str(published_as.get("protocol") or ""), str(published_as.get("set") or "")
    method = str(published_as.get("method") or "")
    protocol = own or protocol_of(config["degradation"], protocols)
    method = method or method_of(config.get("system"), config.get("oracle"))
    return Origin(protocol, _parts(config.get("data")), given, method, _scored(config))


def seeded(folder: Path) -> bool:
    """Return whether another seed would change the scores of a run: it was trained, learns from each picture, or uses the
    prediction of what was. If config.yaml does not tell, it would."""
    config = _config(folder)
    system = value_at(config, "system._target_")
    if system is None:
        return not config.get("results")  # of another program
    own = str(system).startswith("csrgan.")  # a stranger's package is not looked for
    if not own or constant(str(system), "per_picture") is not False:
        return True
    return "prediction" in (config.get("oracle"), value_at(config, "system.oracle"))


def _config(folder: Path) -> Settings:
    """Return the config.yaml of a run; no settings where there is none that can be read."""
    try:
        return _parsed((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError):
        return {}


@lru_cache(maxsize=256)
def _parsed(text: str) -> Settings:
    content = yaml.safe_load(text)
    return content if isinstance(content, dict) else {}


def method_of(system: object, oracle: object = None, chosen: str | None = None) -> str:
    """Return what papers call a system, and what it was told of the degradation. Where no paper names it: the choice of
    conf/system, such as a yaml file of the user's, or the name of its class."""
    names = [str(value_at(system, key) or "").rpartition(".")[2] for key in ("restorer._target_", "_target_")]
    told = {"truth": ", told the truth", "mismatch": ", told a mismatch"}.get(str(oracle), "")
    return next((PAPERS[name] for name in names if name in PAPERS), chosen or names[1].lower()) + told


def protocol_of(degradation: Settings, names: Collection[str]) -> str:
    """Return which of the protocols has these settings; empty if none has."""
    mine = _relevant(degradation)
    return next((name for name in names if _protocol(name) == mine), "")


def set_of(image: str, origin: Origin, sets: Collection[str]) -> str:
    """Return the set of a photograph: what the user said, or the first of these sets that its name or its folder has, from the
    right; empty if there is none."""
    known = {canonical(name): name for name in sets}
    if origin.given_set:
        return known.get(canonical(origin.given_set), origin.given_set)
    words = (*origin.folder, *PurePath(image).parts[:-1])
    return next((known[canonical(word)] for word in reversed(words) if canonical(word) in known), "")


def missing(name: str, images: Collection[str]) -> str:
    """Return in words how many pictures of a benchmark set were scored, if that is not all; else empty."""
    count = COUNTS.get(canonical(name))
    return f"{len(images)} of {count} pictures" if count and len(images) != count else ""


def by_set(rows: Collection[Row], origin: Origin, sets: Collection[str]) -> dict[str, list[Row]]:
    """Return the rows of each set, in the order in which they come."""
    result: dict[str, list[Row]] = {}
    for row in rows:
        result.setdefault(set_of(str(row["image"]), origin, sets), []).append(row)
    return result


@cache
def _protocol(name: str) -> object:
    try:
        return _relevant(compose.protocol(name))
    except UserError:  # a protocol that csrgan does not have
        return None


def _relevant(degradation: Mapping[str, object], place: str = "") -> object:
    inner = {key: (f"{place}.{key}".lstrip("."), value) for key, value in degradation.items()}
    return {
        key: _relevant(value, where) if isinstance(value, dict) else value
        for key, (where, value) in inner.items()
        if where not in IRRELEVANT
    }


def _parts(data: object) -> tuple[str, ...]:
    """Return the parts of the path of the photographs that are scored; none where there are several paths."""
    keys = ("valid", "valid.folder", "valid.sharp", "valid.low", "valid.pairs")
    path = next((value for key in keys if isinstance(value := value_at(data, key), str) and value), "")
    return PurePath(path).parts


def _stressed(config: Settings) -> bool:
    """Return whether photographs or L were changed for a stress test."""
    return value_at(config, "evaluation.contrast") not in (None, 1) or value_at(config, "evaluation.hot_pixels") not in (None, 0)


def _scored(config: Settings) -> str:
    crop, convention = value_at(config, "evaluation.crop"), value_at(config, "evaluation.convention") or "exact"
    parts = [f"centres of {crop} px" if crop is not None else "", "not rounded" if convention == "exact" else ""]
    return ", ".join(filter(None, parts))
