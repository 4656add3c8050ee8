# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt on real kernels: the same targets as with LIO, by a daemon that protects nobody from anything.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.identity import wwid_of_tgt
from ansible_collections.lunworks.iscsi.tests.integration.by_discovery import offered
from ansible_collections.lunworks.iscsi.tests.integration.harness import (
    converges,
    refused,
    same,
    settled,
    succeeded,
)
from ansible_collections.lunworks.iscsi.tests.integration.killer import Way, heals

DB = "iqn.2026-01.com.example:store.tgt"
OTHERS = "iqn.2026-01.com.example:others"
SECRET, MUTUAL, NEW = "a secret of 21 bytes.", "mutual $(id) # 'x' \"", "another secret, 25 bytes."
CHAP = {"user": "db", "secret": SECRET, "mutual_user": "store", "mutual_secret": MUTUAL}
SCOUT = {
    "user": "scout",
    "secret": "to ask for $targets",
    "mutual_user": "array",
    "mutual_secret": "and to answer",
}
SECRETS = (SECRET, MUTUAL, NEW, SCOUT["secret"], SCOUT["mutual_secret"])
NOPS = {"nop_interval": "7", "nop_count": "3"}
CONF = f"/etc/tgt/conf.d/lunworks-{DB}.conf"
FOREIGN = f"""\
# of somebody else
<target {OTHERS}>
    backing-store /srv/others.img
    initiator-address 192.0.2.1
</target>
"""
CLEAN = (
    "systemctl disable --now tgt; rm -rf /usr/local/sbin/tgtadm /srv/luns /srv/others.img /etc/tgt/conf.d/*.conf"
    " /etc/tgt/lunworks-*.* /etc/systemd/system/tgt.service.d; systemctl daemon-reload; targetctl clear;"
    " vgremove -qffy vg_store; pvremove -qffy /dev/ubdb; wipefs -aq /dev/ubdb"
)
# Before the real one in every PATH: writes down what it is given.
WATCHED = "/usr/local/sbin/tgtadm"
WATCHER = """\
#!/bin/sh
printf '%s\\n' "$*" >> /run/tgtadm.log
exec /usr/sbin/tgtadm "$@"
"""


@pytest.fixture(scope="module", autouse=True)
def store(storage, compute):
    """A storage host with a volume group and a file of somebody else for tgt, whose daemon is off."""
    logged_out(compute)
    storage.run(CLEAN, check=False)
    storage.run(
        "vgcreate -q vg_store /dev/ubdb && lvcreate -qq -Wn -L 32M -n db1 vg_store && mkdir -p /srv/luns"
        " && truncate -s 16M /srv/others.img"
    )
    storage.write("/etc/tgt/conf.d/others.conf", FOREIGN)
    storage.run("sync")
    yield
    logged_out(compute)
    storage.run(CLEAN, check=False)


def logged_out(compute):
    compute.run(
        "umount /mnt; multipath -F; systemctl stop multipathd.service multipathd.socket; iscsiadm -m session -u;"
        " iscsiadm -m node -o delete; rm -f /etc/multipath/wwids",
        check=False,
        timeout=120,
    )


def name_of(compute):
    return compute.module("initiator_info")["name"]


def declared(storage, compute, chap=None, **changes):
    igroup = {"name": "db", "initiators": [name_of(compute)], "luns": ["db0", "db1"]}
    return {
        "name": DB,
        "portals": [storage.address("san1"), storage.address("san2")],
        "luns": [
            {"name": "db0", "path": "/srv/luns/db0.img", "size": "64m"},
            {"name": "db1", "path": "/dev/vg_store/db1", "number": 7},
        ],
        "igroups": [{**igroup, **({"chap": chap} if chap else {})}],
        **changes,
    }


def serve(storage, *targets, **scope):
    return succeeded(storage, storage.module("targets", provider="tgt", targets=list(targets), **scope))


def node(storage, logged_in=True, chap=None):
    return {
        "target": DB,
        "portals": [storage.address("san1"), storage.address("san2")],
        "logged_in": logged_in,
        **({"chap": chap} if chap else {}),
    }


def tgtadm(storage):
    return storage.run("tgtadm --lld iscsi --op show --mode target").out


def asks_for_proof(storage, compute):
    """Discovery shows the target to who proves himself, and only to him; and tgtd proves itself."""
    portal = storage.address("san1")
    proof = {"username": SCOUT["user"], "password": SCOUT["secret"], "username_in": SCOUT["mutual_user"]}
    right = SCOUT["mutual_secret"]
    assert offered(compute, portal) is None
    assert offered(compute, portal, username=SCOUT["user"], password=NEW) is None
    assert offered(compute, portal, **proof, password_in=NEW) is None
    assert DB in offered(compute, portal, **proof, password_in=right)


