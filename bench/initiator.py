# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host side: N targets with two portals each, recorded and logged in to, and then found to need nothing.

Beside one call of the module 'nodes': the floor, a bare parallel 'iscsiadm -m node --loginall=all' on records that are
there already; and community.general.open_iscsi in a loop, as playbooks do it today (for more than PEER targets measured
at PEER and multiplied, since it is linear). Cold times end when udev has settled. The floor is timed on the host's own
shell; both modules are timed as playbooks with pipelining, so they pay for Ansible and for the start of Python.

    python -m bench.initiator [--suite bookworm] [--numbers 1 8 32]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from typing import Callable

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

IQN = "iqn.2026-01.com.example"
PEER = 8
OURS = """
- hosts: compute
  gather_facts: false
  tasks:
    - lunworks.iscsi.nodes:
        nodes: "{{ bench_nodes }}"
"""
LOOP = """
- hosts: compute
  gather_facts: false
  tasks:
    - community.general.open_iscsi:
        portal: "{{ item }}"
        discover: true
      loop: "{{ bench_portals if bench_cold else [] }}"
    - community.general.open_iscsi:
        target: "{{ item.0.target }}"
        portal: "{{ item.1 }}"
        login: true
        auto_node_startup: true
      loop: "{{ bench_nodes | subelements('portals') }}"
"""
FORGET = (
    "iscsiadm -m node --logoutall=all; iscsiadm -m node -o delete; rm -rf /etc/iscsi/send_targets /var/lib/iscsi/send_targets;"
    " udevadm settle"
)


def timed(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


class Bench:
    """The two hosts, and what is done on them."""

    def __init__(self, lab: Lab, suite: str) -> None:
        self.lab, self.storage, self.compute = lab, lab.host(f"store-{suite}"), lab.host(f"db-{suite}")
        self.portals = [self.storage.address("san1"), self.storage.address("san2")]
        self.initiator = self.compute.module("initiator_info")["name"]

    def serve(self, number: int) -> list[dict[str, object]]:
        """So many targets with one small LUN each; the nodes that lead to them."""
        targets = [
            {
                "name": f"{IQN}:bench{n}",
                "portals": self.portals,
                "luns": [{"name": "one", "path": f"/srv/luns/bench{n}.img", "size": "8m"}],
                "igroups": [{"name": "bench", "initiators": [self.initiator], "luns": ["one"]}],
            }
            for n in range(number)
        ]
        succeeded(self.storage, self.storage.module("targets", targets=targets, purge=True, force=True))
        return [
            {"target": one["name"], "portals": self.portals, "startup": "automatic", "logged_in": True}
            for one in targets
        ]

    def settled(self) -> Host:
        self.compute.run("udevadm settle", timeout=300)
        return self.compute

    def floor(self) -> float:
        """Records are there; everything is logged in to at once."""
        self.compute.run(FORGET, check=False, timeout=600)
        self.compute.run(f"iscsiadm -m discoverydb -t st -p {self.portals[0]} -o new --discover")
        return timed(
            lambda: self.compute.run("iscsiadm -m node --loginall=all && udevadm settle", timeout=900)
        )

    def play(self, playbook: str, nodes: list[dict[str, object]], cold: bool) -> float:
        """A playbook, and with 'cold' the settling of udev after it."""
        if cold:
            self.compute.run(FORGET, check=False, timeout=600)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(playbook)
            file.flush()
            variables = {"bench_nodes": nodes, "bench_portals": self.portals, "bench_cold": cold}

            def act() -> None:
                played(self.lab, file.name, hosts=[self.compute], **variables)
                self.settled()

            return timed(act)

    def measure(self, number: int) -> None:
        few = self.serve(min(number, PEER))
        factor = number / len(few)
        loop = [self.play(LOOP, few, cold) * factor for cold in (True, False)]
        nodes = self.serve(number) if number > PEER else few
        ours = [self.play(OURS, nodes, cold) for cold in (True, False)]
        floor = self.floor()
        print(
            f"N = {number:<3} cold: nodes {ours[0]:6.1f}  loginall {floor:6.1f} (x {ours[0] / floor:4.2f})  loop"
            f" {loop[0]:6.1f}   nothing to do: nodes {ours[1]:5.1f}  loop {loop[1]:6.1f} (x {loop[1] / ours[1]:4.0f})",
            flush=True,
        )


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--suite", default="bookworm")
    options.add_argument("--numbers", type=int, nargs="+", default=[1, 8, 32])
    options.add_argument("--lab", default="bench")
    options.add_argument("--keep-lab", action="store_true")
    given = options.parse_args()
    lab = Lab(given.lab)
    lab.up([f"store-{given.suite}", f"db-{given.suite}"], None)
    try:
        bench = Bench(lab, given.suite)
        for number in given.numbers:
            bench.measure(number)
        bench.compute.run(FORGET, check=False, timeout=600)
        bench.storage.module("targets", targets=[], purge=True, force=True)
    finally:
        if not given.keep_lab:
            lab.down()


if __name__ == "__main__":
    main()
