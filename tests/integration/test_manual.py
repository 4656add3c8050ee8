# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An array that a person sets up: data in the inventory, no connection to it, and hosts that use its LUNs like any others."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.given_target import IQN, portals_of
from ansible_collections.lunworks.iscsi.tests.integration.harness import succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import play, played

ARRAY = f"{IQN}:array"
WWID = wwid_of_lio(serial_of(ARRAY, "db0"))


@pytest.fixture(scope="module", autouse=True)
def gone_afterwards(lab, storage, compute):
    yield
    lab.fresh(storage, compute)


def by_hand(storage, compute, *luns):
    """What a person does on the array; here it is a host of the lab that the inventory does not know."""
    initiators = [f"{IQN}:{compute.name}"]
    array = {
        "name": ARRAY,
        "portals": portals_of(storage),
        "luns": [{"name": "db0", "path": "/srv/luns/array.img", "size": "64m"}],
        "igroups": [{"name": "db", "initiators": initiators, "luns": list(luns)}],
    }
    succeeded(storage, storage.module("targets", targets=[array], purge=True, force=True))


@pytest.fixture
def run(lab, storage, compute, tmp_path):
    """A playbook on the compute host and the array, of which the inventory has data alone."""
    array = {
        "name": ARRAY,
        "portals": portals_of(storage),
        "luns": [{"name": "db0", "size": "64m", "number": 0, "wwid": WWID}],
        "igroups": [{"name": "db", "initiators": [f"{IQN}:{compute.name}"], "luns": ["db0"]}],
    }
    md = {
        "target_provider": "manual",
        "target_targets": [array],
        "ansible_ssh_executable": "/no/such/program",
    }
    (tmp_path / "array.yml").write_text(yaml.safe_dump({"storage": {"hosts": {"md": md}}}))
    data = {
        "initiator_nodes": [{"target": ARRAY, "portals": portals_of(storage)}],
        "volume_filesystems": [],
        "volume_groups": [
            {
                "name": "vg_array",
                "luns": [{"wwid": WWID, "timeout": 30}],
                "volumes": [{"name": "db", "size": "32m", "filesystem": "ext4", "mount": "/srv/array"}],
            }
        ],
    }

    def runs(playbook, how=played):
        options = ["-i", str(tmp_path / "array.yml")]
        return how(lab, f"lunworks.iscsi.{playbook}", *options, hosts=[compute], **data)

    return runs


def test_what_is_to_do_is_listed_and_what_is_missing_is_named_until_it_is_done(storage, compute, run):
    by_hand(storage, compute)
    listed = run("manual", play)
    step = f"map the LUN 'db0' of 64 MiB (67108864 bytes) to the initiator '{IQN}:{compute.name}' as LUN 0"
    assert f"On '{ARRAY}', {step}." in json.dumps(listed.results)
    assert listed.rc and f"has no disk with the WWID {WWID}, the LUN 'db0' of 'md'" in listed.messages()
    lost = run("site", play)
    assert lost.rc and WWID in lost.messages()
    by_hand(storage, compute, "db0")
    stands = run("site")
    assert f"On '{ARRAY}', {step}." in json.dumps(stands.results)
    assert compute.run("findmnt -n -o FSTYPE /srv/array").out.strip() == "ext4"
    assert run("site").changed() == {}
    assert run("manual").changed() == {}


def test_a_path_that_is_missing_is_named_with_its_portal(storage, compute, run):
    run("site")
    second = portals_of(storage)[1]
    compute.run(f"iscsiadm -m node -T {ARRAY} -p {second} -u")
    told = run("manual", play)
    assert f"and not at '{second}:3260'" in told.messages()
    assert run("site").rc == 0
    assert run("manual").changed() == {}
