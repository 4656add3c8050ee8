# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards: the kernel is asked as iscsiadm asks it, planners keep their two laws, and what cards tell is read right.

No card was at hand: sysfs trees and answers are made after the kernel's and iscsiadm's sources, but for what says 'recorded'.
"""

from __future__ import annotations

import itertools
import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import plain
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.iface.ping import ping
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload.chap import (
    DeleteEntry,
    Table,
    WriteEntry,
    plan_table,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload.chap_table import (
    Entry,
    EntryId,
    delete_entry,
    read_table,
    write_entry,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload.flash import Flashnode
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload.flashnode.plan import (
    AddFlashnode,
    Flash,
    LogInFlashnode,
    LogOutFlashnode,
    RemoveFlashnode,
    SetFlashnode,
    identity,
    plan_flash,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload.host import IscsiHost
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload.host_info import tell_hosts
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.record import RecordId
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

MAC = "00:c0:dd:07:1f:d5"
CARD = IscsiHost(5, "qla4xxx", MAC)
NAME = RecordId("iqn.2026-01.com.example:a", Portal("10.0.0.1"))
HANDLE = {"/sys/class/iscsi_transport/qla4xxx/handle": "18446744072637906944\n"}
FILES = {
    **HANDLE,
    "/sys/class/iscsi_host/host5/hwaddress": f"{MAC}\n",
    "/sys/class/iscsi_host/host5/ipaddress": "10.0.0.9\n",
    "/sys/class/iscsi_host/host5/netdev": "(null)\n",
    "/sys/class/iscsi_host/host5/initiatorname": "iqn.2000-04.com.qlogic:isp4022\n",
    "/sys/class/iscsi_host/host5/port_state": "LINK_UP\n",
    "/sys/class/iscsi_host/host5/port_speed": "1 Gbps\n",
    "/sys/class/scsi_host/host5/proc_name": "qla4xxx\n",
    "/sys/class/scsi_host/host5/state": "running\n",
    "/sys/class/iscsi_iface/ipv4-iface-5-0/ipaddress": "10.0.0.9\n",
    "/sys/class/iscsi_iface/ipv4-iface-5-0/uevent": "\n",
    "/sys/class/iscsi_iface/ipv4-iface-55-0/ipaddress": "10.0.0.10\n",
    "/sys/bus/iscsi_flashnode/devices/flashnode_sess-5:2/targetname": f"{NAME.target}\n",
    "/sys/bus/iscsi_flashnode/devices/flashnode_sess-5:2/password": "a secret that nobody reads\n",
    "/sys/bus/iscsi_flashnode/devices/flashnode_conn-5:2:0/ipaddress": "10.0.0.1\n",
    "/sys/bus/iscsi_flashnode/devices/flashnode_conn-5:2:0/port": "3260\n",
}
STATS = "iscsiadm -m host -H 5 -C stats"


def entry(user, secret="secret-of-cards", mutual=False):
    return Entry(EntryId(user, mutual), Secret(secret))


def test_what_is_written_to_the_table_is_read_from_it():
    host = ScriptedHost(files=HANDLE, cards={5: {}})
    wanted = {4: entry("db-a"), 7: entry("é" * 127, "s" * 99, mutual=True), 8: entry("b" * 255, "p" * 12)}
    for index, one in wanted.items():
        write_entry(host, CARD, index, one)
    assert read_table(host, CARD) == wanted
    delete_entry(host, CARD, 7)
    assert read_table(host, CARD) == {4: wanted[4], 8: wanted[8]}


@pytest.mark.parametrize("entries", [0, 1, 6, 7, 8, 14, 100])
def test_a_table_of_any_length_is_read_whole(entries):
    card = {index + 4: [f"user{index}", f"secret-number-{index}", index % 2 == 1] for index in range(entries)}
    read = read_table(ScriptedHost(files=HANDLE, cards={5: card}), CARD)
    assert read == {index: entry(*values) for index, values in card.items()}


@pytest.mark.parametrize(
    "number, said",
    [(16, "in use, or the table is full"), (19, "the host is gone"), (1, "Run as root"), (71, "EPROTO")],
)
def test_what_the_kernel_refuses_is_said_in_words_without_the_secret(number, said, monkeypatch):
    host = ScriptedHost(files=HANDLE, cards={5: {}})

    def refuses(protocol, message, takes, group=0, seconds=15):
        answer = (
            message[:16]
            + (103).to_bytes(4, "little")
            + (2**32 - number).to_bytes(4, "little")
            + message[24:72]
        )
        assert takes(answer) and not takes(answer[:40]), "what is no answer is not taken"
        return answer

    monkeypatch.setattr(host, "netlink", refuses)
    with pytest.raises(Problem) as refused:
        write_entry(host, CARD, 4, entry("db-a"))
    assert said in str(refused.value) and "secret-of-cards" not in str(refused.value)


# How much of struct iscsi_uevent belongs to a request; behind that iscsiadm sends what happens to be in its memory.
ASKED = {33: 26, 34: 22, 41: 20}
RECORDED = sorted((RECORDED_OUTPUT / "open_iscsi").glob("chap-*.txt"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_kernel_is_asked_as_iscsiadm_asks_it(path):
    """Recorded by strace on hosts with software iSCSI: what iscsiadm sends, beside what is sent here."""
    where, *sent = path.read_text().split("== ")
    number, handle = (int(where.split(f"{word} ")[1].split()[0]) for word in ("\nhost", "handle"))
    card, mine = IscsiHost(number, "tcp", ""), []
    host = ScriptedHost(files={"/sys/class/iscsi_transport/tcp/handle": f"{handle}\n"}, cards={number: {}})
    host.netlink = recording(host, mine)
    read_table(host, card)
    delete_entry(host, card, 4)
    write_entry(host, card, 4, entry("db-a", "a-secret-of-cards"))
    write_entry(host, card, 300, entry("store1", "another-secret", mutual=True))
    assert len(sent) == len(mine) == 4
    for theirs, ours in zip((bytes.fromhex(one.split("\n")[1]) for one in sent), mine):
        asked = 16 + ASKED[ours[4]]
        assert (len(ours), ours[:12]) == (
            len(theirs),
            theirs[:12],
        )  # then the sender's process, which nobody reads
        assert (ours[16:20], ours[24:asked]) == (theirs[16:20], theirs[24:asked])
        assert ours[72:] == theirs[72:]


def recording(host, sent):
    real = host.netlink

    def netlink(protocol, message, *more):
        sent.append(message)
        return real(protocol, message, *more)

    return netlink


def tables():
    entries = [entry("a"), entry("a", "another-secret"), entry("b", mutual=True)]
    for chosen in itertools.product([None, *entries], repeat=2):
        yield Table(CARD, {index: one for index, one in zip((4, 5), chosen) if one})


@pytest.mark.parametrize("have", list(tables()), ids=lambda table: str(sorted(table.entries)))
def test_the_planner_of_tables_keeps_its_laws(have):
    assert plan_table(have, have) == []
    for want in tables():
        entries = dict(have.entries)
        for step in plan_table(have, want):
            if isinstance(step, DeleteEntry):
                assert entries.pop(step.index).name == step.name
            else:
                assert isinstance(step, WriteEntry)
                held = entries.get(step.index)
                assert held is None or held.name.mutual == step.entry.name.mutual, "the card would refuse it"
                entries[step.index] = step.entry
        assert entries == want.entries


def flashes():
    yield Flash(CARD, NAME, None)
    for bit, logged_in in itertools.product("01", (False, True)):
        settings = {**identity(NAME), "flashnode.session.entry_enable": bit}
        yield Flash(CARD, NAME, Flashnode(2, settings), (3,) if logged_in else (), logged_in)


@pytest.mark.parametrize("have", list(flashes()), ids=str)
def test_the_planner_of_flashnodes_keeps_its_laws(have):
    assert plan_flash(have, have) == []
    for want in flashes():
        settings = dict(have.flashnode.settings) if have.flashnode else None
        logged_in = have.logged_in
        for step in plan_flash(have, want):
            if isinstance(step, AddFlashnode):
                settings = {**identity(NAME), **step.settings}
            elif isinstance(step, SetFlashnode):
                settings.update(step.changes)
            elif isinstance(step, RemoveFlashnode):
                assert not logged_in
                settings = None
            else:
                assert isinstance(step, (LogInFlashnode, LogOutFlashnode)) and settings is not None
                logged_in = isinstance(step, LogInFlashnode)
        assert settings == (want.flashnode.settings if want.flashnode else None)
        assert logged_in == want.logged_in


class Card(ScriptedHost):
    """A card that makes flashnodes."""

    def __init__(self, refuses=""):
        super().__init__(changing=["iscsiadm -m host"])
        self.refuses = refuses

    def run(self, *argv, **options):
        ran = super().run(*argv, **options)
        at = "/sys/bus/iscsi_flashnode/devices/flashnode_sess-5:9/portal_type"
        if argv[-1] == "new":
            self.files[at] = argv[argv.index("-A") + 1]
        elif argv[-1] == "delete":
            del self.files[at]
        elif self.refuses and self.refuses in argv:
            return ran.__class__(1, "", "iscsiadm: failed")
        return ran


def test_a_new_flashnode_is_found_and_named():
    card = Card()
    AddFlashnode(CARD, NAME, {"flashnode.session.entry_enable": "1"}).take(card)
    assert card.did == [
        "run iscsiadm -m host -H 5 -C flashnode -A ipv4 -o new",
        f"run iscsiadm -m host -H 5 -C flashnode -x 9 -o update -n flashnode.session.targetname -v {NAME.target} "
        "-n flashnode.conn[0].ipaddress -v 10.0.0.1 -n flashnode.conn[0].port -v 3260 "
        "-n flashnode.session.entry_enable -v 1",
    ]


def test_a_new_flashnode_that_cannot_be_named_is_deleted_again():
    card = Card(refuses="update")
    with pytest.raises(Problem, match="exit code 1: iscsiadm: failed"):
        AddFlashnode(CARD, NAME, {}).take(card)
    assert card.did[-1] == "run iscsiadm -m host -H 5 -C flashnode -x 9 -o delete"
    assert card.files == {}


def test_what_a_card_tells_and_no_secret():
    runs = {STATS: {"rc": 88, "out": "Host Statistics:\n\tmactx_frames: 12\n\tiscsi_sequence_error: 0\n"}}
    host = ScriptedHost(files=FILES, runs=runs, cards={5: {4: ["db-a", "secret-of-db-a", False]}})
    (told,) = tell_hosts(host, MAC, statistics=True)["hosts"]
    assert (told["number"], told["transport"], told["mac"], told["nic"]) == (5, "qla4xxx", MAC, None)
    assert (told["address"], told["port_state"], told["port_speed"]) == ("10.0.0.9", "LINK_UP", "1 Gbps")
    assert told["ifaces"] == {"ipv4-iface-5-0": {"ipaddress": "10.0.0.9"}}
    assert (told["chap"], told["chap_reason"]) == ([{"index": 4, "user": "db-a", "mutual": False}], None)
    assert [(one["index"], one["target"], one["portal"]) for one in told["flashnodes"]] == [
        (2, NAME.target, "10.0.0.1:3260")
    ]
    assert told["statistics"] == {"mactx_frames": 12, "iscsi_sequence_error": 0}
    assert "secret" not in json.dumps(plain(told))
    assert host.did == []


def test_a_card_without_a_table_or_counters_is_told_all_the_same():
    host = ScriptedHost(
        files=FILES, runs={STATS: {"rc": 1, "err": "iscsiadm: get_host_stats failed. errno=38"}}
    )
    (told,) = tell_hosts(host, None, statistics=True)["hosts"]
    assert (told["chap"], told["statistics"]) == (None, None)
    assert "keeps no CHAP table" in told["chap_reason"]


def pinging(out, rc=0):
    line = "iscsiadm -m iface -I card -C ping -a 10.0.0.1 -b 32 -c 2 -i 0"
    iface = "iface.iscsi_ifacename = card\niface.transport_name = qla4xxx\n"
    host = ScriptedHost(
        files={"/etc/iscsi/ifaces/card": iface}, runs={line: {"rc": rc, "out": out, "err": "iscsiadm: no"}}
    )
    return ping(host, "card", "10.0.0.1", 2, 32, 0)


def test_pings_of_a_card_are_counted():
    told = pinging("Ping 1 completed\nPing 2 failed: No ARP response received\n")
    assert told == {
        "answered": 1,
        "pings": [
            {"answered": True, "reason": None},
            {"answered": False, "reason": "No ARP response received"},
        ],
    }


def test_a_ping_that_cannot_be_sent_is_a_problem():
    with pytest.raises(Problem, match="exit code 7: iscsiadm: no"):
        pinging("", rc=7)
