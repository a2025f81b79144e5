"""csrgan new: a package of one's own, with a body, a loss, a system and a degradation that train at once."""

from __future__ import annotations

import shlex
from pathlib import Path

from omegaconf import DictConfig

from csrgan.config.folder import PACKAGE
from csrgan.console import Console
from csrgan.errors import require
from csrgan.files import relative, write

TEMPLATE, NAME = PACKAGE / "template", "mypackage"


def run(config: DictConfig) -> int:
    """Write the template under the name of the folder. Raises UserError for a name that no package can have, or a folder with
    files."""
    folder = Path(str(config.folder))
    name = folder.absolute().name.replace("-", "_").lower()
    letters = "take letters, digits and _, as in folder=my_networks"
    require(name.isidentifier(), f"folder={folder}: {name} can be no package's name; {letters}.")
    require(not folder.exists() or not any(folder.iterdir()), f"folder={folder} has files in it: name a new one.")
    for file in sorted(each for each in TEMPLATE.rglob("*") if each.is_file() and each.suffix != ".pyc"):
        path = folder / file.relative_to(TEMPLATE).as_posix().replace(NAME, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, file.read_text(encoding="utf-8").replace(NAME, name))
    here = shlex.quote(relative(folder))
    lines = (
        f"{here}/README.md says what is where. To see that it works:",
        f"  pip install -e {here}",
        f"  csrgan train experiment={name} trainer=smoke",
    )
    for line in lines:
        Console().print(line, highlight=False, markup=False, soft_wrap=True)
    return 0
