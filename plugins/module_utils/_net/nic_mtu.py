# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU of NICs, now and at boot. While iSCSI goes through a NIC, its MTU is left as it is.

Both ends of a TCP connection have agreed on the size of their packets when it began: where one of them then takes less, what the
other sends is lost. Many drivers also take the link down for a moment to change it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, Collection, Iterable, Mapping

from .._arguments import unique
from .._converge import Resource
from .._host import Host, Problem
from .._step import Step
from .boot_mtu import NETWORKD, Boot, entries_of, look_boot, mode_of, read_ours, refuse_more, reload, text_of
from .in_use import End, in_bond, in_use, kind, look_devices, look_ends, on_it
from .mark import MARK
from .networkd import ALL
from .way import NETS, mtu_of

ENTRY: dict[str, Any] = {
    "nic": {"type": "str", "required": True},
    "mtu": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
MTU: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": ENTRY,
    "required_if": [("state", "present", ["mtu"])],
}
OPTIONS: dict[str, Any] = {"mtu": {**MTU, "required": True}}
LEAST, MOST = 1280, 65520  # below 1280 the kernel takes IPv6 away (RFC 8200 section 5)
UNTRIED = (
    " Packets of {0} bytes could not be tried on the way, as the NIC sends none yet, and at a boot nobody tries them. Before the "
    "next one, in a maintenance window, log these sessions out and run this again; then lunworks.iscsi.path_info says whether "
    "they reach the portals, and lunworks.iscsi.initiator tries them before it logs in."
)
NAME = re.compile(r"[A-Za-z0-9_.@-]{1,15}")


@dataclass(frozen=True)
class NicMtu:
    """A NIC: its MTU now and after a boot (None: nobody sets one, or it is not known who does)."""

    running: int | None  # None: it is not there
    at_boot: int | None
    boot: Boot = field(compare=False)
    ours: tuple[tuple[str, str], ...] = ()  # as Boot has them
    busy: str = field(default="", compare=False)  # what iSCSI goes through it
    most: int = field(default=0, compare=False)  # that the card takes; 0: not known
    under: str = field(default="", compare=False)  # the NIC of a VLAN
    room: int = field(default=0, compare=False)  # and what that one takes
    carries: Mapping[str, int] = field(default_factory=dict, compare=False)  # the MTU of each VLAN on it
    port_of: str = field(default="", compare=False)  # the bond or team that has it


@dataclass(frozen=True)
class SetMtu(Step):
    """Now."""

    nic: str
    old: int
    new: int

    def __str__(self) -> str:
        return f"Set the MTU of '{self.nic}' to {self.new} (it is {self.old})"

    def take(self, host: Host) -> None:
        busy = in_use(self.nic, look_devices(host), look_ends(host))
        if busy:
            raise Problem(f"{busy}, which was not so when this was planned. Run this again.")
        host.poke(f"{NETS}/{self.nic}/mtu", f"{self.new}\n")


@dataclass(frozen=True)
class SaveMtu(Step):
    """For the next boot. networkd is not reloaded: that would configure the NIC anew, and take its addresses for a moment."""

    by: str
    file: str
    entries: tuple[tuple[str, int], ...]
    nics: tuple[str, ...]

    def __str__(self) -> str:
        return f"Write '{self.file}', by which {self.by} sets the MTU of {', '.join(map(repr, self.nics))} at boot"

    def take(self, host: Host) -> None:
        read_ours(host, self.by, self.file)
        host.write(self.file, text_of(self.by, dict(self.entries)), mode_of(self.by))
        reload(host, self.by)


@dataclass(frozen=True)
class ForgetMtu(Step):
    """At the next boot, whatever configures the NIC decides."""

    by: str
    file: str
    nics: tuple[str, ...]

    def __str__(self) -> str:
        return f"Take what sets the MTU of {', '.join(map(repr, self.nics))} at boot out of '{self.file}'"

    def take(self, host: Host) -> None:
        if MARK not in (host.read(self.file) or ""):
            raise Problem(f"'{self.file}' is no longer of this collection. Run this again.")
        text = read_ours(host, self.by, self.file)
        gone = {*self.nics, ALL}
        left = {nic: mtu for nic, mtu in entries_of(self.by, text).items() if nic not in gone}
        if left:
            host.write(self.file, text_of(self.by, left), mode_of(self.by))
        else:
            host.remove(self.file)
        reload(host, self.by)


