# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role on a distribution that it does not know ends in a sentence, not in a file that is not found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROLES = sorted(path.parent for path in (Path(__file__).resolve().parents[2] / "roles").glob("*/vars"))


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_role_names_the_families_that_it_knows(role):
    families = sorted(path.stem for path in (role / "vars").glob("*.yml"))
    tasks = yaml.safe_load((role / "tasks/names.yml").read_text())
    kinds = [next(iter(set(task) - {"name", "when"})) for task in tasks]
    known = tasks[kinds.index("ansible.builtin.assert")]["ansible.builtin.assert"]
    assert kinds.index("ansible.builtin.assert") < kinds.index("ansible.builtin.include_vars")
    assert known["that"] == f"ansible_facts.os_family in {families}".replace("'", '"')
    assert f"on {', '.join(families[:-1])} and {families[-1]}" in known["fail_msg"]
    assert "{{ ansible_facts.os_family }}" in known["fail_msg"]
