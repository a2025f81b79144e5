"""Charts of many groups: every name is told apart, and no legend covers the data."""

from __future__ import annotations

import math
from itertools import product

import pytest
from sweep import rows

from csrgan.errors import UserError
from csrgan.evaluation.comparison import Group, Job, references, score
from csrgan.evaluation.intervals import Difference
from csrgan.reports import chart, columns, effects, maps, predictions, training, verdicts
from csrgan.reports.look import PAGE, Look, drawing

GAIN = columns.score_of("gain")


def groups(count: int) -> list[Group]:
    """Long names that differ in the middle of a value, and in the beginning of a key."""
    long = "{{_target_: csrgan.networks.heads.Bottleneck, width: {}, depth: 4, spectrum: true}}"
    settings = product(
        (f"parameter_head={long.format(width)}" for width in range(10)), ("loss.image.weight=0", "loss.image.weight=1")
    )
    words = [(*both, f"loss.parameters.weight={index % 3}") for index, both in enumerate(settings)]
    words += [("output=minmax", f"degradation.blur.high={index}") for index in range(count - len(words))]
    return [Group(each, [Job("0", each, rows=rows(0.1), curve=[(1, 2.0), (2, 3.0)])]) for each in words]


def test_short_names_stay_distinct() -> None:
    found = groups(30)
    labels = chart.labels(found)
    assert len(set(labels.values())) == 30
    assert labels[found[-1]] == "output=minmax degradation.blur.high=9"
    assert "image.weight=1" in labels[found[1]]
    assert "parameters.weight=1" in labels[found[1]]


def test_a_key_is_not_shortened_to_what_another_is_called_or_looks_like() -> None:
    """`generator` is a group of its own, and `weight` is a key of each loss."""
    words = ("optimizer.generator.lr={}", "optimizer.discriminator.lr={}", "loss.image.weight={}", "degradation.noise.high={}")
    one, other = (Group(tuple(word.format(value) for word in words), []) for value in (1, 2))
    assert (
        chart.labels([one, other])[one]
        == "optimizer.generator.lr=1 optimizer.discriminator.lr=1 image.weight=1 degradation.noise.high=1"
    )


def test_words_of_all_groups_are_in_no_label() -> None:
    one, other = (Group(("system=csrgan", "trainer.images=8", f"seed_of={value}"), []) for value in (1, 2))
    assert list(chart.labels([one, other]).values()) == ["seed_of=1", "seed_of=2"]
    assert chart.common_words([one, other]) == ["system=csrgan", "trainer.images=8"]
    assert chart.common_words([one]) == []


def test_empty_words_of_the_user_leave_a_setting_out() -> None:
    one, other = (Group((f"system={name}", f"seed_of={name}", "logger=csv"), []) for name in ("dan", "ikc"))
    filter_ = Group(("system=wiener",), [])
    look = Look(6.9, names={"seed_of": "", "logger=csv": "", "system=dan": "DAN"})
    assert list(chart.labels([one, other, filter_], look).values()) == ["DAN", "system=ikc", "system=wiener"]
    with pytest.raises(UserError, match="two groups would be called"):
        chart.labels([one, Group(("system=dan", "seed_of=7"), []), filter_], look)


def test_a_long_label_of_a_legend_has_several_lines() -> None:
    figure = chart.blank(PAGE, 3.4)
    axes = figure.add_subplot()
    for value in "ab":
        axes.plot([0, 1], [0, 1], label=" ".join(f"key{index}.of.a.setting={value}" for index in range(12)))
    chart.legend(figure, PAGE)
    for text in figure.legends[0].get_texts():
        assert max(map(len, text.get_text().split("\n"))) <= chart.WIDEST


def test_a_long_value_loses_its_middle_if_its_ends_are_distinct() -> None:
    one, other = (Group((f"x={start}{'-' * 60}",), []) for start in "ab")
    assert all(len(label) < 35 for label in chart.labels([one, other]).values())


