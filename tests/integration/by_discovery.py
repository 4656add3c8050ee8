# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is offered that asks a storage host for its targets."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host


def offered(compute: Host, portal: str, **chap: str) -> list[str] | None:
    """What iscsiadm is offered that proves itself by these settings of its discovery record; None: it is refused."""
    record = f"iscsiadm -m discoverydb -t st -p {portal}"
    compute.run(f"{record} -o delete; {record} -o new >/dev/null", check=False)
    for key, value in {"authmethod": "CHAP", **chap}.items() if chap else ():
        compute.run(f"{record} -o update -n discovery.sendtargets.auth.{key} -v '{value}'")
    ran = compute.run(f"{record} -o nonpersistent --discover", check=False, timeout=120)
    return None if ran.rc else [line.split()[1] for line in ran.out.splitlines()]