def nops(storage):
    told = storage.module("target_info", provider="tgt", name=DB)["targets"][0]["parameters"]
    return {key: told[key] for key in NOPS}


def test_where_lio_has_the_port_tgtd_is_not_started(storage, compute):
    lio = {"name": "iqn.2026-01.com.example:lio", "portals": [storage.address("san1")]}
    succeeded(storage, storage.module("targets", targets=[lio]))
    asked = {"provider": "tgt", "targets": [declared(storage, compute)]}
    refused(storage, "targets", f"The kernel's target (LIO) serves {lio['name']}.", **asked)
    succeeded(storage, storage.module("target", name=lio["name"], state="absent"))


def test_a_target_is_made_in_one_call_and_the_check_has_said_how(storage, compute):
    ran = converges(
        storage, "targets", {"provider": "tgt", "targets": [declared(storage, compute, chap=CHAP)]}
    )
    assert ran["steps"][-1] == f"Keep the target in '{CONF}', so that it comes back after a boot"
    luns = ran["state"]["targets"][0]["luns"]
    assert [(lun["name"], lun["number"], lun["size"]) for lun in luns] == [
        ("db0", 1, 64 << 20),
        ("db1", 7, 32 << 20),
    ]
    assert luns[0]["wwid"] == wwid_of_tgt(serial_of(DB, "db0"))
    assert SECRET not in json.dumps(ran) and MUTUAL not in json.dumps(ran)
    assert storage.run(f"stat -c %a '{CONF}' /srv/luns/db0.img").out.split() == ["600", "600"]


def test_what_others_made_is_served_shown_and_left_alone(storage):
    assert storage.read("/etc/tgt/conf.d/others.conf") == FOREIGN
    told = succeeded(storage, storage.module("target_info", provider="tgt"))
    assert [target["name"] for target in told["targets"]] == [OTHERS, DB]
    assert told["drift"] == []
    assert any("/etc/tgt/conf.d/others.conf" in one for one in told["unmanaged"])
    for asked in ({"name": OTHERS, "state": "absent"}, {"name": OTHERS, "enabled": False}):
        refused(storage, "target", "is defined in '/etc/tgt/conf.d/others.conf'", provider="tgt", **asked)


def test_wrong_secrets_are_refused_and_right_ones_bring_two_paths_under_one_map(storage, compute):
    wrong = compute.module("nodes", nodes=[node(storage, chap={**CHAP, "secret": "not the right secret"})])
    assert wrong.get("failed") and "CHAP" in wrong["msg"], wrong
    wrong = compute.module("nodes", nodes=[node(storage, chap={**CHAP, "mutual_secret": "nor is this one"})])
    assert wrong.get("failed"), wrong
    compute.run(
        "modprobe sd_mod; systemctl reset-failed multipathd; systemctl start multipathd.service", timeout=120
    )
    succeeded(compute, compute.module("multipath_conf", presets=["tgt"]))
    succeeded(compute, compute.module("nodes", nodes=[node(storage, chap=CHAP)]))
    disk = succeeded(
        compute, compute.module("disk", wwid=wwid_of_tgt(serial_of(DB, "db0")), paths=2, multipath=True)
    )["state"]
    compute.run(
        f"mkfs.ext4 -q {disk['device']} && mount {disk['device']} /mnt && echo kept > /mnt/file && sync"
    )
    path = compute.run(f"ls /sys/block/$(basename $(readlink -f {disk['device']}))/slaves").out.split()[0]
    told = compute.run(f"/lib/udev/scsi_id --whitelisted --device=/dev/{path}").out.strip()
    assert told == disk["wwid"] == wwid_of_tgt(serial_of(DB, "db0"))
    sessions = storage.module("target_info", provider="tgt", name=DB)["targets"][0]["sessions"]
    assert [one["initiator"] for one in sessions] == [name_of(compute)] * 2


def test_nothing_that_is_in_use_goes(storage, compute):
    who = f"Logged in is '{name_of(compute)}' from"
    before = storage.fingerprint()
    for module, options in (
        ("target", {"name": DB, "state": "absent"}),
        ("target", {"name": DB, "enabled": False}),
        ("lun", {"target": DB, "name": "db0", "state": "absent"}),
        ("lun", {"target": DB, "name": "db0", "number": 3}),
        ("lun", {"target": DB, "name": "db0", "size": "128m"}),
        ("igroup", {"target": DB, "name": "db", "state": "absent"}),
    ):
        result = storage.module(module, provider="tgt", **options)
        assert who in result.get("msg", ""), f"{module} {options}: {result}"
    same(before, storage.fingerprint(), "A refusal")