def test_iterations_are_drawn_of_the_systems_that_have_several() -> None:
    plain, turns = (Group((f"system={name}",), [Job("0", (), rows=rows(0.1))]) for name in ("srgan", "dan"))
    assert training.iterations([plain]) is None
    for index, row in enumerate(turns.jobs[0].rows):
        row |= {"psnr_at_1": 20.0 + index % 2, "psnr_at_2": 23.0, "theta_error_at_1": 0.2, "theta_error_at_2": 0.1}
    figure = training.iterations([plain, turns])
    assert figure is not None
    psnr, error = (axes.lines for axes in figure.axes)
    assert [line.get_ydata().tolist() for line in (*psnr, *error)] == [pytest.approx(line) for line in ([20.5, 23.0], [0.2, 0.1])]


def test_costs_have_a_line_a_group() -> None:
    cheap, dear = (Group((name,), [Job("0", (), rows=rows(0.1), costs=costs)]) for name, costs in (("a", {}), ("b", {"s": 1234.5})))
    assert training.costs([cheap, dear]) == [["settings", "s"], ["a", "-"], ["b", "1,234"]]
    assert training.costs([cheap]) == []


@pytest.mark.parametrize("inches", [3.3, 6.9])
def test_titles_of_axes_are_broken_and_drawn_as_they_are(inches: float) -> None:
    look, found = Look(inches, names={"gain": "gain of S over L in $PSNR$, dB, of all pictures"}), groups(3)
    figures = [
        effects.over_factor([Group((f"w={w}",), [Job("0", (), rows=rows(w))]) for w in (0, 1)], "w", GAIN, look),
        effects.perception_distortion(found, look),
        training.curves(found, GAIN, look),
    ]
    titles = [axes.get_ylabel() for figure in figures if figure for axes in figure.axes]
    assert len(titles) == 3 and not any("?" in title for title in titles)
    assert titles[0].replace("\n", " ") == r"gain of S over L in \$PSNR\$, dB, of all pictures"
    assert ("\n" in titles[0]) == (inches < 4)


def test_a_curve_has_two_points() -> None:
    once, twice = ([Group(("a=1",), [Job("0", ("a=1",), curve=points)])] for points in ([(1, 2.0)], [(1, 2.0), (2, 3.0)]))
    assert training.curves(once, GAIN) is None
    assert training.curves(twice, GAIN) is not None


@pytest.mark.parametrize("draw", [effects.perception_distortion, predictions.against_truth, lambda g: training.curves(g, GAIN)])
def test_a_legend_of_thirty_groups_stands_below_the_axes(draw) -> None:
    figure = draw(groups(30))
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert len(legend.get_texts()) >= chart.SHOWN
    assert legend.get_window_extent().y1 <= min(axes.get_tightbbox().y0 for axes in figure.axes) + 8


def test_a_slope_that_is_not_relevant_does_not_look_steep() -> None:
    found = [Group((f"weight={weight}",), [Job("0", (), rows=rows(weight / 1000))]) for weight in (0, 1)]
    (axes,) = effects.over_factor(found, "weight", GAIN).axes
    low, high = axes.get_ylim()
    assert high - low == pytest.approx(2 * columns.RELEVANT)
    assert low < min(axes.containers[0][0].get_ydata()) and max(axes.containers[0][0].get_ydata()) < high


def test_a_verdict_says_that_runs_have_collapsed() -> None:
    plain, gone = (Group((f"output={name}",), [Job("0", (), rows=rows(gain))]) for name, gain in (("clamp", 1.0), ("minmax", -5.0)))
    found = references([plain, gone], None)
    differences = verdicts.compared(found, GAIN, 0.05)
    first, line, other = verdicts.table(found, differences, {plain: "a", gone: "b"}, scores=[GAIN], chosen=GAIN, baseline=None)
    column = first.index("verdict")
    assert (line[column], other[column]) == ("baseline", "worse (1 seed, 2 pictures); collapsed 1 of 1")


