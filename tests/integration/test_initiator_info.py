# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host tells of its iSCSI storage."""

from __future__ import annotations

import json

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    SECRET,
    disk_of,
    given,
    initiator_of,
    portals_of,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import same, succeeded


def test_all_is_told_and_no_secret(compute, storage):
    first, chap = portals_of(storage)[0], {"user": "db", "secret": SECRET}
    name = f"{IQN}:told"
    with given(storage, compute, target("told", storage, compute, chap=chap)):
        nodes = [
            {"target": name, "portals": [first], "chap": chap, "logged_in": True, "startup": "automatic"}
        ]
        succeeded(compute, compute.module("nodes", nodes=nodes))
        disk = disk_of(compute, "told", first)
        before = compute.fingerprint()
        told = compute.module("initiator_info")
        same(before, compute.fingerprint(), "initiator_info")
    assert told["name"] == initiator_of(compute) and told["changed"] is False
    record = next(one for one in told["records"] if one["target"] == name)
    assert (record["portal"], record["startup"], record["logged_in"]) == (f"{first}:3260", "automatic", True)
    session = next(one for one in told["sessions"] if one["target"] == name)
    assert (session["state"], session["recorded"], session["negotiated"]["username"]) == (
        "LOGGED_IN",
        True,
        "db",
    )
    (lun,) = session["disks"]
    assert (lun["device"], lun["size"], lun["lun"], lun["state"]) == (disk, 64 << 20, 0, "running")
    assert lun["wwid"] == "naa." + wwid_of_lio(serial_of(name, "told"))[1:]
    assert SECRET not in json.dumps(told)


def test_what_waits_for_the_next_login_is_shown_beside_what_the_session_has(compute, storage):
    first, name, key = portals_of(storage)[0], f"{IQN}:told", "node.session.timeo.replacement_timeout"
    with given(storage, compute, target("told", storage, compute)):
        node = {"target": name, "portals": [first], "logged_in": True}
        succeeded(compute, compute.module("nodes", nodes=[{**node, "settings": {key: 120}}]))
        assert differing(compute, name) == {}
        succeeded(compute, compute.module("nodes", nodes=[{**node, "settings": {key: 7}}]))
        (one,) = differing(compute, name).values()
        assert (one["setting"], one["record"], one["session"]) == (key, "7", "120")
        assert "takes effect at the next login" in one["text"]
        told = compute.module("initiator_info", statistics=True)
        (session,) = (one for one in told["sessions"] if one["target"] == name)
        assert (session["initiator"], session["connection_state"]) == (told["name"], "up")
        assert session["statistics"]["rxdata_octets"] > 0


def differing(compute, name):
    """Where a session of a target has other values than its record, by setting."""
    told = compute.module("initiator_info")
    return {
        one["setting"]: one
        for one in told["differences"]
        if one["target"] == name and one["session_number"] is not None
    }
