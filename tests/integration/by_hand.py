# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SAN as people make it by hand: targetcli with its random serials, mpatha, a multipath.conf, fstab by mapper names."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, settled

OPEN = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.4f3a1c2d5e6b"  # without CHAP, two paths
CLOSED = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.9b8c7d6e5f40"  # with CHAP, one path
INITIATOR = "iqn.1993-08.org.debian:01:5c7d9b21e0f4"
SECRET = "made.by.hand.21bytes"
SCOUT = "asked.by.hand.21bytes"  # at discovery
SERVED = f"""
/backstores/fileio create name=data file_or_dev=/srv/hand/data.img size=96M write_back=false
/backstores/block create name=logs dev=/dev/vg_store/logs
/backstores/fileio create name=keep file_or_dev=/srv/hand/keep.img size=64M
/iscsi create {OPEN}
/iscsi/{OPEN}/tpg1/luns create /backstores/fileio/data
/iscsi/{OPEN}/tpg1/luns create /backstores/block/logs
/iscsi/{OPEN}/tpg1/acls create {INITIATOR}
/iscsi create {CLOSED}
/iscsi/{CLOSED}/tpg1/portals delete 0.0.0.0 3260
/iscsi/{CLOSED}/tpg1/portals create ADDRESS 3261
/iscsi/{CLOSED}/tpg1/luns create /backstores/fileio/keep
/iscsi/{CLOSED}/tpg1/acls create {INITIATOR}
/iscsi/{CLOSED}/tpg1 set attribute authentication=1
/iscsi/{CLOSED}/tpg1/acls/{INITIATOR} set auth userid=hand password={SECRET}
/iscsi set discovery_auth enable=1 userid=scout password={SCOUT}
saveconfig
"""
FILTERS = "/etc/sysctl.d/60-san.conf"
MULTIPATH = """\
! by hand, from a how-to
defaults {
    user_friendly_names yes
    find_multipaths no
    polling_interval 10
}
blacklist {
    devnode "^ubd"
    device {
        vendor "ATA"
        product ".*"
    }
}
devices {
    device {
        vendor "LIO-ORG"
        product ".*"
        path_grouping_policy "failover"
        no_path_retry 12
    }
}
multipaths {
    multipath {
        wwid WWID
        alias logs
    }
}
""".replace("    ", "\t")
USED = f"""
set -e
printf '## by hand\\nInitiatorName={INITIATOR}\\n' >/etc/iscsi/initiatorname.iscsi
sed -i 's/^node.session.timeo.replacement_timeout.*/node.session.timeo.replacement_timeout = 20/' /etc/iscsi/iscsid.conf
systemctl restart iscsid multipathd
for portal in %s; do
    record="iscsiadm -m discoverydb -t sendtargets -p $portal"
    $record -o new
    $record -o update -n discovery.sendtargets.auth.authmethod -v CHAP
    $record -o update -n discovery.sendtargets.auth.username -v scout
    $record -o update -n discovery.sendtargets.auth.password -v '{SCOUT}'
    $record --discover
done
update="iscsiadm -m node -T {CLOSED} -o update"
$update -n node.session.auth.authmethod -v CHAP
$update -n node.session.auth.username -v hand
$update -n node.session.auth.password -v '{SECRET}'
iscsiadm -m node -o update -n node.startup -v automatic
iscsiadm -m node --login
for second in $(seq 60); do [ -e /dev/mapper/logs ] && [ $(ls /dev/mapper/mpath? | wc -l) = 2 ] && break; sleep 1; done
"""
# Writes and syncs ten times a second, in a new file each time, and notes the longest it had to wait.
WRITER = """
import os, time
worst, number = 0.0, 0
while not os.path.exists('/run/enough'):
    began, number = time.monotonic(), number + 1
    with open(f'/srv/hand/{number % 50}', 'w') as file:
        file.write(str(number) * 1000)
        file.flush()
        os.fsync(file.fileno())
    worst = max(worst, time.monotonic() - began)
    time.sleep(0.1)
print(number, worst)
"""


def make(storage: Host, compute: Host) -> dict[str, str]:
    """Both hosts as a person has set them up: the WWID of each LUN by its name."""
    storage.run(
        "mkdir -p /srv/hand && vgcreate -qq vg_store /dev/ubdb && lvcreate -qq -y -L 64M -n logs vg_store"
    )
    storage.run(
        "targetcli >/dev/null <<'END'\n" + SERVED.replace("ADDRESS", storage.address("san1")) + "END",
        timeout=180,
    )
    wwids = {name: _wwid(storage, name) for name in ("data", "logs", "keep")}
    compute.write("/etc/multipath.conf", MULTIPATH.replace("WWID", wwids["logs"]))
    _use(storage, compute, wwids)
    return wwids


