# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SAN that somebody made by hand, in use, becomes data: site.yml takes it over, and the service does not notice."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.by_hand import WRITER, loosen
from ansible_collections.lunworks.iscsi.tests.integration.harness import same, settled
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

TARGET = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.4f3a1c2d5e6b"
INITIATOR = "iqn.1993-08.org.debian:01:5c7d9b21e0f4"
# What a person types into targetcli: a random serial, the portal of all addresses, an ACL without a tag.
SERVED = f"""
/backstores/fileio create name=data file_or_dev=/srv/hand.img size=96M write_back=false
/iscsi create {TARGET}
/iscsi/{TARGET}/tpg1/luns create /backstores/fileio/data
/iscsi/{TARGET}/tpg1/acls create {INITIATOR}
saveconfig
"""
USED = f"""
set -e
printf '## by hand\\nInitiatorName={INITIATOR}\\n' >/etc/iscsi/initiatorname.iscsi
printf 'defaults {{\\n\\tuser_friendly_names yes\\n\\tfind_multipaths no\\n}}\\n' >/etc/multipath.conf
systemctl restart iscsid multipathd
for portal in %s; do iscsiadm -m discovery -t sendtargets -p $portal; done
iscsiadm -m node -T {TARGET} -o update -n node.startup -v automatic
iscsiadm -m node -T {TARGET} --login
for second in $(seq 60); do [ -e /dev/mapper/mpatha ] && break; sleep 1; done
vgcreate -y vg_hand /dev/mapper/mpatha
lvcreate -y -L 48M -n data vg_hand
mkfs.ext4 -q /dev/vg_hand/data
mkdir -p /srv/hand
echo '/dev/mapper/vg_hand-data /srv/hand ext4 _netdev,noatime 0 2' >>/etc/fstab
systemctl daemon-reload
mount /srv/hand
"""
PORTALS = ("san1", "san2")


@pytest.fixture
def by_hand(lab, storage, compute):
    """Both hosts as a person has set them up; the data that describes it."""
    lab.fresh(storage, compute)
    storage.run(f"targetcli >/dev/null <<'END'\n{SERVED}END")
    portals = [storage.address(network) for network in PORTALS]
    compute.run(USED % " ".join(portals), timeout=180)
    settled(compute, "[ $(multipathd show paths format '%t' | grep -c active) = 2 ]", 60)
    wwid = compute.run("dmsetup info -c --noheadings -o uuid mpatha").out.strip().partition("-")[2]
    volume = {"name": "data", "size": "48m", "filesystem": "ext4", "mount": "/srv/hand"}
    yield {
        "target_targets": [
            {
                "name": TARGET,
                "luns": [{"name": "data", "path": "/srv/hand.img", "size": "96m"}],
                "igroups": [{"name": INITIATOR, "initiators": [INITIATOR], "luns": ["data"]}],
            }
        ],
        "initiator_name": INITIATOR,
        "initiator_nodes": [{"target": TARGET, "portals": portals}],
        "initiator_discovery": [{"portals": portals}],
        "initiator_rp_filter_interfaces": [loosen(compute)],
        "volume_groups": [{"name": "vg_hand", "luns": [{"wwid": wwid}], "volumes": [volume]}],
        "volume_filesystems": [],
    }
    lab.fresh(storage, compute)


def identity(storage, compute):
    """What must stay: serials, names and numbers of the kernel's devices, sessions, the mount."""
    asked = "dmsetup ls; ls /sys/class/iscsi_session; findmnt -no SOURCE,TARGET /srv/hand; vgs -o vg_uuid,vg_seqno vg_hand"
    serial = "cat /sys/kernel/config/target/core/fileio_*/data/wwn/vpd_unit_serial"
    return compute.run(asked).out, storage.run(serial).out


def test_a_san_made_by_hand_is_taken_over_under_io(lab, storage, compute, by_hand):
    def site(*options):
        return played(lab, "lunworks.iscsi.site", *options, hosts=[storage, compute], **by_hand)

    before, was = {host.name: host.fingerprint() for host in (storage, compute)}, identity(storage, compute)
    told = site("--check", "--diff")
    for host in (storage, compute):
        same(before[host.name], host.fingerprint(), f"site.yml --check on {host.name}, which somebody set up")
    compute.write("/run/writer.py", WRITER)
    compute.run("rm -f /run/enough; setsid python3 /run/writer.py >/run/wrote 2>&1 </dev/null &")
    done = site()
    assert done.changed() == told.changed()
    assert site().changed() == {}
    compute.run("touch /run/enough")
    settled(compute, "! pgrep -f [w]riter.py", 30)
    number, worst = compute.read("/run/wrote").split()
    assert int(number) > 50 and float(worst) < 3, json.dumps(compute.read("/run/wrote"))
    assert identity(storage, compute) == was
    assert "/dev/mapper/vg_hand-data /srv/hand ext4 _netdev,noatime 0 2" in compute.read("/etc/fstab")
    lab.power_cut(storage, compute)
    lab.boot(storage, compute)
    settled(
        compute, "findmnt /srv/hand && [ $(multipathd show paths format '%t' | grep -c active) = 2 ]", 120
    )
    assert site().changed() == {}
    assert identity(storage, compute)[1] == was[1]
