# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users ask of a lab: the options of its modules, and its hosts, images, networks and links converged to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable

from .._arguments import size
from .._converge import Resource, plain
from .._host import Host, Problem
from .._step import Step
from .controller import OPTIONS, lab_of, refuse_unfit
from .host import PATIENCE, Seen, cable_between, hosts_on, users_of_image
from .image import SUITES, Image, cache_directory, look_image, plan_image, refuse_image, wanted_image
from .kernel import CURRENT, choose_kernel
from .link import Cable, Link, link_of, look_link, plan_link, refuse_link
from .network import MTU, Network, look_lab, look_networks, network_of, plan_lab, plan_network, refuse_network
from .power import Power, look_host, note_kernel, plan_power, refuse_other, want_power

HOST: dict[str, Any] = {
    **OPTIONS,
    "name": {"type": "str", "required": True},
    "number": {"type": "int"},
    "suite": {"type": "str", "choices": list(SUITES)},
    "kernel": {"type": "str"},
    "memory": {"type": "int"},
    "disks": {"type": "list", "elements": "str"},
    "networks": {"type": "list", "elements": "str"},
    "groups": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
    "power_cut": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": PATIENCE},
    "cache": {"type": "path"},
}
IMAGE: dict[str, Any] = {
    "suite": {"type": "str", "choices": list(SUITES), "required": True},
    "kernel": {"type": "str", "default": CURRENT},
    "cache": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "directory": OPTIONS["directory"],
}
LINK: dict[str, Any] = {
    **OPTIONS,
    "host": {"type": "str", "required": True},
    "network": {"type": "str", "required": True},
    "up": {"type": "bool"},
    "delay": {"type": "int"},
    "loss": {"type": "float"},
}
NETWORK: dict[str, Any] = {
    **OPTIONS,
    "name": {"type": "str"},
    "ipv4": {"type": "str"},
    "ipv6": {"type": "str"},
    "mtu": {"type": "int", "default": MTU},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
NETWORK_RULES: dict[str, Any] = {"required_if": [("state", "present", ["name", "ipv4"])]}


@dataclass(frozen=True)
class SeenHost:
    """The host, if it is there, and what is to be said of the kernel of a new one."""

    power: Seen | None
    note: str = field(default="", compare=False)


class LabHost(Resource):
    """One host and its power."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.name, self.state, self.wait = options["name"], options["state"], options["wait"]
        if not 1 <= options["timeout"] <= 3600:
            raise Problem(f"The timeout {options['timeout']} is not a time in seconds from 1 to 3600.")
        cache = options["cache"] or cache_directory()
        lab = lab_of(options["lab"], options["directory"])
        self.power = Power(lab, cache, options["timeout"], options["power_cut"])
        made_of = ("number", "suite", "kernel", "memory", "disks", "networks", "groups")
        self.said = {key: options[key] for key in made_of if options[key] is not None}
        if "disks" in self.said:
            self.said["disks"] = [size(disk) for disk in self.said["disks"]]

    def look(self, host: Host) -> SeenHost:
        refuse_unfit(removing=self.state == "absent")
        seen = look_host(host, self.power.lab, self.name, self.state == "started" and self.wait)
        new = seen is None and self.state != "absent"
        return SeenHost(seen, note_kernel(host, self.said, self.power.cache) if new else "")

    def want(self, seen: SeenHost) -> SeenHost:
        return replace(seen, power=want_power(self.name, self.said, seen.power, self.state, self.wait))

    def plan(self, seen: SeenHost, want: SeenHost) -> list[Step]:
        return plan_power(self.power, seen.power, want.power)

    def refuse(self, seen: SeenHost, want: SeenHost, steps: list[Step]) -> None:
        refuse_other(self.power.lab, self.name, seen.power, self.said)

    def notes(self, seen: SeenHost, steps: list[Step]) -> Iterable[str]:
        return [seen.note] if seen.note else []

    def show(self, state: SeenHost) -> Any:
        return plain(state.power)


@dataclass(frozen=True)
class SeenImage:
    """The image that is there, the one that would be made today, who stands on it, and what is to be said of the kernel."""

    image: Image | None
    wanted: Image = field(compare=False)
    users: tuple[str, ...] = field(compare=False)
    note: str = field(compare=False)


class LabImage(Resource):
    """The image of a suite, as it would be made today."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.suite, self.kernel = options["suite"], options["kernel"]
        self.cache = options["cache"] or cache_directory()
        self.present = options["state"] == "present"
        self.root = options["directory"]

    def look(self, host: Host) -> SeenImage:
        refuse_unfit()
        choice = choose_kernel(host, self.kernel, self.cache)
        wanted = wanted_image(host, self.suite, self.cache, choice.kernel)
        users = tuple(users_of_image(host, self.root, wanted.path))
        found = look_image(host, self.suite, self.cache, choice.kernel)
        return SeenImage(found, wanted, users, choice.note)

    def want(self, seen: SeenImage) -> SeenImage:
        return replace(seen, image=seen.wanted if self.present else None)

    def plan(self, seen: SeenImage, want: SeenImage) -> list[Step]:
        return plan_image(seen.image, want.image, self.cache, self.kernel)

    def refuse(self, seen: SeenImage, want: SeenImage, steps: list[Step]) -> None:
        refuse_image(seen.image, steps, seen.users)

    def notes(self, seen: SeenImage, steps: list[Step]) -> Iterable[str]:
        return [seen.note] if seen.note else []

    def show(self, state: SeenImage) -> Any:
        return plain(state.image)


@dataclass(frozen=True)
class SeenLink:
    """What gets through a cable, and which cable it is."""

    link: Link
    cable: Cable


class LabLink(Resource):
    """One cable of a host, as it was asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.lab = lab_of(options["lab"], options["directory"])
        self.host, self.network = options["host"], options["network"]
        self.up, self.delay, self.loss = options["up"], options["delay"], options["loss"]

    def look(self, host: Host) -> SeenLink:
        refuse_unfit()
        cable = cable_between(host, self.lab, self.host, self.network)
        ask = self.delay is not None or self.loss is not None
        return SeenLink(look_link(host, self.lab, cable, ask), cable)

    def want(self, seen: SeenLink) -> SeenLink:
        link = seen.link
        up = link.up if self.up is None else self.up
        delay = link.delay if self.delay is None else self.delay
        loss = link.loss if self.loss is None else self.loss
        return replace(seen, link=link_of(up, delay, loss))

    def plan(self, seen: SeenLink, want: SeenLink) -> list[Step]:
        return plan_link(self.lab, seen.cable, seen.link, want.link)

    def refuse(self, seen: SeenLink, want: SeenLink, steps: list[Step]) -> None:
        refuse_link(seen.cable, steps)

    def show(self, state: SeenLink) -> Any:
        return plain(state.link)


@dataclass(frozen=True)
class SeenNetwork:
    """A network, or the names of all networks of a lab; and the hosts that are on it."""

    network: Network | list[str] | None
    hosts: tuple[str, ...] = field(default=(), compare=False)


class LabNetwork(Resource):
    """One network, or with state absent and without a name the whole lab."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.lab = lab_of(options["lab"], options["directory"])
        self.name = options["name"]
        present = options["state"] == "present"
        self.wanted = (
            network_of(self.name, options["ipv4"], options["ipv6"], options["mtu"]) if present else None
        )

    def look(self, host: Host) -> SeenNetwork:
        refuse_unfit(removing=self.wanted is None)
        hosts = tuple(hosts_on(host, self.lab, self.name))
        if self.name is None:
            return SeenNetwork(look_lab(host, self.lab), hosts)
        return SeenNetwork(look_networks(host, self.lab).get(self.name), hosts)

    def want(self, seen: SeenNetwork) -> SeenNetwork:
        return replace(seen, network=self.wanted)

    def plan(self, seen: Any, want: Any) -> list[Step]:
        if self.name is None:
            return plan_lab(self.lab, seen.network)
        return plan_network(self.lab, seen.network, want.network)

    def refuse(self, seen: SeenNetwork, want: SeenNetwork, steps: list[Step]) -> None:
        refuse_network(self.lab, self.name, steps, seen.hosts)

    def show(self, state: SeenNetwork) -> Any:
        return plain(state.network)