def look_mtus(host: Host, nics: Iterable[str], absent: Collection[str] = ()) -> dict[str, NicMtu]:
    """The NICs as they are; those of 'absent' need not be there."""
    devices, ends = look_devices(host), look_ends(host)
    return {nic: _look(host, nic, devices, ends, nic in absent) for nic in nics}


def _look(host: Host, nic: str, devices: Mapping[str, Any], ends: list[End], absent: bool) -> NicMtu:
    running = mtu_of(host, nic)
    if not absent and (running is None or nic not in devices):
        there = ", ".join(one for one in devices if one != "lo")
        raise Problem(f"There is no network interface '{nic}' on this host. There are: {there}.")
    boot, device = look_boot(host, nic), devices.get(nic, {})
    under = str(device.get("link") or "") if kind(device) == "vlan" else ""
    return NicMtu(
        running=running,
        at_boot=boot.mtu,
        boot=boot,
        ours=boot.ours,
        busy="" if absent else in_use(nic, devices, ends),
        most=int(device.get("max_mtu") or 0),
        under=under,
        room=mtu_of(host, under) or 0,
        carries={name: int(one.get("mtu") or 0) for name, one in devices.items() if on_it(one, nic)},
        port_of=str(device.get("master", "")) if in_bond(device) else "",
    )


def plan_mtus(seen: Mapping[str, NicMtu], want: Mapping[str, NicMtu]) -> list[Step]:
    """Now, what stands below a VLAN first; then the files."""
    steps: list[Step] = [
        SetMtu(nic, one.running or 0, want[nic].running or 0)
        for nic, one in sorted(seen.items(), key=lambda pair: (bool(pair[1].under), pair[0]))
        if one.running != want[nic].running
    ]
    files: dict[tuple[str, str], list[str]] = defaultdict(list)
    forgotten: dict[tuple[str, str], list[str]] = defaultdict(list)
    for nic, one in seen.items():
        for ours in set(one.ours) - set(want[nic].ours):
            forgotten[ours].append(nic)
        if one.ours == want[nic].ours and one.at_boot != want[nic].at_boot:
            files[one.boot.by, one.boot.file].append(nic)
    steps += [ForgetMtu(*ours, tuple(nics)) for ours, nics in sorted(forgotten.items())]
    for (by, file), nics in files.items():
        told = {nic: want[nic].at_boot or 0 for nic in nics}
        kept = {
            nic: mtu
            for nic, mtu in seen[nics[0]].boot.entries.items()
            if nic not in forgotten.get((by, file), ())
        }
        entries = told if by == NETWORKD else {**kept, **told}
        steps.append(SaveMtu(by, file, tuple(sorted(entries.items())), tuple(nics)))
    return steps


