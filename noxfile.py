# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of tools/check as nox sessions. tools/check makes the environments, so nox needs none."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "units", "docs", "build"]


def part(name):
    @nox.session(name=name)
    def check(session):
        session.run("tools/check", name, *session.posargs, external=True)


for name in ("lint", "types", "units", "sanity", "docs", "build", "alone", "molecule"):
    part(name)
