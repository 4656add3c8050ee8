# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks change on other hosts while a storage host does not answer, or is an array that a person sets up: nothing.

The hosts are ports of this machine on which nobody listens.
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.lunworks.iscsi.tests.unit.playing import run_playbook

ROOT = Path(__file__).resolve().parents[2]
IQN = "iqn.2026-01.com.example"
SILENT = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
CHAP = {"user": "db", "secret": "a secret of sixteen"}
STORAGE = {
    **SILENT,
    "target_targets": [
        {
            "name": f"{IQN}:t",
            "portals": ["10.77.1.11"],
            "luns": [{"name": "db0", "path": "/srv/db0", "size": "1g"}],
            "igroups": [{"name": "db", "initiators": [f"{IQN}:db"], "luns": ["db0"], "chap": CHAP}],
        }
    ],
}
COMPUTE = {
    **SILENT,
    "initiator_name": f"{IQN}:db",
    "initiator_nodes": [{"target": f"{IQN}:t", "portals": ["10.77.1.11"], "chap": CHAP}],
}


def run(tmp_path, storage):
    """The output of rotate_chap on one storage host and one compute host."""
    groups = {"storage": {"hosts": {"store": storage}}, "compute": {"hosts": {"db": COMPUTE}}}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"children": groups}}))
    ran = run_playbook(
        tmp_path, "-i", str(tmp_path / "hosts.json"), "lunworks.iscsi.rotate_chap", seconds=180
    )
    assert ran.returncode, ran.stdout
    assert CHAP["secret"] not in ran.stdout
    return ran.stdout


def test_no_record_gets_a_secret_that_a_silent_storage_host_may_not_have_taken(tmp_path):
    said = run(tmp_path, STORAGE)
    assert "fatal: [store]: UNREACHABLE!" in said
    assert "store did not answer, so its targets may not require the new secrets." in said
    assert "The records have the new secrets" not in said


def test_an_array_that_is_set_up_by_hand_is_refused_before_anything(tmp_path):
    (target,) = STORAGE["target_targets"]
    by_hand = {**target, "luns": [{"name": "db0", "size": "1g", "wwid": "36001405" + "0" * 25}]}
    said = run(tmp_path, {**STORAGE, "target_provider": "manual", "target_targets": [by_hand]})
    assert (
        "'store' is an array (target_provider: manual), on which secrets" in said
        and "--limit 'all:!store'" in said
    )
    assert "UNREACHABLE" not in said
