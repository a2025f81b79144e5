"""label.KEY=TEXT of csrgan report: any key, any text."""

from __future__ import annotations

from omegaconf import OmegaConf

from csrgan.config import labels


def test_labels_are_one_list_whatever_they_hold() -> None:
    given = ["label.system=dan=DAN, ours", "folder=runs", "label.a.b=${x} 'λ' [1]", "label=[]"]
    *others, word = labels.gathered(given)
    assert others == ["folder=runs", "label=[]"]
    key, _, value = word.partition("=")
    assert key == "label"
    assert list(OmegaConf.create({"label": value}).label) == ["system=dan=DAN, ours", "a.b=${x} 'λ' [1]"]
    assert labels.gathered(["folder=runs"]) == ["folder=runs"]
