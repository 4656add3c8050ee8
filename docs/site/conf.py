# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# How Sphinx makes the site. tools/docs puts this folder beside the pages that antsibull-docs writes.
from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

project = html_title = html_short_title = "lunworks.iscsi"
author = copyright = "The lunworks.iscsi authors"

extensions = ["sphinx_antsibull_ext", "pages"]
antsibull_ext_color_scheme = "none"  # lunworks.css has the colours, light and dark
exclude_patterns = ["environment_variables.rst"]  # an index of none
default_role = "any"
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
pygments_dark_style = "github-dark"

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["lunworks.css"]
html_logo = html_favicon = "_static/logo.svg"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6b73", "color-brand-content": "#0b6b73"},
    "dark_css_variables": {"color-brand-primary": "#5cc8cf", "color-brand-content": "#5cc8cf"},
}
html_show_sphinx = False
html_copy_source = False
html_use_index = False
