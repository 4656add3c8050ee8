# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that do not answer, and paths that carry no I/O: the cause once, not once for each LUN that suffers from it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Iterator, Mapping, Sequence

from .compute import Compute, Lun, luns_of, path_key, reason_of
from .model import Data, Down, Fault, Rank, counted, listed
from .storage import Storage
from .volumes import mounts_on

LONGEST = 160  # characters of what Ansible says of a host that does not answer
ASKED = {
    "initiator": ("sessions", "iSCSI sessions"),
    "timers": ("faults", "timers"),
    "groups": ("groups", "volume groups"),
    "paths": ("paths", "network"),
    "targets": ("targets", "targets"),
}
OF_COMPUTE = tuple(part for part in ASKED if part != "targets")


def silence(
    host: str, answers: Data, parts: Sequence[str], dependents: Sequence[str] = ()
) -> Iterator[Fault]:
    """What a host was asked and did not say."""
    lacking = [part for part in parts if ASKED[part][0] not in (answers.get(part) or {})]
    lost = [part for part in lacking if (answers.get(part) or {}).get("unreachable")]
    if lost or len(lacking) == len(parts):
        why = _why(answers.get(lost[0] if lost else parts[0]))
        serves = f" It serves {listed(dependents)}." if dependents else ""
        todo = "See whether it is up (console, power, management network), then run the report again."
        yield Fault(Rank.SILENT, host, f"'{host}' does not answer{why}.{serves}", todo)
        return
    for part in lacking:
        text = f"'{host}' could not be asked for its {ASKED[part][1]}{_why(answers.get(part))}."
        yield Fault(Rank.SILENT, host, text, "What is reported of it is not complete.")


def _why(result: Any) -> str:
    told = " ".join(str((result or {}).get("msg") or "").split()).rstrip(".")
    told = re.sub(r"^(Task failed: |Failed to connect to the host via ssh: )+", "", told)
    return f" ({told[:LONGEST]}{'...' if len(told) > LONGEST else ''})" if told else ""


def downs_of(host: Compute) -> Iterator[Down]:
    """The ways to targets that are not there, each with the LUNs that have a path less."""
    luns = luns_of(host)
    live = {(one["target"].lower(), one["portal"], one["iface"]): reason_of(one) for one in host.sessions}
    ways = {**dict.fromkeys(host.ways, "no session"), **live}
    for way, reason in sorted(ways.items()):
        if reason:
            hit = [
                (lun, path)
                for lun in luns
                for path in lun.paths
                if (path.target, path.portal, path.iface) == way
            ]
            about = (f"target {way[0]}", *(path_key(lun, path) for lun, path in hit))
            yield Down(host.host, *way, reason, tuple(lun.name for lun, _path in hit), about)


def path_faults(
    downs: Sequence[Down], users: Mapping[str, set[str]], storage: Mapping[str, str], silent: set[str]
) -> Iterator[Fault]:
    """One fault for each host and portal, or storage host that does not answer. 'users': the hosts of each portal."""
    found: dict[tuple[str, str], list[Down]] = defaultdict(list)
    hosts: dict[str, set[str]] = defaultdict(set)
    for down in downs:
        server = storage.get(down.target, "")
        found[down.host, server if server in silent else down.portal].append(down)
        hosts[down.portal].add(down.host)
    for (host, _where), own in found.items():
        portal, server = own[0].portal, storage.get(own[0].target, "")
        everywhere = len(hosts[portal]) > 1 and users.get(portal, set()) <= hosts[portal]
        yield _down(host, own, server, server in silent, everywhere)


def _down(host: str, downs: list[Down], server: str, silent: bool, everywhere: bool) -> Fault:
    portals = " and ".join(sorted({down.portal for down in downs}))
    reasons = " or ".join(sorted({down.reason for down in downs})).replace("session ", "")
    luns = sorted({name for down in downs for name in down.luns})
    way, is_, it = ("ways", "are", "they carry") if " " in portals else ("way", "is", "it carries")
    suffer = f"; {it} {listed(luns)}" if luns else ""
    of = f" of '{server}'" if server else ""
    count = counted(len(downs), "session")
    text = f"The {way} to {portals}{of} {is_} down ({count}: {reasons}){suffer}."
    about = tuple(dict.fromkeys(key for down in downs for key in down.about))
    return Fault(Rank.PATH, host, text, _remedy(host, downs[0], server, silent, everywhere), about)


