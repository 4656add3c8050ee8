# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that can be said of an inventory without a connection: shape, values, names, and the SAN as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible.errors import AnsibleError

from ...filter.chap_faults import chap_clashes
from ...filter.san_faults import clashes
from ...filter.to_initiator_name import declared_name
from .._san_use import Clash
from .aliases import VARIABLES as OF_LUNS
from .aliases import of_no_lun
from .discovery import VARIABLES as AT_DISCOVERY
from .discovery import discovery_clashes
from .fault import Fault, Path, nearest, place_of, without_place
from .keywords import strange_keywords
from .names import GROUPS, Names, is_read
from .parsers import is_open, parsed, without_vaults
from .read import Read
from .room import without_room
from .secret import NOT_SHOWN, may_hold, undefined, why_unread
from .shape import Shape

Groups = Mapping[str, Sequence[str]]
SAN = {
    "storage": ("target_targets", "target_provider"),
    "compute": (
        "initiator_name",
        "initiator_naming_authority",
        "initiator_discovery",
        "initiator_ifaces",
        "initiator_nodes",
        "volume_groups",
        "volume_filesystems",
    ),
}
MAGIC = {
    "groups",
    "hostvars",
    "group_names",
    "omit",
    "vars",
    "environment",
    "inventory_hostname",
    "play_hosts",
    "item",
}
SECRET = "vault_"  # as Ansible's documentation has it for names of secrets, and adopt writes them
LIKE = 0.8


@dataclass
class Host:
    """A host as it was read, and what is wrong with it."""

    name: str
    raw: Mapping[str, Any]
    read: Read
    faults: list[Fault] = field(default_factory=list)
    unsound: bool = False  # what is wrong is in the data of the SAN: the whole cannot be judged

    @property
    def wrong(self) -> set[str]:
        """The variables in which something is wrong."""
        return {fault.place.partition("[")[0].partition(",")[0] for fault in self.faults}

    def right(self, name: str) -> Any:
        """A variable; None if something is wrong in it."""
        return None if name in self.wrong else self.read.values.get(name)

    def fault(self, path: Path, said: str, key: str = "") -> None:
        """Note what is wrong at a path, or with the key below it."""
        self.faults.append(self.told(path, said, key))
        self.unsound |= any(path[0] in names for names in SAN.values())

    def told(self, path: Path, said: str, key: str = "") -> Fault:
        """What is wrong at a path, with its place for people."""
        origin = self.read.origin((*path, key) if key else path)
        values = {**self.raw, **self.read.values}
        return Fault(self.name, place_of(path, values), without_place(said, path, values), told_of(origin))


