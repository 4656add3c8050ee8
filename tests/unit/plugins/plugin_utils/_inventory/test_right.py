# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is right is never refused: SANs like people have, what the plans of the modules take, what the documentation shows."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.presets import PRESETS
from ansible_collections.lunworks.iscsi.plugins.module_utils._providers import NAMES
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.keywords import strange_keywords
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.parsers import parsed
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.read import CLOSED
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.room import without_room
from ansible_collections.lunworks.iscsi.tests.unit.inventories import ROOT, SCHEMA, faults_in, san, spread

# The options of modules that get a variable as it is, and the group whose hosts have it.
VARIABLES = {
    "targets": ("targets", "target_targets", "storage"),
    "nodes": ("nodes", "initiator_nodes", "compute"),
    "iface": (None, "initiator_ifaces", "compute"),
    "discovery": (None, "initiator_discovery", "compute"),
    "multipath_alias": ("aliases", "multipath_aliases", "compute"),
    "iscsid_conf": ("settings", "initiator_settings", "compute"),
}
PLANS = [
    pytest.param(story["module"], case["options"], id=f"{path.stem}: {case['name']}")
    for path in sorted((ROOT / "tests/unit/plans").glob("*.yml"))
    for story in [yaml.safe_load(path.read_text())]
    for case in story["cases"]
    if story["module"] in VARIABLES and "refused" not in case
]


def test_a_right_san_has_no_faults():
    assert faults_in(san()) == []


def test_credentials_behind_a_closed_vault_on_one_side_are_not_missing_there():
    data = san()
    data["store1"]["target_targets"][0]["igroups"][0]["chap"] = {"user": "db", "secret": CLOSED}
    assert faults_in(data) == []


@pytest.mark.parametrize(
    "group, lun, fits",
    [
        ({"volumes": [{"name": "a", "size": "10239m"}]}, {}, True),
        ({"volumes": [{"name": "a", "size": "5g"}, {"name": "b", "size": "5g"}]}, {}, False),
        ({"volumes": [{"name": "a", "size": "5g"}, {"name": "b", "size": "50%VG"}]}, {}, True),
        ({"volumes": [{"name": "a", "size": "5.1g"}, {"name": "b", "size": "50%VG"}]}, {}, False),
        (
            {"volumes": [{"name": "a", "size": "9g"}, {"name": "b", "size": "2g", "state": "absent"}]},
            {},
            True,
        ),
        ({"volumes": [{"name": "a", "size": "9g"}, {"name": "b", "size": "100%FREE"}]}, {}, True),
        ({"volumes": [{"name": "a", "size": "10239m"}], "extent_size": "4m"}, {}, False),
        ({"volumes": [{"name": "a", "size": "10236m"}], "extent_size": "4m"}, {}, True),
        ({"volumes": [{"name": "a", "size": "99g"}]}, {"path": "/dev/disk/by-id/x", "size": None}, True),
    ],
)
def test_volumes_are_refused_where_it_is_certain_that_their_luns_are_too_small(group, lun, fits):
    data = san()
    data["db-b"]["volume_groups"][0].update(group)
    data["store2"]["target_targets"][0]["luns"][0].update(lun)
    assert [said.partition(":")[0] for said in faults_in(data)] == ([] if fits else ["db-b"])


def test_a_volume_group_that_names_no_luns_is_not_judged_by_them():
    group = {"name": "vg_x", "luns": [], "volumes": [{"name": "a", "size": "99g"}]}
    assert list(without_room({"db-b": {"volume_groups": [group]}})) == []


def test_an_array_that_may_round_sizes_up_is_not_judged():
    data = san()
    data["array"]["target_provider"] = "ontap"
    data["array"]["target_targets"][0]["luns"][0]["path"] = "/vol/log/log"
    data["db-b"]["volume_groups"][1]["volumes"] = [{"name": "log", "size": "20g"}]
    assert not [said for said in faults_in(data) if "together" in said]
    data["array"]["target_provider"] = "manual"
    assert [said for said in faults_in(data) if "together" in said]


@pytest.mark.parametrize("software", NAMES)
def test_chap_at_discovery_is_for_what_takes_it(software):
    values = {"target_provider": software, "target_discovery_chap": {"user": "scout", "secret": CLOSED}}
    said = f"discovery_chap: this collection sets up no CHAP at discovery with {software}. Leave it out"
    wrong = [] if software in ("lio", "tgt", "manual") else [(("target_discovery_chap",), said)]
    assert list(parsed(values)) == wrong


def test_keywords_of_the_presets_are_those_of_multipath():
    sections = {"devices": [], "blacklist": {}}
    for preset in PRESETS.values():
        sections["devices"] += preset.get("devices", [])
        sections["blacklist"].update(preset.get("blacklist", {}))
    assert sections["devices"] and sections["blacklist"]
    assert list(strange_keywords({f"multipath_{name}": value for name, value in sections.items()})) == []


@pytest.mark.parametrize("tens", range(10))
def test_sans_like_people_have_are_right(tens):
    for seed in range(tens * 50, tens * 50 + 50):
        data, groups = spread(seed)
        assert faults_in(data, groups) == [], seed


@pytest.mark.parametrize("module, options", PLANS)
def test_what_a_module_plans_is_right(module, options):
    option, variable, group = VARIABLES[module]
    value = [options] if option is None else options.get(option)
    host = {
        variable: value,
        **({"target_provider": options["provider"]} if options.get("provider") in NAMES else {}),
    }
    assert faults_in({"host": host}, {"all": ["host"], group: ["host"]}) == []


def shown():
    """The data in the documentation: blocks of YAML in which a variable of ours has its value."""
    files = [ROOT / "README.md", *ROOT.glob("roles/*/README.md"), *ROOT.glob("docs/docsite/rst/*.rst")]
    for path in sorted(files):
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"^```ya?ml\n(.*?)^```", text, re.M | re.S)
        blocks += re.findall(r"^\.\. code-block:: ya?ml\n\n((?:(?:   .*)?\n)+)", text, re.M)
        for number, block in enumerate(blocks):
            for document in yaml.load_all(block, Loader=Tolerant):
                for found in variables(document):
                    yield pytest.param(found, id=f"{path.relative_to(ROOT)} {number} {' '.join(found)}")


class Tolerant(yaml.SafeLoader):
    """Takes a value behind !vault for what it is to the reader of an example."""


Tolerant.add_constructor("!vault", lambda _loader, _node: "{# vaulted #}")


def variables(document):
    """The variables of ours that stand together in a document, however deep."""
    ours = (
        {key: document[key] for key in document if key in SCHEMA["properties"]}
        if isinstance(document, dict)
        else {}
    )
    if ours:
        yield ours
    for value in document.values() if isinstance(document, dict) else document or ():
        if isinstance(value, (dict, list)) and value not in ours.values():
            yield from variables(value)


SHOWN = list(shown())


def test_the_documentation_shows_many():
    assert len(SHOWN) >= 20


@pytest.mark.parametrize("found", SHOWN)
def test_what_the_documentation_shows_is_right(found):
    data = {"host": found}
    assert [said for said in faults_in(data, {"all": ["host"]}) if "so nobody reads it" not in said] == []
