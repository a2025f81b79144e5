"""What a user is told whose numbers do not read as such."""

from __future__ import annotations

import pytest

from csrgan.config.written import advice, comma_fault


@pytest.mark.parametrize(
    ("text", "values"),
    [
        *(("1..3", "1,2,3"), ("1-3", "1,2,3"), ("4:50", "4,50"), ("0.1 1e-3", "0.1,1e-3"), ("(1;2)", "1,2"), ("-1 -2", "-1,-2")),
        *(("0.5-2", "0.5,2"), ("1..100", "1,100"), ("{1,2}", "1,2")),
    ],
)
def test_several_numbers_have_commas_between_them(text: str, values: str) -> None:
    assert advice("seed", text) == f"several values have commas between them, as in seed={values} with -m"


@pytest.mark.parametrize("text", ["x", "1x", "1e3", "many words", "-", "", "'x'", "1.5", "2024-x", "(", "1+2"])
def test_what_is_no_number_gets_no_advice(text: str) -> None:
    assert not advice("seed", text)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=1,2,", "write seed=1,2."),
        ("seed=,1", "write seed=1."),
        ("seed=1,,2", "write seed=1,2."),
        *(("seed=1,2", ""), ("seed=[1,]", ""), ("seed=,", "")),
    ],
)
def test_a_comma_too_many_is_told(word: str, said: str) -> None:
    assert comma_fault(word, torn=False) == (f"{word} has a comma too many: {said}" if said else "")
