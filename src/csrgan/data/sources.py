"""Where photographs come from: a folder, or the scikit-image wheel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from csrgan.data import picture
from csrgan.fault import Fault


def photographs(source: str | Sequence[str] | None, key: str) -> list[Path]:
    """Files of a folder (a string), or of the photographs inside the scikit-image wheel (a list of their names).

    key: the config key that named the source, for the error.
    """
    if not source:
        raise Fault(f"{key} is empty: it takes a folder of photographs, as in {key}=FOLDER.")
    if isinstance(source, str):
        try:
            return picture.find(source)
        except Fault as fault:
            raise Fault(f"{key}={source}: {fault}") from None
    found = _embedded()
    for name in source:
        if name not in found:
            raise Fault.unknown(f"{key}: the scikit-image wheel", name, found)
    return [found[name] for name in source]


@lru_cache
def _embedded() -> dict[str, Path]:
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in (".png", ".jpg")}
