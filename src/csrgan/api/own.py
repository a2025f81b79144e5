"""Your own metrics: every yaml file in a folder conf/metric that csrgan finds. One that says `used: false` is for the asking."""

from __future__ import annotations

from collections.abc import Collection

from csrgan.config.build import build
from csrgan.config.folder import groups, settings
from csrgan.errors import require
from csrgan.evaluation.metrics import METRICS, Metric, register

OWN: set[str] = set()


def register_metrics(asked: Collection[str] = ()) -> None:
    """Register your own metrics that are used, and those that are asked for.

    Raises UserError for one that cannot be built, is no metric, or has a built-in one's name.
    """
    for file in dict(groups()).get("metric", []):
        name = file.stem
        require(name in OWN or name not in METRICS, f"{file} has the name of csrgan's own metric {name}: rename it.")
        node = settings(file)
        if not node.pop("used", True) and name not in asked:
            if name in OWN:
                OWN.remove(name)
                del METRICS[name]
            continue
        metric = build(node, f"metric.{name}")
        require(
            isinstance(metric, Metric), f"{file} builds a {type(metric).__name__}, which is not a csrgan.evaluation.metrics.Metric."
        )
        OWN.add(name)
        register(name, metric)
