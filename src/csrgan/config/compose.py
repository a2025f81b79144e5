"""Compose the configuration of a command from its overrides, for programs that only read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import open_dict

from csrgan.config import search
from csrgan.config.build import checked_settings
from csrgan.config.folder import groups
from csrgan.config.location import conf
from csrgan.errors import UserError
from csrgan.tree import Settings


def protocol(name: str) -> Settings:
    """Return the settings of a degradation. Raises UserError for an unknown name."""
    names = {file.stem for file in dict(groups())["degradation"]}
    if name not in names:
        raise UserError.unknown("degradation", name, names)
    return dict(composed("degrade", [f"degradation={name}", "source=.", "destination=."])["degradation"])


def composed(command: str, words: Sequence[str] = ()) -> Settings:
    """Return plain settings; run_dir is empty, since it names the time. Raises UserError for missing or impossible values."""
    with search.search_config_dirs(words) as overrides, _no_running_job(), initialize_config_dir(str(conf()), command, "1.3"):
        config = compose(command, overrides)
    with open_dict(config):
        config.run_dir = ""
    return checked_settings(config)


@contextmanager
def _no_running_job() -> Iterator[None]:
    """Let a command that Hydra runs compose another configuration; Hydra knows one at a time."""
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = running
