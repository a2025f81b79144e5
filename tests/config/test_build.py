"""What is built from a configuration is Python's own: nothing of Hydra's is left in it."""

from __future__ import annotations

from functools import partial

import pytest
from composed import SMALL, composed
from hydra.errors import InstantiationException

from csrgan.config.build import build


def test_partial_targets_become_plain_functools_partials() -> None:
    system = build(composed(*SMALL)["system"], "system")
    terms = [term for updater in system.updaters.values() for term in updater.objective.terms.values()]
    made = [updater.make_optimizer for updater in system.updaters.values()]
    called = [*(term.function for term in terms), system.generator.output, system.state.rule.schedule, *made]
    assert len(terms) == 4
    assert {type(each) for each in called} == {partial}


def test_a_build_error_names_its_key() -> None:
    node = {"first": [{"_target_": "torch.nn.Linear", "in_features": -1, "out_features": 2}]}
    with pytest.raises(InstantiationException, match=r"^system.first\[0\] cannot be built: torch.nn.Linear: "):
        build(node, "system")
