# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's own name, on real hosts."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    each_refused,
    given,
    initiator_of,
    portals_of,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded

PATH = "/etc/iscsi/initiatorname.iscsi"


@pytest.fixture(autouse=True)
def kept(compute):
    """The host has its old name again when a test ends."""
    before = initiator_of(compute)
    yield
    succeeded(compute, compute.module("initiator_name", name=before, alias=""))


def test_a_host_gets_a_name_and_the_daemon_reads_it(compute):
    compute.run("systemctl start iscsid.service")
    pid = compute.run("systemctl show -p MainPID iscsid.service").out
    converges(compute, "initiator_name", {"name": f"{IQN}:renamed", "alias": "the database"})
    assert f"InitiatorName={IQN}:renamed\nInitiatorAlias=the database\n" in compute.read(PATH)
    assert compute.run(f"stat -c %a {PATH}").out.strip() == "600"
    assert compute.run("systemctl show -p MainPID iscsid.service").out != pid


def test_the_target_knows_the_host_by_its_new_name(compute, storage):
    succeeded(compute, compute.module("initiator_name", name=f"{IQN}:known"))
    with given(storage, compute, target("door", storage, compute)):
        node = {"target": f"{IQN}:door", "portals": portals_of(storage)[:1], "logged_in": True}
        converges(compute, "nodes", {"nodes": [node]})
        refused(
            compute, "initiator_name", "1 session(s) are logged in under the old name", name=f"{IQN}:late"
        )


def test_a_malformed_name_is_refused(compute):
    names = ("iqn.2026", "eui.123", "naa.xyz", "db-a", "iqn.2026-01.com.example:" + "x" * 224)
    each_refused(compute, "initiator_name", [({"name": name}, "is not an iSCSI name") for name in names])
