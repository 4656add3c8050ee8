# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and sessions on real kernels: exactly what was asked for, and no secret where anyone can see it."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    OTHER,
    SECRET,
    disk_of,
    each_refused,
    given,
    portals_of,
    records,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded

WATCHER = """
import glob, os, sys, time
secrets, seen, end = sys.argv[1:], set(), time.monotonic() + 60
open("/run/watching", "w").close()
while os.path.exists("/run/watching") and time.monotonic() < end:
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                text = file.read().decode(errors="replace")
        except OSError:
            continue
        if "SECRETS" not in text and any(secret in text for secret in secrets):
            seen.add(text.replace("\\0", " "))
print("\\n".join(sorted(seen)))
"""


@pytest.fixture(scope="module")
def san(storage, compute):
    """disk1 and disk10 on both networks, chap with CHAP, six on an IPv6 portal."""
    chap = {"user": "db", "secret": SECRET, "mutual_user": "store", "mutual_secret": "the-store-proves-too"}
    six = target("six", storage, compute, portals=[f"[{storage.address('san1', 6)}]"])
    plain = [target(name, storage, compute) for name in ("disk1", "disk10")]
    with given(storage, compute, *plain, target("chap", storage, compute, chap=chap), six):
        yield


@pytest.fixture(autouse=True)
def logged_out(san, compute):
    """Every test begins without records of these targets."""
    yield
    nodes = [{"target": f"{IQN}:{name}", "state": "absent"} for name in ("disk1", "disk10", "chap", "six")]
    succeeded(compute, compute.module("nodes", nodes=nodes))


@pytest.fixture
def first(storage):
    return portals_of(storage)[0]


@pytest.fixture
def second(storage):
    return portals_of(storage)[1]


def node(name, portals, **more):
    return {"target": f"{IQN}:{name}", "portals": portals, **more}


def chap(secret=SECRET):
    return {"user": "db", "secret": secret, "mutual_user": "store", "mutual_secret": "the-store-proves-too"}


def test_both_portals_are_recorded_and_logged_in_to(compute, first, second):
    settings = {"node.session.timeo.replacement_timeout": 5}
    asked = node("disk1", [first, second], startup="automatic", settings=settings, logged_in=True)
    converges(compute, "nodes", {"nodes": [asked]})
    assert sessions(compute, "disk1") == [f"{first}:3260", f"{second}:3260"]
    for text in records(compute, "disk1").values():
        assert "node.startup = automatic" in text
        assert "node.session.timeo.replacement_timeout = 5" in text
        assert "node.session.cmds_max = 128" in text, "what iscsid.conf says"
    modes = compute.run(
        "find $(dirname $(find /etc/iscsi /var/lib/iscsi -name '*:disk1'))/*:disk1 -printf '%m %y\\n'"
    ).out
    assert set(modes.splitlines()) == {"700 d", "600 f"}


def test_iscsiadm_can_change_and_delete_a_record_that_we_wrote(compute, first):
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first])]))
    where = f"-T {IQN}:disk1 -p {first}:3260"
    compute.run(f"iscsiadm -m node {where} -o update -n node.session.queue_depth -v 64")
    assert "node.session.queue_depth = 64" in records(compute, "disk1")[f"{first}:3260"]
    assert not compute.module("nodes", nodes=[node("disk1", [first])])["changed"]
    compute.run(f"iscsiadm -m node {where} -o delete")
    assert records(compute, "disk1") == {}


def test_only_the_portal_that_was_asked_for_is_logged_in_to_and_out_of(compute, first, second):
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first, second])]))
    converges(compute, "nodes", {"nodes": [node("disk1", [second], logged_in=True)]})
    assert sessions(compute, "disk1") == [f"{second}:3260"]
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first], logged_in=True)]))
    converges(compute, "nodes", {"nodes": [node("disk1", [second], logged_in=False)]})
    assert sessions(compute, "disk1") == [f"{first}:3260"]


def test_a_session_to_disk10_is_none_to_disk1(compute, first):
    succeeded(compute, compute.module("nodes", nodes=[node("disk10", [first], logged_in=True)]))
    converges(compute, "node", node("disk1", [first], logged_in=True))
    assert sessions(compute, "disk1") == sessions(compute, "disk10") == [f"{first}:3260"]
    succeeded(compute, compute.module("node", target=f"{IQN}:disk1", state="absent"))
    assert sessions(compute, "disk1") == []
    assert sessions(compute, "disk10") == [f"{first}:3260"]


