# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tgtd serves, as tgtadm(8) shows it. The format is that of tgt's usr/target.c, tgt_target_show_all."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from typing import Iterable, Iterator

from .._arguments import Portal, portal
from .._host import Host, Problem, lines_of
from .._san.target import Session

TGTADM = ("tgtadm", "--lld", "iscsi")
PROGRAMS = ("/usr/sbin/tgtadm", "/usr/bin/tgtadm", "/sbin/tgtadm")
STOPPED = 107  # ENOTCONN: tgtd does not run (tgt, usr/tgtadm.c, ipc_mgmt_req)
CONTROLLER, DISK, PLAIN = "controller", "disk", "rdwr"
NAMED = ("iqn.", "eui.", "naa.")  # how rules for names begin; all others are for addresses
OUTGOING = " (outgoing)"
SECTIONS = ("System", "I_T nexus", "LUN", "Account", "ACL")
FIELD = re.compile(r"([A-Za-z][A-Za-z -]*): ?(.*)")


@dataclass(frozen=True)
class RawLun:
    """A LUN as tgtadm shows it. Its size is known in whole megabytes alone."""

    number: int
    kind: str = DISK
    identity: str = ""  # SCSI ID
    serial: str = ""
    megabytes: int = 0
    block_size: int = 512
    online: bool = True
    removable: bool = False
    read_only: bool = False
    store: str = PLAIN
    path: str = ""
    flags: str = ""

    @property
    def half(self) -> bool:
        """Whether it is a disk without anything behind it, as a run of ours that was killed leaves it."""
        return (self.kind, self.store, self.path, self.online) == (DISK, PLAIN, "", False)

    @property
    def odd(self) -> str:
        """What it has that we do not make, if anything."""
        found = [f"is a {self.kind}"] if self.kind != DISK else []
        found += [f"has the backing store type '{self.store}'"] if self.store != PLAIN else []
        found += [f"has the backing store flags '{self.flags}'"] if self.flags else []
        found += ["has removable media"] if self.removable else []
        return " and ".join(found)


@dataclass(frozen=True)
class RawTarget:
    """A target as tgtadm shows it."""

    name: str
    number: int  # tgt's own, the 'tid'
    driver: str = "iscsi"
    ready: bool = True
    sessions: tuple[Session, ...] = ()
    luns: tuple[RawLun, ...] = ()
    incoming: tuple[str, ...] = ()  # the CHAP users, in tgt's order
    outgoing: str = ""
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)


def look_targets(host: Host) -> list[RawTarget] | None:
    """All targets of all drivers; None when tgtd does not run or is not installed."""
    found = _shown(host)
    for number, one in enumerate(found or ()):
        _prove(host, found or [], number, one)
    return found


def _shown(host: Host) -> list[RawTarget] | None:
    if not any(host.stat(path) for path in PROGRAMS):
        return None
    ran = host.run(*TGTADM, "--op", "show", "--mode", "target", ok=(0, STOPPED))
    return None if ran.rc == STOPPED else list(parse_targets(ran.out))


def _prove(host: Host, shown: list[RawTarget], at: int, one: RawTarget) -> None:
    """That tgtd has a target of this number, where the one above it has sessions: an initiator's alias may have line breaks, and
    so may begin a target that is none. A real one is shown too, so that no number is there twice."""
    if at and shown[at - 1].sessions:
        lld = one.driver if re.fullmatch("[a-z_]+", one.driver) else "iscsi"
        argv = ("tgtadm", "--lld", lld, "--op", "show", "--mode", "target", "--tid", str(one.number))
        if host.run(*argv, ok=range(256)).rc:
            raise _unreadable(f"shows a target number {one.number}, '{one.name}', which tgtd does not have,")


def _unreadable(why: str) -> Problem:
    return Problem(
        f"tgtadm {why} so nothing is changed: what an initiator calls itself (its alias) makes the list unreadable. See 'tgtadm "
        "--lld iscsi --op show --mode target', and end that session."
    )


