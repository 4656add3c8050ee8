# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cables of a lab: a tap for each host on each of its networks; pulled, slowed down, healed.

A slow or lossy network is made at the host's end (tc-netem(8)): the lab's kernel has what it takes, the controller's may not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._host import Host, Problem
from .._step import Step
from .controller import Lab
from .network import MTU, batch, devices, port_mtu
from .ssh import ssh

SCALE = {"us": 0.001, "ms": 1, "s": 1000}


@dataclass(frozen=True)
class Cable:
    """Which cable: between a host and a network, in one of the host's network cards."""

    host: str
    number: int
    network: str
    position: int

    @property
    def tap(self) -> str:
        """Its device on the controller."""
        return f"{self.network}.{self.number}"

    @property
    def card(self) -> str:
        """Its device in the host."""
        return f"vec{self.position}"


@dataclass(frozen=True)
class Link:
    """What a cable does to packets: nothing gets through, or those from the host are late or lost. None: not asked."""

    up: bool = True
    delay: int | None = None  # milliseconds
    loss: float | None = None  # percent


@dataclass(frozen=True)
class SetUp(Step):
    """Plug in or pull."""

    lab: Lab
    cable: Cable
    up: bool

    def __str__(self) -> str:
        verb = "Connect '{}' to" if self.up else "Cut '{}' off from"
        return f"{verb.format(self.cable.host)} the network '{self.cable.network}'"

    def take(self, host: Host) -> None:
        set_up(host, self.lab, self.cable, self.up)


@dataclass(frozen=True)
class SetDelay(Step):
    """Slow down, heal."""

    lab: Lab
    cable: Cable
    delay: int
    loss: float

    def __str__(self) -> str:
        what = f"Make packets from '{self.cable.host}' on the network '{self.cable.network}'"
        return f"{what} {self.delay} ms late and lose {self.loss:g} % of them"

    def take(self, host: Host) -> None:
        set_delay(host, self.lab, self.cable, self.delay, self.loss)


def link_of(up: bool, delay: int | None, loss: float | None) -> Link:
    """What a cable shall do, checked."""
    if delay is not None and not 0 <= delay <= 60000:
        raise Problem(f"A delay of {delay} ms is not between 0 and 60000.")
    if loss is not None and not 0 <= loss <= 100:
        raise Problem(f"A loss of {loss:g} % is not between 0 and 100.")
    return Link(up, delay, loss)


def plan_link(lab: Lab, cable: Cable, seen: Link, want: Link) -> list[Step]:
    """At most two steps."""
    steps: list[Step] = []
    if seen.up != want.up:
        steps.append(SetUp(lab, cable, want.up))
    if (seen.delay, seen.loss) != (want.delay, want.loss):
        steps.append(SetDelay(lab, cable, want.delay or 0, want.loss or 0))
    return steps


def refuse_link(cable: Cable, steps: list[Step]) -> None:
    """A host is healed over its first network, so that one has to let something through."""
    if cable.position == 0 and any(isinstance(step, SetDelay) and step.loss > 50 for step in steps):
        raise Problem(
            f"The host '{cable.host}' is reached over the network '{cable.network}', its first one: with more than "
            "50 % loss it could not be healed. Cut the network off instead (up: false)."
        )


def look_link(controller: Host, lab: Lab, cable: Cable, ask: bool) -> Link:
    """What a cable does now; with 'ask' the host is asked for delay and loss, so it has to be up."""
    plugged = [one["ifname"] for one in devices(controller, lab, "link", "show") if "master" in one]
    up = cable.tap in plugged
    return Link(up, *parse_netem(_tc(controller, lab, cable, "show"))) if ask else Link(up)


def look_taps(controller: Host, lab: Lab, number: int) -> list[str]:
    """The networks that a host has a cable to."""
    pairs = [one["ifname"].rpartition(".") for one in devices(controller, lab, "link", "show")]
    return [network for network, dot, owner in pairs if dot and owner == str(number)]


def make_tap(controller: Host, lab: Lab, cable: Cable, mtu: int = MTU) -> None:
    """A new cable, plugged in to a network with this MTU."""
    lines = [f"tuntap add dev {cable.tap} mode tap", f"link set {cable.tap} master {cable.network}"]
    lines += [f"link set {cable.tap} mtu {port_mtu(mtu)}"] if mtu != MTU else []
    batch(controller, lab, [*lines, f"link set {cable.tap} up"])


def remove_tap(controller: Host, lab: Lab, network: str, number: int) -> None:
    """Take the cable away."""
    batch(controller, lab, [f"link delete {network}.{number}"])


def set_up(controller: Host, lab: Lab, cable: Cable, up: bool) -> None:
    """Plug the cable in or pull it: off the bridge. A tap that is down breaks the card of a running kernel for good."""
    end = f"master {cable.network}" if up else "nomaster"
    batch(controller, lab, [f"link set {cable.tap} {end}"])


def set_delay(controller: Host, lab: Lab, cable: Cable, delay: int, loss: float) -> None:
    """Make packets from the host late (milliseconds) and lose a share of them (percent), until its next boot."""
    if delay or loss:
        _tc(controller, lab, cable, "replace", f"root netem limit 100000 delay {delay}ms loss {loss:g}%")
    elif parse_netem(_tc(controller, lab, cable, "show")) != (0, 0):
        _tc(controller, lab, cable, "delete", "root")


def parse_netem(said: str) -> tuple[int, float]:
    """Delay and loss in what tc(8) says of a device."""
    delay = re.search(r"\bdelay (\d+(?:\.\d+)?)(us|ms|s)\b", said)
    loss = re.search(r"\bloss (\d+(?:\.\d+)?)%", said)
    return round(float(delay[1]) * SCALE[delay[2]]) if delay else 0, float(loss[1]) if loss else 0.0


def _tc(controller: Host, lab: Lab, cable: Cable, verb: str, rest: str = "") -> str:
    return controller.run(*ssh(lab, cable.host), f"tc qdisc {verb} dev {cable.card} {rest}".rstrip()).out