def test_an_ipv6_portal(compute, storage):
    portal = f"[{storage.address('san1', 6)}]:3260"
    converges(compute, "nodes", {"nodes": [node("six", [portal], logged_in=True)]})
    assert sessions(compute, "six") == [portal]
    succeeded(compute, compute.module("nodes", nodes=[node("six", [portal], logged_in=False)]))
    assert sessions(compute, "six") == []


def test_purge_takes_the_portals_that_are_not_listed_and_no_other_target(compute, first, second):
    both = [node("disk1", [first, second], logged_in=True), node("disk10", [first], logged_in=True)]
    succeeded(compute, compute.module("nodes", nodes=both))
    converges(compute, "nodes", {"nodes": [node("disk1", [second], logged_in=True)], "purge": True})
    assert list(records(compute, "disk1")) == sessions(compute, "disk1") == [f"{second}:3260"]
    assert sessions(compute, "disk10") == [f"{first}:3260"]


def test_a_wrong_chap_secret_fails_says_so_and_leaves_nothing(compute, first):
    before = compute.fingerprint()
    failed = compute.module("nodes", nodes=[node("chap", [first], chap=chap(OTHER), logged_in=True)])
    assert failed["failed"] and "rejects the CHAP user or secret" in failed["msg"]
    assert failed["steps_left"] == [f"Log in to '{IQN}:chap' at {first}:3260"]
    assert records(compute, "chap") == {} and sessions(compute, "chap") == []
    assert before["disks"] == compute.fingerprint()["disks"]


def test_a_changed_chap_secret_is_written_and_takes_effect_at_the_next_login(compute, storage, first):
    succeeded(compute, compute.module("nodes", nodes=[node("chap", [first], chap=chap(), logged_in=True)]))
    changed = compute.module("nodes", nodes=[node("chap", [first], chap=chap(OTHER))])
    assert changed["changed"] and "at its next login" in json.dumps(changed["warnings"])
    assert f"node.session.auth.password = {OTHER}\n" in records(compute, "chap")[f"{first}:3260"]
    succeeded(compute, compute.module("nodes", nodes=[node("chap", [first], logged_in=False)]))
    refusal = compute.module("nodes", nodes=[node("chap", [first], logged_in=True)])
    assert "rejects the CHAP user or secret" in refusal["msg"]
    assert list(records(compute, "chap")) == [f"{first}:3260"], "a record that was there stays"
    converges(compute, "nodes", {"nodes": [node("chap", [first], chap=chap(), logged_in=True)]})


def test_no_chap_empties_what_was_there(compute, first):
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first], chap=chap())]))
    converges(
        compute, "nodes", {"nodes": [node("disk1", [first], chap={"user": "", "secret": ""}, logged_in=True)]}
    )
    text = records(compute, "disk1")[f"{first}:3260"]
    assert "node.session.auth.username = <empty>" in text and "node.session.auth.password = <empty>" in text


def test_several_sessions_to_one_portal(compute, first):
    two = [node("disk1", [first], settings={"node.session.nr_sessions": 2}, logged_in=True)]
    converges(compute, "nodes", {"nodes": two})
    assert sessions(compute, "disk1") == [f"{first}:3260"] * 2
    one = [node("disk1", [first], settings={"node.session.nr_sessions": 1}, logged_in=True)]
    succeeded(compute, compute.module("nodes", nodes=one))
    assert sessions(compute, "disk1") == [f"{first}:3260"]
    assert not compute.module("nodes", nodes=one)["changed"]


def test_any_setting_and_a_portal_group_tag_in_a_static_record(compute, first):
    settings = {
        "node.leading_login": True,
        "node.conn[0].startup": "automatic",
        "node.conn[0].iscsi.HeaderDigest": "CRC32C,None",
        "node.session.scan": "manual",
        "node.session.nr_sessions": 3,
    }
    converges(
        compute, "nodes", {"nodes": [node("disk1", [first], tpg=7, startup="onboot", settings=settings)]}
    )
    assert f"{first}:3260,7 {IQN}:disk1" in compute.run("iscsiadm -m node").out
    text = records(compute, "disk1")[f"{first}:3260"]
    for line in (
        "node.tpgt = 7",
        "node.startup = onboot",
        "node.leading_login = Yes",
        "node.conn[0].startup = automatic",
        "node.conn[0].iscsi.HeaderDigest = CRC32C,None",
        "node.session.scan = manual",
        "node.session.nr_sessions = 3",
    ):
        assert f"{line}\n" in text


