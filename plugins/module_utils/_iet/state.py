# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IET serves now and after a start: three files that ietd reads, and what runs beside them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Collection, Iterable, Mapping

from .._chap import Chap
from .._host import Host
from .._keyvalue import lines
from .._net.sockets import Sockets, look_sockets
from .._san.backing import Backing, look_backing
from .._san.options import BLOCK_SIZES
from .._san.target import Initiator, Lun, LunMap, Session, Target
from . import allow
from .conf import ACCOUNTS, Account, LunLine, Section, key_at, sections_of
from .keys import ATTRIBUTES, INCOMING, LIVE, OUTGOING, SESSION_KEYS
from .running import Running, look_accounts, look_keys, look_running, look_sessions
from .writer import name_of

PLACES = ("/etc/iet", "/etc")  # the first one with the file (usr/plain.c)
CONF, INITIATORS, TARGETS, DENY = "ietd.conf", "initiators.allow", "targets.allow", "initiators.deny"
UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
NAMES = ("iscsitarget", "iscsi-target", "ietd")  # of the service: Debian, RPMs and IET's own, Gentoo


@dataclass(frozen=True)
class Text:
    """A file of IET: None is not there. 'private': it has no secrets, or nobody but root reads it."""

    path: str
    text: str | None = field(repr=False)
    private: bool = field(default=True)


@dataclass(frozen=True)
class Serving:
    """All that this host serves and saved, and what it stands on."""

    conf: Text
    initiators: Text
    portals: Text
    running: Mapping[str, Running] | None
    backing: Mapping[str, Backing]
    # The targets that the files say, by name in lower case; of a wanted state as they shall be.
    saved: Mapping[str, Target] = field(default_factory=dict, compare=False)
    sections: Mapping[str, Section] = field(default_factory=dict, compare=False)
    sessions: tuple[Session, ...] = field(default=(), compare=False)
    sockets: Sockets = field(default=Sockets(), compare=False)
    deny: str = field(default="", compare=False)
    service: tuple[str, ...] = field(default=(), compare=False)  # the command that restarts IET
    # Of a wanted state: who may log in, and where, while targets that go are still there.
    opened: tuple[Text, Text] | None = field(default=None, compare=False)


def look_serving(host: Host, asked: Iterable[Mapping[str, Any]], everything: bool = False) -> Serving:
    """Look once: files, targets that run, sessions, what is behind the LUNs."""
    asked = list(asked)
    conf, initiators, portals = (look_text(host, name) for name in (CONF, INITIATORS, TARGETS))
    sections = _first(sections_of(conf.text or ""))
    saved = {name: _target(one, initiators.text, portals.text) for name, one in sections.items()}
    running = look_running(host)
    served = {lun.path for one in saved.values() for lun in one.luns.values() if lun.path}
    runs = {volume.path for one in (running or {}).values() for volume in one.luns.values() if volume.path}
    luns = [lun for one in asked for lun in one["luns"] if lun["path"]]
    backing = look_backing(
        host,
        runs,
        served | {lun["path"] for lun in luns},
        {lun["path"] for lun in luns if lun["size"] is not None},
    )
    deny = look_text(host, DENY)
    return Serving(
        conf=conf,
        initiators=initiators,
        portals=portals,
        running=_details(host, running, saved, asked, everything) if running is not None else None,
        backing=backing,
        saved={name: _sized(one, backing) for name, one in saved.items()},
        sections=sections,
        sessions=look_sessions(host),
        sockets=look_sockets(host),
        deny="" if deny.text is None else deny.path,
        service=_service(host),
    )


def look_text(host: Host, name: str) -> Text:
    """A file of IET where it is; where there is none, in the directory in which this host has ietd.conf, or would have it."""
    for place in PLACES:
        text = host.read(f"{place}/{name}")
        if text is not None:
            secrets = name == CONF and any(key_at(line) in ACCOUNTS for line in lines(text))
            found = host.stat(f"{place}/{name}") if secrets else None
            return Text(f"{place}/{name}", text, found is None or not found.st_mode & 0o077)
    old = host.stat(f"/etc/{CONF}") is not None and host.stat(f"/etc/iet/{CONF}") is None
    return Text(f"{PLACES[1] if old else PLACES[0]}/{name}", None)


