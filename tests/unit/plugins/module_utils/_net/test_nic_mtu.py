# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step that sets an MTU was planned on is looked at again."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._net.boot_mtu import (
    IFUPDOWN,
    NETWORK_MANAGER,
    NETWORKD,
    text_of,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._net.nic_mtu import ForgetMtu, SaveMtu, SetMtu
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

DEVICES = '[{"ifname": "eth1", "addr_info": [{"local": "10.77.1.12"}]}]'
LOGIN = {
    "/sys/class/iscsi_host/host3/ipaddress": "10.77.1.12\n",
    "/sys/class/iscsi_host/host3/device/session1/uevent": "",
}


@pytest.mark.parametrize("files", [LOGIN, {}])
def test_a_login_since_the_plan_was_made_keeps_the_mtu(files):
    host = ScriptedHost(files, {"ip -json -details address show": DEVICES})
    step = SetMtu("eth1", 1500, 9000)
    if files:
        with pytest.raises(
            Problem, match="iSCSI sessions go through it, which was not so when this was planned"
        ):
            step.take(host)
    else:
        step.take(host)
    assert host.did == ([] if files else ["poke /sys/class/net/eth1/mtu '9000\\n'"])


@pytest.mark.parametrize("by", [NETWORKD, NETWORK_MANAGER, IFUPDOWN])
@pytest.mark.parametrize("added", ["", "\n# by hand\n"])
def test_what_somebody_added_to_a_file_of_ours_is_not_lost(by, added):
    file, text = "/etc/ours", text_of(by, {"eth1": 9000}) + added
    for step in (ForgetMtu(by, file, ("eth1",)), SaveMtu(by, file, (("eth1", 1500),), ("eth1",))):
        host = ScriptedHost({file: text})
        if added:
            with pytest.raises(
                Problem, match="'/etc/ours' has more in it than lunworks.iscsi.nic_mtu writes"
            ):
                step.take(host)
            assert host.read(file) == text and host.did == []
        else:
            step.take(host)
            assert host.read(file) != text
