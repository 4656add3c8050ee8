# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage side on real kernels: what is served, who gets in, what is in use, and what comes back after a boot.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, same, succeeded

DB = "iqn.2026-01.com.example:store.db"
FOREIGN = "iqn.2026-01.com.example:others"
SECRET = "a secret of 21 bytes."
DROP_IN = "/etc/systemd/system/rtslib-fb-targetctl.service.d"
SAVED = "/etc/rtslib-fb-target/saveconfig.json"
CLEAN = (
    "umount /mnt; targetctl clear; rm -rf /srv/luns; vgremove -qffy vg_store; pvremove -qffy /dev/ubdb; wipefs -aq /dev/ubdb;"
    f" rm -rf {SAVED} {DROP_IN}; systemctl daemon-reload"
)
FOREIGN_TARGET = (
    "targetcli set global auto_add_default_portal=false >/dev/null &&"
    " targetcli /backstores/ramdisk create name=others size=4M &&"
    f" targetcli /iscsi create {FOREIGN} &&"
    f" targetcli /iscsi/{FOREIGN}/tpg1/luns create /backstores/ramdisk/others &&"
    " targetcli saveconfig"
)


@pytest.fixture(scope="module", autouse=True)
def store(storage, compute):
    """A storage host with a volume group, and a target that others made there."""
    logged_out(compute)
    storage.run(CLEAN, check=False)
    storage.run(
        "vgcreate -q vg_store /dev/ubdb && lvcreate -qq -Wn -L 32M -n db1 vg_store && mkdir -p /srv/luns"
    )
    storage.run(FOREIGN_TARGET)
    yield
    logged_out(compute)
    storage.run(CLEAN, check=False)


def name_of(compute):
    return f"iqn.2026-01.com.example:{compute.name}"


def logged_out(compute):
    compute.run("iscsiadm -m session -u; iscsiadm -m node -o delete", check=False)


def log_in(compute, address, user="db", secret=SECRET, check=True):
    """Log in with CHAP over one portal; the disks that udev then knows, by WWID."""
    script = f"""
        sed -i 's/^InitiatorName.*/InitiatorName={name_of(compute)}/' /etc/iscsi/initiatorname.iscsi
        systemctl restart iscsid
        iscsiadm -m node -o new -T {DB} -p {address} >/dev/null
        for setting in authmethod=CHAP username={user} 'password={secret}'; do
            iscsiadm -m node -T {DB} -p {address} -o update -n node.session.auth.${{setting%%=*}} -v "${{setting#*=}}"
        done
        iscsiadm -m node -T {DB} -p {address} -l && udevadm settle
    """
    return compute.run(script, check=check)


def disks(compute):
    """The disks of the compute host: size in bytes and whether they are read only, by WWID."""
    script = "for d in /sys/block/sd*; do echo $(cat $d/device/wwid) $(cat $d/size) $(cat $d/ro); done"
    lines = [line.split() for line in compute.run(script).out.splitlines()]
    return {f"3{line[0][4:]}": (int(line[1]) * 512, line[2] == "1") for line in lines if len(line) == 3}


def declared(storage, compute, **changes):
    return {
        "name": DB,
        "portals": [storage.address("san1"), f"[{storage.address('san2', 6)}]:3261"],
        "luns": [
            {"name": "db0", "path": "/srv/luns/db0.img", "size": "32m"},
            {"name": "db1", "path": "/dev/vg_store/db1", "number": 7},
        ],
        "igroups": [
            {
                "name": "db",
                "initiators": [name_of(compute)],
                "luns": ["db0", {"name": "db1", "read_only": True}],
                "chap": {"user": "db", "secret": SECRET},
            }
        ],
        **changes,
    }


def test_a_target_is_made_in_one_call_and_the_check_has_said_how(storage, compute):
    ran = converges(storage, "targets", {"targets": [declared(storage, compute)]})
    luns = ran["state"]["targets"][0]["luns"]
    assert [(lun["name"], lun["number"], lun["size"]) for lun in luns] == [
        ("db0", 0, 32 << 20),
        ("db1", 7, 32 << 20),
    ]
    assert luns[0]["wwid"] == wwid_of_lio(serial_of(DB, "db0"))
    assert SECRET not in json.dumps(ran)
    assert storage.run("stat -c %a /srv/luns/db0.img").out.strip() == "600"
    assert storage.run(f"stat -c %a {SAVED}").out.strip() == "600"


