# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Sphinx does with our pages beyond its own: lists of plugins, the drawing, and the order within a page."""

from __future__ import annotations

import re
from pathlib import Path

import drawing
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

# The title that antsibull-docs gives a page.
TITLE = re.compile(r"^lunworks\.iscsi\.\w+ \w+ -- (.+)$", re.MULTILINE)


class Plugins(SphinxDirective):
    """Plugins or roles of one kind, each with its description, in the page and in the navigation.

    .. plugins:: module

       lun
    """

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        kind = self.arguments[0]
        names = [line.strip() for line in self.content if line.strip()]
        listed = [f"* :doc:`{name} </{name}_{kind}>`: {self.described(f'{name}_{kind}')}" for name in names]
        navigated = [f"   {name} </{name}_{kind}>" for name in names]
        return self.parse_text_to_nodes(
            "\n".join([*listed, "", ".. toctree::", "   :hidden:", "", *navigated])
        )

    def described(self, page: str) -> str:
        path = Path(self.env.srcdir, f"{page}.rst")
        found = TITLE.search(path.read_text()) if path.exists() else None
        if not found:
            raise self.error(f"antsibull-docs wrote no page '{page}' with a title.")
        self.env.note_dependency(path)
        return found.group(1)


class San(Directive):
    """The drawing of the whole, as SVG in the page: for a wide window, and for a narrow one."""

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", drawing.wide() + drawing.narrow(), format="html")]


class AsRead(SphinxTransform):
    """Pages of antsibull-docs in the order in which they are read: examples stand right after the synopsis.

    What is on every page goes: the note that tells how to install the collection, and the table of contents, which the theme
    has beside the page. It runs before docutils and Sphinx collect the sections.
    """

    default_priority = 600

    def apply(self) -> None:
        for section in list(self.document.findall(nodes.section)):
            parts = {
                part["names"][0]: part
                for part in section
                if isinstance(part, nodes.section) and part["names"]
            }
            before = parts.get("requirements") or parts.get("synopsis")
            if before and "examples" in parts:
                section.remove(parts["examples"])
                section.insert(section.index(before) + 1, parts["examples"])
        for node in list(self.document.findall(lambda node: isinstance(node, (nodes.topic, nodes.note)))):
            if "contents" in node["classes"] or "ansible-galaxy collection install" in node.astext():
                node.parent.remove(node)


def setup(app):
    app.add_directive("plugins", Plugins)
    app.add_directive("san", San)
    app.add_transform(AsRead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