def test_nops_and_chap_at_discovery_are_set_while_the_disk_is_used(storage, compute):
    asked = {"provider": "tgt", "targets": [{"name": DB, "parameters": NOPS}], "discovery_chap": SCOUT}
    storage.write(WATCHED, WATCHER, 0o755)
    ran = converges(storage, "targets", asked)
    lines = storage.read("/run/tgtadm.log")
    storage.run(f"rm {WATCHED}")
    assert "--op bind --mode account --user scout" in lines, "the watcher saw what ran"
    assert not [secret for secret in SECRETS if secret in lines or secret in json.dumps(ran)]
    assert nops(storage) == NOPS
    asks_for_proof(storage, compute)
    assert compute.run("cat /mnt/file").out.strip() == "kept"


def test_what_tgt_cannot_enforce_is_refused(storage, compute):
    before = storage.fingerprint()
    part = {"target": DB, "name": "db"}

    def new(**lun):
        luns, groups = [{"name": "x", **lun}], [{"name": "db", "luns": ["x"]}]
        return {"targets": [{"name": DB, "luns": luns, "igroups": groups}]}

    for message, module, options in (
        ("would not have the LUN 'db0'", "igroup", {**part, "luns": [{"name": "db0", "state": "absent"}]}),
        ("set read_only on the LUN itself", "igroup", {**part, "luns": [{"name": "db0", "read_only": True}]}),
        ("under its own number", "igroup", {**part, "luns": [{"name": "db0", "number": 5}]}),
        (
            "would not have the LUN 'x'",
            "lun",
            {"target": DB, "name": "x", "path": "/srv/luns/x", "size": "1m"},
        ),
        ("tgt's own controller", "targets", new(number=0, path="/srv/luns/x", size="1m")),
        ("would be behind two LUNs", "targets", new(path="/dev/mapper/vg_store-db1")),
        ("an option of its start", "target", {"name": DB, "portals": [f"{storage.address('san1')}:3261"]}),
    ):
        result = storage.module(module, provider="tgt", **options)
        assert message in result.get("msg", ""), f"{module} {options}: {result}"
    same(before, storage.fingerprint(), "A refusal")


def without_sessions(told):
    return [{**one, "sessions": []} for one in told["targets"]]


def test_a_power_cut_of_the_storage_host_is_healed_and_what_was_served_is_served_again(lab, storage, compute):
    before = storage.module("target_info", provider="tgt")
    assert before["drift"] == []
    lab.power_cut(storage)
    lab.boot(storage)
    storage.run("systemctl is-system-running --wait", check=False, timeout=120)
    settled(storage, "systemctl is-active tgt.service")
    after = storage.module("target_info", provider="tgt")
    assert after["drift"] == []
    assert without_sessions(after) == without_sessions(before)
    assert serve(storage, {"name": DB}, discovery_chap=SCOUT)["steps"] == []
    assert nops(storage) == NOPS
    asks_for_proof(storage, compute)
    # Not both paths: tgtd accepts connections before its targets are there, and a session whose login is cut off at that very
    # moment cannot always bind again (Linux, scsi_transport_iscsi.c, ISCSI_CLS_CONN_BIT_CLEANUP; open-iscsi 2.1.8).
    settled(compute, "multipathd show paths format '%t %T' | grep -q 'active ready'", 180)
    compute.run("timeout 60 dd if=/dev/zero of=/mnt/after bs=64k count=4 oflag=direct && cat /mnt/file")


def test_a_new_secret_is_in_no_process_list_and_the_sessions_go_on(storage, compute):
    storage.write(WATCHED, WATCHER, 0o755)
    changed = {**CHAP, "secret": NEW}
    ran = succeeded(storage, storage.module("igroup", provider="tgt", target=DB, name="db", chap=changed))
    lines = storage.read("/run/tgtadm.log")
    storage.run(f"rm {WATCHED}; sync")
    assert "--op bind --mode account" in lines, "the watcher saw what ran"
    assert NEW not in lines and MUTUAL not in lines
    assert ran["steps"][0] == f"Set the CHAP credentials of '{DB}' (user 'db', both ways)"
    assert storage.module("igroup", provider="tgt", target=DB, name="db", chap=changed)["steps"] == []
    assert (
        compute.run("cat /mnt/file && dd if=/dev/zero of=/mnt/more bs=64k count=4 oflag=direct 2>&1").rc == 0
    )
    again = compute.module("nodes", nodes=[node(storage, chap={**CHAP, "secret": NEW})])
    succeeded(compute, again)


