"""How Sphinx builds the site: `make docs`. The site loads nothing from elsewhere, and reads only this repository."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "extensions"))

project = "csrgan"
author = "the csrgan developers"
project_copyright = "2026, the csrgan developers. MIT licence"
version = release = installed_version("csrgan")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",  # in extensions/, as those that follow
    "command_pages",
    "configuration",
    "docstrings",
]

source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["build", "extensions"]
nitpicky = False
suppress_warnings = ["mystnb.unknown_mime_type"]

# Markdown. The notebooks carry their outputs, and the tests run them; the site shows what they carry.
myst_enable_extensions = ["colon_fence", "attrs_block", "deflist", "dollarmath", "fieldlist", "substitution"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
nb_execution_mode = "off"

# The reference of the API comes from docstrings; types from the signatures.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autoclass_content = "both"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# The page. Mathematics is drawn by the browser itself (MathML), so no script is loaded.
html_theme = "furo"
html_title = "csrgan"
html_static_path = ["static"]
html_css_files = ["csrgan.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#7ab8ff", "color-brand-content": "#7ab8ff"},
}

copybutton_exclude = ".linenos, .gp, .go"
pygments_style = "default"
pygments_dark_style = "github-dark"

# The notebooks live beside the code that they explain; Sphinx reads only what is below its own folder. Their links hold in both.
COPIES = HERE / "tutorials" / "notebooks"
shutil.rmtree(COPIES, ignore_errors=True)
COPIES.mkdir()
for notebook in (ROOT / "notebooks").glob("*.ipynb"):
    text = notebook.read_text(encoding="utf-8").replace("](../docs/tutorials/", "](../")
    (COPIES / notebook.name).write_text(text, encoding="utf-8")
