# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long lunworks.iscsi.validate takes for a fleet: files of YAML as people keep them, with templates; no host is needed.

Each of the compute hosts has two targets with two portals, a CHAP secret, two volume groups and four volumes, on one storage host
for every ten of them.

    python -m bench.validate [--numbers 50 500] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

IQN = "iqn.2026-01.com.example"
ROOT = Path(__file__).resolve().parents[1]
STORAGE_FOR = 10


def compute(number: int) -> dict[str, Any]:
    """The variables of a compute host."""
    names = [f"{IQN}:store-{number // STORAGE_FOR}.{number}-{one}" for one in range(2)]
    chap = {"user": f"host-{number}", "secret": "{{ san_secret }}"}
    return {
        "initiator_nodes": [{"target": name, "portals": "{{ san_portals }}", "chap": chap} for name in names],
        "volume_groups": [
            {
                "name": f"vg_{one}",
                "luns": [{"target": name, "name": f"lun{lun}"} for lun in range(2)],
                "volumes": [
                    {"name": f"lv{lv}", "size": "10g", "filesystem": "xfs", "mount": f"/srv/{one}/{lv}"}
                    for lv in range(2)
                ],
            }
            for one, name in enumerate(names)
        ],
    }


def storage(number: int, hosts: int) -> dict[str, Any]:
    """The variables of a storage host, for its share of the compute hosts."""
    first = number * STORAGE_FOR
    return {
        "target_targets": [
            {
                "name": f"{IQN}:store-{number}.{host}-{one}",
                "portals": "{{ san_portals }}",
                "luns": [
                    {"name": f"lun{lun}", "path": f"/srv/luns/{host}-{one}-{lun}.img", "size": "20g"}
                    for lun in range(2)
                ],
                "igroups": [
                    {
                        "name": f"host-{host}",
                        "initiators": [f"{IQN}:host-{host}"],
                        "luns": ["lun0", "lun1"],
                        "chap": {"user": f"host-{host}", "secret": "{{ san_secret }}"},
                    }
                ],
            }
            for host in range(first, min(first + STORAGE_FOR, hosts))
            for one in range(2)
        ]
    }


def written(place: Path, hosts: int) -> None:
    """An inventory of so many compute hosts and their storage hosts."""
    parts: dict[str, dict[str, Any]] = {f"host-{number}": compute(number) for number in range(hosts)}
    stores = {f"store-{number}": storage(number, hosts) for number in range(-(-hosts // STORAGE_FOR))}
    groups = {"compute": dict.fromkeys(parts), "storage": dict.fromkeys(stores)}
    common = {"san_portals": ["10.77.1.11", "10.77.2.11"], "san_secret": "sixteen bytes ok"}
    files = {f"host_vars/{name}": variables for name, variables in {**parts, **stores}.items()}
    files["group_vars/all"] = common
    files["group_vars/compute"] = {
        "initiator_name": f"{IQN}:{{{{ inventory_hostname }}}}",
        "initiator_preset": "multipath",
    }
    files["hosts"] = {name: {"hosts": members} for name, members in groups.items()}
    for name, content in files.items():
        path = place / f"{name}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content))


def measured(place: Path, playbook: str) -> float:
    """The seconds of CPU time of a run that finds nothing wrong, whatever else the machine does meanwhile."""
    before = os.times()
    subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", place, playbook],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--numbers", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for number in given.numbers:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            written(place, number)
            nothing = place / "play.cfg"  # what ends like this is no inventory
            nothing.write_text("[{hosts: all, gather_facts: false, tasks: [{meta: noop}]}]")
            floor, took = (
                statistics.median(measured(place, playbook) for _round in range(given.rounds))
                for playbook in (str(nothing), "lunworks.iscsi.validate")
            )
            print(
                f"{number:4} compute hosts: lunworks.iscsi.validate {took:5.1f} s, a playbook of nothing {floor:5.1f} s"
            )


if __name__ == "__main__":
    main()
