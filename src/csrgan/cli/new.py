"""csrgan new: write a package of your own with a network, loss, system and degradation, ready to train."""

from __future__ import annotations

import shlex
from keyword import iskeyword
from pathlib import Path

from omegaconf import DictConfig

from csrgan.config.announced import ALLOW
from csrgan.config.location import PACKAGE
from csrgan.config.search import is_importable
from csrgan.console import Console
from csrgan.errors import require
from csrgan.files import relative, write

TEMPLATE, NAME = PACKAGE / "template", "mypackage"


def run(config: DictConfig) -> int:
    """Write the template under the name of the folder. Raises UserError if no package can have that name, or the folder holds
    files."""
    folder = Path(str(config.folder))
    name = folder.absolute().name.replace("-", "_").lower()
    remedy = "use letters, digits and _, as in folder=my_networks"
    require(name.isidentifier() and not iskeyword(name), f"folder={folder}: {name} cannot be the name of a package; {remedy}.")
    taken = f"folder={folder}: Python has a package {name} already; choose another name, as in folder=my_networks."
    require(not is_importable(name), taken)
    require(not folder.exists() or not any(folder.iterdir()), f"folder={folder} already has files in it: name a new folder.")
    for file in sorted(each for each in TEMPLATE.rglob("*") if each.is_file() and each.suffix != ".pyc"):
        path = folder / file.relative_to(TEMPLATE).as_posix().replace(NAME, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, file.read_text(encoding="utf-8").replace(NAME, name))
    target = shlex.quote(relative(folder))
    lines = (
        f"{target}/README.md describes the files. To see that the package works:",
        f"  pip install -e {target}",
        f"  csrgan train experiment={name} trainer=smoke",
        f"Without installing it, in {target}: {ALLOW}={name} csrgan train experiment={name} trainer=smoke",
    )
    for line in lines:
        Console().print(line, highlight=False, markup=False, soft_wrap=True)
    return 0
