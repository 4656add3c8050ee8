# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery keeps its two laws; asking that fails leaves the discovery record as it was."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._chap import Chap
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.settings import chap_settings
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.discovery.discoveryd import (
    RestartPolling,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.discovery.node_records import (
    RecordDiscovered,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.discovery.plan import (
    Discover,
    Discovery,
    Found,
    look_discovery,
    plan_discovery,
    want_discovery,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.discovery.record import (
    AUTH,
    ForgetDiscovery,
    Source,
    WriteDiscovery,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.discovery.request import Request
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.record import (
    Record,
    RecordId,
    RemoveRecord,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.sendtargets import (
    ISNS,
    SENDTARGETS,
    TRIES,
    DiscoveryEntry,
    ask,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

IQN = "iqn.2026-01.com.example"
ARRAY = Source(SENDTARGETS, Portal("10.0.1.1"))
ASK = "iscsiadm -m discoverydb -t st -p 10.0.1.1:3260 -I default -o nonpersistent --discover"
CONFIG = "/etc/iscsi/send_targets/10.0.1.1,3260/st_config"
POLLED = "discovery.sendtargets.use_discoveryd"
DEFAULT = {"iface.iscsi_ifacename": "default", "iface.transport_name": "tcp"}
TARGETS = [f"{IQN}:{name}" for name in "ab"]


def record(name):
    settings = {
        "node.discovery_type": "send_targets",
        "node.discovery_address": "10.0.1.1",
        "node.discovery_port": "3260",
    }
    return Record(settings, f"/nodes/{name.target}")


def states():
    """A portal with and without a record, polled and not; asked and not; each set of records that came from it."""
    names = [RecordId(target, Portal("10.0.1.1")) for target in TARGETS]
    for settings, offered, recorded in itertools.product(
        (None, {}, {POLLED: "Yes"}), (None, 0, 1, 2), (0, 1, 2)
    ):
        entries = (
            None
            if offered is None
            else tuple(DiscoveryEntry(one, Portal("10.0.1.1"), 1) for one in TARGETS[:offered])
        )
        yield Discovery(
            sources={ARRAY: Found(settings, entries, entries is not None)},
            ifaces={"default": DEFAULT},
            records={name: record(name) for name in names[:recorded]},
        )


def requests():
    for settings, prune, absent in itertools.product(
        ({}, {POLLED: "Yes"}, {POLLED: "No"}), (False, True), (False, True)
    ):
        if not (absent and settings):
            yield Request((ARRAY,), settings, ("default",), prune=prune, absent=absent)


def walked(state, steps, request):
    """What the steps make of a state; asking answers with the first target."""
    for step in steps:
        old = state.sources[ARRAY]
        if isinstance(step, WriteDiscovery):
            found = replace(old, settings=dict(step.settings))
            state = replace(state, sources={ARRAY: found})
        elif isinstance(step, ForgetDiscovery):
            state = replace(state, sources={ARRAY: replace(old, settings=None)})
        elif isinstance(step, RecordDiscovered):
            state = replace(state, records={**state.records, **step.records})
        elif isinstance(step, RemoveRecord):
            kept = {name: one for name, one in state.records.items() if name != step.name}
            state = replace(state, records=kept)
        elif isinstance(step, Discover):
            entries = (DiscoveryEntry(TARGETS[0], Portal("10.0.1.1"), 1),)
            asked = replace(state, sources={ARRAY: replace(old, entries=entries, known=True)})
            inner = [
                one
                for one in plan_discovery(asked, want_discovery(asked, request), request)
                if isinstance(one, (RecordDiscovered, RemoveRecord))
            ]
            state = walked(asked, inner, request)
        else:
            assert isinstance(step, RestartPolling)
    return state


@pytest.mark.parametrize("asked", list(requests()), ids=str)
def test_the_steps_lead_where_they_should_and_then_there_are_none(asked):
    for seen in states():
        want = want_discovery(seen, asked)
        assert plan_discovery(want, want, asked) == []
        after = walked(seen, plan_discovery(seen, want, asked), asked)
        assert plan_discovery(after, want, asked) == []
        assert plan_discovery(after, want_discovery(after, asked), asked) == []


def host_of(answer, config="discovery.sendtargets.address = 10.0.1.1\ndiscovery.sendtargets.port = 3260\n"):
    files = {"/etc/iscsi/iscsid.conf": "node.startup = manual\n", "/etc/iscsi/nodes": {"kind": "directory"}}
    if config:
        files[CONFIG] = config
    return ScriptedHost(files, {ASK: answer}, changing=["iscsiadm -m node"])


@pytest.mark.parametrize("ended", range(TRIES + 1))
def test_a_discovery_session_that_another_one_of_this_host_ends_is_tried_again(ended):
    host = host_of("")
    answers = iter([{"rc": code} for code in [11, -13, 11, 11] * 2][:ended] + [f"10.0.1.1:3260,1 {IQN}:a"])
    host.run = lambda *argv, **_more: (
        host.runs.update({ASK: next(answers)}) or ScriptedHost.run(host, *argv, **_more)
    )
    if ended < TRIES:
        assert [one.target for one in ask(host, Portal("10.0.1.1"), ["default"])] == [f"{IQN}:a"]
    else:
        with pytest.raises(Problem, match="did not answer in time"):
            ask(host, Portal("10.0.1.1"), ["default"])


def test_a_portal_that_lets_a_discovery_session_time_out_is_asked_once(monkeypatch):
    clock = iter([0.0, 15.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with pytest.raises(Problem, match="did not answer in time"):
        ask(host_of({"rc": 11}), Portal("10.0.1.1"), ["default"])


@pytest.mark.parametrize("config", ["discovery.sendtargets.reopen_max = 7\n", None])
def test_credentials_that_are_rejected_leave_the_record_as_it_was(config):
    host = host_of({"rc": 24}, config)
    chap = chap_settings(Chap("scout", Secret("a-wrong-secret")), AUTH)
    request = Request((ARRAY,), chap, ("default",))
    seen = look_discovery(host, request)
    write, discover = plan_discovery(seen, want_discovery(seen, request), request)
    write.take(host)
    assert "a-wrong-secret" in host.read(CONFIG)
    with pytest.raises(Problem, match="rejects the CHAP user or secret.*is as it was before"):
        discover.take(host)
    text = host.read(CONFIG)
    assert text is None if config is None else "scout" not in text and "reopen_max = 7" in text


def test_what_is_asked_late_is_filtered_and_pruned_all_the_same():
    host = host_of(f"10.0.1.1:3260,1 {IQN}:a\n[fe80::1]:3260,1 {IQN}:a\n")
    gone = f"/etc/iscsi/nodes/{IQN}:gone/10.0.1.1,3260,1/default"
    host.files[gone] = (
        f"node.name = {IQN}:gone\nnode.tpgt = 1\nnode.discovery_type = send_targets\nnode.discovery_address = 10.0.1.1\n"
        "node.discovery_port = 3260\nnode.conn[0].address = 10.0.1.1\nnode.conn[0].port = 3260\n"
    )
    request = Request((ARRAY,), {}, ("default",), prune=True)
    seen = look_discovery(host, request)
    steps = plan_discovery(seen, want_discovery(seen, request), request)
    assert [str(step) for step in steps] == ["Discover what 10.0.1.1:3260 offers, and record what is new"]
    steps[0].take(host)
    nodes = "/etc/iscsi/nodes"
    assert host.read(f"{nodes}/{IQN}:a/10.0.1.1,3260,1/default") is not None
    assert host.list(f"{nodes}/{IQN}:a") == ["10.0.1.1,3260,1"]
    assert f"run iscsiadm -m node -T {IQN}:gone -p 10.0.1.1:3260,1 -I default -o delete" in host.did


def test_a_source_says_who_it_is():
    assert str(Source(ISNS, Portal("fd00::5", 3205))) == "the iSNS server [fd00::5]:3205"
    assert str(ARRAY) == "10.0.1.1:3260" and str(Source("fw", None)) == "the firmware"
