# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links in /dev/iscsi by target and LUN number, made by udev (udev(7)): /dev/iscsi/TARGET/lunN, and -partN for partitions.

udev runs the one line of shell below for iSCSI disks and multipath maps only. It finds the session in the path of the
device, or of the first device under a map, and with it the name of the target.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable

from .._block.dm_multipath import wwid_of_map
from .._block.sysfs import BLOCK
from .._block.udev import write_rules
from .._converge import Resource
from .._host import Host, Problem
from .._step import Step
from .session import disks_of, look_sessions

RULES = (
    "/etc/udev/rules.d/71-iscsi-target-lun.rules"  # after 60-multipath.rules, which marks the paths of maps
)
LINKS = "/dev/iscsi"
SETTLING = 60  # seconds
OPTIONS: dict[str, Any] = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}
# In a rule '%' and '$' begin udev's own substitutions; doubled they are themselves (udev(7)).
FIND = (
    "for d in /sys$devpath/device /sys$devpath/../device /sys$devpath/slaves/*/device; do "
    "d=$$(readlink -e $$d) && n=$$(cat $${d%%/target*}/iscsi_session/*/targetname 2>/dev/null) && "
    "echo $$n/lun$${d##*:} && exit; done; exit 1"
)
TEXT = f"""\
# Made by lunworks.iscsi. Links by target and LUN number: {LINKS}/TARGET/lunN, and -partN for partitions.
# A LUN number can be given to another disk. Names that cannot: /dev/disk/by-id, and aliases of multipath maps.
SUBSYSTEM!="block", GOTO="iscsi_target_lun_end"
ACTION=="remove", GOTO="iscsi_target_lun_end"
ENV{{DM_MULTIPATH_DEVICE_PATH}}=="1", GOTO="iscsi_target_lun_end"
KERNEL=="sd*", DEVPATH=="*/session*/target*", GOTO="iscsi_target_lun_find"
KERNEL=="dm-*", ENV{{DM_UUID}}=="mpath-*", GOTO="iscsi_target_lun_find"
GOTO="iscsi_target_lun_end"

LABEL="iscsi_target_lun_find"
PROGRAM!="/bin/sh -c '{FIND}'", GOTO="iscsi_target_lun_end"
ENV{{DEVTYPE}}=="disk", SYMLINK+="iscsi/%c"
ENV{{DEVTYPE}}=="partition", SYMLINK+="iscsi/%c-part%n"

LABEL="iscsi_target_lun_end"
"""


@dataclass(frozen=True)
class Links:
    """Whether udev has our rules, and what the links of this host's LUNs lead to (None: not there)."""

    rules: str | None
    links: dict[str, str | None] = field(default_factory=dict)
    devices: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # a link, and to which devices it may lead


def look_links(host: Host) -> Links:
    """The rules, and for every LUN of a session its link: to its map, else to any of its paths."""
    devices: dict[str, tuple[str, ...]] = {}
    for session in look_sessions(host):
        for where, disk in disks_of(host, session.number):
            name = f"{session.name.written}/lun{where.rpartition(':')[2]}"
            if disk:
                devices[name] = (*devices.get(name, ()), *_uppermost(host, disk))
    return Links(host.read(RULES), {name: _leads_to(host, name) for name in _there(host, devices)}, devices)


def _uppermost(host: Host, disk: str) -> list[str]:
    return [name for name in host.list(f"{BLOCK}/{disk}/holders") if wwid_of_map(host, name)] or [disk]


def _there(host: Host, devices: Iterable[str]) -> list[str]:
    """The links that there are (partitions aside), and those that there should be."""
    made = [
        f"{target}/{name}"
        for target in host.list(LINKS)
        for name in host.list(f"{LINKS}/{target}")
        if "-part" not in name
    ]
    return sorted({*made, *devices})


def _leads_to(host: Host, name: str) -> str | None:
    path = f"{LINKS}/{name}"
    return host.real(path).rpartition("/")[2] if host.link(path) is not None else None


def want_links(seen: Links, present: bool) -> Links:
    """With the rules every disk has its link; without them none has."""
    if present:
        links = {name: seen.links.get(name) for name in seen.devices}
        right: dict[str, str | None] = {
            name: old if old in seen.devices[name] else seen.devices[name][0] for name, old in links.items()
        }
        return replace(seen, rules=TEXT, links=right)
    return replace(seen, rules=None, links={}) if seen.rules else seen


@dataclass(frozen=True)
class WriteRules(Step):
    """Give udev the rules."""

    def __str__(self) -> str:
        return f"Write '{RULES}', by which udev links disks as {LINKS}/TARGET/lunN"

    def take(self, host: Host) -> None:
        write_rules(host, RULES, TEXT)


@dataclass(frozen=True)
class RemoveRules(Step):
    """Take the rules away from udev."""

    def __str__(self) -> str:
        return f"Remove '{RULES}'"

    def take(self, host: Host) -> None:
        write_rules(host, RULES, None)


@dataclass(frozen=True)
class Link(Step):
    """Let udev look at devices again, which only makes and removes their links."""

    devices: tuple[str, ...]
    links: tuple[str, ...]
    present: bool

    def __str__(self) -> str:
        verb = "make" if self.present else "remove"
        return f"Let udev {verb} the link{'s' if self.links[1:] else ''} {', '.join(self.links)}"

    def take(self, host: Host) -> None:
        parts = [
            f"{device}/{part}"
            for device in self.devices
            for part in host.list(f"{BLOCK}/{device}")
            if part.startswith(device)
        ]
        paths = [f"{BLOCK}/{one}" for one in (*self.devices, *parts)]
        host.run("udevadm", "trigger", "--settle", "--action=change", *paths, timeout=SETTLING)
        if not host.until(lambda: not self._left(host), SETTLING):
            raise Problem(f"udev has not done so within {SETTLING} seconds: {', '.join(self._left(host))}.")

    def _left(self, host: Host) -> list[str]:
        return [name for name in self.links if (host.link(name) is not None) != self.present]


def plan_links(seen: Links, want: Links) -> list[Step]:
    """The rules first, then the devices whose links differ."""
    steps: list[Step] = []
    if seen.rules != want.rules:
        steps.append(WriteRules() if want.rules else RemoveRules())
    if want.rules:
        late = [name for name in want.links if seen.links.get(name) not in seen.devices.get(name, ())]
        return steps + ([Link(_claiming(seen, late), _paths(late), True)] if late else [])
    extra = [name for name, old in seen.links.items() if old and name not in want.links]
    return steps + ([Link(_claiming(seen, extra), _paths(extra), False)] if extra else [])


def _claiming(seen: Links, names: Iterable[str]) -> tuple[str, ...]:
    """All devices that may claim these links: udev gives a link that one lets go to the next."""
    found = [one for name in names for one in (*seen.devices.get(name, ()), seen.links.get(name)) if one]
    return tuple(dict.fromkeys(found))


def _paths(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{LINKS}/{name}" for name in names)


class DiskLinks(Resource):
    """Our rules, there or not."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.present = options["state"] == "present"

    def look(self, host: Host) -> Links:
        return look_links(host)

    def want(self, seen: Links) -> Links:
        return want_links(seen, self.present)

    def plan(self, seen: Links, want: Links) -> list[Step]:
        return plan_links(seen, want)

    def show(self, state: Links) -> dict[str, Any]:
        links = {name: device for name, device in sorted(state.links.items()) if device}
        return {
            "rules": RULES if state.rules else None,
            "links": {f"{LINKS}/{name}": f"/dev/{device}" for name, device in links.items()},
        }