def _first(sections: Iterable[Section]) -> dict[str, Section]:
    """The sections by name. ietd refuses a second one of a name, and gives its accounts to the first."""
    found: dict[str, Section] = {}
    for one in sections:
        key = one.name.lower()
        if key in found:
            fault = f"line {one.start + 1} has the target again"
            found[key] = replace(found[key], faults=(*found[key].faults, fault))
        else:
            found[key] = one
    return found


def _details(
    host: Host,
    running: Mapping[str, Running],
    saved: Mapping[str, Target],
    asked: Iterable[Mapping[str, Any]],
    everything: bool,
) -> dict[str, Running]:
    """Keys and accounts, which cost commands: only of the targets that are asked for, or of all. Where CHAP is asked for, of
    all in the file, which a restart must not change."""
    of = {one["name"]: one for one in asked}
    chap = any(group["chap"] for one in of.values() for group in one["igroups"])
    found = dict(running)
    for name, one in running.items():
        if name not in of and not everything and not (chap and name in saved):
            continue
        file = saved.get(name, Target(name))
        request = of.get(name, {"attributes": {}, "parameters": {}})
        keys = {*file.attributes, *file.parameters, *request["attributes"], *request["parameters"]}
        found[name] = replace(
            one,
            keys=look_keys(host, one.tid, LIVE if everything else keys & set(LIVE)),
            accounts=look_accounts(host, one.tid),
        )
    return found


def _target(section: Section, initiators: str | None, portals: str | None) -> Target:
    luns = {number: _lun(line) for number, line in section.luns.items()}
    names = {
        one: item
        for item in allow.deciding(initiators, section.name).items
        for one in [allow.initiator_of(item)]
        if one
    }
    groups = allow.igroups_in(initiators, section.name)
    maps = {number: LunMap(number, number, lun.read_only) for number, lun in luns.items()}
    chap = chap_of(section.accounts)
    listens = (allow.portal_of(item) for item in allow.deciding(portals, section.name).items)
    return Target(
        section.name,
        portals=frozenset(one for one in listens if one),
        attributes={key: value for key, value in section.keys.items() if key in ATTRIBUTES},
        parameters={key: value for key, value in section.keys.items() if key in SESSION_KEYS},
        luns=luns,
        initiators={name: Initiator(groups.get(name, name), dict(maps), chap) for name in names},
    )


def _lun(line: LunLine) -> Lun:
    size = line.get("BlockSize")
    given = (("Type", line.get("Type")), ("ScsiId", line.get("ScsiId")))
    return Lun(
        name_of(line),
        line.number,
        line.get("Path"),
        line.get("ScsiSN"),
        block_size=int(size) if size.isdecimal() and int(size) in BLOCK_SIZES else 512,
        write_back=line.get("IOMode") == "wb",
        attributes={key: value for key, value in given if value},
        read_only=line.get("IOMode") == "ro",
    )


def _sized(target: Target, backing: Mapping[str, Backing]) -> Target:
    """A file has a size, a device its own."""
    luns = {
        number: replace(lun, size=backing[lun.path].size)
        if lun.path in backing and backing[lun.path].kind == "file" and not lun.path.startswith("/dev/")
        else lun
        for number, lun in target.luns.items()
    }
    return replace(target, luns=luns)


def chap_of(accounts: Collection[Account]) -> Chap | None:
    """What all initiators of a target prove, and the target to them."""
    users = [one for one in accounts if one.key == INCOMING]
    mutual = [one for one in accounts if one.key == OUTGOING]
    if not users:
        return None
    if not mutual:
        return Chap(users[0].user, users[0].secret)
    return Chap(users[0].user, users[0].secret, mutual[-1].user, mutual[-1].secret)


def accounts_of(chap: Chap | None) -> tuple[Account, ...]:
    """The accounts that say a CHAP."""
    if chap is None:
        return ()
    users = (Account(INCOMING, chap.user, chap.secret),)
    return users + ((Account(OUTGOING, chap.mutual_user, chap.mutual_secret),) if chap.mutual_user else ())


def _service(host: Host) -> tuple[str, ...]:
    for name in NAMES:
        if any(host.stat(f"{place}/{name}.service") for place in UNITS):
            return ("systemctl", "restart", f"{name}.service")
        if host.stat(f"/etc/init.d/{name}"):
            return (f"/etc/init.d/{name}", "restart")
    return ()
