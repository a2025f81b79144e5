"""label.KEY=TEXT of csrgan report: any key, any text."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from csrgan.config import labels
from csrgan.errors import UserError


def test_labels_are_one_list_whatever_they_hold() -> None:
    given = ["label.system=dan=DAN, ours", "folder=runs", "label.a.b=${x} 'λ' [1]", "label=[]"]
    *others, word = labels.gathered(given)
    assert others == ["folder=runs", "label=[]"]
    key, _, value = word.partition("=")
    assert key == "label"
    assert list(OmegaConf.create({"label": value}).label) == ["system=dan=DAN, ours", "a.b=${x} 'λ' [1]"]
    assert labels.gathered(["folder=runs"]) == ["folder=runs"]


@pytest.mark.parametrize("word", ["label=[system=dan]", "label=system=dan", "label={system: DAN}"])
def test_labels_written_as_one_are_told_how_they_are_written(word: str) -> None:
    with pytest.raises(UserError, match=r"each label is a word of its own, label\.KEY=TEXT") as told:
        labels.gathered(["folder=runs", word])
    assert str(told.value).startswith(word)
