"""The table of a sweep: a line for each group, with its scores and a verdict on the difference to its baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from csrgan.evaluation.comparison import COLLAPSED, PLAIN, Group, collapsed, holds, mean, spread
from csrgan.evaluation.intervals import Difference, changed_by_seed, difference
from csrgan.evaluation.results import PICTURES
from csrgan.reports.columns import BY_CHANCE, ONE_SEED, WITH_SIGN, Score
from csrgan.reports.sets import Scored

DEFAULT_SEED = "the default seed"  # of a job whose words name none
SEEDS = 3  # the note says so where there are fewer


def table(
    references: Mapping[Group, Group],
    differences: Mapping[Group, Difference | None],
    labels: Mapping[Group, str],
    *,
    scores: Sequence[Score],
    chosen: Score,
    baseline: str | None,
    found: Sequence[Scored] = (),
) -> list[list[str]]:
    """Return the table, headings first. references, differences: of each group. chosen: the score of the verdicts. found: the test
    sets, which are named where there are several."""
    where = {group: each.name for each in found for group in each.methods} if len(found) > 1 else {}
    others = [score for score in scores if score != chosen]
    first = ["settings", "verdict", "difference to the baseline", chosen.heading, "deviation over seeds"]
    lines = [[*first, *(score.heading for score in others), "seeds", "collapsed", "seconds", "compared with"]]
    lines[0] += ["test set"] if where else []
    for group, reference in references.items():
        count = len(group.jobs)
        lines.append(
            [
                group.name,
                *_compared(group, reference, differences[group], chosen, baseline),
                *(_text(score, mean(group, score.column)) for score in others),
                str(count),
                f"{collapsed(group)} of {count}",
                f"{sum(job.seconds for job in group.jobs) / count:.0f}",
                "" if reference is group else labels[reference],
                *([where[group]] if where else []),
            ]
        )
    return lines


def compared(references: Mapping[Group, Group], chosen: Score, relevant: float) -> dict[Group, Difference | None]:
    """Return the difference of each group to its reference; None for a reference, or if nothing pairs. relevant: in dB."""
    measured = changed_by_seed(list(references), chosen.column)
    result: dict[Group, Difference | None] = {}
    for group, reference in references.items():
        found = None if group is reference else difference(group, reference, chosen.column)
        baseline = mean(reference, chosen.column)
        by_seed = chosen.changed_by(BY_CHANCE, baseline) if math.isnan(measured) else measured
        result[group] = found and found._replace(
            by_chance=by_seed if group.seeded or reference.seeded else 0.0, relevant=chosen.changed_by(relevant, baseline)
        )
    return result


def notes(
    references: Mapping[Group, Group],
    differences: Mapping[Group, Difference | None],
    chosen: Score,
    baseline: str | None,
    relevant: float,
) -> list[str]:
    """Return the paragraphs below the table: which groups are compared, and what the numbers mean."""
    if not references:
        return ["No job is complete."]
    return [_rule(baseline), _note(references, differences, chosen, relevant), *_of_one_seed(differences, chosen)]


def _of_one_seed(differences: Mapping[Group, Difference | None], chosen: Score) -> Iterator[str]:
    """Yield a sentence for each verdict that a single seed carries."""
    for group, found in differences.items():
        if found and found.decisive is not None and chosen.verdict(found) in WITH_SIGN:
            each = ", ".join(f"{seed or DEFAULT_SEED} {value:+.{chosen.digits}f}" for seed, value in found.by_seed)
            unit = f" {chosen.unit}" if chosen.unit else ""
            decisive = found.decisive or DEFAULT_SEED
            yield (
                f"“{group.name}” is {chosen.verdict(found)} because of {decisive}: without it, the difference would not be"
                f" relevant or would turn round ({each}{unit}). More seeds will tell."
            )


def _rule(baseline: str | None) -> str:
    """Return a sentence that says which groups are compared."""
    if baseline is None:
        return "Each group is compared with the first of those scored on the same photographs and degradations."
    if baseline in PLAIN:
        return (
            "Each group is compared with the one that has no settings of its own, if that was scored on the same photographs and"
            " degradations; if not, with the first group that was."
        )
    return (
        "Each group is compared with one scored on the same photographs and degradations: of the groups with every"
        f" word of “{baseline}”, the one that differs from it in the fewest settings; if there is none, the first group."
    )


def _note(references: Mapping[Group, Group], differences: Mapping[Group, Difference | None], chosen: Score, relevant: float) -> str:
    """Return sentences that explain the numbers of the table."""
    images = min(len({row["image"] for row in group.jobs[0].rows}) for group in references)
    resampled = f"the {images} photographs" if images >= PICTURES else "photograph and degradation pairs"
    seeds = min((len(group.jobs) for group in references if group.seeded), default=None)
    warning = "" if images >= PICTURES else f" {images} photographs are too few to generalise to others."
    if seeds is not None and seeds < SEEDS:
        those = "this seed" if seeds == 1 else f"these {seeds} seeds"
        warning += f" A verdict is one on {those} alone. Whether it holds for others, {SEEDS} or more will show."
    single = next((each for each in differences.values() if each and chosen.verdict(each) == ONE_SEED), None)
    if single:
        warning += f" Of single seeds, a difference below {single.by_chance:.2g} {chosen.unit}".rstrip()
        warning += " is no verdict: another seed may change that much."
    both, these = ("", "") if seeds is None else (" over the seeds that both have", " and these seeds")
    return (
        f"The score is {chosen.heading}: {chosen.better}. Differences are of means{both}, with 95 %"
        f" intervals of a paired bootstrap over {resampled}{these}.{warning} {_least(chosen, relevant)}"
        f" A job has collapsed if its mean gain is below {COLLAPSED:g} dB, or nan."
    )


def _least(chosen: Score, relevant: float) -> str:
    """Return a sentence that says which differences are relevant."""
    share = 100 * chosen.changed_by(relevant, 1.0)
    least = f"{relevant:g} dB" if chosen.unit == "dB" else f"{share:.2g} % of the baseline's (as {relevant:g} dB are of an error)"
    return f"A difference below {least} is not relevant, and so neither better nor worse."


def _compared(group: Group, reference: Group, found: Difference | None, chosen: Score, baseline: str | None) -> list[str]:
    """Return verdict, difference, score and deviation."""
    deviation = spread(group, chosen.column)
    scores = [_text(chosen, mean(group, chosen.column)), "-" if math.isnan(deviation) else f"{deviation:.2g}"]
    if group is reference:
        named = baseline is None or holds(group, baseline)
        return ["baseline" if named else "baseline: the first group scored on these", "", *scores]
    if found is None:
        return ["no value to compare", "", *scores]
    gone = collapsed(group)
    verdict = chosen.sentence(found) + (f"; collapsed {gone} of {len(group.jobs)}" if gone else "")
    return [verdict, chosen.interval(found), *scores]


def _text(score: Score, value: float) -> str:
    return "nan" if math.isnan(value) else score.text(value)
