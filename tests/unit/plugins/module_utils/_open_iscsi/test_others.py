# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and sessions while somebody else is at work on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.iface.bound import bound, nic_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.lock import HELD, LOCK
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.node.plan import (
    Node,
    Nodes,
    plan_nodes,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.node.refuse import refuse_nodes
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.node.twins import RemoveTwin
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.record import (
    TPG,
    AddRecord,
    Record,
    RecordId,
    RemoveRecord,
    SetRecord,
    look_records,
    new_settings,
    torn,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.session import LogIn, LogOut
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

NAME = RecordId("iqn.2026-01.com.example:a", Portal("10.0.0.1"))
PATH = "/etc/iscsi/nodes/iqn.2026-01.com.example:a/10.0.0.1,3260,1/default"
WHOLE = f"""# BEGIN RECORD 2.1.8
node.name = {NAME.target}
node.tpgt = 1
node.startup = automatic
iface.iscsi_ifacename = default
node.conn[0].address = 10.0.0.1
node.conn[0].port = 3260
# END RECORD
"""
TORN = WHOLE[: WHOLE.index("node.conn[0].port = 3260") + len("node.conn[0].port = 32")]
SYSFS = {
    "/sys/class/iscsi_session/session7/targetname": f"{NAME.target}\n",
    "/sys/class/iscsi_session/session7/ifacename": "default\n",
    "/sys/class/iscsi_session/session7/tpgt": "1\n",
    "/sys/class/iscsi_session/session7/state": "LOGGED_IN\n",
    "/sys/class/iscsi_connection/connection7:0/persistent_address": "10.0.0.1\n",
    "/sys/class/iscsi_connection/connection7:0/persistent_port": "3260\n",
}


class Busy(ScriptedHost):
    """A host on which something happens each time that somebody waits."""

    def __init__(self, happens=(), **given):
        super().__init__(**given)
        self.happens = list(happens)

    def until(self, test, seconds, every=0.2):
        answer = test()
        while not answer and self.happens:
            self.happens.pop(0)(self)
            answer = test()
        return answer


def writes(text, held):
    """iscsiadm has come so far with a record, and holds the lock or not."""

    def act(host):
        host.files[PATH] = text
        if held:
            host.files[HELD] = ""
        else:
            host.files.pop(HELD, None)

    return act


def said(host):
    return [(name, record.settings["node.startup"]) for name, record in look_records(host)]


def test_a_record_that_is_being_written_is_waited_for():
    host = Busy([writes("", True), writes(TORN, True), writes(WHOLE, False)], files={PATH: TORN, HELD: ""})
    assert said(host) == [(NAME, "automatic")]
    assert host.did == [], "a look locks nothing"


@pytest.mark.parametrize("text", ["", TORN, "# BEGIN RECORD 2.1.8\n"])
def test_a_record_that_a_crash_left_torn_is_none(text):
    assert torn(text)
    assert said(Busy(files={PATH: text})) == []
    assert said(Busy(files={PATH: text, HELD: ""})) == [], "the lock is held for longer than anybody waits"


def test_a_record_that_somebody_else_made_meanwhile_is_not_overwritten():
    step = AddRecord(NAME, {**new_settings(NAME, 1, {}), "node.startup": "manual"})
    host = ScriptedHost(files={PATH: WHOLE})
    with pytest.raises(Problem, match="somebody else has created the record"):
        step.take(host)
    assert host.read(PATH) == WHOLE and host.read(HELD) is None, "and the lock is free again"
    torn_host = ScriptedHost(files={PATH: TORN})
    step.take(torn_host)
    assert "node.startup = manual" in torn_host.read(PATH)
    step.take(torn_host)  # what stands there is the same


@pytest.mark.parametrize(
    "text, why",
    [
        (WHOLE.replace(f"node.name = {NAME.target}\n", ""), "cannot be read: it has no node.name. Repair it"),
        (WHOLE.replace("= 3260", "= 0"), r"cannot be read: its node.conn\[0\].port is '0'. Repair it"),
        (
            WHOLE.replace("ifacename = default", "ifacename = san1"),
            "is the record of .* through the iface 'san1'",
        ),
    ],
)
def test_a_file_that_is_no_such_record_is_named_for_what_it_is(text, why):
    host = ScriptedHost(files={PATH: text})
    with pytest.raises(Problem, match=why):
        AddRecord(NAME, new_settings(NAME, 1, {})).take(host)
    assert host.read(PATH) == text


@pytest.mark.parametrize(
    "place", ["10.0.0.1,3260,1/default~", "10.0.0.1,3260,1.bak/default", "10.0.0.1,3260~"]
)
def test_a_record_that_iscsiadm_would_not_find_is_not_deleted_by_it(place):
    path = PATH.replace("10.0.0.1,3260,1/default", place)
    ((name, record),) = look_records(ScriptedHost(files={path: WHOLE}))
    host, step = ScriptedHost(), RemoveRecord(name, record)
    for refused in (lambda: step.take(host), step.refuse):
        with pytest.raises(Problem, match=f"does not find '{path}'.* Remove the file"):
            refused()
    assert host.did == [], "nor was any other"


def test_a_record_that_iscsiadm_would_not_find_is_refused_before_anything_is_done():
    path = PATH.replace("10.0.0.1,3260,1/default", "10.0.0.1,3260,1.bak/default")
    ((name, record),) = look_records(ScriptedHost(files={path: WHOLE}))
    seen = Nodes({name: Node(record)})
    steps = plan_nodes(seen, Nodes({name: Node(None)}))
    assert any(isinstance(step, RemoveRecord) for step in steps)
    with pytest.raises(Problem, match=f"does not find '{path}'.* Remove the file"):
        refuse_nodes(seen, steps)


def test_the_file_of_a_twin_is_removed_with_its_links_and_no_other():
    """'iscsiadm -o delete' would delete both."""
    twin, nodes = PATH.replace("3260,1/", "3260,2/"), PATH.split(f"/{NAME.target}/", maxsplit=1)[0]
    source = f"{nodes.rsplit('/', 1)[0]}/send_targets/10.0.0.1,3260"
    links = {tag: f"{source}/{NAME.target},10.0.0.1,3260,{tag},default" for tag in (1, 2)}
    text = WHOLE.replace("node.tpgt = 1", "node.tpgt = 2")
    linked = {link: {"link": f"{nodes}/{NAME.target}/10.0.0.1,3260,{tag}"} for tag, link in links.items()}
    host = ScriptedHost({PATH: WHOLE, twin: text, f"{source}/st_config": "# BEGIN RECORD\n", **linked})
    (_name, record), (name, other) = sorted(look_records(host), key=lambda found: found[1].tpg)
    RemoveTwin(name, other).take(host)
    assert look_records(host) == [(name, record)]
    assert host.link(links[2]) is None and host.link(links[1])
    RemoveTwin(name, other).take(host)
    with pytest.raises(Problem, match="somebody else has changed the record .* Run again"):
        RemoveTwin(name, replace(record, settings={**record.settings, TPG: "7"})).take(host)
    assert host.read(PATH) == WHOLE


@pytest.mark.parametrize(
    "iface, nic",
    [
        ({"iface.net_ifacename": "eth1", "iface.hwaddress": "default"}, "eth1"),
        ({"iface.net_ifacename": "default", "iface.hwaddress": "52:54:00:00:00:02"}, "eth2"),
        ({"iface.net_ifacename": "eth1", "iface.hwaddress": "52:54:00:00:00:02"}, "eth2"),
        ({"iface.net_ifacename": "default", "iface.hwaddress": "default"}, ""),
    ],
)
def test_of_two_bindings_the_hardware_address_counts_and_default_is_none(iface, nic):
    there = {f"/sys/class/net/eth{one}/address": f"52:54:00:00:00:0{one}\n" for one in (1, 2)}
    assert nic_of(ScriptedHost(files=there), iface) == nic
    assert bound(iface) == bool(nic)


def test_a_record_that_vanished_meanwhile_is_not_made_again():
    with pytest.raises(Problem, match="has disappeared in the meantime. Run again"):
        SetRecord(NAME, PATH, {"node.startup": "manual"}).take(ScriptedHost())


def test_a_lock_that_nobody_lets_go_of_is_named():
    host = ScriptedHost(files={PATH: WHOLE, LOCK: "", HELD: ""})
    with pytest.raises(Problem, match="has been locked"):
        SetRecord(NAME, PATH, {"node.startup": "manual"}).take(host)
    assert host.read(PATH) == WHOLE and host.read(HELD) == "", "it is not ours to take away"


LOGIN = "iscsiadm -m node -T iqn.2026-01.com.example:a -p 10.0.0.1:3260,1 -I default -l"
DELETE = LOGIN.replace(" -l", " -o delete")
LOGOUT = "iscsiadm -m session -r 7 -u"


def login(fresh=True):
    return LogIn(NAME, Record(new_settings(NAME, 1, {"iface.iscsi_ifacename": "default"}), PATH), fresh, 30)


def test_a_login_that_somebody_else_has_begun_is_waited_for():
    waited = []

    def stands(host):
        waited.append(True)
        host.files.update(SYSFS)

    login().take(Busy([stands], runs={LOGIN: {"rc": 15}}, files={}))
    assert waited


def test_a_new_record_whose_deletion_fails_does_not_hide_why_the_login_failed():
    host = ScriptedHost(runs={LOGIN: {"rc": 24}, DELETE: {"rc": 15, "err": "a session is using it"}})
    with pytest.raises(Problem, match="rejects the CHAP.*still there.*a session is using it"):
        login().take(host)


def changing(host, code):
    host.runs[LOGOUT] = {"rc": code}


@pytest.mark.parametrize("first", [2, 21, 32])
def test_a_logout_waits_for_an_iscsid_that_has_just_started(first):
    host = Busy([lambda host: changing(host, 0)], runs={LOGOUT: {"rc": first}}, files=SYSFS)
    LogOut(NAME, (7,)).take(host)
    assert host.runs[LOGOUT] == {"rc": 0}


def test_a_session_that_does_not_come_back_cannot_be_logged_out():
    with pytest.raises(Problem, match="still restoring the session"):
        LogOut(NAME, (7,)).take(Busy(runs={LOGOUT: {"rc": 32}}, files=SYSFS))


def test_a_session_that_is_gone_is_logged_out():
    LogOut(NAME, (7,)).take(Busy(runs={LOGOUT: {"rc": 21}}))


def test_another_failure_of_a_logout_is_told_at_once():
    with pytest.raises(Problem, match="it is in use"):
        LogOut(NAME, (7,)).take(Busy(runs={LOGOUT: {"rc": 28}}, files=SYSFS))


def at(target, address="10.0.0.1"):
    name = RecordId(f"iqn.2026-01.com.example:{target}", Portal(address))
    settings = new_settings(name, 1, {"iface.iscsi_ifacename": "default"})
    path = f"/etc/iscsi/nodes/{name.target}/{address},3260,1/default"
    return LogIn(name, Record(settings, path), False, 30)


def recorded(*steps):
    lines = [
        (step, "".join(f"{key} = {value}\n" for key, value in step.record.settings.items())) for step in steps
    ]
    return {step.record.path: text for step, text in lines}


TOGETHER = "iscsiadm -m node -p 10.0.0.1:3260,1 -I default -l"
SAID = """\
Login to [iface: default, target: iqn.2026-01.com.example:a, portal: 10.0.0.1,3260] successful.
iscsiadm: Could not login to [iface: default, target: iqn.2026-01.com.example:b, portal: 10.0.0.1,3260].
iscsiadm: initiator reported error (24 - iSCSI login failed due to authorization failure)
iscsiadm: Could not login to [iface: default, target: iqn.2026-01.com.example:c, portal: 10.0.0.1,3260].
iscsiadm: initiator reported error (8 - connection timed out)
iscsiadm: Could not log into all portals
"""


def test_one_iscsiadm_logs_in_to_all_that_is_recorded_at_a_portal():
    a, b, other = at("a"), at("b"), at("a", "10.0.0.2")
    host = ScriptedHost(
        files=recorded(a, b, other),
        runs={TOGETHER: "", LOGIN.replace("10.0.0.1", "10.0.0.2"): ""},
        changing=["iscsiadm"],
    )
    assert LogIn.together([a, b, other], host) == [None, None, None]
    assert sorted(host.did) == [f"run {LOGIN.replace('10.0.0.1', '10.0.0.2')}", f"run {TOGETHER}"]


def test_where_more_is_recorded_at_a_portal_exactly_what_was_asked_for_is_logged_in_to():
    a, b, stranger = at("a"), at("b"), at("stranger")
    host = ScriptedHost(files=recorded(a, b, stranger), changing=["iscsiadm"])
    assert LogIn.together([a, b], host) == [None, None]
    assert sorted(host.did) == [f"run {LOGIN}", f"run {LOGIN.replace(':a -p', ':b -p')}"]


def test_each_login_of_one_iscsiadm_has_its_own_outcome():
    a, b, c = at("a"), at("b"), at("c")
    host = ScriptedHost(
        files={**recorded(a, b, c), **SYSFS}, runs={TOGETHER: {"rc": 24, "err": SAID}}, changing=["iscsiadm"]
    )
    outcomes = LogIn.together([a, b, c], host)
    assert outcomes[0] is None
    assert "rejects the CHAP" in str(outcomes[1])
    assert "did not answer in time" in str(outcomes[2])


def test_an_iscsiadm_that_does_not_end_has_logged_in_to_some():
    a, b = at("a"), at("b")
    host = ScriptedHost(
        files={**recorded(a, b), **SYSFS}, runs={TOGETHER: {"late": True}}, changing=["iscsiadm"]
    )
    outcomes = LogIn.together([a, b], host)
    assert outcomes[0] is None and "30 seconds were not enough" in str(outcomes[1])