class Mtu(Resource):
    """NICs with the MTU that was asked for, and those that shall have none of ours."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.mtu = wanted_mtus(options["mtu"])
        self.absent = {one["nic"] for one in options["mtu"]} - set(self.mtu)

    def look(self, host: Host) -> dict[str, NicMtu]:
        return look_mtus(host, [*self.mtu, *sorted(self.absent)], self.absent)

    def want(self, seen: dict[str, NicMtu]) -> dict[str, NicMtu]:
        return {nic: self._wanted(nic, seen) for nic in seen}

    def _wanted(self, nic: str, seen: Mapping[str, NicMtu]) -> NicMtu:
        one = seen[nic]
        if nic in self.absent:
            return replace(one, ours=(), at_boot=one.boot.without if one.ours else one.at_boot)
        mtu = self.mtu[nic]
        known = one.boot.by or one.running != mtu
        return replace(
            one, running=one.running if self._waits(nic, seen) else mtu, at_boot=mtu if known else one.at_boot
        )

    def _waits(self, nic: str, seen: Mapping[str, NicMtu]) -> str:
        """Why a NIC keeps the MTU that it has for now; empty: it does not."""
        one = seen[nic]
        if one.busy:
            return f"{one.busy}, whose packets would be lost"
        under = seen.get(one.under)
        if under and self.mtu.get(nic, 0) > (under.running or 0) and self._waits(one.under, seen):
            return f"'{one.under}', which carries it, keeps its own"
        return ""

    def plan(self, seen: dict[str, NicMtu], want: dict[str, NicMtu]) -> list[Step]:
        return plan_mtus(seen, want)

    def refuse(self, seen: dict[str, NicMtu], want: dict[str, NicMtu], steps: list[Step]) -> None:
        more = {file for one in seen.values() for file in one.boot.more}
        for step in steps:
            if isinstance(step, (SaveMtu, ForgetMtu)) and step.file in more:
                refuse_more(step.file)
        for nic in self.absent:
            kept = [one for one in seen[nic].boot.shared if one not in self.absent]
            if kept and any(by == NETWORKD for by, _file in seen[nic].ours):
                raise Problem(
                    f"Cannot take away what sets the MTU of '{nic}' at boot: its .network file configures "
                    f"{', '.join(map(repr, kept))} too. Ask for 'state: absent' for all of them."
                )
        for nic, mtu in self.mtu.items():
            one = seen[nic]
            self._refuse_card(nic, one, mtu)
            if one.at_boot != want[nic].at_boot:
                self._refuse_boot(nic, one.boot, mtu)

    def _refuse_card(self, nic: str, one: NicMtu, mtu: int) -> None:
        if one.port_of:
            raise Problem(
                f"'{nic}' is a port of '{one.port_of}', which gives its ports its own MTU. Set that of '{one.port_of}'."
            )
        if one.most and mtu > one.most:
            raise Problem(f"The MTU of '{nic}' must be {mtu}, and its card takes {one.most} bytes at most.")
        room = self.mtu.get(one.under, one.room)
        if one.under and mtu > room:
            has = "shall have" if one.under in self.mtu else "has"
            raise Problem(
                f"The MTU of the VLAN '{nic}' must be {mtu}, and '{one.under}', which carries it, {has} {room}. "
                "Raise that one too."
            )
        lowered = [
            f"'{name}' ({now})" for name, now in one.carries.items() if now > mtu and name not in self.mtu
        ]
        if lowered:
            raise Problem(
                f"The MTU of '{nic}' must be {mtu}, and the kernel would lower the MTU of VLANs on it too: {', '.join(lowered)}. "
                f"Ask for the MTU of these too, {mtu} or less."
            )

    def _refuse_boot(self, nic: str, boot: Boot, mtu: int) -> None:
        if boot.fixed:
            remedy = boot.remedy.replace("<MTU>", str(mtu))
            raise Problem(
                f"Cannot have the MTU of '{nic}' set to {mtu} at boot: {boot.fixed}. {remedy}, then run this again."
            )
        others = [one for one in boot.shared if self.mtu.get(one) != mtu]
        if others:
            raise Problem(
                f"Cannot have the MTU of '{nic}' set to {mtu} at boot: its .network file configures "
                f"{', '.join(map(repr, others))} too. Give '{nic}' a file of its own, or set the same MTU for all of them."
            )

    def notes(self, seen: dict[str, NicMtu], steps: list[Step]) -> Iterable[str]:
        for nic, mtu in self.mtu.items():
            one, why = seen[nic], self._waits(nic, seen)
            if why and one.running != mtu:
                yield (
                    f"'{nic}' keeps the MTU {one.running} for now, as {why}. "
                    f"It has {mtu} after the next boot, or when this is run while no session is logged in through it."
                    f"{UNTRIED.format(mtu) if mtu > (one.running or 0) else ''}"
                )

    def show(self, state: dict[str, NicMtu]) -> Any:
        return {
            nic: {"running": one.running, "at_boot": one.at_boot, "configured_by": one.boot.by}
            for nic, one in state.items()
        }


def wanted_mtus(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The MTU of each NIC that must have one, checked."""
    unique("NIC", [one["nic"] for one in entries])
    for nic in (one["nic"] for one in entries):
        if not NAME.fullmatch(nic) or nic in ("lo", ".", ".."):
            raise Problem(f"'{nic}' is not the name of a network interface that can have an MTU.")
    found = {one["nic"]: one["mtu"] for one in entries if one["state"] == "present"}
    for nic, mtu in found.items():
        if not LEAST <= mtu <= MOST:
            raise Problem(
                f"The MTU of '{nic}' is {mtu}. It must be a number of bytes from {LEAST} to {MOST}."
            )
    return found
