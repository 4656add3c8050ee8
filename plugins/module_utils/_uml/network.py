# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a lab: a bridge for each in the lab's namespace (ip(8)).

The controller is the first address of every network. The kernel holds the whole state; nothing is written down.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, replace
from typing import Any, Sequence

from .._host import Host, Problem
from .._step import Step
from .controller import NETNS, Lab, controller_of, named

FIRST = 10  # host number 1 is .11: below it is room for the controller and for what a test puts there
LAST = 200
MTU, LEAST_MTU = (
    1500,
    1280,
)  # of the hosts' cards, which take no more (ether_setup); with less there is no IPv6
VLAN_TAG = 4  # bytes that a bridge forwards above the MTU of a port (net/core/dev.c, is_skb_forwardable)
# Where this is on, a bridge is no switch: the controller's firewall has a say, and IPv4 packets are cut to the MTU of a port
# (kernel Documentation/networking/ip-sysctl.rst, /proc/sys/net/bridge; net/bridge/br_netfilter_hooks.c).
FILTERED = tuple(f"/proc/sys/net/bridge/bridge-nf-call-{tables}" for tables in ("iptables", "ip6tables"))
LONGEST = 11  # a tap is NETWORK.NUMBER and a device name has 15 characters at most


@dataclass(frozen=True)
class Network:
    """A network of a lab and its subnets, in their usual notation."""

    name: str
    ipv4: str
    ipv6: str | None = None
    mtu: int = MTU  # larger packets are lost on the way

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
class MakeNetwork(Step):
    """A bridge in the lab's namespace, which is made with the first one."""

    lab: Lab
    network: Network

    def __str__(self) -> str:
        subnets = ", ".join(one for one in (self.network.ipv4, self.network.ipv6) if one)
        return f"Make the network '{self.network.name}' ({subnets}) in the lab '{self.lab.name}'"

    def take(self, host: Host) -> None:
        make_network(host, self.lab, self.network)


@dataclass(frozen=True)
class SetMtu(Step):
    """Another size of packets, with all cables plugged in."""

    lab: Lab
    name: str
    mtu: int

    def __str__(self) -> str:
        return f"Let the network '{self.name}' of the lab '{self.lab.name}' forward packets of {self.mtu} bytes at most"

    def take(self, host: Host) -> None:
        ports = devices(host, self.lab, "link", "show", "master", self.name)
        lines = [f"link set {one['ifname']} mtu {port_mtu(self.mtu)}" for one in ports]
        batch(host, self.lab, [*lines, f"link set {self.name} mtu {self.mtu}"])


@dataclass(frozen=True)
class RemoveNetwork(Step):
    """Remove the bridge; with the last one the lab itself is gone."""

    lab: Lab
    name: str

    def __str__(self) -> str:
        return f"Remove the network '{self.name}' from the lab '{self.lab.name}'"

    def take(self, host: Host) -> None:
        remove_network(host, self.lab, self.name)
        remove_empty_lab(host, self.lab)


@dataclass(frozen=True)
class RemoveLab(Step):
    """All networks, the namespace and the files: what is left of a lab without hosts."""

    lab: Lab
    names: Sequence[str]

    def __str__(self) -> str:
        networks = f", its networks {', '.join(self.names)}" if self.names else ""
        return f"Remove the lab '{self.lab.name}'{networks}"

    def take(self, host: Host) -> None:
        remove_namespace(host, self.lab)
        host.run("rm", "-rf", self.lab.directory)


def look_lab(controller: Host, lab: Lab) -> list[str] | None:
    """The names of a lab's networks; None when nothing of the lab is there."""
    left = [lab.directory, f"{NETNS}/{lab.namespace}"]
    there = any(controller.stat(path) is not None for path in left)
    return sorted(look_networks(controller, lab)) if there else None


def plan_lab(lab: Lab, seen: list[str] | None) -> list[Step]:
    """Nothing of it may be left."""
    return [] if seen is None else [RemoveLab(lab, tuple(seen))]


def plan_network(lab: Lab, seen: Network | None, want: Network | None) -> list[Step]:
    """A network with other subnets is another network."""
    if seen and want and seen != want and replace(seen, mtu=want.mtu) == want:
        return [SetMtu(lab, want.name, want.mtu)]
    steps: list[Step] = []
    if seen and seen != want:
        steps.append(RemoveNetwork(lab, seen.name))
    if want and seen != want:
        steps.append(MakeNetwork(lab, want))
    return steps


