"""Pages in one file, which load nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup


def template(name: str) -> Template:
    """Return a template of this package."""
    return Environment(loader=PackageLoader("csrgan.reports", "."), autoescape=True).get_template(name)


def rendered(page: Template, scripts: Sequence[str], content: Mapping[str, object]) -> str:
    """Render a page. Its content security policy forbids it to load anything and to run any script but these of this package."""
    script = "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return page.render(content, script=Markup(script), policy=policy)
