# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a lab: a bridge for each in the lab's namespace, a tap for each host on it (ip(8), tc-netem(8)).

The controller is the first address of every network. The kernel holds the whole state; nothing is written down.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml import NETNS, Controller, Lab, named

FIRST = 10  # host number 1 is .11: below it is room for the controller and for what a test puts there
LAST = 200
LONGEST = 11  # a tap is NETWORK.NUMBER and a device name has 15 characters at most


@dataclass(frozen=True)
class Network:
    """A network of a lab and its subnets, in their usual notation."""

    name: str
    ipv4: str
    ipv6: str | None = None

    def address(self, number: int, version: int = 4) -> str:
        """The address of host 'number'; 0 is the controller."""
        subnet = self.ipv4 if version == 4 else self.ipv6
        if not subnet:
            raise Problem(f"The network '{self.name}' has no IPv{version} addresses.")
        last = str(FIRST + number if number else 1)  # .11 and ::11: read alike
        return str(ipaddress.ip_network(subnet)[int(last, 10 if version == 4 else 16)])

    def interfaces(self, number: int) -> list[str]:
        """The addresses of host 'number' with their prefix lengths."""
        subnets = [(4, self.ipv4), (6, self.ipv6)]
        return [f"{self.address(number, version)}/{net.split('/')[1]}" for version, net in subnets if net]


@dataclass(frozen=True)
class Link:
    """The cable between a host and a network: plugged in or not, and what it does to packets on their way to the host."""

    up: bool = True
    delay: int = 0  # milliseconds
    loss: float = 0  # percent


def network(name: str, ipv4: str, ipv6: str | None = None) -> Network:
    """A network, checked."""
    named("network", name, LONGEST)
    for subnet, version in ((ipv4, 4), (ipv6, 6)):
        try:
            found = ipaddress.ip_network(subnet) if subnet else None
        except ValueError as error:
            raise Problem(f"The network '{name}': '{subnet}' is not a subnet: {error}.") from None
        if found and (found.version != version or found.num_addresses < (256 if version == 4 else 4096)):
            raise Problem(
                f"The network '{name}': '{subnet}' is not an IPv{version} subnet of a /24 (IPv6: /116) or larger."
            )
    return Network(name, str(ipaddress.ip_network(ipv4)), str(ipaddress.ip_network(ipv6)) if ipv6 else None)


def tap(network_name: str, number: int) -> str:
    """The device of a host's link."""
    return f"{network_name}.{number}"


def look_networks(controller: Controller, lab: Lab) -> dict[str, Network]:
    """The networks of a lab by name; empty when there is no such lab."""
    found = {}
    for device in _devices(controller, lab, "address", "show", "type", "bridge"):
        subnets: dict[str, str] = {}
        for one in device["addr_info"]:
            if one.get("scope") == "global":
                subnets[one["family"]] = str(
                    ipaddress.ip_interface(f"{one['local']}/{one['prefixlen']}").network
                )
        found[device["ifname"]] = Network(device["ifname"], subnets.get("inet", ""), subnets.get("inet6"))
    return found


def make_namespace(controller: Controller, lab: Lab) -> None:
    """The lab's network namespace, with a loopback device that works."""
    if controller.stat(f"{NETNS}/{lab.namespace}") is None:
        controller.run("ip", "netns", "add", lab.namespace)
    controller.run("ip", "-netns", lab.namespace, "link", "set", "lo", "up")


def remove_namespace(controller: Controller, lab: Lab) -> None:
    """End every process of the lab and remove its namespace with all networks in it."""
    if controller.stat(f"{NETNS}/{lab.namespace}") is not None:
        controller.kill(lab)
        controller.run("ip", "netns", "delete", lab.namespace)


def make_network(controller: Controller, lab: Lab, wanted: Network) -> None:
    """The bridge and the controller's addresses on it."""
    lines = [f"link add {wanted.name} type bridge forward_delay 0", f"link set {wanted.name} up"]
    lines += [f"address add {one} dev {wanted.name} nodad" for one in wanted.interfaces(0)]
    _batch(controller, lab, lines)


def remove_network(controller: Controller, lab: Lab, name: str) -> None:
    """The bridge, its addresses, and nothing else."""
    _batch(controller, lab, [f"link delete {name}"])


def look_links(controller: Controller, lab: Lab, number: int) -> dict[str, Link]:
    """A host's links by network."""
    found = {}
    for device in _devices(controller, lab, "link", "show"):
        name, dot, owner = device["ifname"].rpartition(".")
        if dot and owner == str(number):
            delay, loss = (
                _netem(controller, lab, device["ifname"]) if device.get("qdisc") == "netem" else (0, 0.0)
            )
            found[name] = Link("UP" in device["flags"], delay, loss)
    return found


def make_link(controller: Controller, lab: Lab, network_name: str, number: int) -> None:
    """A new cable, plugged in."""
    device = tap(network_name, number)
    _batch(
        controller,
        lab,
        [
            f"tuntap add dev {device} mode tap",
            f"link set {device} master {network_name}",
            f"link set {device} up",
        ],
    )


def remove_link(controller: Controller, lab: Lab, network_name: str, number: int) -> None:
    """Take the cable away."""
    _batch(controller, lab, [f"link delete {tap(network_name, number)}"])


def set_link(controller: Controller, lab: Lab, network_name: str, number: int, up: bool) -> None:
    """Plug the cable in or pull it."""
    _batch(controller, lab, [f"link set {tap(network_name, number)} {'up' if up else 'down'}"])


def set_delay(
    controller: Controller, lab: Lab, network_name: str, number: int, delay: int, loss: float
) -> None:
    """Make packets on their way to the host late (milliseconds) or lose a share of them (percent); 0 and 0: neither."""
    start = ("tc", "-netns", lab.namespace, "qdisc")
    device = tap(network_name, number)
    if delay or loss:
        change = ("delay", f"{delay}ms", "loss", f"{loss:g}%")
        controller.run(*start, "replace", "dev", device, "root", "netem", "limit", "100000", *change)
    else:
        controller.run(*start, "delete", "dev", device, "root", ok=None)


def _netem(controller: Controller, lab: Lab, device: str) -> tuple[int, float]:
    said = controller.run("tc", "-netns", lab.namespace, "qdisc", "show", "dev", device).out
    delay = re.search(r"\bdelay (\d+(?:\.\d+)?)(us|ms|s)\b", said)
    loss = re.search(r"\bloss (\d+(?:\.\d+)?)%", said)
    scale = {"us": 0.001, "ms": 1, "s": 1000}
    return round(float(delay[1]) * scale[delay[2]]) if delay else 0, float(loss[1]) if loss else 0.0


def _devices(controller: Controller, lab: Lab, *question: str) -> list[dict[str, Any]]:
    if controller.stat(f"{NETNS}/{lab.namespace}") is None:
        return []
    said = controller.run("ip", "-netns", lab.namespace, "-json", *question).out
    return [device for device in json.loads(said or "[]") if device]


def _batch(controller: Controller, lab: Lab, lines: list[str]) -> None:
    controller.run("ip", "-netns", lab.namespace, "-batch", "-", stdin="\n".join(lines) + "\n")