def test_the_error_of_one_parameter_is_a_score() -> None:
    found = [{"blur_std": 2.0, "blur_std_predicted": predicted, "psnr_restored": 1.0} for predicted in (1.5, 2.25)]
    job = Job("0", (), rows=found)
    assert "blur_std_error" in columns.present([job]) and "psnr_error" not in columns.present([job])
    assert score(found, "blur_std_error") == 0.375
    named = columns.score_of("blur_std_error")
    assert (named.heading, named.better) == ("error of blur std, px", "lower is better")


def test_a_line_over_a_factor_for_each_combination_of_the_others() -> None:
    words = [(f"weight={weight}", f"high={high}") for weight in ("0", "1e-3", "1") for high in (4, 16)]
    found = [Group(each, [Job("0", each, rows=rows(float(each[0][7:])))]) for each in words]
    assert effects.numeric_factors(found) == ["weight", "high"]
    (axes,) = effects.over_factor(found, "weight", GAIN).axes
    assert [text.get_text() for text in axes.get_figure().legends[0].get_texts()] == ["high=4", "high=16"]
    for line in axes.containers:
        assert line[0].get_xdata().tolist() == [0, 0.001, 1]
        assert line[0].get_ydata() == pytest.approx([1, 1.001, 2])


def test_a_map_for_each_group_and_scale() -> None:
    figure = maps.over_grid(groups(4)[:2], GAIN)
    assert len(figure.axes) == 4
    assert {text.get_text() for text in figure.axes[0].texts} == {"+1.100"}
    scattered = [row | {"blur_std": 0.01 * index} for index, row in enumerate(rows(0.0))]
    assert maps.over_grid([Group((), [Job("0", (), rows=scattered)])], GAIN) is None
    of_sizes = [
        row | {"image": f"{index}.png", "scale": float(row["scale"]) * (1 + 0.002 * index)}
        for index in range(3)
        for row in rows(0.0)
    ]
    assert (
        len(maps.over_grid([Group((), [Job("0", (), rows=of_sizes)])], GAIN).axes) == 2
    )  # a scale is what a photograph makes of it
    long = Group(tuple(f"a.long.key.number{k}=value" for k in range(12)), groups(1)[0].jobs)
    figure = maps.over_grid([long], GAIN)
    assert len(lines := figure.axes[0].get_title(loc="left").split("\n")) >= 3
    assert max(map(len, lines)) <= 38 * 2


