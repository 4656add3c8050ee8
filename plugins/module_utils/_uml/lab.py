# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab, up and down: what the command line and the test harness use. The modules do the same piece by piece."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Sequence

from .._host import Problem
from .controller import Controller, Lab, refuse_unfit
from .host import (
    LabHost,
    Seen,
    cut_power,
    hang_up,
    host_named,
    look_hosts,
    make_disks,
    make_host,
    power_off,
    power_on,
    wait_for_host,
)
from .image import make_image
from .kernel import Kernel, choose_kernel, provide_kernel
from .network import Network, look_networks, plan_network, remove_namespace
from .power import refuse_other


@dataclass(frozen=True)
class Wanted:
    """A lab as described: its networks and its hosts."""

    networks: Sequence[Network]
    hosts: Sequence[LabHost]


def up(
    controller: Controller,
    lab: Lab,
    wanted: Wanted,
    cache: str,
    owner: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Bring the lab up to what is wanted. What runs already stays; a host that was made otherwise is refused.

    With an owner (a process id) the lab is that process's: once it is dead, the next 'up' of any lab removes it. What takes
    long is said before it is begun.
    """
    refuse_unfit()
    kernels = provide_kernels(controller, wanted, cache, say)
    images = {
        (suite, kernel): str(make_image(controller, suite, cache, kernels[kernel], say).path)
        for suite, kernel in sorted({(host.suite, host.kernel) for host in wanted.hosts})
    }
    with controller.alone(lab.root):
        sweep(controller, lab.root)
        own(controller, lab, owner)
    seen = look_networks(controller, lab)
    for network in wanted.networks:
        for step in plan_network(lab, seen.get(network.name), network):
            step.take(controller)
    networks, hosts = look_networks(controller, lab), look_hosts(controller, lab)
    for host in wanted.hosts:
        refuse_other(lab, host.name, hosts.get(host.name), vars(host))
        if host.name not in hosts:
            image = images[host.suite, host.kernel]
            make_host(controller, lab, host, image, kernels[host.kernel].program, networks)
    boot(controller, lab, [host.name for host in wanted.hosts])


def provide_kernels(
    controller: Controller, wanted: Wanted, cache: str, say: Callable[[str], None]
) -> dict[str, Kernel]:
    """The kernels of these hosts, by the word that asks for each."""
    found = {}
    for word in sorted({host.kernel for host in wanted.hosts}):
        choice = choose_kernel(controller, word, cache)
        if choice.kernel is None:
            say("fetching the kernel of Debian's testing suite")
        found[word] = choice.kernel or provide_kernel(controller, word, cache)
        say(choice.note or f"hosts run Linux {found[word].version}")
    return found


def own(controller: Controller, lab: Lab, owner: int | None) -> None:
    """The lab's directory, and whose it is."""
    holder = (controller.read(f"{lab.directory}/owner") or "").partition(" ")[0]
    if holder and int(holder) != owner:
        raise Problem(
            f"The lab '{lab.name}' belongs to process {holder}, which is running. Give another lab name."
        )
    controller.mkdir(lab.directory)
    controller.write(f"{lab.directory}/owner", f"{owner} {controller.born(owner)}\n" if owner else "")


def boot(controller: Controller, lab: Lab, names: Sequence[str]) -> None:
    """Power on and wait for all of these, side by side."""
    seen, networks = look_hosts(controller, lab), look_networks(controller, lab)
    for name in names:
        if not seen[name].powered_on:
            power_on(controller, lab, seen[name], networks)
    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        list(pool.map(lambda name: wait_for_host(controller, lab, name), names))


def reboot(controller: Controller, lab: Lab, names: Sequence[str]) -> None:
    """Shut down in order, and boot."""
    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        list(pool.map(lambda name: power_off(controller, lab, name), names))
    boot(controller, lab, names)


def fresh(controller: Controller, lab: Lab, names: Sequence[str]) -> None:
    """Hosts as they were made: power cut, disks emptied, booted."""
    for name in names:
        cut_power(controller, lab, name)
        make_disks(controller, lab, host_named(controller, lab, name))
    boot(controller, lab, names)


def down(controller: Controller, lab: Lab) -> None:
    """Nothing of the lab is left: no process, no namespace, no file."""
    _remove(controller, lab)
    if controller.stat(lab.root) and not controller.list(lab.root):
        os.rmdir(lab.root)


def _remove(controller: Controller, lab: Lab) -> None:
    for name in controller.list(f"{lab.directory}/hosts"):
        hang_up(controller, lab, name)
    remove_namespace(controller, lab)
    controller.run("rm", "-rf", lab.directory)


def sweep(controller: Controller, root: str) -> list[str]:
    """Remove the labs whose owner is dead; their names."""
    swept = []
    for name in controller.list(root):
        pid, _blank, born = (controller.read(f"{root}/{name}/owner") or "").strip().partition(" ")
        if pid and controller.born(int(pid)) != born:
            _remove(controller, Lab(name, root))
            swept.append(name)
    return swept


def describe(lab: Lab, hosts: dict[str, Seen], networks: dict[str, Network]) -> str:
    """The lab in a few lines, for people."""
    lines = [f"lab {lab.name}: ssh -F {lab.ssh_config} HOST, ansible -i {lab.inventory}"]
    for name, seen in sorted(hosts.items(), key=lambda item: item[1].host.number):
        at = " ".join(
            networks[one].address(seen.host.number) for one in seen.host.networks if one in networks
        )
        lines.append(
            f"  {name:16} {'on ' if seen.powered_on else 'off'} {seen.host.suite:9} {seen.host.memory} MiB  {at}"
        )
    return "\n".join(lines)
