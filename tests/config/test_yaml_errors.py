"""A yaml file that cannot be read is told with the line that is wrong, and its text."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from csrgan.config.yaml_errors import yaml_message


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("# x\na: 1\nweight 1.0\nfunction: {x: 1}\n", 3, "could not find expected ':' (“weight 1.0”)."),
        ("# x\na: 1\nweight 1.0\n\n\nfunction: {x: 1}\n", 3, "(“weight 1.0”)."),
        ("weight 1.0\nb: 2\n", 1, "(“weight 1.0”)."),
        ("a: 1\nb: c: d\n", 2, "(“b: c: d”)."),
        ("a: [1, 2\nb: 3\n", 1, "(“a: [1, 2”)."),
        ("a: 'x\nb: 3\n", 1, "found unexpected end of stream (“a: 'x”)."),
        ("a:\n\tb: 2\n", 2, "has a tab: yaml takes blanks (“b: 2”)."),
    ],
)
def test_the_line_that_is_wrong_is_named(text: str, line: int, shown: str, loader: type, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(yaml.YAMLError) as refused, file.open() as stream:
        yaml.load(stream, loader)
    told = yaml_message(refused.value)
    assert told is not None
    assert told.startswith(f"{file}, line {line}, ")
    assert told.endswith(shown)


def test_any_other_error_is_none_of_yaml() -> None:
    assert yaml_message(ValueError("a")) is None
