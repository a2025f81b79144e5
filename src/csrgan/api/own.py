"""Your own metrics: every yaml file in a folder conf/metric that csrgan finds. One that says `used: false` is for the asking."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from csrgan.config.arguments import argument_faults
from csrgan.config.build import build
from csrgan.config.check import declared_rules, value_faults
from csrgan.config.folder import groups, settings
from csrgan.config.targets import early_faults
from csrgan.declared import requested_inputs
from csrgan.errors import raise_faults, require
from csrgan.evaluation.metrics import METRICS, Metric, register
from csrgan.evaluation.metrics.metric import input_faults, setting_faults
from csrgan.tree import Settings

OWN: set[str] = set()
NAMES = ("csrgan.evaluation.metrics.Metric", "csrgan.evaluation.metrics.metric.Metric")


def register_metrics(asked: Collection[str] = ()) -> None:
    """Register your own metrics that are used, and those that are asked for.

    Raises UserError for one that cannot be built, is no metric, or has a built-in one's name.
    """
    for file in dict(groups()).get("metric", []):
        name = file.stem
        require(name in OWN or name not in METRICS, f"{file} has the name of csrgan's own metric {name}: rename it.")
        node = settings(file)
        used, place = node.pop("used", True), f"metric.{name}"
        require(isinstance(used, bool), f"{place}.used={used} is neither true nor false.")
        if not used and name not in asked:
            if name in OWN:
                OWN.remove(name)
                del METRICS[name]
            continue
        raise_faults(_faults(node, place))
        metric = build(node, place)
        require(
            isinstance(metric, Metric), f"{file} builds a {type(metric).__name__}, which is not a csrgan.evaluation.metrics.Metric."
        )
        OWN.add(name)
        register(name, metric)


def _faults(node: Settings, place: str) -> Iterator[str]:
    """Yield a sentence for each fault in the file of a metric that is told without building it."""
    if node.get("_target_") not in NAMES:
        return
    tree = {"metric": {place.removeprefix("metric."): node}}
    yield from (told := list(argument_faults(node, place)))
    if "heading" not in node and not any(f"{place} lacks" in each or "Did you mean heading" in each for each in told):
        yield f"{place} lacks heading, which tables call it by: add heading: VALUE."
    yield from setting_faults(node, place)
    yield from value_faults(tree, declared_rules(tree))
    function = node.get("function")
    if isinstance(function, dict) and isinstance(target := function.get("_target_"), str) and not list(early_faults(node, place)):
        yield from input_faults(requested_inputs(target, factory=not function.get("_partial_")), place)
