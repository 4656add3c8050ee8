# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cables of a lab: a tap for each host on each of its networks; pulled, slowed down, healed (tc-netem(8))."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml import Lab
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml_network import batch, devices


@dataclass(frozen=True)
class Link:
    """The cable between a host and a network: plugged in or not, and what it does to packets on their way to the host."""

    up: bool = True
    delay: int = 0  # milliseconds
    loss: float = 0  # percent


@dataclass(frozen=True)
class SetLink(Step):
    """Plug in, pull, slow down, heal."""

    lab: Lab
    host: str
    number: int
    network: str
    link: Link

    def __str__(self) -> str:
        if not self.link.up:
            return f"Cut '{self.host}' off from the network '{self.network}'"
        ills = f", {self.link.delay} ms late" if self.link.delay else ""
        ills += f", losing {self.link.loss:g} %" if self.link.loss else ""
        return f"Connect '{self.host}' to the network '{self.network}'{ills}"

    def take(self, host: Host) -> None:
        set_link(host, self.lab, self.network, self.number, self.link.up)
        set_delay(host, self.lab, self.network, self.number, self.link.delay, self.link.loss)


def link(up: bool, delay: int, loss: float) -> Link:
    """What a cable shall be like, checked."""
    if not 0 <= delay <= 60000:
        raise Problem(f"A delay of {delay} ms is not between 0 and 60000.")
    if not 0 <= loss <= 100:
        raise Problem(f"A loss of {loss:g} % is not between 0 and 100.")
    return Link(up, delay, loss)


def plan_link(lab: Lab, host: str, number: int, network: str, seen: Link, want: Link) -> list[Step]:
    """One step, or none."""
    return [] if seen == want else [SetLink(lab, host, number, network, want)]


def tap(network_name: str, number: int) -> str:
    """The device of a host's link."""
    return f"{network_name}.{number}"


def look_links(controller: Host, lab: Lab, number: int) -> dict[str, Link]:
    """A host's links by network."""
    found = {}
    for device in devices(controller, lab, "link", "show"):
        name, dot, owner = device["ifname"].rpartition(".")
        if dot and owner == str(number):
            delay, loss = (
                _netem(controller, lab, device["ifname"]) if device.get("qdisc") == "netem" else (0, 0.0)
            )
            found[name] = Link("master" in device, delay, loss)
    return found


def make_link(controller: Host, lab: Lab, network_name: str, number: int) -> None:
    """A new cable, plugged in."""
    device = tap(network_name, number)
    batch(
        controller,
        lab,
        [
            f"tuntap add dev {device} mode tap",
            f"link set {device} master {network_name}",
            f"link set {device} up",
        ],
    )


def remove_link(controller: Host, lab: Lab, network_name: str, number: int) -> None:
    """Take the cable away."""
    batch(controller, lab, [f"link delete {tap(network_name, number)}"])


def set_link(controller: Host, lab: Lab, network_name: str, number: int, up: bool) -> None:
    """Plug the cable in or pull it: off the bridge. A tap that is down breaks the card of a running UML kernel for good."""
    end = f"master {network_name}" if up else "nomaster"
    batch(controller, lab, [f"link set {tap(network_name, number)} {end}"])


def set_delay(controller: Host, lab: Lab, network_name: str, number: int, delay: int, loss: float) -> None:
    """Make packets on their way to the host late (milliseconds) or lose a share of them (percent); 0 and 0: neither."""
    start = ("tc", "-netns", lab.namespace, "qdisc")
    device = tap(network_name, number)
    if delay or loss:
        change = ("delay", f"{delay}ms", "loss", f"{loss:g}%")
        controller.run(*start, "replace", "dev", device, "root", "netem", "limit", "100000", *change)
    else:
        controller.run(*start, "delete", "dev", device, "root", ok=None)


def _netem(controller: Host, lab: Lab, device: str) -> tuple[int, float]:
    said = controller.run("tc", "-netns", lab.namespace, "qdisc", "show", "dev", device).out
    delay = re.search(r"\bdelay (\d+(?:\.\d+)?)(us|ms|s)\b", said)
    loss = re.search(r"\bloss (\d+(?:\.\d+)?)%", said)
    scale = {"us": 0.001, "ms": 1, "s": 1000}
    return round(float(delay[1]) * scale[delay[2]]) if delay else 0, float(loss[1]) if loss else 0.0
