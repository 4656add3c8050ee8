# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of the role variables: made from the roles' specs, which say of options what the modules' specs say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.alias import OPTIONS as ALIASES
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.conf.resource import LUN
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.discovery.request import (
    OPTIONS as DISCOVERY,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.iface.resource import (
    OPTIONS as IFACE,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.node.resource import OPTIONS as NODE
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.options import DISCOVERY_CHAP, LISTED_TARGET
from ansible_collections.lunworks.iscsi.tests.unit.inventories import ROOT, SCHEMA

ROLES = sorted((ROOT / "roles").glob("*/meta/argument_specs.yml"))
# The variables that a module gets as they are, and its own options; a default that differs is the role's.
ALIKE = {
    "target_targets": LISTED_TARGET,
    "target_discovery_chap": DISCOVERY_CHAP["options"],
    "initiator_ifaces": IFACE,
    "initiator_discovery": DISCOVERY,
    "initiator_nodes": NODE,
    "multipath_aliases": ALIASES["aliases"]["options"],
    "multipath_claimed": LUN,
}
# What only the data says: of an array the WWID, which no module sets. What only a module says: SLP, which it refuses.
OWN = {"target_targets.luns.wwid"}


def options():
    """The options of all roles."""
    found = {}
    for path in ROLES:
        for spec in yaml.safe_load(path.read_text())["argument_specs"].values():
            found.update(spec.get("options") or {})
    return found


def said(spec, place):
    """What is said of options, with those below them."""
    found = {}
    for name, option in spec.items():
        here = f"{place}.{name}"
        if here in OWN:
            continue
        entry = {key: option[key] for key in ("elements", "required", "no_log") if option.get(key)}
        choices = [one for one in option.get("choices") or [] if one != "slp"]
        found[here] = {**entry, "type": option.get("type", "str"), "choices": sorted(choices)}
        found.update(said(option.get("options") or {}, here))
    return found


def test_the_schema_is_made_from_the_roles_as_they_are():
    """If not: make schema."""
    program = Path(ROOT / "tools/schema")
    made = subprocess.run([sys.executable, str(program), "--show"], check=True, stdout=subprocess.PIPE)
    assert json.loads(made.stdout) == SCHEMA


def test_the_schema_is_a_schema_and_has_every_variable():
    Draft7Validator.check_schema(SCHEMA)
    assert sorted(SCHEMA["properties"]) == sorted(options())
    assert [name for name, one in SCHEMA["properties"].items() if not one.get("description")] == []


@pytest.mark.parametrize("variable", ALIKE)
def test_a_role_says_of_options_what_the_module_says(variable):
    assert said(options()[variable]["options"], variable) == said(ALIKE[variable], variable)


@pytest.mark.parametrize("value", ["{{ anything }}", "{% if a %}b{% endif %}", "{# vaulted #}"])
def test_a_template_may_stand_anywhere(value):
    assert [
        name for name in SCHEMA["properties"] if not Draft7Validator(SCHEMA).is_valid({name: value})
    ] == []


def test_the_collection_is_built_with_its_schema_and_says_what_it_needs():
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert not {"meta", "requirements.txt"} & set(galaxy["build_ignore"])
    environment = yaml.safe_load((ROOT / "meta/execution-environment.yml").read_text())
    needed = (ROOT / environment["dependencies"]["python"]).read_text()
    assert "jsonschema >= 3.2" in needed.splitlines()