def test_what_others_made_is_left_alone(storage):
    told = succeeded(storage, storage.module("target_info"))
    assert [target["name"] for target in told["targets"]] == [FOREIGN, DB]
    assert told["drift"] == []
    assert SECRET not in json.dumps(told)


def test_rtslib_reads_and_saves_what_we_saved(storage, compute):
    """What rtslib saves of the running state has in it all that we saved, and after that we find nothing to do."""
    ours = json.loads(storage.read(SAVED))
    storage.run("targetctl save")
    theirs = json.loads(storage.read(SAVED))
    assert lost(ours, theirs) == []
    assert succeeded(storage, storage.module("targets", targets=[declared(storage, compute)]))["steps"] == []


def lost(small, big, where=""):
    """What stands in one document and not, or otherwise, in the other; lists in any order."""
    if isinstance(small, dict):
        return [fault for key in small for fault in lost(small[key], big.get(key), f"{where}.{key}")]
    if isinstance(small, list):
        return [f"{where}: {one}" for one in small if not any(lost(one, other) == [] for other in big)]
    return [] if small == big else [f"{where}: {small} became {big}"]


def test_an_initiator_sees_its_luns_and_no_other_gets_in(storage, compute):
    assert log_in(compute, storage.address("san1"), secret="not the right secret", check=False).rc == 24
    log_in(compute, storage.address("san1"))
    log_in(compute, f"[{storage.address('san2', 6)}]:3261")
    wwids = [wwid_of_lio(serial_of(DB, name)) for name in ("db0", "db1")]
    assert disks(compute) == {wwids[0]: (32 << 20, False), wwids[1]: (32 << 20, True)}
    told = storage.module("target_info", name=DB)["targets"][0]
    assert [one["initiator"] for one in told["sessions"]] == [name_of(compute)]


def test_a_lun_grows_online_file_and_device_alike(storage, compute):
    ran = converges(storage, "lun", {"target": DB, "name": "db0", "size": "64m"})
    assert ran["steps"][1] == "Grow the LUN 'db0' to 64 MiB, online"
    storage.run("lvextend -q -L 48M vg_store/db1")
    assert not storage.module("targets", targets=[{"name": DB}])["changed"]
    compute.run("iscsiadm -m session -R >/dev/null; udevadm settle")
    wwids = [wwid_of_lio(serial_of(DB, name)) for name in ("db0", "db1")]
    assert disks(compute) == {wwids[0]: (64 << 20, False), wwids[1]: (48 << 20, True)}
    compute.run(
        f"dd if=/dev/zero of=$(realpath /dev/disk/by-id/wwn-0x{wwids[0][1:]}) bs=1M seek=60 count=2 oflag=direct"
    )


def test_nothing_that_is_in_use_goes(storage, compute):
    who = f"Logged in: '{name_of(compute)}' from"
    before = storage.fingerprint()
    for module, options in (
        ("targets", {"targets": [], "purge": True}),
        ("target", {"name": DB, "state": "absent"}),
        ("target", {"name": DB, "enabled": False}),
        ("target", {"name": DB, "portals": [storage.address("san2")], "purge": True}),
        ("lun", {"target": DB, "name": "db0", "state": "absent"}),
        ("lun", {"target": DB, "name": "db0", "number": 3}),
        ("igroup", {"target": DB, "name": "db", "state": "absent"}),
        ("igroup", {"target": DB, "name": "db", "luns": [{"name": "db0", "read_only": True}]}),
        ("igroup", {"target": DB, "name": "db", "luns": [{"name": "db0", "state": "absent"}]}),
    ):
        result = storage.module(module, **options)
        assert who in result.get("msg", ""), f"{module} {options}: {result}"
    same(before, storage.fingerprint(), "A refusal")


