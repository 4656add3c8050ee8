# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab, up and down: what the command line and the test harness use. The modules do the same piece by piece."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Sequence

from ansible_collections.lunworks.iscsi.plugins.module_utils import uml_host, uml_image, uml_network
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml import NETNS, STATE, Controller, Lab
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml_host import LabHost, Seen
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml_network import Network


@dataclass(frozen=True)
class Wanted:
    """A lab as described: its networks and its hosts."""

    networks: Sequence[Network]
    hosts: Sequence[LabHost]


def up(controller: Controller, lab: Lab, wanted: Wanted, cache: str, owner: int | None = None) -> None:
    """Bring the lab up to what is wanted. What runs already stays; a host that was made otherwise is refused.

    With an owner (a process id) the lab is that process's: once it is dead, the next 'up' of any lab removes it.
    """
    sweep(controller, lab.root)
    images = {
        suite: uml_image.make_image(controller, suite, cache)
        for suite in sorted({one.suite for one in wanted.hosts})
    }
    begin(controller, lab, cache, owner)
    seen = uml_network.look_networks(controller, lab)
    for one in wanted.networks:
        if one.name not in seen:
            uml_network.make_network(controller, lab, one)
    hosts = uml_host.look_hosts(controller, lab)
    refuse_other(lab, wanted, hosts)
    networks = uml_network.look_networks(controller, lab)
    for host in wanted.hosts:
        if host.name not in hosts:
            uml_host.make_host(controller, lab, host, images[host.suite], networks)
    boot(controller, lab, [host.name for host in wanted.hosts])


def begin(controller: Controller, lab: Lab, cache: str, owner: int | None) -> None:
    """The lab's directory and namespace; the remains of a lab that this machine's reboot ended are removed first."""
    holder = (controller.read(f"{lab.directory}/owner") or "").partition(" ")[0]
    if holder and int(holder) != owner:
        raise Problem(
            f"The lab '{lab.name}' belongs to process {holder}, which is running. Give another lab name."
        )
    if controller.stat(f"{NETNS}/{lab.namespace}") is None:
        down(controller, lab)
    controller.mkdir(lab.directory)
    record = f"{owner} {controller.born(owner)}\n" if owner else ""
    controller.write(f"{lab.directory}/owner", record)
    uml_host.write_ssh_config(controller, lab, cache)
    uml_network.make_namespace(controller, lab)


def refuse_other(lab: Lab, wanted: Wanted, hosts: dict[str, Seen]) -> None:
    """A running lab of the same name may be somebody's: never remake its hosts behind their back."""
    for host in wanted.hosts:
        if host.name in hosts and hosts[host.name].host != host:
            raise Problem(
                f"The lab '{lab.name}' has a host '{host.name}' that is made otherwise: {hosts[host.name].host}, wanted "
                f"is {host}. Take the lab down first, or give another lab name."
            )


def boot(controller: Controller, lab: Lab, names: Sequence[str]) -> None:
    """Power on and wait for all of these that are off, side by side."""
    seen, networks = uml_host.look_hosts(controller, lab), uml_network.look_networks(controller, lab)
    for name in names:
        if not seen[name].on:
            uml_host.power_on(controller, lab, seen[name], networks)
    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        list(pool.map(lambda name: uml_host.wait_for_host(controller, lab, name), names))


def down(controller: Controller, lab: Lab) -> None:
    """Nothing of the lab is left: no process, no namespace, no file."""
    for name in controller.list(f"{lab.directory}/hosts"):
        controller.run("ssh", "-F", lab.ssh_config, "-O", "exit", name, ok=None)
    uml_network.remove_namespace(controller, lab)
    controller.run("rm", "-rf", lab.directory)
    if controller.stat(lab.root) and not controller.list(lab.root) and lab.root == STATE:
        os.rmdir(lab.root)


def sweep(controller: Controller, root: str) -> list[str]:
    """Remove the labs whose owner is dead; their names."""
    swept = []
    for name in controller.list(root):
        pid, _, born = (controller.read(f"{root}/{name}/owner") or "").strip().partition(" ")
        if pid and controller.born(int(pid)) != born:
            down(controller, Lab(name, root))
            swept.append(name)
    return swept


def describe(lab: Lab, hosts: dict[str, Seen], networks: dict[str, Network]) -> str:
    """The lab in a few lines, for people."""
    lines = [
        f"lab {lab.name} (namespace {lab.namespace}, ssh -F {lab.ssh_config} HOST, ansible -i {lab.inventory})"
    ]
    for name, seen in sorted(hosts.items(), key=lambda item: item[1].host.number):
        at = " ".join(
            networks[one].address(seen.host.number) for one in seen.host.networks if one in networks
        )
        lines.append(
            f"  {name:16} {'on ' if seen.on else 'off'} {seen.host.suite:9} {seen.host.memory} MiB  {at}"
        )
    return "\n".join(lines)


def from_json(text: str) -> Wanted:
    """A lab described as JSON: {"networks": [{name, ipv4, ipv6}], "hosts": [{name, number, ...}]}."""
    told = json.loads(text)
    networks = [uml_network.network(**one) for one in told["networks"]]
    return Wanted(networks, [uml_host.lab_host(**one) for one in told["hosts"]])
