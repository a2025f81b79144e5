"""Metrics of one's own: every yaml of a folder conf/metric that csrgan finds."""

from __future__ import annotations

from csrgan.config.build import build
from csrgan.config.folder import groups, settings
from csrgan.errors import require
from csrgan.evaluation.metrics import METRICS, Metric, register

OWN: set[str] = set()


def metrics() -> None:
    """Score by them from now on. Raises UserError for one that cannot be built, is no metric, or has the name of csrgan's own."""
    for file in dict(groups()).get("metric", []):
        name = file.stem
        require(name in OWN or name not in METRICS, f"{file} has the name of csrgan's own metric {name}: give it another.")
        made = build(settings(file), f"metric.{name}")
        require(isinstance(made, Metric), f"{file} makes a {type(made).__name__}, and no csrgan.evaluation.metrics.Metric.")
        OWN.add(name)
        register(name, made)
