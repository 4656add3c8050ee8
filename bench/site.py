# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compute host that is as it shall be: lunworks.iscsi.site beside a playbook of today's modules, which find that out.

Each target has two portals and one LUN, with a volume group, a file system and a mount of its own.

    python -m bench.site [--suite bookworm] [--numbers 2 8] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.identity import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.harness import Lab
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

PEER = str(Path(__file__).resolve().parent / "site" / "peer.yml")
SETTINGS = {"node.startup": "automatic", "node.session.timeo.replacement_timeout": "120"}


def data(number: int, portals: list[str], initiator: str) -> dict[str, Any]:
    """The inventory variables of a SAN with so many targets."""
    names = [f"iqn.2026-01.com.example:bench.{n}" for n in range(number)]
    return {
        "target_targets": [
            {
                "name": name,
                "portals": portals,
                "luns": [{"name": "one", "path": f"/srv/luns/{n}.img", "size": "64m"}],
                "igroups": [{"name": "bench", "initiators": [initiator], "luns": ["one"]}],
            }
            for n, name in enumerate(names)
        ],
        "initiator_name": initiator,
        "initiator_settings": SETTINGS,
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


def measured(lab: Lab, suite: str, number: int, rounds: int) -> None:
    """Converge, then take both in turn; print the medians and the median of the ratios pair by pair."""
    storage, compute = lab.host(f"store-{suite}"), lab.host(f"db-{suite}")
    portals = [storage.address("san1"), storage.address("san2")]
    variables = data(number, portals, f"iqn.2026-01.com.example:{compute.name}")
    played(lab, "lunworks.iscsi.site", hosts=[storage, compute], **variables)
    ours, peers = [], []
    for _round in range(rounds):
        for playbook, times in (("lunworks.iscsi.site", ours), (PEER, peers)):
            begun = time.monotonic()
            ran = played(lab, playbook, hosts=[compute], **variables)
            times.append(time.monotonic() - begun)
            assert ran.stats[compute.name]["changed"] == 0, ran.changed()
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
        for number in given.numbers:
            measured(lab, given.suite, number, given.rounds)
    finally:
        lab.down()


if __name__ == "__main__":
    main()