def parse_targets(text: str) -> Iterator[RawTarget]:
    """The targets in what 'tgtadm --op show --mode target' prints. All but the sessions is tgtd's own, and in its order (tgt,
    usr/target.c, tgt_target_show_all); whatever does not fit is refused."""
    numbers: set[int] = set()
    names: set[str] = set()
    for head, lines in _parts(text):
        one = _target(head, _sections(head, lines))
        if one.number in numbers or one.name.lower() in names:
            raise _unreadable(f"shows the target {one.number}, '{one.name}', twice,")
        numbers.add(one.number)
        names.add(one.name.lower())
        yield one


def _parts(text: str) -> Iterator[tuple[str, list[str]]]:
    """The first line of each target, with all that are below it."""
    head: str = ""
    below: list[str] = []
    for line in lines_of(text):
        if not line.startswith("Target "):
            below.append(line)
            continue
        if head:
            yield head, below
        head, below = line, []
    if head:
        yield head, below


def _sections(head: str, lines: list[str]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if re.match(" {4}[^ ]", line) and line.endswith(" information:"):
            name = line.strip()[: -len(" information:")]
            if name not in SECTIONS or any(SECTIONS.index(one) >= SECTIONS.index(name) for one in sections):
                raise _unreadable(f"shows '{name} information' at the wrong place of '{head}',")
            sections[name] = []
        elif name:
            sections[name].append(line)
    if not {"System", "LUN"} <= set(sections):
        raise _unreadable(f"shows '{head}' without its LUNs,")
    return sections


def _target(head: str, sections: dict[str, list[str]]) -> RawTarget:
    found = re.fullmatch(r"Target ([0-9]{1,10}): (.*)", head)
    if found is None:
        raise Problem(f"tgtadm shows '{head}', which is not a target. Is this tgt 1.0.80 or newer?")
    system = dict(_fields(sections["System"]))
    incoming, outgoing = _accounts(sections.get("Account", []))
    rules = [line.strip() for line in sections.get("ACL", [])]
    try:
        sessions = tuple(_sessions(found[2], sections.get("I_T nexus", [])))
        luns = tuple(map(_lun, _blocks(sections["LUN"], "LUN")))
    except (KeyError, ValueError):
        raise _unreadable(f"shows sessions or LUNs of '{head}' that are none,") from None
    if len({one.tag for one in sessions}) < len(sessions):
        raise _unreadable(f"shows a session of '{head}' twice,")
    return RawTarget(
        name=found[2],
        number=int(found[1]),
        driver=system.get("Driver", ""),
        ready=system.get("State") == "ready",
        sessions=sessions,
        luns=luns,
        incoming=incoming,
        outgoing=outgoing,
        names=tuple(one for one in rules if one.startswith(NAMED)),
        addresses=tuple(one for one in rules if not one.startswith(NAMED)),
    )


def _accounts(lines: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """The users that initiators prove themselves as, and the one that proves the target, or ''."""
    users = [line.strip() for line in lines]
    incoming = tuple(user for user in users if not user.endswith(OUTGOING))
    return incoming, next((user[: -len(OUTGOING)] for user in users if user.endswith(OUTGOING)), "")


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        found = FIELD.fullmatch(line.strip())
        if found:
            yield found[1], found[2]


def _blocks(lines: list[str], first: str) -> Iterator[dict[str, str]]:
    """Lists of fields, each of which begins with the one of this name."""
    block: dict[str, str] = {}
    for key, value in _fields(lines):
        if key == first and block:
            yield block
            block = {}
        block[key] = value
    if block:
        yield block


def _lun(block: dict[str, str]) -> RawLun:
    size = re.match(r"(\d+) MB, Block size: (\d+)", block.get("Size", ""))
    path = block.get("Backing store path", "None")
    return RawLun(
        number=int(block["LUN"]),
        kind=block.get("Type", ""),
        identity=block.get("SCSI ID", ""),
        serial=block.get("SCSI SN", ""),
        megabytes=int(size[1]) if size else 0,
        block_size=int(size[2]) if size else 512,
        online=block.get("Online") == "Yes",
        removable=block.get("Removable media") == "Yes",
        read_only=block.get("Readonly") == "Yes",
        store=block.get("Backing store type", ""),
        path="" if path == "None" else path,
        flags=block.get("Backing store flags", ""),
    )


def _sessions(target: str, lines: list[str]) -> Iterator[Session]:
    for block in _nexuses(lines):
        initiator = block.get("Initiator", "").partition(" alias: ")[0]
        yield Session(target, initiator, block.get("IP Address", ""), int(block["nexus"]))


def _nexuses(lines: list[str]) -> Iterator[dict[str, str]]:
    """Each I_T nexus; its number is that of its session (tgt, usr/iscsi/session.c, session_create)."""
    block: dict[str, str] = {}
    for line in lines:
        begins = re.fullmatch(r" {8}I_T nexus: (\d+)", line)
        if begins:
            if block:
                yield block
            block = {"nexus": begins[1]}
        else:
            block = {**dict(_fields([line])), **block}  # the first is tgtd's own
    if block:
        yield block


def look_parameters(host: Host, target: RawTarget) -> dict[str, str]:
    """The negotiated parameters of a target."""
    ran = host.run(*TGTADM, "--op", "show", "--mode", "target", "--tid", str(target.number))
    pairs = (line.partition("=") for line in lines_of(ran.out))
    return {key: value for key, equals, value in pairs if equals}


def with_parameters(host: Host, targets: list[RawTarget], names: set[str] | None) -> list[RawTarget]:
    """The targets, those of these names (None: all) with their parameters."""
    return [
        replace(one, parameters=look_parameters(host, one))
        if one.driver == "iscsi" and (names is None or one.name.lower() in names)
        else one
        for one in targets
    ]


def look_portals(host: Host) -> frozenset[Portal]:
    """Where tgtd listens, for all targets."""
    text = host.run(*TGTADM, "--op", "show", "--mode", "portal").out
    return frozenset(portal(one) for one in re.findall(r"^Portal: (\S+),\d+$", text, re.MULTILINE))


def look_users(host: Host) -> frozenset[str]:
    """The names of all CHAP accounts."""
    text = host.run(*TGTADM, "--op", "show", "--mode", "account").out
    return frozenset(line.strip() for line in lines_of(text) if line.startswith(" "))


def look_system(host: Host) -> tuple[tuple[str, ...], bool, bool]:
    """The users of discovery (the last proves the target, or is ''); whether it tells an iSNS server; whether it logs all."""
    text = host.run(*TGTADM, "--op", "show", "--mode", "sys").out
    lines = [line for line in lines_of(text) if line.strip()]
    rest = itertools.dropwhile(lambda line: line.strip() != "Account information:", lines)
    below = itertools.takewhile(lambda line: line.startswith(" "), itertools.islice(rest, 1, None))
    names, proof = _accounts(below)
    said = {line.strip() for line in lines}
    return (*names, proof), "iSNS=On" in said, "debug: on" in said


def find_target(host: Host, name: str) -> RawTarget:
    """One target as it is now, since its number may be another one than when the step was planned."""
    shown = _shown(host) or []
    at = next((number for number, one in enumerate(shown) if one.name == name), None)
    if at is None:
        raise Problem(f"tgtd has no target '{name}' now: somebody has removed it, or tgtd was restarted.")
    for number, one in list(enumerate(shown))[at : at + 2]:
        _prove(host, shown, number, one)
    return shown[at]


def megabytes(size: int) -> int:
    """The size of a LUN as tgtadm prints it (tgt, usr/target.c, print_disksize)."""
    sectors = size // 512
    return (sectors - (sectors // 625 - 974)) // 1950
