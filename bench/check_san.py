# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the check of monitoring takes for a host with N LUNs on two paths with a record each, start of Python included.

The host is a tree of files, as the unit tests have it: sysfs itself answers a little faster than a disk's file system. What takes
time is the number of files; a host whose paths are gone has as many.

    python -m bench.check_san [--numbers 1 100 1000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.lunworks.iscsi.tests.unit.test_monitoring import CHECK, TARGET, session

RECORD = "node.startup = automatic\n" + "".join(
    f"node.session.setting{number} = {number}\n" for number in range(60)
)


def host(place: Path, number: int) -> None:
    """The files of a host with so many LUNs."""
    for lun in range(number):
        files = {
            **session(2 * lun, f"10.1.{lun // 250}.{lun % 250}", f"sda{lun}"),
            **session(2 * lun + 1, f"10.2.{lun // 250}.{lun % 250}", f"sdb{lun}"),
            f"/sys/class/block/dm-{lun}/dev": f"253:{lun}\n",
            f"/sys/class/block/dm-{lun}/dm/uuid": f"mpath-3600140500000000000000000000{lun:05}\n",
            f"/sys/class/block/dm-{lun}/dm/name": f"db{lun}\n",
            f"/sys/class/block/dm-{lun}/slaves/sda{lun}": "",
            f"/sys/class/block/dm-{lun}/slaves/sdb{lun}": "",
            **{
                f"/etc/iscsi/nodes/{TARGET}/10.{way}.{lun // 250}.{lun % 250},3260,1/default": RECORD
                for way in (1, 2)
            },
            "/etc/iscsi/iscsid.conf": RECORD,
        }
        for path, text in files.items():
            file = place / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())


def seconds(place: Path) -> float:
    """One run."""
    begun = time.monotonic()
    ran = subprocess.run(
        [sys.executable, str(CHECK), "--root", str(place)], stdout=subprocess.PIPE, check=True
    )
    assert b"SAN OK" in ran.stdout, ran.stdout
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--numbers", nargs="+", type=int, default=[1, 100, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print("| LUNs on two paths | seconds |\n|---|---|")
    for number in given.numbers:
        with tempfile.TemporaryDirectory() as place:
            host(Path(place), number)
            taken = statistics.median(seconds(Path(place)) for _round in range(given.rounds))
        print(f"| {number} | {taken:.2f} |")


if __name__ == "__main__":
    main()
