# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of all hosts, as a playbook reads it: by Ansible's own templating."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible.errors import AnsibleError

from ansible_collections.lunworks.iscsi.plugins.lookup.san_data import san_data
from ansible_collections.lunworks.iscsi.tests.unit.playing import run_playbook

GROUPS = {"storage": ["store1"], "compute": ["db-a", "db-b"], "all": ["store1", "db-a", "db-b", "other"]}
IQN = "iqn.2026-01.com.example"


def hostvars(**more):
    own = {
        "store1": {
            "target_targets": [{"name": f"{IQN}:t", "luns": [{"name": "db0", "size": "1g"}]}],
            "secret": 1,
        },
        "db-a": {"initiator_name": f"{IQN}:a", "volume_groups": ({"name": "vg", "luns": []},)},
        "db-b": {"initiator_naming_authority": IQN, "target_targets": ["not a storage host's"]},
        "other": {"target_targets": "{{ of_nobody }}"},
    }
    return {name: {**vars_, **more.get(name, {})} for name, vars_ in own.items()}


def nothing_is_defined(template):
    raise AnsibleError(f"'{template.split()[1]}' is undefined")


def read(vars_, groups=None):
    return san_data(GROUPS if groups is None else groups, lambda host: (vars_[host], nothing_is_defined))


def test_each_host_says_what_its_groups_ask_for():
    assert read(hostvars())["hosts"] == {
        "store1": {
            "target_targets": [{"name": f"{IQN}:t", "luns": [{"name": "db0", "size": "1g"}]}],
            "initiator_name": "",
            "target_role": "target",
            "target_sets_chap": False,
        },
        "db-a": {
            "initiator_discovery": [],
            "initiator_ifaces": [],
            "initiator_nodes": [],
            "volume_groups": [{"name": "vg", "luns": []}],
            "volume_filesystems": [],
            "initiator_name": f"{IQN}:a",
        },
        "db-b": {
            "initiator_discovery": [],
            "initiator_ifaces": [],
            "initiator_nodes": [],
            "volume_groups": [],
            "volume_filesystems": [],
            "initiator_name": f"{IQN}:db-b",
        },
    }
    assert read(hostvars())["errors"] == []
    assert read(hostvars(), {}) == {"hosts": {}, "errors": []}


@pytest.mark.parametrize(
    "vars_, said",
    [
        (
            {"volume_groups": "{{ groups_of_a }}"},
            "'db-a' cannot be read: volume_groups: 'groups_of_a' is",
        ),
        (
            {"initiator_nodes": [{"chap": {"secret": "{{ v }}"}}]},
            "initiator_nodes[0].chap.secret: 'v' is",
        ),
        ({"initiator_name": "{{ n }}"}, "'db-a' cannot be read: initiator_name: 'n' is"),
    ],
)
def test_data_that_cannot_be_read_is_named_with_its_host_and_place(vars_, said):
    (fault,) = read(hostvars(**{"db-a": vars_}))["errors"]
    assert said in fault


PLAY = [
    {
        "hosts": "storage:compute",
        "gather_facts": False,
        "tasks": [
            {
                "name": "read",
                "ansible.builtin.debug": {"msg": "{{ (query('lunworks.iscsi.san_data') | first) }}"},
                "run_once": True,
            }
        ],
    }
]


@pytest.mark.parametrize("limit", ["all", "db-b"])
def test_ansible_itself_reads_all_hosts_whatever_the_limit(tmp_path, limit):
    hosts = {
        "storage": {
            "hosts": {
                "store1": {
                    "target_targets": [{"name": "{{ vault_name }}"}, "{{ hostvars['db-a'].the_name }}"]
                }
            }
        },
        "compute": {
            "hosts": {"db-a": {"volume_groups": [{"name": "{{ the_name }}"}], "the_name": "vg"}, "db-b": {}}
        },
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (tmp_path / "play.yml").write_text(yaml.safe_dump(PLAY))
    ran = run_playbook(
        tmp_path, "-i", str(tmp_path / "hosts.yml"), "--limit", limit, str(tmp_path / "play.yml")
    )
    assert ran.returncode == 0, ran.stdout
    told = json.JSONDecoder().raw_decode(ran.stdout, ran.stdout.index("{\n"))[0]["msg"]
    (fault,) = told["errors"]
    assert "The inventory data of 'store1' cannot be read: target_targets" in fault and "vault_name" in fault
    assert told["hosts"]["db-a"]["volume_groups"] == [{"name": "vg"}]
