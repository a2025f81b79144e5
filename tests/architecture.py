"""The picture in ARCHITECTURE.md, from the imports: `python tests/architecture.py` writes it anew."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import grimp

HERE = Path(__file__).parent.parent
FILE = HERE / "ARCHITECTURE.md"
BEGIN, END = "<!-- the picture: make architecture -->\n", "<!-- end of the picture -->\n"


def layers() -> list[list[str]]:
    """The rooms of `.importlinter`, the highest first; those of one layer do not see each other."""
    rules = ConfigParser()
    rules.read(HERE / ".importlinter", encoding="utf-8")
    lines = rules["importlinter:contract:arrows"]["layers"].split("\n")
    return [[room.strip().removeprefix("csrgan.") for room in line.split("|")] for line in lines if line.strip()]


def arrows() -> set[tuple[str, str]]:
    """Which room imports which."""
    graph = grimp.build_graph("csrgan")
    modules = [module for module in graph.modules if module.count(".")]
    known = {name for names in layers() for name in names}
    pairs = ((module, other) for module in modules for other in graph.find_modules_directly_imported_by(module))
    rooms = ((room(one), room(other)) for one, other in pairs)
    return {(one, other) for one, other in rooms if one in known and other in known and one != other}


def room(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def reduced(found: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the arrows that others imply: the picture shows how far one must look down, and not each import."""
    below = {one: {other for begin, other in found if begin == one} for one, _ in found}

    def reaches(one: str, other: str) -> bool:
        return other in below.get(one, ()) or any(reaches(next_, other) for next_ in below.get(one, ()))

    return sorted((one, other) for one, other in found if not any(reaches(next_, other) for next_ in below[one] - {other}))


def picture() -> str:
    """Mermaid, as GitHub draws it; a row for each layer."""
    order = {name: number for number, names in enumerate(layers()) for name in names}
    lines = ["```mermaid", "flowchart TD"]
    lines += [f"    {name}[{name}]" for name in order]
    lines += [
        f"    {one} --> {other}" for one, other in sorted(reduced(arrows()), key=lambda pair: (order[pair[0]], order[pair[1]]))
    ]
    return "\n".join([*lines, "```", ""])


def written() -> str:
    """ARCHITECTURE.md with the picture as it is today."""
    text = FILE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return before + BEGIN + picture() + END + rest.split(END)[1]


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
