# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role on a distribution whose packages it does not know works where its programs and units are, and says what is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.lunworks.iscsi.tests.unit.playing import run_playbook

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.parents[1] for path in (ROOT / "roles").glob("*/vars/Debian.yml"))
FAMILIES = ["Debian", "RedHat", "Suse"]


def known(role, family):
    return yaml.safe_load((role / f"vars/{family}.yml").read_text())


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_role_knows_the_same_of_each_family_and_what_to_look_for_elsewhere(role):
    files = sorted(path.stem for path in (role / "vars").glob("*.yml"))
    assert files == [*FAMILIES, "other"]
    own = f"{role.name}_packages"
    assert all(known(role, family)[own] for family in FAMILIES)
    other = known(role, "other")
    assert other.pop(own) == []
    assert other.pop(f"{role.name}_programs") and f"{role.name}_units" in other
    other.pop(f"{role.name}_units")
    assert all(set(known(role, family)) == {own, *other} for family in FAMILIES)
    (check,) = (
        task["ansible.builtin.assert"]
        for task in yaml.safe_load((role / "tasks/programs.yml").read_text())
        if "ansible.builtin.assert" in task
    )
    assert f"on {', '.join(FAMILIES[:-1])} and {FAMILIES[-1]};" in check["fail_msg"]


def block(role, family):
    """The beginning of a role on a host of this family, and what became of it; only reads."""
    said = f"said_{role.name}_{family}"
    return {
        "block": [
            {
                "ansible.builtin.include_role": {
                    "name": f"lunworks.iscsi.{role.name}",
                    "tasks_from": "names",
                },
                "vars": {"ansible_facts": {"os_family": family}},
            },
            {"ansible.builtin.set_fact": {said: f"{{{{ {role.name}_packages }}}}"}},
        ],
        "rescue": [{"ansible.builtin.set_fact": {said: "{{ ansible_failed_result.msg }}"}}],
    }


def said(tmp_path, families, **extra):
    """What each role does on each family, in one run of Ansible."""
    tasks = [block(role, family) for role in ROLES for family in families]
    names = [f"said_{role.name}_{family}" for role in ROLES for family in families]
    told = {name: f"{{{{ {name} }}}}" for name in names}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [*tasks, {"ansible.builtin.debug": {"msg": told}}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    ran = run_playbook(
        tmp_path,
        "-i",
        "localhost,",
        "-e",
        json.dumps({"ansible_python_interpreter": sys.executable, **extra}),
        str(tmp_path / "play.yml"),
        seconds=180,
    )
    assert ran.returncode == 0, ran.stdout
    return json.JSONDecoder().raw_decode(ran.stdout, ran.stdout.rindex("=> {") + 3)[0]["msg"]


def test_what_is_missing_on_another_family_is_named(tmp_path):
    lacking = {f"{role.name}_programs": ["no-such-program"] for role in ROLES}
    found = said(tmp_path, ["Archlinux"], **lacking)
    for role in ROLES:
        message = found[f"said_{role.name}_Archlinux"]
        assert "'localhost' is of the family 'Archlinux', and this is not there: no-such-program" in message
        assert message.startswith(
            f"The role {role.name} knows the names of packages on Debian, RedHat and Suse;"
        )


def test_a_role_goes_on_where_what_it_needs_is_there(tmp_path):
    there = {
        f"{role.name}_{what}": names
        for role in ROLES
        for what, names in (("programs", ["sh"]), ("units", []))
    }
    found = said(tmp_path, ["Gentoo", "Suse"], target_provider="tgt", **there)
    for role in ROLES:
        packages = known(role, "Suse")[f"{role.name}_packages"]
        assert found[f"said_{role.name}_Gentoo"] == []
        assert found[f"said_{role.name}_Suse"] == (["tgt"] if role.name == "target" else packages)