def test_a_portal_group_that_is_not_1_is_recorded_with_the_tag_that_it_offers(compute, storage, first):
    """As NetApp's 1000. A record that says 1 is never logged in with; it is replaced."""
    group = f"/sys/kernel/config/target/iscsi/{IQN}:tagged/tpgt_1000"
    storage.run(
        f"mkdir -p {group} && echo 0 >{group}/attrib/authentication && echo 1 >{group}/attrib/generate_node_acls"
        f" && mkdir {group}/np/{first}:3260 && echo 1 >{group}/enable"
    )
    try:
        compute.run(f"iscsiadm -m node -o new -T {IQN}:tagged -p {first}:3260,1")
        node = {"target": f"{IQN}:tagged", "portals": [first]}
        ran = converges(compute, "nodes", {"nodes": [{**node, "logged_in": True}]})
        assert len(ran["steps"]) == 3 and ran["state"]["nodes"][0]["tpg"] == 1000
        assert sessions(compute, "tagged") == [f"{first}:3260"]
        succeeded(compute, compute.module("nodes", nodes=[{**node, "state": "absent"}]))
        converges(compute, "nodes", {"nodes": [{**node, "logged_in": True}]})
        assert "node.tpgt = 1000" in records(compute, "tagged")[f"{first}:3260"]
    finally:
        succeeded(compute, compute.module("nodes", nodes=[{"target": f"{IQN}:tagged", "state": "absent"}]))
        storage.run(
            f"echo 0 >{group}/enable; rmdir {group}/np/{first}:3260 {group} {group.rpartition('/')[0]}"
        )


def test_records_follow_iscsid_conf_when_they_are_asked_to(compute, first):
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first])]))
    compute.run("cp -p /etc/iscsi/iscsid.conf /run/iscsid.conf.kept")
    try:
        compute.run("echo node.session.timeo.replacement_timeout = 33 >>/etc/iscsi/iscsid.conf")
        assert not compute.module("nodes", nodes=[node("disk1", [first])])["changed"]
        converges(
            compute, "nodes", {"nodes": [node("disk1", [first], reset_to_defaults=["node.session.timeo"])]}
        )
    finally:
        compute.run("cp -p /run/iscsid.conf.kept /etc/iscsi/iscsid.conf")
    assert "replacement_timeout = 33" in records(compute, "disk1")[f"{first}:3260"]


def test_sessions_by_startup(compute, first, second):
    some = [node("disk1", [first, second], startup="automatic"), node("disk10", [first], startup="manual")]
    succeeded(compute, compute.module("nodes", nodes=some))
    converges(compute, "nodes", {"by_startup": {"automatic": True}})
    assert sessions(compute, "disk1") == [f"{first}:3260", f"{second}:3260"]
    assert sessions(compute, "disk10") == []
    turned = {"automatic": False, "manual": True}
    steps = succeeded(compute, compute.module("nodes", by_startup=turned))["steps"]
    assert [step.split()[1] for step in steps] == ["in", "out", "out"]
    assert sessions(compute, "disk1") == [] and sessions(compute, "disk10") == [f"{first}:3260"]


def watched(compute, act):
    """What the process list showed of our secrets while something was done."""
    compute.write("/root/watcher.py", WATCHER)
    compute.run("rm -f /run/watching /run/watched")
    compute.run(
        f"setsid -f sh -c 'exec python3 /root/watcher.py {SECRET} {OTHER} SECRETS >/run/watched' </dev/null >&- 2>&-"
    )
    end = time.monotonic() + 20
    while compute.run("test -e /run/watching", check=False).rc:
        assert time.monotonic() < end, "the watcher does not start"
    try:
        act()
    finally:
        compute.run(
            "rm /run/watching; while pgrep -f 'watcher.p[y]' >/dev/null; do sleep 0.1; done", timeout=90
        )
    return compute.read("/run/watched").strip()


def test_no_secret_is_in_the_process_list_a_log_or_the_result(compute, first):
    results = []

    def act():
        asked = [node("chap", [first], chap=chap(), logged_in=True)]
        for check in (True, False):
            results.append(compute.module("nodes", check=check, nodes=asked))
        results.append(compute.module("nodes", nodes=[node("chap", [first], chap=chap(OTHER))]))
        results.append(compute.module("initiator_info"))

    seen = watched(compute, act)
    assert not any(result.get("failed") for result in results)
    assert seen == ""
    assert SECRET not in json.dumps(results) and OTHER not in json.dumps(results)
    log = compute.run("journalctl --no-pager --since=-5min").out
    assert SECRET not in log and OTHER not in log


def test_the_watcher_does_see_a_secret_on_a_command_line(compute, first):
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first])]))
    update = f"iscsiadm -m node -T {IQN}:disk1 -o update -n node.session.auth.password -v {SECRET}"
    assert SECRET in watched(compute, lambda: compute.run(f"for n in 1 2 3 4 5 6 7 8; do {update}; done"))


