"""Which of the processes that train together this one is. csrgan, torchrun or Slurm tells it in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from csrgan.errors import UserError

NEEDED = ("RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
STARTED_BY = "CSRGAN_STARTED_BY"  # environment variable: who started the processes, for sentences
SAYS = "CSRGAN_LAST_WORDS"  # environment variable: the file for the sentence with which a process ends
LOST = 75  # exit status of a process that ends because another one has (EX_TEMPFAIL)
PORT = 15000  # of Slurm's job 0; others follow


@dataclass(frozen=True)
class Rank:
    """rank: number of the process; 0 writes and speaks. local: its number on this machine, that of its device.

    world: number of processes. local_world: of those on this machine. started_by: who started them.
    """

    rank: int = 0
    local: int = 0
    world: int = 1
    local_world: int = 1
    started_by: str = ""

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    @property
    def machines(self) -> int:
        return self.world // self.local_world


def own() -> Rank:
    """Return the rank of this process. Raises UserError where the environment tells only a part of it."""
    environment = {**of_slurm(os.environ), **os.environ}
    if environment.get("WORLD_SIZE", "1") == "1":
        return Rank()
    world, missing = environment["WORLD_SIZE"], [name for name in NEEDED if name not in environment]
    if missing:
        raise UserError(
            f"WORLD_SIZE={world} in the environment says that {world} processes train together, but {' and '.join(missing)} are"
            " missing: start them with torchrun, or unset WORLD_SIZE."
        )
    rank, local, local_world = (_count(environment, name) for name in NEEDED[:3])
    return Rank(rank, local, _count(environment, "WORLD_SIZE"), local_world, environment.get(STARTED_BY, "torchrun"))


def _count(environment: Mapping[str, str], name: str) -> int:
    if not environment[name].isdecimal():
        raise UserError(f"{name}={environment[name]} in the environment is not a whole number.")
    return int(environment[name])


def of_slurm(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what torchrun would set, for the tasks of one `srun`; empty elsewhere, also in the script that calls srun."""
    world = environment.get("SLURM_STEP_NUM_TASKS", "1")
    if "WORLD_SIZE" in environment or world == "1" or "SLURM_PROCID" not in environment:
        return {}
    return {
        "WORLD_SIZE": world,
        "RANK": environment["SLURM_PROCID"],
        "LOCAL_RANK": environment.get("SLURM_LOCALID", "0"),
        "LOCAL_WORLD_SIZE": environment.get("SLURM_STEP_TASKS_PER_NODE", world).split("(")[0].split(",")[0],
        "GROUP_RANK": environment.get("SLURM_NODEID", "0"),
        "MASTER_ADDR": _first_host(environment.get("SLURM_STEP_NODELIST", "127.0.0.1")),
        "MASTER_PORT": str(PORT + int(environment.get("SLURM_JOB_ID", "0")) % 10000),
        STARTED_BY: "Slurm",
    }


def _first_host(nodes: str) -> str:
    """Return the first of a list of Slurm's: node[07-09,12],other is node07."""
    match = re.match(r"([^,\[]+)(?:\[(\d+)[^\]]*\])?", nodes)
    return f"{match[1]}{match[2] or ''}" if match else nodes