def _wwid(storage: Host, name: str) -> str:
    serial = storage.run(f"cat /sys/kernel/config/target/core/*/{name}/wwn/vpd_unit_serial").out
    digits = serial.rpartition(":")[2].strip().replace("-", "")
    return f"36001405{digits[:25]}"


def loosen(compute: Host) -> str:
    """Somebody has loosened the reverse path filter of a storage NIC, now and at boot: its name."""
    nic = compute.run(f"ip -o addr show to {compute.address('san1')}").out.split()[1]
    compute.write(FILTERS, f"# two NICs\nnet.ipv4.conf.{nic}.rp_filter = 2\n")
    compute.run(f"sysctl -q -p {FILTERS}")
    return nic


def _use(storage: Host, compute: Host, wwids: dict[str, str]) -> None:
    portals = " ".join(storage.address(network) for network in ("san1", "san2"))
    compute.run(USED % portals, timeout=240)
    settled(compute, "[ $(multipathd show paths format '%t' | grep -c active) = 5 ]", 60)
    data, keep = (map_of(compute, wwids[name]) for name in ("data", "keep"))
    compute.run(
        f"set -e; vgcreate -qq vg_hand /dev/mapper/{data}; lvcreate -qq -y -L 48M -n data vg_hand;"
        f"lvcreate -qq -y -L 8M -n spare vg_hand;"
        f"for one in vg_hand/data mapper/logs mapper/{keep}; do mkfs.ext4 -q /dev/$one; done;"
        f"mkdir -p /srv/hand /srv/logs /srv/keep; cat >>/etc/fstab <<'END'\n"
        f"/dev/mapper/vg_hand-data /srv/hand ext4 _netdev,noatime 0 2\n"
        f"/dev/mapper/logs /srv/logs ext4 defaults,nofail 0 2\n"
        f"/dev/mapper/{keep} /srv/keep ext4 _netdev 0 0\nEND\n"
        f"systemctl daemon-reload; mount /srv/hand; mount /srv/logs; mount /srv/keep",
        timeout=120,
    )


def map_of(compute: Host, wwid: str) -> str:
    """What multipath calls a disk."""
    link = f"/dev/disk/by-id/dm-uuid-mpath-{wwid}"
    return compute.run(f"cat /sys/class/block/$(basename $(readlink -f {link}))/dm/name").out.strip()


LIVE = "iqn.2026-01.com.example:live"  # of tgt, typed in; it is in no file
FILED = "iqn.2026-01.com.example:filed"  # of tgt, in a file of somebody's
FILE = "/etc/tgt/conf.d/hand.conf"


def make_tgt(storage: Host) -> None:
    """A storage host with tgt as a person has set it up: a target in a file, another one by tgtadm."""
    storage.run("mkdir -p /srv/hand; truncate -s 32M /srv/hand/live.img /srv/hand/filed.img")
    text = f"<target {FILED}>\n    backing-store /srv/hand/filed.img\n    incominguser hand {SECRET}\n</target>\n"
    storage.write(FILE, text)
    typed = (
        f"target --op new --tid 9 -T {LIVE}",
        "logicalunit --op new --tid 9 --lun 1 -b /srv/hand/live.img",
        f"target --op bind --tid 9 -Q {INITIATOR}",
    )
    storage.run("systemctl enable -q tgt && systemctl restart tgt", timeout=120)
    storage.run(" && ".join(f"tgtadm --lld iscsi --mode {one}" for one in typed))


# Software of which a file is all that this host has: by provider, what stands in which file.
OF_FILES = {
    "iet": {
        "/etc/iet/ietd.conf": f"# of 2006\nTarget {FILED}\n    IncomingUser hand {SECRET}\n"
        "    Lun 0 Path=/srv/hand/filed.img,Type=fileio,ScsiId=42,ScsiSN=42424242\n    MaxConnections 1\n",
        "/etc/iet/initiators.allow": f"{FILED} {INITIATOR}\n",
        "/etc/iet/targets.allow": "ALL ALL\n",
    },
    "netbsd": {
        "/etc/iscsi/targets": f"extent0 /srv/hand/filed.img 0 32MB\ntarget0={FILED} rw extent0 10.4.0.0/16\n",
        "/etc/iscsi/auths": f"hand:chap:{SECRET}\n",
    },
}


def make_files(storage: Host, provider: str) -> None:
    """A storage host as a person has set it up by files alone."""
    storage.run("mkdir -p /srv/hand /etc/iet; truncate -s 32M /srv/hand/filed.img")
    for path, text in OF_FILES[provider].items():
        storage.write(path, text, 0o600)