def test_secrets_are_in_no_process_list_of_a_boot(storage, compute):
    """tgt-admin would give them to a shell. (A stop of the service fails writes: its unit puts targets offline first.)"""
    logged_out(compute)
    storage.write(WATCHED, WATCHER, 0o755)
    storage.run("rm -f /run/tgtadm.log; systemctl restart tgt", timeout=120)
    lines = storage.read("/run/tgtadm.log")
    storage.run(f"rm {WATCHED}")
    assert "--mode logicalunit" in lines, "the watcher saw what ran"
    assert not [secret for secret in SECRETS if secret in lines]
    asks_for_proof(storage, compute)
    assert nops(storage) == NOPS
    assert "        db\n" in tgtadm(storage)


def test_it_grows_where_nobody_is_logged_in(storage, compute):
    ran = converges(storage, "lun", {"provider": "tgt", "target": DB, "name": "db0", "size": "128m"})
    assert ran["steps"][0].startswith("Extend the file")
    succeeded(compute, compute.module("nodes", nodes=[node(storage, chap={**CHAP, "secret": NEW})]))
    compute.run("udevadm settle")
    wwid = wwid_of_tgt(serial_of(DB, "db0"))
    size = compute.run(f"blockdev --getsize64 /dev/disk/by-id/wwn-0x{wwid[1:]}").out
    assert int(size) == 128 << 20


def test_another_secret_at_discovery_and_the_end_of_it(storage, compute):
    asked = {"provider": "tgt", "targets": [], "discovery_chap": {"user": "scout", "secret": NEW}}
    converges(storage, "targets", asked)
    portal = storage.address("san1")
    assert offered(compute, portal, username="scout", password=SCOUT["secret"]) is None
    assert offered(compute, portal, username="scout", password=NEW) is not None
    converges(storage, "targets", {**asked, "discovery_chap": {"user": "", "secret": ""}})
    assert offered(compute, portal) is not None
    users = storage.run("tgtadm --lld iscsi --op show --mode account").out.split()
    assert "scout" not in users and "array" not in users
    assert storage.run("test -e /etc/tgt/lunworks-discovery.json", check=False).rc


def test_who_is_shut_out_by_force_can_write_no_more(storage, compute):
    (group,) = declared(storage, compute, chap={**CHAP, "secret": NEW})["igroups"]
    asked = {"provider": "tgt", "target": DB, "purge": True, **group}
    asked["initiators"] = ["iqn.2026-01.com.example:somebody"]
    assert f"Logged in is '{name_of(compute)}'" in storage.module("igroup", **asked)["msg"]
    ran = succeeded(storage, storage.module("igroup", **asked, force=True))
    assert ran["state"]["targets"][0]["igroups"][0]["initiators"] == asked["initiators"]
    assert storage.module("target_info", provider="tgt", name=DB)["targets"][0]["sessions"] == []


def test_what_a_killed_run_leaves_is_healed_by_the_next(storage, compute, request):
    asked = declared(storage, compute, chap={**CHAP, "secret": NEW}, name=f"{DB}-killed")
    luns = [{"name": "db0", "path": "/srv/luns/killed.img", "size": "8m"}]
    (group,) = asked["igroups"]
    asked.update(luns=luns, igroups=[{**group, "luns": ["db0"]}])

    def look(host):
        conf = host.run(
            "cat /etc/tgt/conf.d/*killed*; ls -l --time-style=+ /etc/tgt/conf.d /srv/luns", check=False
        )
        return conf.out + re.sub(r"(?m)^Target \d+", "Target", tgtadm(host))

    there = {"provider": "tgt", "targets": [asked]}
    gone = {"provider": "tgt", "targets": [{"name": asked["name"], "state": "absent"}]}
    try:
        assert heals(storage, Way("targets", there, gone, look), request.config.getoption("--every-step"))
    finally:
        succeeded(storage, storage.module("targets", **gone))
        storage.run("rm -f /srv/luns/killed.img")


def test_the_target_goes_and_its_files_stay(storage, compute):
    logged_out(compute)
    converges(storage, "target", {"provider": "tgt", "name": DB, "state": "absent"})
    assert storage.run("ls /srv/luns /etc/tgt/conf.d").out.split() == [
        "/etc/tgt/conf.d:",
        "others.conf",
        "/srv/luns:",
        "db0.img",
    ]
    assert storage.read("/etc/tgt/conf.d/others.conf") == FOREIGN
    assert f"Target 1: {OTHERS}" in tgtadm(storage)
