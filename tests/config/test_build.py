"""What is built from a configuration is Python's own: nothing of Hydra's is left in it."""

from __future__ import annotations

from functools import partial

import pytest
from composed import SMALL, composed
from hydra.errors import InstantiationException

from csrgan.config.build import build


def test_what_is_called_in_each_step_is_a_plain_partial() -> None:
    system = build(composed(*SMALL)["system"], "system")
    terms = [term for updater in system.updaters.values() for term in updater.objective.terms.values()]
    made = [updater.make_optimizer for updater in system.updaters.values()]
    called = [*(term.function for term in terms), system.generator.output, system.state.rule.schedule, *made]
    assert len(terms) == 4
    assert {type(each) for each in called} == {partial}


def test_an_error_while_something_is_built_names_its_place() -> None:
    node = {"first": [{"_target_": "torch.nn.Linear", "in_features": -1, "out_features": 2}]}
    with pytest.raises(InstantiationException, match=r"^system.first\[0\] cannot be built: torch.nn.Linear: "):
        build(node, "system")
