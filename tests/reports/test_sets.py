"""The test sets of a report, and the methods on them."""

from __future__ import annotations

from dataclasses import replace

from studies import groups, study

from csrgan.evaluation.comparison import Group, Job, grouped
from csrgan.reports import sets
from csrgan.reports.look import PAGE, Look


def names(found: list[sets.Scored]) -> list[tuple[str, list[str]]]:
    return [(each.name, [method.name for method in each.methods]) for each in found]


def test_each_folder_at_each_degradation_is_a_set_with_the_same_methods() -> None:
    methods = ["system=bicubic", "system=dan", "system=ours"]
    expected = ["Set5 bicubic_x2", "Set14 bicubic_x2", "Set5 bicubic_x4", "Set14 bicubic_x4"]
    found = sets.split(groups(), PAGE)
    assert names(found) == [(name, methods) for name in expected]
    for each in found:
        folders = {str(row["image"]).split("/")[0] for group in each.methods for job in group.jobs for row in job.rows}
        assert folders == {each.name.split()[0]}
    assert found[0].about == "6 pictures, blur 0-1 px, scale 2, noise 2.55/255"


def test_groups_as_they_are_have_a_set_for_each_degradation() -> None:
    found = sets.whole(groups(), PAGE)
    assert [each.name for each in found] == ["bicubic_x2", "bicubic_x4"]
    assert found[0].methods[0].name == "degradation=bicubic_x2 system=bicubic"
    assert sets.apart(found).startswith("These settings were scored on 2 test sets, and compare only within one. bicubic_x2: 12 ")
    assert sets.apart(sets.whole(groups(scales=(2,)), PAGE)) == ""


def test_a_set_of_a_single_method_keeps_the_words_that_name_the_method() -> None:
    """Both words are of all of its groups; only the degradation names other sets."""
    jobs = [job for job in study() if "x4" not in job.name or "ours" in job.name]
    found = sets.split(grouped(jobs), PAGE)
    assert names(found)[-1] == ("Set14 bicubic_x4", ["system=ours"])


def test_a_word_of_the_training_is_told_from_one_of_the_evaluation() -> None:
    """Networks trained at two blurs, each scored at both: the word comes twice in a job."""
    jobs = [
        Job(f"{own}{test}", (f"high={own}", f"high={test}"), rows=[row | {"blur_std": float(test)} for row in study()[0].rows])
        for own in (4, 16)
        for test in (4, 16)
    ]
    found = sets.split(grouped(jobs), PAGE)
    methods = ["high=4", "high=16"]
    assert names(found) == [(f"{folder} high={high}", methods) for high in (4, 16) for folder in ("Set5", "Set14")]


def test_sets_have_the_users_own_words_and_a_number_where_two_would_be_called_the_same() -> None:
    own = Look(names={"Set5": "Five", "degradation=bicubic_x2": "×2"})
    assert [each.name for each in sets.split(groups(), own)][:2] == ["Five ×2", "Set14 ×2"]
    bare = [replace(job, words=(f"system={index}",)) for index, job in enumerate(study(seeds=1, folders=("",)))]
    assert [each.name for each in sets.whole(grouped(bare), PAGE)] == ["test set 1", "test set 2"]
    assert sets.whole([Group(("a=1",), bare[:1])], PAGE)[0].name == "the test set"
