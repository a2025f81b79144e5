"""Somebody else's program, which turns a folder of pictures into a folder of pictures. Only the user's own words may name it, see
`config.targets`: it starts a command."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.data import picture
from csrgan.data.search import search
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import UserError, require
from csrgan.ranges import Count
from csrgan.records import Restoration
from csrgan.restorers.external.network import ExternalNetwork, probed_scale
from csrgan.restorers.external.restorer import bicubic_by
from csrgan.restorers.restorer import Restorer

LOW, RESTORED = "{low}", "{restored}"


class Program(Restorer):
    """command: its words, in which {low} stands for a folder with L as an 8-bit PNG, and {restored} for the folder where S is then
    read. No shell reads them. It is started once for each picture.
    scale: how many times S is larger; None: a grey picture tells it. multiple: see `ExternalNetwork`. degradation: the protocol of
    L; None: bicubic down-sampling by the scale.
    """

    outputs = ("upsampled", "native")
    brings_protocol = True

    def __init__(
        self, *, command: str, scale: Count | None = None, multiple: Count = 1, degradation: Degradation | None = None
    ) -> None:
        self.words = _words(command)
        known = scale or probed_scale(self._run, multiple, f"system.command: {self.words[0]}")
        self.external = ExternalNetwork(self._run, known, multiple=multiple)
        super().__init__(degradation or bicubic_by(known))

    @property
    def enlarge(self) -> int:
        return self.external.scale

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        return Restoration(torch.cat([self.external(each[None]) for each in low]))

    def _run(self, low: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 3 h2 w2"]:
        with TemporaryDirectory(prefix="csrgan-") as folder:
            places = Path(folder, "low"), Path(folder, "restored")
            for place in places:
                place.mkdir()
            picture.write(places[0] / "picture.png", low[0].cpu())
            words = [word.replace(LOW, str(places[0])).replace(RESTORED, str(places[1])) for word in self.words]
            self._start(words)
            found = search(places[1]).files
            count = len(found)
            require(count == 1, f"system.command: {words[0]} wrote {count} pictures into {RESTORED} for the one in {LOW}.")
            return picture.read(found[0]).tensor()[None].to(low)

    @staticmethod
    def _start(words: list[str]) -> None:
        try:
            ended = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        except OSError as reason:
            raise UserError(f"system.command: {words[0]} cannot be started: {reason.strerror}.") from None
        said = (ended.stderr.strip() or ended.stdout.strip() or "it says nothing").splitlines()[-1]
        require(ended.returncode == 0, f"system.command: {words[0]} ended with status {ended.returncode}: {said}")


def _words(command: str) -> list[str]:
    """Return the words of a command. Raises UserError for one that does not say where the pictures are."""
    try:
        words = shlex.split(command)
    except ValueError as reason:
        raise UserError(f"system.command={command} cannot be split into words: {reason}.") from None
    lacking = [each for each in (LOW, RESTORED) if not any(each in word for word in words)]
    example = f"'theirs --in {LOW} --out {RESTORED}'"
    require(not lacking, f"system.command={command} lacks {' and '.join(lacking)}: name both, as in {example}.")
    return words