class Check:
    """The check of an inventory."""

    def __init__(self, schema: Mapping[str, Any], groups: Groups) -> None:
        self.shape, self.names, self.groups = Shape(schema), Names(schema), groups
        self.unread: dict[str, bool] = {}

    def faults(
        self, hosts: Mapping[str, Mapping[str, Any]], template: Callable[[str], Callable[[Any], Any]]
    ) -> list[Fault]:
        """What is wrong with the variables of all hosts; 'template' gives what fills in those of a host."""
        found = [self._host(name, raw, template(name)) for name, raw in hosts.items()]
        for one in found:
            self._strangers(one, found)
        faults = [fault for one in found for fault in one.faults]
        if not any(one.unsound for one in found):
            faults += self._whole({one.name: one for one in found})
        return faults

    def _host(self, name: str, raw: Mapping[str, Any], template: Callable[[Any], Any]) -> Host:
        host = Host(name, raw, Read(template))
        for key in raw:
            if key in self.names.options:
                host.read.variable(str(key), key, raw[key])
        wanted = {one for group, names in SAN.items() if name in self.groups.get(group, ()) for one in names}
        for path, why in host.read.unread:
            if path[0] in wanted:
                secret = may_hold({"properties": self.names.options}, path)
                host.fault(path, f"cannot be read: {why_unread(why, raw) if secret else why}")
            elif self._is_undefined(host, path, why):
                host.fault(path, f"cannot be read: {why_unread(why, raw)}")
        for path, said, key in self.shape.faults(host.read.values):
            host.fault(path, said, key)
        wrong = host.wrong
        sound = {key: value for key, value in host.read.values.items() if key not in wrong}
        for path, said in parsed(sound):
            host.fault(path, said)
        for path, said, key in strange_keywords(sound):
            host.fault(path, said, key)
        return host

    def _is_undefined(self, host: Host, path: Path, why: str) -> bool:
        """Whether a variable of this collection's roles needs one that must be misspelled or forgotten: the name of a secret, or
        one like a name that is there. A play may make any other on its way."""
        groups = [roles for group, roles in GROUPS.items() if host.name in self.groups.get(group, ())]
        name = undefined(why)
        read = any(self.names.is_ours(str(path[0]), roles) for roles in groups)
        known = name in self.names.options or name in MAGIC or name.startswith(("ansible_", "role_"))
        meant = name.startswith(SECRET) or nearest(name, map(str, host.raw), LIKE)
        return bool(name) and read and not known and bool(meant) and why_unread(why, host.raw) != NOT_SHOWN

    def _strangers(self, host: Host, hosts: Sequence[Host]) -> None:
        for name in host.raw:
            why = "" if name in MAGIC else self.names.meant(str(name), host.raw[name])
            if why and self._is_unread(str(name), hosts):
                host.read.note((str(name),), name, host.raw[name])
                host.fault((str(name),), f"nobody reads this variable; {why}")
        for name, why in self.names.outside(host.name, host.read.values, self.groups):
            host.fault((name,), why)

    def _is_unread(self, name: str, hosts: Sequence[Host]) -> bool:
        if name not in self.unread:
            self.unread[name] = not any(is_read(name, _others(one.raw, name)) for one in hosts)
        return self.unread[name]

    def _whole(self, hosts: Mapping[str, Host]) -> Iterator[Fault]:
        san = self._san({name: one.read.values for name, one in hosts.items()})
        data = {name: without_vaults(part) for name, part in san.items()}
        if any(is_open(part) for part in data.values()):
            return
        try:
            named = {
                name: {**part, "initiator_name": declared_name(name, part)} for name, part in data.items()
            }
            yield from (_of_many(hosts, clash) for clash in clashes(named))
            aliases = {name: {one: hosts[name].right(one) for one in OF_LUNS} for name in named}
            for name, path, said in (*without_room(named), *of_no_lun(named, aliases)):
                yield hosts[name].told(path, said)
            if data == san:  # else one side's credentials are behind a vault that does not open here
                yield from (_of_many(hosts, clash) for clash in chap_clashes(named, required=False))
                yield from (_of_many(hosts, clash) for clash in _at_discovery(hosts, named))
        except AnsibleError as error:
            yield Fault("", "", str(error))

    def _san(self, values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """The part of the variables that describes the SAN, of the hosts that are in it."""
        parts: dict[str, dict[str, Any]] = {}
        for group, names in SAN.items():
            for host in self.groups.get(group, ()):
                own = values.get(host, {})
                parts.setdefault(host, {}).update({name: own[name] for name in names if own.get(name)})
        return parts


def _at_discovery(hosts: Mapping[str, Host], named: Mapping[str, Mapping[str, Any]]) -> Iterator[Clash]:
    more = {name: {one: hosts[name].right(one) for one in AT_DISCOVERY} for name in named}
    if not is_open(more) and not any(one.wrong & {*AT_DISCOVERY} for one in hosts.values()):
        yield from discovery_clashes({name: {**part, **more[name]} for name, part in named.items()})


def _of_many(hosts: Mapping[str, Host], clash: Clash) -> Fault:
    """What is wrong between hosts, with each line in which a part of it stands."""
    origins = [told_of(hosts[name].read.origin(path)) for name, path in clash.places]
    return Fault("", "", clash.said, ", ".join(dict.fromkeys(filter(None, origins))))


def _others(raw: Mapping[str, Any], name: Any) -> list[Any]:
    return [value for key, value in raw.items() if key not in MAGIC and key != name]


def told_of(origin: tuple[str, int] | None) -> str:
    """A file and line as they are shown."""
    if origin is None:
        return ""
    file, line = origin
    near = os.path.relpath(file)
    shown = file if near.startswith("..") else near
    return f"{shown}:{line}" if line else shown
