"""The forms for reports are ones that a forge can show: each field has a label, and an id of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pages import ROOT

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_can_be_shown(form: Path) -> None:
    fields = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(fields)
    assert all(field["type"] in ("textarea", "input") and field["attributes"]["label"] for field in fields["body"])
    names = [field["id"] for field in fields["body"]]
    assert len(set(names)) == len(names)
    assert {"commands" if form.stem == "study" else "command", "version"} <= set(names) or form.stem == "feature_request"
