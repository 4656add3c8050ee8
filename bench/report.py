# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a report takes to be made of what many hosts answered, in each format, and how large it is. No host is asked.

Each compute host has the answers of the demo's db-a (two LUNs on two paths each, a volume group, two mounts), under names of its
own; one storage host serves ten of them.

    python -m bench.report [--numbers 10 50 200]
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.filter.san_report import FORMATS, san_report
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.reporting import recorded

SHARED = 10  # compute hosts of a storage host


def fleet(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answers and the data of so many compute hosts and their storage hosts."""
    san = json.dumps({part: {"a": hosts["db-a"], "s": hosts["store1"]} for part, hosts in recorded().items()})
    answers: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for one in range(number):
        mine = json.loads(_renamed(san, f"store{one // SHARED}-{one}", f"db-{one}"))
        answers[f"db-{one}"], data[f"db-{one}"] = mine["answers"]["a"], mine["data"]["a"]
        server = f"store{one // SHARED}"
        _serve(answers, data, server, mine)
    return answers, data


def _renamed(san: str, store: str, host: str) -> str:
    """WWIDs follow from the names of targets and LUNs."""
    for target, lun in (("db", "db0"), ("db", "db1"), ("www", "www")):
        old, new = (
            wwid_of_lio(serial_of(f"iqn.2026-01.com.example:{name}.{target}", lun))[1:]
            for name in ("store1", store)
        )
        san = san.replace(old, new)
    return san.replace("store1", store).replace("db-a", host)


def _serve(answers: dict[str, Any], data: dict[str, Any], server: str, mine: dict[str, Any]) -> None:
    if server not in answers:
        answers[server], data[server] = mine["answers"]["s"], mine["data"]["s"]
        return
    answers[server]["targets"]["targets"] += mine["answers"]["s"]["targets"]["targets"]
    data[server]["target_targets"] += mine["data"]["s"]["target_targets"]


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--numbers", type=int, nargs="+", default=[10, 50, 200])
    print("| compute hosts | format | seconds | KiB |\n|---|---|---|---|")
    for number in parser.parse_args().numbers:
        answers, data = fleet(number)
        for format in FORMATS:
            begun = time.process_time()
            made = san_report(answers, data, format=format)["content"]
            print(f"| {number} | {format} | {time.process_time() - begun:.2f} | {len(made.encode()) >> 10} |")


if __name__ == "__main__":
    main()
