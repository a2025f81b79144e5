"""What torchrun and Slurm tell a process about the others."""

from __future__ import annotations

import pytest

from csrgan import ranks
from csrgan.errors import UserError

# Two nodes with two tasks each, as `srun` tells the fourth task.
STEP = {
    "SLURM_JOB_ID": "123456",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURM_STEP_NODELIST": "node[07-08]",
}


def test_a_process_that_nobody_started_with_others_is_alone() -> None:
    assert ranks.own() == ranks.Rank(0, 0, 1, 1)
    assert ranks.own().leads


def test_slurm_tells_the_rank_of_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    own = ranks.own()
    assert own == ranks.Rank(3, 1, 4, 2, "Slurm")
    assert own.machines == 2
    assert not own.leads
    told = ranks.of_slurm(STEP)
    assert (told["MASTER_ADDR"], told["MASTER_PORT"]) == ("node07", "18456")


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("a,b", "a"), ("node[3,5-7]", "node3"), ("gpu-1", "gpu-1"), ("x[010-012],y1", "x010"), ("n1-[2-3]", "n1-2")],
)
def test_the_first_node_of_a_list_connects_all(nodes: str, first: str) -> None:
    assert ranks.of_slurm(STEP | {"SLURM_STEP_NODELIST": nodes})["MASTER_ADDR"] == first


def test_the_script_that_calls_srun_is_no_task() -> None:
    assert not ranks.of_slurm({"SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_JOB_ID": "1"})


def test_what_started_the_processes_goes_before_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (STEP | {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1"), monkeypatch.setenv("MASTER_PORT", "1")
    assert ranks.own() == ranks.Rank(1, 1, 2, 2, "torchrun")
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(UserError, match=r"^RANK=first in the environment is not a whole number\.$"):
        ranks.own()