def refuse_network(lab: Lab, name: str, steps: list[Step], hosts: Sequence[str]) -> None:
    """Hosts hold the network that they are on, and the lab."""
    if hosts and any(isinstance(step, RemoveLab) for step in steps):
        raise Problem(
            f"Cannot remove the lab '{lab.name}': it has the hosts {', '.join(hosts)}. Remove these first."
        )
    if hosts and any(isinstance(step, RemoveNetwork) for step in steps):
        raise Problem(
            f"Cannot remove the network '{name}' from the lab '{lab.name}': on it are {', '.join(hosts)}. "
            "Remove these hosts first."
        )


def network_of(name: str, ipv4: str, ipv6: str | None = None, mtu: int = MTU) -> Network:
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
    if not LEAST_MTU <= mtu <= MTU:
        raise Problem(f"The network '{name}': the MTU {mtu} is not between {LEAST_MTU} and {MTU}.")
    return Network(
        name, str(ipaddress.ip_network(ipv4)), str(ipaddress.ip_network(ipv6)) if ipv6 else None, mtu
    )


def look_networks(controller: Host, lab: Lab) -> dict[str, Network]:
    """The networks of a lab by name; empty when there is no such lab."""
    found = {}
    for device in devices(controller, lab, "address", "show", "type", "bridge"):
        subnets: dict[str, str] = {}
        for one in device["addr_info"]:
            if one.get("scope") == "global":
                subnets[one["family"]] = str(
                    ipaddress.ip_interface(f"{one['local']}/{one['prefixlen']}").network
                )
        found[device["ifname"]] = Network(
            device["ifname"], subnets.get("inet", ""), subnets.get("inet6"), device.get("mtu", MTU)
        )
    return found


def make_namespace(controller: Host, lab: Lab) -> None:
    """The lab's network namespace, with a loopback device that works."""
    if not stands(controller, lab):
        remove_namespace(controller, lab)
        controller.run("ip", "netns", "add", lab.namespace)
    controller.run("ip", "-netns", lab.namespace, "link", "set", "lo", "up")
    for path in FILTERED:
        if controller.stat(path) is not None:
            controller.run(*lab.inside("tee", path), stdin="0\n")


def remove_namespace(controller: Host, lab: Lab) -> None:
    """End every process of the lab and remove its namespace with all networks in it, or the entry that is left of it."""
    if controller.stat(f"{NETNS}/{lab.namespace}") is not None:
        controller_of(controller).kill(lab)
        controller.run("ip", "netns", "delete", lab.namespace)


def remove_empty_lab(controller: Host, lab: Lab) -> None:
    """A lab without networks and hosts is no more."""
    if not look_networks(controller, lab) and not controller.list(f"{lab.directory}/hosts"):
        remove_namespace(controller, lab)
        controller.run("rm", "-rf", lab.directory)


def make_network(controller: Host, lab: Lab, wanted: Network) -> None:
    """The bridge and the controller's addresses on it."""
    make_namespace(controller, lab)
    lines = [f"link add {wanted.name} type bridge forward_delay 0", f"link set {wanted.name} up"]
    lines += [f"link set {wanted.name} mtu {wanted.mtu}"] if wanted.mtu != MTU else []
    lines += [f"address add {one} dev {wanted.name} nodad" for one in wanted.interfaces(0)]
    batch(controller, lab, lines)


def port_mtu(mtu: int) -> int:
    """What a port of the bridge must have, so that this is the largest packet that goes out there."""
    return mtu if mtu == MTU else mtu - VLAN_TAG


def remove_network(controller: Host, lab: Lab, name: str) -> None:
    """The bridge, its addresses, and nothing else."""
    batch(controller, lab, [f"link delete {name}"])


def stands(controller: Host, lab: Lab) -> bool:
    """Whether the lab's namespace is there. An entry that nothing is mounted on is what a restart of the machine left."""
    entry, around = controller.stat(f"{NETNS}/{lab.namespace}"), controller.stat(NETNS)
    return bool(entry and around and entry.st_dev != around.st_dev)


def devices(controller: Host, lab: Lab, *question: str) -> list[dict[str, Any]]:
    """What ip(8) answers about the devices of a lab."""
    if not stands(controller, lab):
        return []
    said = controller.run("ip", "-netns", lab.namespace, "-json", *question).out
    return [device for device in json.loads(said or "[]") if device]


def batch(controller: Host, lab: Lab, lines: list[str]) -> None:
    """Have ip(8) do this in the lab's namespace, all in one call."""
    controller.run("ip", "-netns", lab.namespace, "-batch", "-", stdin="\n".join(lines) + "\n")
