# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What open-iscsi writes is read right, and its planners keep their two laws."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._net.rp_filter import (
    OURS,
    Filter,
    Loosen,
    assignments,
    plan_filters,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.iscsid import (
    SHOW,
    RestartIscsid,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.iscsid_conf import (
    Conf,
    Set,
    plan_conf,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.settings import NODE, setting
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.lock import (
    HELD,
    LOCK,
    Locking,
    locked,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.node.plan import (
    Node,
    Nodes,
    plan_nodes,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.record import (
    AddRecord,
    Record,
    RecordId,
    RemoveRecord,
    SetRecord,
    database,
    look_records,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.sendtargets import (
    DiscoveryEntry,
    parse_entries,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.session import (
    LogIn,
    LogOut,
    disks_of,
    look_sessions,
    reason,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

FIXTURES = RECORDED_OUTPUT / "open_iscsi"
IQN = "iqn.2026-01.com.example"


def recorded(name):
    """A recorded output; its first line says where it comes from."""
    first, text = (FIXTURES / name).read_text().split("\n", 1)
    assert first.startswith("# ")
    return text


def files(name):
    """A recorded tree of files: '== path' and then its text."""
    found = {}
    for part in recorded(name).split("== ")[1:]:
        path, text = part.split("\n", 1)
        found[path] = text
    return found


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_offers_are_read_with_ipv4_and_ipv6_portals(suite):
    entries = parse_entries(recorded(f"discovery-{suite}.txt"))
    assert entries == (
        DiscoveryEntry(f"{IQN}:disk1", Portal("10.77.1.11"), 1),
        DiscoveryEntry(f"{IQN}:disk1", Portal("10.77.2.11"), 1),
        DiscoveryEntry(f"{IQN}:six", Portal("fd77:1::11"), 1),
    )


@pytest.mark.parametrize("suite, root", [("bookworm", "/etc/iscsi"), ("trixie", "/var/lib/iscsi")])
def test_records_of_iscsiadm_are_found_where_the_distribution_keeps_them(suite, root):
    host = ScriptedHost(files(f"records-{suite}.txt"))
    assert database(host) == root
    records = dict(look_records(host))
    assert sorted(records) == [
        RecordId(f"{IQN}:disk1", Portal("10.77.1.11")),
        RecordId(f"{IQN}:disk1", Portal("10.77.2.11")),
        RecordId(f"{IQN}:six", Portal("fd77:1::11")),
    ]
    six = records[RecordId(f"{IQN}:six", Portal("fd77:1::11"))]
    assert six.options() == ["-T", f"{IQN}:six", "-p", "[fd77:1::11]:3260,1", "-I", "default"]
    assert six.settings["node.session.timeo.replacement_timeout"] == "120"
    assert set(six.settings) - set(NODE) - {"node.name", "node.tpgt"} == {
        name
        for name in six.settings
        if name.startswith(("iface.", "node.discovery_", "node.conn[0].address", "node.conn[0].port"))
    }, "open-iscsi writes a setting that our table does not know"


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_sessions_and_their_disks_are_read_from_sysfs(suite):
    host = ScriptedHost(files(f"sessions-{suite}.txt"))
    sessions = look_sessions(host)
    assert {(str(session.name.portal), session.state, session.tpg) for session in sessions} == {
        ("10.77.1.11:3260", "LOGGED_IN", 1),
        ("[fd77:1::11]:3260", "LOGGED_IN", 1),
    }
    for session in sessions:
        assert [disk[:2] for _address, disk in disks_of(host, session.number)] == ["sd"]


def test_a_password_in_a_record_is_a_secret_at_once():
    path = f"/etc/iscsi/nodes/{IQN}:a/10.0.0.1,3260,1/default"
    text = f"node.name = {IQN}:a\nnode.conn[0].address = 10.0.0.1\nnode.conn[0].port = 3260\n"
    host = ScriptedHost({path: text + "node.session.auth.password = twelve-bytes\n"})
    assert "twelve-bytes" not in repr(look_records(host))
    assert look_records(host)[0][1].settings["node.session.auth.password"] == Secret("twelve-bytes")


def stat_of(began):
    return "1 (a) b) S" + " 0" * 18 + f" {began}" + " 0" * 30


def holding(number, began):
    """A host whose database is locked by a module of ours with this process; what it has been writing lies aside."""
    name, entry = f"/run/lock/iscsi/lunworks.{number}.{began}", {"text": "", "inode": 5}
    return ScriptedHost({name: entry, HELD: entry, f"/etc/iscsi/.lunworks.default.{number}": "a secret"})


def test_the_lock_of_open_iscsi_is_given_back_with_all_that_was_made_for_it():
    host = ScriptedHost()
    with locked(host):
        assert host.stat(HELD).st_ino == host.stat("/run/lock/iscsi/lunworks.4242.77").st_ino
        assert host.locked == ["/run/lock/iscsi/lunworks"]
    assert (host.list("/run/lock/iscsi"), host.locked) == ([], [])


@pytest.mark.parametrize("there", [None, stat_of(900), stat_of(100).replace(" S", " Z")])
def test_a_lock_whose_holder_was_killed_ends_with_it(there):
    host = holding(7, 100)
    host.files.update({"/proc/7/stat": there} if there else {})
    with locked(host) as write:
        write("/etc/iscsi/nodes/a", "whole")
    assert host.list("/run/lock/iscsi") == []


def test_the_lock_of_the_dead_ends_before_anything_is_looked_at():
    host = holding(7, 100)
    Locking().heal(host)
    assert host.list("/run/lock/iscsi") == []
    assert host.locked == []


def test_where_nobody_died_nothing_is_locked_to_look_for_it():
    host = holding(7, 100)
    host.files["/proc/7/stat"] = stat_of(100)
    Locking().heal(host)
    assert (host.list("/run/lock/iscsi"), host.did) == (["lock.write", "lunworks.7.100"], [])


def test_the_lock_of_one_of_ours_that_lives_is_not_broken():
    host = holding(7, 100)
    host.files["/proc/7/stat"] = stat_of(100)
    with pytest.raises(Problem, match="has been locked"), locked(host):
        pytest.fail("two at once")
    assert host.list("/run/lock/iscsi") == ["lock.write", "lunworks.7.100"]
    assert host.read("/etc/iscsi/.lunworks.default.7") == "a secret"


@pytest.mark.parametrize(
    "processes, said",
    [
        ({"9": "iscsiadm"}, "'iscsiadm' \\(process 9\\) is running: wait for it to end"),
        (
            {"8": "iscsid"},
            "No iscsiadm is running; iscsid is.*a crash left it behind. Delete '/run/lock/iscsi/lock.write'",
        ),
        ({}, "No iscsiadm is running, nor is iscsid: a crash"),
    ],
)
def test_the_lock_of_iscsiadm_is_never_broken(processes, said):
    host = ScriptedHost({f"/proc/{number}/comm": f"{name}\n" for number, name in processes.items()})
    host.files[LOCK] = host.files[HELD] = {"text": "", "inode": 5, "mtime": -60}
    with pytest.raises(Problem, match=f"for 90 seconds, not by a module of this collection. {said}"), locked(
        host
    ):
        pytest.fail("two at once")
    assert host.list("/run/lock/iscsi") == ["lock", "lock.write"]


@pytest.mark.parametrize(
    "code, said",
    [
        (24, "rejects the CHAP user or secret"),
        (19, "in its igroup"),
        (8, "did not answer in time"),
        (4, "cannot be reached"),
        (20, "Start iscsid"),
        (3, "iscsiadm ended with exit code 3: no memory"),
    ],
)
def test_an_exit_code_says_what_to_do(code, said):
    assert said in reason(code, "no memory")


class Failing(ScriptedHost):
    """iscsiadm ends with this code."""

    def __init__(self, code):
        super().__init__(changing=["iscsiadm"])
        self.code = code

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        ran = super().run(*argv, ok=ok, timeout=timeout, stdin=stdin)
        return ran if "delete" in argv else type(ran)(self.code, "", "")


def record(tpg=1, **settings):
    base = {"node.name": f"{IQN}:a", "node.tpgt": str(tpg), "node.conn[0].address": "10.0.0.1"}
    return Record({**base, "node.conn[0].port": "3260", **settings}, "")


A = RecordId(f"{IQN}:a", Portal("10.0.0.1"))


@pytest.mark.parametrize("code", [0, 15])
def test_a_session_that_is_there_already_is_a_login_that_succeeded(code):
    LogIn(A, record(), True, 30).take(Failing(code))


def test_a_login_that_fails_takes_back_the_record_that_this_run_made():
    host = Failing(24)
    with pytest.raises(Problem, match="rejects the CHAP.* The new record was deleted again"):
        LogIn(A, record(), True, 30).take(host)
    assert [line.split()[-1] for line in host.did] == ["-l", "delete"]


def test_a_login_that_fails_keeps_a_record_that_was_there():
    host = Failing(24)
    with pytest.raises(Problem, match="rejects the CHAP"):
        LogIn(A, record(), False, 30).take(host)
    assert len(host.did) == 1


@pytest.mark.parametrize("code", [0, 2, 9, 21, 22])
def test_a_session_that_is_gone_already_is_a_logout_that_succeeded(code):
    LogOut(A, (7,)).take(Failing(code))


def test_a_logout_that_the_daemon_refuses_says_why():
    with pytest.raises(Problem, match="it is in use"):
        LogOut(A, (7,)).take(Failing(28))


def test_every_named_setting_has_a_value_that_is_right_and_one_that_is_wrong():
    for name, kind in NODE.items():
        if isinstance(kind, int):
            good, bad = "x", "x" * (kind + 1)
        elif isinstance(kind[0], str):
            good, bad = kind[0], "banana"
        else:
            good, bad = str(kind[1]), str(kind[1] + 1)
        assert setting(name, good, NODE) == good
        with pytest.raises(Problem, match="It must be"):
            setting(name, bad, NODE)


def test_dots_and_slashes_in_sysctl_names():
    assert dict(
        assignments(
            "net.ipv4.conf.eth0/100.rp_filter = 1\nnet/ipv4/conf/eth0.100/x=2\n-net.ipv4.conf.all.y\n"
        )
    ) == {
        "net/ipv4/conf/eth0.100/rp_filter": "1",
        "net/ipv4/conf/eth0.100/x": "2",
        "net/ipv4/conf/all/y": None,
    }


# The laws: nothing to do from a state to itself, and the steps lead from each state to each other.

NODES = [
    Nodes({A: node} if node else {})
    for node in (
        None,
        Node(record()),
        Node(record(), (1,), "LOGGED_IN"),
        Node(record(**{"node.startup": "automatic"})),
        Node(record(**{"node.session.auth.password": Secret("twelve-bytes")}), (1,), "LOGGED_IN"),
        Node(record(2)),
        Node(record(**{"node.session.nr_sessions": "2"}), (1, 2), "LOGGED_IN"),
        Node(None, (1,), "LOGGED_IN"),
    )
]


def walked_nodes(state, steps):
    node = state.nodes.get(A, Node(None))
    for step in steps:
        if isinstance(step, AddRecord):
            node = Node(Record(step.settings, "/path"), node.sessions, node.state)
        elif isinstance(step, SetRecord):
            settings = {**node.record.settings, **step.changes}
            node = Node(Record({k: v for k, v in settings.items() if v}, "/path"), node.sessions, node.state)
        elif isinstance(step, RemoveRecord) and step.record.tpg == node.record.tpg:
            node = Node(None, node.sessions, node.state)
        elif isinstance(step, LogIn):
            number = int(step.record.settings.get("node.session.nr_sessions") or 1)
            node = Node(node.record, (1, 2)[:number], "LOGGED_IN")
        elif isinstance(step, LogOut):
            left = tuple(number for number in node.sessions if number not in step.numbers)
            node = Node(node.record, left, "LOGGED_IN" if left else "")
    return Nodes({A: node} if node.record or node.sessions else {})


def can_be_wanted(before, after):
    """A session without a record can only be left as it is: nobody can ask for a new one."""
    return all(
        node.record or node.sessions == before.nodes.get(A, Node(None)).sessions
        for node in after.nodes.values()
    )


@pytest.mark.parametrize(
    "before, after", [pair for pair in itertools.product(NODES, NODES) if can_be_wanted(*pair)]
)
def test_the_steps_of_a_node_plan_lead_there(before, after):
    steps = plan_nodes(before, after)
    if before == after:
        assert steps == []
    there = walked_nodes(before, steps)
    assert plan_nodes(there, after) == []
    assert {name: node.logged_in for name, node in there.nodes.items()} == {
        name: node.logged_in for name, node in after.nodes.items()
    }


CONFS = [
    Conf({}, "0644", True),
    Conf({}, "0600", True),
    Conf({"node.startup": "manual"}, "0600", True),
    Conf({"node.startup": "automatic", "node.leading_login": "No"}, "0600", True),
]


@pytest.mark.parametrize("before, after", list(itertools.product(CONFS, CONFS[1:])))
def test_the_steps_of_a_conf_plan_lead_there(before, after):
    steps = plan_conf(before, after)
    assert (steps == []) == (before == after)
    settings = dict(before.settings)
    for step in steps:
        if isinstance(step, Set):
            settings = {k: v for k, v in {**settings, **step.changes}.items() if v is not None}
    assert settings == after.settings


FILTERS = [
    Filter(running, at_boot, managed)
    for running in (0, 1, 2)
    for at_boot in (0, 1, 2)
    for managed in (False, True)
]


@pytest.mark.parametrize("seen", FILTERS)
def test_a_filter_is_loosened_and_never_tightened(seen):
    loose = Filter(max(seen.running, 2) if seen.running == 1 else seen.running, seen.at_boot, seen.managed)
    steps = plan_filters({"eth1": seen}, {"eth1": loose})
    assert [type(step) for step in steps] == ([Loosen] if seen.running == 1 else [])
    assert OURS.startswith("/etc/sysctl.d/")


class Limited(ScriptedHost):
    """A host whose systemd refuses one more start of iscsid until its counter is reset."""

    def run(self, *argv, **options):
        if argv[:2] == ("systemctl", "restart"):
            self.runs[" ".join(argv)] = (
                "" if "run systemctl reset-failed iscsid.service" in self.did else {"rc": 1}
            )
        return super().run(*argv, **options)


def test_a_daemon_that_systemd_refuses_to_start_once_more_is_started_all_the_same():
    host = Limited(runs={" ".join(SHOW): "ActiveState=inactive\n"}, changing=["systemctl re"])
    RestartIscsid().take(host)
    assert host.did == [
        "run systemctl restart iscsid.service",
        "run systemctl reset-failed iscsid.service",
        "run systemctl restart iscsid.service",
    ]
