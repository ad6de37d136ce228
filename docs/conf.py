"""How `make docs` builds the pages: Markdown as it stands for GitHub, warnings are errors."""

from pathlib import Path

import medaudit

ROOT = Path(__file__).parents[1]

project = "medaudit"
author = "the medaudit developers"
version = release = medaudit.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["build"]
html_theme = "furo"
html_title = "medaudit"
html_static_path: list[str] = []
# nothing is loaded from elsewhere, and no page says when it was built
html_show_sphinx = False
html_last_updated_fmt = None

myst_heading_anchors = 4
myst_enable_extensions = ["linkify"]
nitpicky = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"
