# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a lab host: made, powered on, awaited; shut down or cut off; removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._host import Host, Problem
from .._step import Step
from .controller import Lab, controller_of
from .host import (
    PATIENCE,
    LabHost,
    Seen,
    cut_power,
    has_booted,
    lab_host,
    look_hosts,
    make_host,
    power_off,
    power_on,
    remove_host,
    wait_for_host,
)
from .image import make_image
from .kernel import CURRENT, choose_kernel, provide_kernel
from .network import look_networks, remove_empty_lab


@dataclass(frozen=True)
class MakeHost(Step):
    """Its disks, cables and records; its image too, when there is none yet."""

    lab: Lab
    host: LabHost
    cache: str

    def __str__(self) -> str:
        return f"Make the host '{self.host.name}' ({self.host.suite}) in the lab '{self.lab.name}'"

    def take(self, host: Host) -> None:
        controller = controller_of(host)
        kernel = provide_kernel(controller, self.host.kernel, self.cache)
        image = make_image(controller, self.host.suite, self.cache, kernel)
        networks = look_networks(host, self.lab)
        make_host(host, self.lab, self.host, str(image.path), kernel.program, networks)


@dataclass(frozen=True)
class PowerOn(Step):
    """Start the kernel."""

    lab: Lab
    name: str

    def __str__(self) -> str:
        return f"Power on '{self.name}'"

    def take(self, host: Host) -> None:
        seen = look_hosts(host, self.lab)[self.name]
        power_on(host, self.lab, seen, look_networks(host, self.lab))


@dataclass(frozen=True)
class WaitForHost(Step):
    """See the boot through."""

    side_by_side = True
    lab: Lab
    name: str
    patience: float

    def __str__(self) -> str:
        return f"Wait until '{self.name}' has booted"

    def take(self, host: Host) -> None:
        wait_for_host(host, self.lab, self.name, self.patience)


@dataclass(frozen=True)
class PowerOff(Step):
    """Shut down in order, or pull the plug."""

    lab: Lab
    name: str
    cut: bool
    patience: float

    def __str__(self) -> str:
        return f"Cut the power of '{self.name}'" if self.cut else f"Shut down '{self.name}'"

    def take(self, host: Host) -> None:
        if self.cut:
            cut_power(host, self.lab, self.name)
        else:
            power_off(host, self.lab, self.name, self.patience)


@dataclass(frozen=True)
class RemoveHost(Step):
    """Power and disks away."""

    lab: Lab
    seen: Seen

    def __str__(self) -> str:
        return f"Remove the host '{self.seen.host.name}' from the lab '{self.lab.name}', its disks too"

    def take(self, host: Host) -> None:
        remove_host(host, self.lab, self.seen)
        remove_empty_lab(host, self.lab)


@dataclass(frozen=True)
class Power:
    """How a host's power is switched: where, with which images, how long to wait, and whether off means the plug."""

    lab: Lab
    cache: str
    patience: float = PATIENCE
    cut: bool = False


def look_host(host: Host, lab: Lab, name: str, ask: bool) -> Seen | None:
    """One host, if wanted asked whether it has booted; None when it is not there."""
    seen = look_hosts(host, lab).get(name)
    return replace(seen, ready=has_booted(host, lab, name)) if seen and seen.powered_on and ask else seen


def note_kernel(host: Host, said: dict[str, Any], cache: str) -> str:
    """What there is to say of a new host's kernel; a Problem where none would boot, before anything is made."""
    return choose_kernel(host, said.get("kernel", CURRENT), cache).note


def plan_power(power: Power, seen: Seen | None, want: Seen | None) -> list[Step]:
    """What a host is made of never changes; 'refuse_power' says so."""
    if want is None:
        return [RemoveHost(power.lab, seen)] if seen else []
    name, steps = want.host.name, []  # type: str, list[Step]
    if seen is None:
        steps.append(MakeHost(power.lab, want.host, power.cache))
    if want.powered_on and not (seen and seen.powered_on):
        steps.append(PowerOn(power.lab, name))
    if want.ready and not (seen and seen.ready):
        steps.append(WaitForHost(power.lab, name, power.patience))
    if seen and seen.powered_on and not want.powered_on:
        steps.append(PowerOff(power.lab, name, power.cut, power.patience))
    return steps


def want_power(name: str, said: dict[str, Any], seen: Seen | None, state: str, wait: bool) -> Seen | None:
    """What was said laid over what is there; a host that is not there has to be said whole."""
    if state == "absent":
        return None
    if not seen and not (said.get("number") and said.get("networks")):
        raise Problem(f"There is no host '{name}' yet. To create it, give its number and its networks.")
    on = state == "started"
    ready = on and (wait or bool(seen and seen.ready))
    return (
        replace(seen, powered_on=on, ready=ready)
        if seen
        else Seen(lab_host(name=name, **said), powered_on=on, ready=ready)
    )


def refuse_other(lab: Lab, name: str, seen: Seen | None, said: dict[str, Any]) -> None:
    """A host with this name may be somebody's, with something on its disks: never remake it unasked."""
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    differ = [key for key, value in plain.items() if seen and value != getattr(seen.host, key)]
    if differ:
        now = ", ".join(f"{key} {getattr(seen and seen.host, key)}" for key in differ)
        asked = ", ".join(f"{key} {plain[key]}" for key in differ)
        raise Problem(
            f"The lab '{lab.name}' has a host '{name}' that was made with {now}; {asked} was requested. "
            "Remove the host first, or give another lab name."
        )