def test_what_could_hurt_is_refused(storage, compute):
    here = storage.address("san1")
    storage.run(
        "lvcreate -qq -Wn -L 16M -n used vg_store && mkfs.ext4 -q /dev/vg_store/used && mount /dev/vg_store/used /mnt"
    )
    new = {"target": DB, "name": "new"}
    before = storage.fingerprint()
    for message, module, options in (
        ("is mounted on '/mnt'", "lun", {**new, "path": "/dev/vg_store/used"}),
        ("holds the active logical volume", "lun", {**new, "path": "/dev/ubdb"}),
        ("would be behind two LUNs", "lun", {**new, "path": "/dev/mapper/vg_store-db1"}),
        ("does not exist", "lun", {**new, "path": "/dev/vg_store/nothing"}),
        (
            "its file system has",
            "lun",
            {**new, "path": "/srv/luns/big.img", "size": "1t", "allocation": "full"},
        ),
        ("cannot shrink", "lun", {"target": DB, "name": "db0", "size": "32m"}),
        (
            "another disk under the same name",
            "lun",
            {"target": DB, "name": "db0", "path": "/srv/luns/x", "size": "64m"},
        ),
        ("this host has no address 192.0.2.99", "target", {"name": DB, "portals": ["192.0.2.99"]}),
        ("another program listens on", "target", {"name": DB, "portals": [f"{here}:22"]}),
    ):
        result = storage.module(module, **options)
        assert message in result.get("msg", ""), f"{module} {options}: {result}"
    same(before, storage.fingerprint(), "A refusal")
    storage.run("umount /mnt && lvremove -qqy vg_store/used")


def test_a_changed_secret_is_written_and_the_session_goes_on(storage, compute):
    chap = {
        "user": "db",
        "secret": "another secret, 25 bytes.",
        "mutual_user": "st",
        "mutual_secret": "a third, 16 bytes",
    }
    ran = succeeded(storage, storage.module("igroup", target=DB, name="db", chap=chap))
    assert ran["steps"][0].endswith("(user 'db', both ways)")
    shown = json.dumps([ran["steps"], ran["state"], ran["diff"]])
    assert "another secret" not in shown and "a third" not in shown
    assert storage.module("igroup", target=DB, name="db", chap=chap)["steps"] == []
    assert len(disks(compute)) == 2
    logged_out(compute)
    assert log_in(compute, storage.address("san1"), check=False).rc == 24
    assert log_in(compute, storage.address("san1"), secret=chap["secret"]).rc == 0


def test_after_a_power_cut_the_same_targets_stand(lab, storage, compute):
    logged_out(compute)
    before = storage.module("target_info")
    assert before["drift"] == []
    lab.power_cut(storage)
    lab.boot(storage)
    storage.run("systemctl is-system-running --wait", check=False, timeout=120)
    after = storage.module("target_info")
    assert after["drift"] == []
    assert after["targets"] == before["targets"]
    assert storage.module("targets", targets=[{"name": DB}])["steps"] == []


def test_what_a_half_restore_lost_is_named_and_brought_back(storage):
    """The restore service calls it success when a device was not there in time; here one LUN is lost like that."""
    saved = storage.read(SAVED)
    storage.run(
        f"targetctl clear; vgchange -qan vg_store; targetctl restore {SAVED}; vgchange -qay vg_store",
        check=False,
    )
    assert storage.read(SAVED) == saved
    told = storage.module("target_info", name=DB)
    assert f"The LUN 'db1' of '{DB}' is saved but not running." in told["drift"]
    ran = succeeded(storage, storage.module("targets", targets=[{"name": DB}]))
    assert "are brought back: LUN 'db1'" in " ".join(map(str, ran["warnings"]))
    assert storage.module("target_info")["drift"] == []
    assert lost(json.loads(saved), json.loads(storage.read(SAVED))) == []


def test_a_file_that_is_gone_does_not_come_back_empty(storage):
    storage.run("mv /srv/luns/db0.img /srv/luns/away.img")
    told = storage.module("targets", targets=[{"name": DB}])
    assert "was served from '/srv/luns/db0.img', which is not there now" in told["msg"]
    assert not storage.run("ls /srv/luns/db0.img", check=False).out
    storage.run("mv /srv/luns/away.img /srv/luns/db0.img")


def test_purge_leaves_exactly_what_is_listed_and_force_takes_it_from_whom_is_logged_in(storage, compute):
    succeeded(storage, storage.module("igroup", target=DB, name="db", chap={"user": "db", "secret": SECRET}))
    log_in(compute, storage.address("san1"))
    only = declared(
        storage,
        compute,
        luns=[{"name": "db0"}],
        igroups=[{"name": "db", "initiators": [name_of(compute)], "luns": ["db0"]}],
    )
    ran = succeeded(storage, storage.module("targets", targets=[only], purge=True, force=True))
    assert [target["name"] for target in ran["state"]["targets"]] == [DB]
    assert [lun["name"] for lun in ran["state"]["targets"][0]["luns"]] == ["db0"]
    logged_out(compute)
    converges(storage, "target", {"name": DB, "state": "absent"})
    assert json.loads(storage.read(SAVED))["targets"] == []
    assert storage.run("ls /srv/luns").out.split() == ["db0.img"], "files behind LUNs stay"