def _remedy(host: str, down: Down, server: str, silent: bool, everywhere: bool) -> str:
    address = down.portal.rpartition(":")[0].strip("[]")
    if silent:
        return f"'{server}' does not answer: see there first. The sessions come back by themselves."
    if everywhere:
        return (
            f"No host reaches it: check the NIC, cable and switch port of {address} on '{server or 'the array'}', and "
            "whether its target service runs."
        )
    if down.reason == "no session":
        return f"ping {address} from '{host}'; if it answers, run lunworks.iscsi.site --limit {host} (it says why a login fails)."
    return (
        f"Check the NIC, cable and switch port of '{host}' on the network of {address} (ping {address} from there). The "
        "session comes back by itself."
    )


def lun_faults(host: Compute, luns: Sequence[Lun]) -> Iterator[Fault]:
    """LUNs without any path, that were never there, and paths that fail though their session is up."""
    yield from _without_path(host, [lun for lun in luns if lun.lost])
    for lun in luns:
        key = (f"lun {lun.key}",)
        if not lun.disks and host.initiator and "/" not in lun.key and lun.wanted:
            text = f"The LUN '{lun.name}' of '{lun.target}' is in the inventory and is not on this host."
            where = lun.wanted.storage or "the array"
            todo = f"See whether its igroup on '{where}' gives it to '{host.wanted.initiator}', then run lunworks.iscsi.site."
            yield Fault(Rank.WANTED, host.host, text, todo, key)
        for path in lun.paths:
            if path.disk and path.reason.startswith("disk"):
                text = f"The path {path.disk['device']} of '{lun.name}' at {path.portal} is not used: {path.reason}."
                todo = "Its session is up: look at the kernel log for that device, and at the LUN on the storage host."
                yield Fault(Rank.PATH, host.host, text, todo, (path_key(lun, path),))
            elif path.reason == "no disk":
                text = f"The session at {path.portal} is up and does not have the LUN '{lun.name}' of '{lun.target}'."
                todo = "Have the session scanned (module lunworks.iscsi.rescan); if it stays away, look at the igroup."
                if lun.disks:
                    yield Fault(Rank.PATH, host.host, text, todo, (path_key(lun, path),))


def _without_path(host: Compute, luns: Sequence[Lun]) -> Iterator[Fault]:
    if luns:
        mounts = listed(sorted({mount for lun in luns for mount in mounts_on(lun)}))
        what = f"the I/O of {mounts} waits or fails" if mounts else "their I/O waits or fails"
        text = f"No path is left to {listed(dict.fromkeys(lun.name for lun in luns))}: {what}."
        about = tuple(f"lun {lun.key}" for lun in luns)
        yield Fault(
            Rank.NO_PATH,
            host.host,
            text,
            "Repair one path of each; why they are down stands beside it.",
            about,
        )


RANKS = {
    "mtu_on_the_way": Rank.NETWORK,
    "rp_filter": Rank.NETWORK,
    "mtu_of_nic": Rank.WANTED,
    "not_looked_at": Rank.WANTED,
}  # what cannot be reached is said by 'path_faults'


def network_faults(host: Compute) -> Iterator[Fault]:
    """What path_info says of the network: its sentences, about the targets behind those portals."""
    targets = {session["portal"]: session["target"] for session in host.sessions}
    targets.update({way[1]: way[0] for way in host.ways})
    for one in (host.paths or {}).get("faults", []):
        if one["kind"] in RANKS:
            behind = one["portals"] if one["kind"] != "not_looked_at" else []
            about = {f"target {targets[portal].lower()}" for portal in behind if portal in targets}
            yield Fault(RANKS[one["kind"]], host.host, one["text"], one["todo"], tuple(sorted(about)))


def dependents(host: Storage, computes: Sequence[Compute]) -> list[str]:
    """The compute hosts that have sessions, or must have, with what a storage host serves."""
    return [
        one.host
        for one in computes
        if any(one.storage.get(target) == host.host for target in _targets_of(one))
    ]


def _targets_of(host: Compute) -> set[str]:
    return {session["target"].lower() for session in host.sessions} | {way[0] for way in host.wanted.ways}
