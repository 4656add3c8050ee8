# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups on one or more LUNs each move to another host: the playbook beside the procedure that how-tos tell.

Measured is the time without service, from the moment at which the first file system is unmounted on the one host to the
moment at which the last one is mounted on the other, as both kernels tell it (poll(2) on /proc/self/mountinfo).

The procedure is a shell script over the same ssh connections: umount, vgcfgbackup, vgchange, vgexport and logout here; discovery,
login, vgcfgrestore, vgscan, pvscan, vgimport, vgchange, lvscan and mount there. It needs the LUNs mapped to both hosts all the
time: it has no fence, proves nothing, and leaves the source's disks, fstab and records as they are.

    python -m bench.move [--suite bookworm] [--numbers 1 10] [--luns 2] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Callable

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab
from ansible_collections.lunworks.iscsi.tests.integration.moving import (
    TARGET,
    Filled,
    Group,
    San,
    do,
    initiator,
)

VOLUMES = (Filled("data", "-L 64m {group}", "ext4"), Filled("log", "-L 32m {group}", "ext4"))
# Maps are made of every path by itself: the procedure knows no other way.
GREEDY = "defaults {\n    find_multipaths greedy\n}\n"
WATCH = """\
import select, sys, time
want = set(sys.argv[1:])
mounts = open("/proc/self/mountinfo")
poll = select.poll()
poll.register(mounts, select.POLLERR | select.POLLPRI)
def there():
    mounts.seek(0)
    return {line.split()[4] for line in mounts} & want
begun, seen = time.time(), there()
print("ready", flush=True)
while time.time() - begun < 600:
    poll.poll(1000)
    now = there()
    if now != seen:
        print(time.time(), len(now), flush=True)
        seen = now
"""


