# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role eseries, run by ansible-playbook with netapp_eseries.santricity against an array on the loopback interface."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from ansible_collections.lunworks.iscsi.tests.unit.eseries_double import (
    GIB,
    IQN,
    PASSWORD,
    USER,
    Array,
    Refused,
    served,
)
from ansible_collections.lunworks.iscsi.tests.unit.playing import need_collection, run_playbook

A, B, C = (f"iqn.2026-01.com.example:{name}" for name in ("db-a", "db-b", "db-c"))
FIRST, SECOND = "the first secret", "the second secret"
ACCESS = {"eseries_api_username": USER, "eseries_api_password": PASSWORD, "target_provider": "eseries"}


def data(secret=FIRST, size="4g", initiators=(A,), **more):
    """A LUN of one host, and one that two hosts share."""
    chap = {"user": "db", "secret": secret}
    return {
        "name": IQN,
        "portals": ["192.0.2.10", "192.0.2.11"],
        "luns": [
            {"name": "db0", "path": "/pool1/db0", "size": size, **more},
            {"name": "quorum", "path": "/pool1/quorum", "size": "128m", "shared": True},
        ],
        "igroups": [
            {"name": "db-a", "initiators": list(initiators), "luns": ["db0", "quorum"], "chap": chap},
            {"name": "db-b", "initiators": [B], "luns": ["quorum"], "chap": chap},
        ],
    }


@pytest.fixture
def array(monkeypatch):
    """One on which others have made something."""
    need_collection("netapp_eseries.santricity")
    monkeypatch.setenv("ANSIBLE_PIPELINING", "true")  # a third of the time
    found = Array()
    others = found.have_volume("others", GIB)
    others["metadata"] = [{"key": "workloadId", "value": "42"}]
    esx = found.have_host("db-a-old", "iqn.1998-01.com.vmware:esx1")
    found.have_map(others, esx["hostRef"], 0)
    return found


def of_others(array):
    return (
        [one for one in array.volumes if one["name"] == "others"],
        [one for one in array.hosts if one["name"] == "db-a-old"],
        [one for one in array.maps if one["lun"] == 0 and one["mapRef"] == array.hosts[0]["hostRef"]],
    )


def inventory(tmp_path, url, target):
    """The array in the group storage, and a host that uses it."""
    compute = {
        "initiator_name": A,
        "initiator_nodes": [
            {"target": IQN, "portals": ["192.0.2.10"], "chap": {"user": "db", "secret": FIRST}}
        ],
        "volume_groups": [{"name": "vg_db", "luns": [{"target": IQN, "name": "db0"}]}],
    }
    store = {**ACCESS, "eseries_api_url": url, "target_targets": [target]}
    groups = {"storage": {"hosts": {"array": store}}, "compute": {"hosts": {"db-a": compute}}}
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps({"all": {"children": groups}}))
    return str(path)


def play(tmp_path, url, *runs):
    """A playbook with the role once for each run; where one fails, the next one begins."""
    tasks = [
        {
            "block": [
                {
                    "ansible.builtin.include_role": {
                        "name": "lunworks.iscsi.eseries",
                        "tasks_from": tasks_from,
                    },
                    "vars": {**ACCESS, "eseries_api_url": url, **run},
                }
            ],
            "rescue": [{"ansible.builtin.debug": {"msg": "It was refused."}}],
        }
        for tasks_from, run in runs
    ]
    book = tmp_path / "play.yml"
    book.write_text(yaml.safe_dump([{"hosts": "array", "gather_facts": False, "tasks": tasks}]))
    ran = run_playbook(tmp_path, "-i", "array,", "-vvv", str(book), seconds=900)
    assert ran.returncode == 0, ran.stdout[-5000:]
    return ran.stdout


def writes(array):
    """What the array was asked to change, without references."""
    return [
        re.sub(r"/[0-9A-F]{24,}", "/REF", call) for call, _body in array.calls if not call.startswith("GET ")
    ]