@pytest.mark.parametrize(
    ("column", "interval", "verdict"),
    [
        ("gain", (0.1, 0.3), "better"),
        ("gain", (-0.3, -0.1), "worse"),
        ("gain", (-0.1, 0.1), "no clear difference"),
        ("ciede2000_restored", (0.1, 0.3), "worse"),
        ("hf_ratio_restored", (0.1, 0.3), "higher"),
        ("new_restored", (-0.3, -0.1), "lower"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero_and_a_direction(column: str, interval: tuple, verdict: str) -> None:
    assert columns.score_of(column).verdict(Difference(sum(interval) / 2, *interval, 10)) == verdict


def test_a_difference_that_is_not_relevant_is_neither_better_nor_worse() -> None:
    small, large = (Difference(mean, mean - 0.001, mean + 0.001, 20, 3, 5, relevant=0.05) for mean in (-0.04, -0.06))
    assert GAIN.sentence(small) == "no relevant difference (3 seeds, 5 pictures)"
    assert GAIN.sentence(large) == "worse (3 seeds, 5 pictures)"
    least = Difference(1.05 - 1, 0.04, 0.06, 20, 1, 1, relevant=0.05)
    assert GAIN.sentence(least) == "better (1 seed, 1 picture)"


def test_an_interval_that_is_not_relevant_anywhere_says_so_and_a_wider_one_is_not_clear() -> None:
    said = [GAIN.verdict(Difference(0.0, -width, width, 20, 3, 5, relevant=0.05)) for width in (0.04, 0.06)]
    assert said == ["no relevant difference", "no clear difference"]
    one_seed = [GAIN.verdict(Difference(0.0, -0.01, 0.01, 20, 1, 5, by_chance, 0.05)) for by_chance in (0.0, 0.02, 0.1)]
    assert one_seed == ["no relevant difference", "no relevant difference", "no clear difference"]


def test_so_many_decibels_of_another_score_are_those_of_an_error() -> None:
    """An error that is 1.01 times as large has a PSNR that is 20 log10(1.01) dB smaller."""
    assert GAIN.changed_by(0.05, 27.0) == 0.05
    assert columns.score_of("ciede2000_restored").changed_by(20 * math.log10(1.01), 3.0) == pytest.approx(0.03)


def scored_at(weight: str, blur: float, images: int = 1) -> Group:
    """A group whose test set is known by its blur."""
    words = (f"weight={weight}", f"high={blur:g}")
    return Group(words, [Job("0", words, rows=[row | {"blur_std": blur} for row in rows(float(weight), images)])])


def test_points_of_different_test_sets_are_not_joined() -> None:
    """Each value of `high` was scored on a set of its own: nothing is drawn over it, and what is left out is said."""
    found = [scored_at(weight, blur) for weight in ("0", "1", "2") for blur in (4, 16)]
    (axes,) = effects.over_factor(found, "weight", GAIN).axes
    assert [line[0].get_xdata().tolist() for line in axes.containers] == [[0, 1, 2]] * 2
    assert effects.over_factor(found, "high", GAIN) is None
    told = effects.not_joined(found, "high", GAIN)
    assert told == " Values that were scored on different test sets are not joined. 6 values without another to join are left out."
    assert effects.not_joined(found, "weight", GAIN) == ""


def test_a_single_seed_has_no_bar() -> None:
    (axes,) = effects.over_factor([scored_at(weight, 4) for weight in "01"], "weight", GAIN).axes
    assert not axes.containers[0].has_yerr
    several = [Group(group.settings, group.jobs * 2) for group in (scored_at(weight, 4) for weight in "01")]
    (axes,) = effects.over_factor(several, "weight", GAIN).axes
    assert axes.containers[0].has_yerr


def test_a_group_without_a_difference_has_no_row() -> None:
    """The only group of a test set, and one that lacks the score."""
    one, other, alone = scored_at("0", 4), scored_at("1", 4), scored_at("2", 16)
    lacking = Group(("weight=3",), [Job("0", (), rows=[row | {"psnr_restored": math.nan} for row in one.jobs[0].rows])])
    compared = references([one, other, alone, lacking], None)
    differences = verdicts.compared(compared, GAIN, 0.05)
    (axes,) = effects.against_baseline(differences, compared, GAIN).axes
    assert [text.get_text().split()[0] for text in axes.get_yticklabels()] == ["weight=0", "weight=1"]
    assert effects.against_baseline({alone: None}, {alone: alone}, GAIN) is None


def test_an_interval_that_rounding_puts_beside_its_mean_is_drawn() -> None:
    one, other = (Group((name,), [Job("0", (), rows=rows(0.1))]) for name in "ab")
    rounded = Difference(0.06, 0.06 + 1e-12, 0.06 + 1e-12, 2)
    (axes,) = effects.against_baseline({one: None, other: rounded}, {one: one, other: one}, GAIN).axes
    assert len(axes.containers) == 1


def test_long_names_beside_short_ones_do_not_overlap() -> None:
    long = [f"trainer.key_number_{index}=value_{index}" for index in range(12)]
    found = [Group((name, *(long if name in "bc" else ())), [Job("0", (), rows=rows(0.1))]) for name in "abcd"]
    compared = references(found, None)
    with drawing(PAGE):
        figure = effects.against_baseline(verdicts.compared(compared, GAIN, 0.05), compared, GAIN)
        for _ in range(2):
            figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].get_yticklabels()]
    assert len(boxes) == 4
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])


def test_a_map_of_one_cell_and_a_prediction_of_one_value_are_not_drawn() -> None:
    one = [row for row in rows(0.1) if (row["blur_std"], row["scale"], row["noise_std"]) == (1.0, 1.5, 0.01)]
    single = [Group((), [Job("0", (), rows=one)])]
    assert maps.over_grid(single, GAIN) is None
    assert predictions.against_truth(single) is None