class Watched:
    """The moments at which file systems came and went on a host."""

    def __init__(self, host: Host, mounts: list[str]) -> None:
        self.host, self.mounts = host, mounts

    def __enter__(self) -> Watched:
        self.host.write("/run/watch.py", WATCH)
        self.host.run(
            f"setsid python3 /run/watch.py {' '.join(self.mounts)} >/run/watched 2>&1 </dev/null & echo $! >/run/watch.pid;"
            " for n in $(seq 50); do grep -q ready /run/watched && exit; sleep 0.2; done; exit 1"
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self.host.run("kill $(cat /run/watch.pid)", check=False)

    def moments(self) -> list[tuple[float, int]]:
        lines = [line.split() for line in self.host.read("/run/watched").splitlines()[1:]]
        return [(float(when), int(count)) for when, count in lines]


def without_service(source: Watched, destination: Watched) -> float:
    """Seconds from the first file system that went to the last one that came."""
    gone = next(when for when, count in source.moments() if count < len(source.mounts))
    come = next(when for when, count in destination.moments() if count == len(destination.mounts))
    return come - gone


def by_playbook(san: San, source: Host, destination: Host) -> None:
    """As a user runs it."""
    names = ",".join(group.name for group in san.groups)
    told = san.move(vg=names, source=source, destination=destination)
    assert told.rc == 0, told.messages()


def by_hand(san: San, source: Host, destination: Host) -> None:
    """The last section of the how-to, step by step, for all groups at once; its vgcfgrestore too, which can lose data."""
    names = " ".join(group.name for group in san.groups)
    mounts = [mount for group in san.groups for mount in group.mounts]
    backup = source.run(
        f"set -e; umount {' '.join(mounts)}; for vg in {names}; do vgcfgbackup -q -f /root/$vg.backup $vg >/dev/null; done;"
        f" vgchange -q -an {names} >/dev/null; vgexport -q {names} >/dev/null; iscsiadm -m node -u >/dev/null;"
        " tar -cf - -C /root $(cd /root; ls *.backup) | base64",
        timeout=300,
    ).out
    devices = [
        (f"/dev/{group.name}/{volume.name}", mount)
        for group in san.groups
        for volume, mount in zip(group.volumes, group.mounts)
    ]
    wwids = " ".join(wwid for group in san.groups for wwid in group.wwids)
    mounting = "; ".join(f"mkdir -p {mount}; mount {device} {mount}" for device, mount in devices)
    destination.run(
        f"set -e; base64 -d | tar -xf - -C /root; iscsiadm -m discovery -t sendtargets -p {san.portals[0]} >/dev/null;"
        f" iscsiadm -m node -T {TARGET} -l >/dev/null; for wwid in {wwids};"
        " do until [ -e /dev/mapper/$wwid ]; do sleep 0.1; done; done; udevadm settle;"
        f" for vg in {names}; do vgcfgrestore --list -f /root/$vg.backup >/dev/null; vgcfgrestore -f /root/$vg.backup $vg; done;"
        f" vgscan -q; pvscan -q; vgimport -q {names} || true; vgchange -q -ay {names}; lvscan; {mounting}",
        timeout=300,
        stdin=backup,
    )


def share(san: San, *hosts: Host) -> None:
    """The LUNs are mapped to exactly these hosts: the how-to has both, always."""
    luns = [lun for group in san.groups for lun in group.luns]
    igroups = [
        {
            "name": host.name,
            "initiators": [initiator(host)],
            "luns": [{"name": lun, "state": "present" if host in hosts else "absent"} for lun in luns],
        }
        for host in (san.first, san.second)
    ]
    shared = [{"name": lun, "shared": True} for lun in luns]
    do(san.storage, "targets", targets=[{"name": TARGET, "luns": shared, "igroups": igroups}], force=True)


def clean(san: San) -> None:
    """The how-to leaves lines in fstab, and the playbook takes them for what the group had."""
    for host in (san.first, san.second):
        host.run("sed -i '\\#/srv/#d' /etc/fstab; systemctl daemon-reload")


def measured(
    san: San, source: Host, destination: Host, move: Callable[[San, Host, Host], None]
) -> tuple[float, float]:
    """Seconds without service, and of the whole."""
    mounts = [mount for group in san.groups for mount in group.mounts]
    with Watched(source, mounts) as here, Watched(destination, mounts) as there:
        begun = time.monotonic()
        move(san, source, destination)
        return without_service(here, there), time.monotonic() - begun


def compared(san: San, number: int, luns: int, rounds: int) -> float:
    """The playbook there, the procedure back, and so on. The median of the seconds that the playbook takes as a whole."""
    san.build(*(Group(f"vg_{n}", size="128m", volumes=VOLUMES, count=luns) for n in range(number)))
    for host in (san.first, san.second):
        host.write("/etc/multipath.conf", GREEDY)
        host.run("multipathd reconfigure")
    ours, peers = [], []
    for _round in range(rounds):
        ours.append(measured(san, san.first, san.second, by_playbook))
        clean(san)
        share(san, san.first, san.second)
        peers.append(measured(san, san.second, san.first, by_hand))
        share(san, san.first)
        clean(san)
    (own, whole), (hand, _all) = (tuple(map(statistics.median, zip(*times))) for times in (ours, peers))
    ratio = statistics.median(one[0] / other[0] for one, other in zip(ours, peers))
    print(
        f"{number:3} groups on {luns} LUNs each: without service {own:6.1f} s by the playbook, {hand:6.1f} s by hand:"
        f" {ratio:4.1f} times; the whole playbook {whole:6.1f} s",
        flush=True,
    )
    return float(whole)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--numbers", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--luns", type=int, default=2, help="of each group")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lab", default="bench")
    given = parser.parse_args()
    lab = Lab(given.lab)
    names = [f"{name}-{given.suite}" for name in ("store", "db", "spare")]
    lab.up(names, owner=None)
    try:
        san = San(lab, *map(lab.host, names))
        wholes = [compared(san, number, given.luns, given.rounds) for number in given.numbers]
        for number, whole in zip(given.numbers[1:], wholes[1:]):
            print(f"{number} groups take {whole / wholes[0]:.1f} times as long as {given.numbers[0]}")
    finally:
        lab.down()


if __name__ == "__main__":
    main()