def kept(compute, said, check):
    """A logout is refused with these words, and the session stands."""
    out = node("disk1", [sessions(compute, "disk1")[0]], logged_in=False)
    result = compute.module("nodes", check=check, nodes=[out])
    assert result.get("failed") and said in result["msg"], result
    assert len(sessions(compute, "disk1")) == 1


def test_a_disk_in_use_keeps_its_session(compute, first):
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first], logged_in=True)]))
    disk = disk_of(compute, "disk1", first)
    out = {"nodes": [node("disk1", [first], logged_in=False)]}
    compute.run(f"mkfs.ext4 -q {disk} && mkdir -p /mnt/held && mount {disk} /mnt/held")
    try:
        refused(compute, "nodes", f"{disk} is mounted on '/mnt/held'", **out)
    finally:
        compute.run("umount /mnt/held")
    compute.run(f"wipefs -qa {disk} && mkswap -q {disk} && swapon {disk}", timeout=120)
    try:
        kept(compute, f"{disk} is used as swap", check=False)
    finally:
        compute.run(f"swapoff {disk}; wipefs -qa {disk}")
    compute.run(f"setsid -f sh -c 'exec sleep 90 <{disk}' >&- 2>&-")
    try:
        kept(compute, f"{disk} is open in the process", check=True)
    finally:
        compute.run("pkill -x -f 'sleep 90'")
    compute.run(f"vgcreate -q vg_held {disk} && lvcreate -q -y -n data -l 50%VG vg_held", timeout=120)
    try:
        kept(compute, "holds the active logical volume 'vg_held/data'", check=False)
    finally:
        compute.run(f"vgchange -q -an vg_held && vgremove -q -f vg_held && pvremove -q {disk}", timeout=120)
    converges(compute, "nodes", out)


def test_one_path_of_a_map_may_go_and_the_last_may_not(compute, first, second):
    wwid = wwid_of_lio(serial_of(f"{IQN}:disk1", "disk1"))
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd.service")
    succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first, second], logged_in=True)]))
    succeeded(compute, compute.module("disk", wwid=wwid, paths=2))
    compute.run(
        f"mkfs.ext4 -q /dev/mapper/{wwid} && mkdir -p /mnt/held && mount /dev/mapper/{wwid} /mnt/held"
    )
    try:
        leave_both = {"nodes": [node("disk1", [first, second], logged_in=False)]}
        refused(compute, "nodes", "is mounted on '/mnt/held'", **leave_both)
        succeeded(compute, compute.module("nodes", nodes=[node("disk1", [first], logged_in=False)]))
        assert sessions(compute, "disk1") == [f"{second}:3260"]
        compute.run("dd if=/dev/urandom of=/mnt/held/file bs=1M count=4 conv=fsync")
        refused(
            compute, "nodes", "is mounted on '/mnt/held'", nodes=[node("disk1", [second], logged_in=False)]
        )
    finally:
        compute.run(
            f"umount /mnt/held; multipath -f {wwid}; systemctl stop multipathd.socket multipathd.service"
        )


def test_a_login_that_cannot_succeed_is_named_before_anything_is_written(compute, first):
    cases = [
        (node("disk1", [first, "10.77.1.250"]), "at 10.77.1.250:3260 does not answer"),
        (node("disk1", [f"{first}:3261"]), "does not answer (Connection refused)"),
        (node("disk2", [first]), f"(offered: '{IQN}:"),
    ]
    each_refused(compute, "nodes", [({"nodes": [{**one, "logged_in": True}]}, said) for one, said in cases])


def test_bad_input_is_refused(compute, first):
    cases = [
        ({"target": "iqn.2026-13.com.example:a"}, "is not an iSCSI name"),
        ({"portals": ["10.77.1.300"]}, "is not a portal"),
        ({"portals": ["10.77.1.11:0"]}, "is not a TCP port"),
        ({"portals": []}, "needs its portals"),
        ({"ifaces": ["san9"]}, "There is no iface 'san9'"),
        ({"settings": {"node.session.timeo.replacement_timeout": "banana"}}, "cannot be 'banana'"),
        ({"settings": {"node.session.timeo.replacement": 5}}, "Did you mean"),
        ({"chap": {"user": "db", "secret": "short"}}, "has 5 bytes"),
        ({"chap": {"user": "db", "secret": "x" * 300}}, "has 300 bytes"),
    ]
    asked = node("disk1", [first], logged_in=True)
    each_refused(compute, "nodes", [({"nodes": [{**asked, **wrong}]}, said) for wrong, said in cases])