def test_a_check_run_of_the_site_tells_everything_and_changes_nothing(tmp_path, array):
    before = json.dumps(array.graph())
    with served(array) as url:
        hosts = inventory(tmp_path, url, data())
        ran = run_playbook(
            tmp_path,
            "-i",
            hosts,
            "lunworks.iscsi.site",
            "--check",
            "--diff",
            "--limit",
            "array",
            "-e",
            "target_force=true",
            seconds=600,
        )
    assert ran.returncode == 0, ran.stdout
    assert "Create the volume 'db0' of 4 GiB (4294967296 bytes) in the storage pool 'pool1'." in ran.stdout
    assert "Map the volume 'quorum' to the host group 'db-a_db-b' as LUN 1." in ran.stdout
    assert "changed=1 " in ran.stdout
    assert writes(array) == []
    assert json.dumps(array.graph()) == before
    assert FIRST not in ran.stdout and PASSWORD not in ran.stdout


def test_an_array_from_nothing_to_its_removal(tmp_path, array, monkeypatch):
    """With all that -vvv shows. In the end a host that the array refuses: na_santricity_host takes that error for success."""
    new_host = Array.new_host

    def mostly(self, body):
        if body["name"] == "db-c":
            raise Refused("The host cannot be created.")
        return new_host(self, body)

    change_target, refused = Array.change_target, []

    def at_last(self, body):
        if not refused:
            refused.append(body)
            raise Refused(f"{body['chapSecret']} is not taken.")
        return change_target(self, body)

    monkeypatch.setattr(Array, "new_host", mostly)
    monkeypatch.setattr(Array, "change_target", at_last)
    before = json.dumps(of_others(array))
    gone = data(SECOND, initiators=(A, C), state="absent")
    gone["igroups"][0]["luns"] = ["quorum"]
    gone["igroups"].append({**gone["igroups"][1], "name": "db-c", "initiators": [f"{A}-c"], "luns": []})
    with served(array) as url:
        said = play(
            tmp_path,
            url,
            ("main", {"target_targets": [data()], "target_force": True}),
            ("main", {"target_targets": [data()], "target_force": True}),
            ("main", {"target_targets": [data()]}),
            ("chap", {"target_targets": [data(SECOND, size="8g", initiators=(A, C))], "target_force": True}),
            ("main", {"target_targets": [data(SECOND, size="8g", initiators=(A, C))]}),
            ("main", {"target_targets": [gone], "target_force": True, "eseries_delete_volumes": True}),
        )
    assert writes(array) == [
        "POST iscsi/target-settings",  # refused, and nothing is done without it
        *["POST iscsi/target-settings", "POST hosts", "POST hosts", "POST volumes", "POST volumes"],
        *["POST host-groups", "POST volume-mappings", "POST volume-mappings"],
        "POST iscsi/target-settings",  # the role's tasks for rotate_chap set nothing else
        *["POST hosts/REF", "POST volumes/REF/expand"],
        *["DELETE volume-mappings/REF", "DELETE volumes/REF", "POST hosts"],
    ], said
    assert "'array' did not take the CHAP secret. Its message is not shown" in said
    assert "'array' took the changes but does not have them: Create the host 'db-c'" in said
    assert [secret for secret in (FIRST, SECOND, PASSWORD) if secret in said] == []
    assert (array.chap, array.secret, array.alias) == (["chap"], SECOND, "array")
    assert array.entity == {"icmpPingResponseEnabled": False, "unnamedDiscoverySessionsEnabled": False}
    ports = {host["name"]: {one["address"] for one in host["hostSidePorts"]} for host in array.hosts[1:]}
    assert ports == {"db-a": {A, C}, "db-b": {B}}
    assert [one["name"] for one in array.volumes] == ["others", "quorum"]
    assert json.dumps(of_others(array)) == before


def test_without_the_collection_the_role_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_SCAN_SYS_PATH", "false")
    said = play(tmp_path, "http://127.0.0.1:1/", ("main", {"target_targets": [data()]}))
    assert "ansible-galaxy collection install netapp_eseries.santricity" in said
