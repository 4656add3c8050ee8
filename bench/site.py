# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compute host that is as it shall be: lunworks.iscsi.site beside a playbook of today's modules, which find that out.

Each target has two portals and one LUN, with a volume group, a file system and a mount of its own.

    python -m bench.site [--suite bookworm] [--numbers 2 8] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.harness import Lab
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

PEER = str(Path(__file__).resolve().parent / "site" / "peer.yml")
SETTINGS = {"node.startup": "automatic", "node.session.timeo.replacement_timeout": "120"}


def data(number: int, portals: list[str], initiator: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inventory variables of the storage host and of the compute host of a SAN with so many targets."""
    names = [f"iqn.2026-01.com.example:bench.{n}" for n in range(number)]
    storage = {
        "target_targets": [
            {
                "name": name,
                "portals": portals,
                "luns": [{"name": "one", "path": f"/srv/luns/{n}.img", "size": "64m"}],
                "igroups": [{"name": "bench", "initiators": [initiator], "luns": ["one"]}],
            }
            for n, name in enumerate(names)
        ]
    }
    return storage, {
        "initiator_name": initiator,
        "initiator_settings": SETTINGS,
        "volume_filesystems": [],  # not those of the test SAN
        "initiator_nodes": [{"target": name, "portals": portals} for name in names],
        "volume_groups": [
            {
                "name": f"vg_{n}",
                "luns": [{"target": name, "name": "one"}],
                "volumes": [
                    {"name": "data", "size": "32m", "filesystem": "ext4", "mount": f"/srv/bench/{n}"}
                ],
            }
            for n, name in enumerate(names)
        ],
        "peer_settings": SETTINGS,
        "peer_groups": [
            {"name": f"vg_{n}", "pvs": f"/dev/mapper/{wwid_of_lio(serial_of(name, 'one'))}"}
            for n, name in enumerate(names)
        ],
    }


def inventory(place: Path, parts: dict[str, dict[str, Any]]) -> str:
    """An inventory that gives each host its variables."""
    (place / "host_vars").mkdir(exist_ok=True)
    (place / "hosts").write_text("\n".join(parts) + "\n")
    for host, variables in parts.items():
        (place / "host_vars" / f"{host}.json").write_text(json.dumps(variables))
    return str(place)


def measured(lab: Lab, suite: str, number: int, rounds: int, place: Path) -> None:
    """Converge, then take both in turn; print the medians and the median of the ratios pair by pair."""
    storage, compute = lab.host(f"store-{suite}"), lab.host(f"db-{suite}")
    portals = [storage.address("san1"), storage.address("san2")]
    parts = data(number, portals, f"iqn.2026-01.com.example:{compute.name}")
    given = ("-i", inventory(place, dict(zip((storage.name, compute.name), parts))))
    played(lab, "lunworks.iscsi.site", *given, hosts=[storage, compute])
    lines = [line.split() for line in compute.read("/etc/fstab").splitlines() if "/srv/bench/" in line]
    options = {
        "peer_mount_options": {line[1]: line[3] for line in lines}
    }  # else the two would undo each other's
    ours, peers = [], []
    for _round in range(rounds):
        for playbook, times in (("lunworks.iscsi.site", ours), (PEER, peers)):
            begun = time.monotonic()
            ran = played(lab, playbook, *given, hosts=[compute], **options)
            times.append(time.monotonic() - begun)
            changed = {task for _host, task in ran.changed()} - {
                "Services"
            }  # 'enabled' never holds for a socket's unit
            assert not changed, f"{playbook} changes: {changed}"
    ratio = statistics.median(peer / own for own, peer in zip(ours, peers))
    print(
        f"{number:3} targets: lunworks.iscsi.site {statistics.median(ours):6.1f} s, today's modules"
        f" {statistics.median(peers):6.1f} s: {ratio:4.1f} times faster"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--numbers", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    lab = Lab("bench")
    lab.up([f"store-{given.suite}", f"db-{given.suite}"], owner=None)
    try:
        with tempfile.TemporaryDirectory() as place:
            for number in given.numbers:
                measured(lab, given.suite, number, given.rounds, Path(place))
    finally:
        lab.down()


if __name__ == "__main__":
    main()
