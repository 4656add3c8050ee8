# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt: what tgtd serves, what comes back after a boot, and what was asked for.

Three states that must agree: wanted, running (tgtd) and kept (our files in conf.d). Others' files are read and never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Mapping

from .._arguments import Portal
from .._host import Host, Problem
from .._net.sockets import Sockets, look_sockets
from .._san.backing import Backing, look_backing, sizes_of
from .._san.merge import lay
from .._san.options import NUMBERS
from .._san.target import Target, shown_targets, whole
from . import kept as files
from .boot import PROGRAM, boot_files, drop_in_of, unit_of
from .discovery import KEPT, look_theirs, parse_discovery, users_of, want_discovery
from .identity import identity_of, wwid_of
from .others import look_others
from .running import Running, in_words
from .tgtadm import RawTarget, look_portals, look_system, look_targets, look_users, with_parameters
from .whole_target import lay_read_only, seen_by_all, spelled, with_accounts

EVERYWHERE = frozenset({Portal("0.0.0.0"), Portal("::")})  # where tgtd listens by itself


@dataclass(frozen=True)
class Serving:
    """All that this host serves with tgt and keeps, and what it stands on."""

    active: bool  # tgtd runs
    running: Running
    files: Mapping[str, str] = field(repr=False)  # ours, with secrets
    exposed: frozenset[str] = frozenset()  # those of them with secrets that others can read
    at_discovery: str = field(default="", repr=False)  # the text of KEPT, with secrets
    discovery_theirs: str = field(
        default="", compare=False
    )  # a file of others that binds accounts for discovery
    backing: Mapping[str, Backing] = field(default_factory=dict)
    unit: str = field(default="", compare=False)
    kept: Mapping[str, Target] = field(default_factory=dict, compare=False)  # how our files are read
    others: Mapping[str, str] = field(
        default_factory=dict, compare=False
    )  # targets that others' files define
    unclear: str = field(default="", compare=False)  # the line in others' files that may define any target
    read_at_boot: bool = field(default=True, compare=False)
    sockets: Sockets = field(default_factory=Sockets, compare=False)
    lio: tuple[str, ...] = field(default=(), compare=False)  # what the kernel's target serves beside
    # What LVM wrote on the LUNs that a caller expects something of (Label), or why that is not known; by target and LUN.
    labels: Mapping[tuple[str, str], Any] = field(default_factory=dict, compare=False)

    def targets(self) -> dict[str, Target]:
        """Every target that runs or is kept, as it should run."""
        names = {**self.kept, **self.running.targets}
        return {name: found for name in names for found in [self.whole(name)] if found}

    def whole(self, name: str) -> Target | None:
        """One target as it should run."""
        found = whole(self.running.targets.get(name), self.kept.get(name))
        return replace(found, portals=self.running.portals) if found else None


def look_serving(host: Host, asked: Iterable[dict[str, Any]]) -> Serving:
    """Look once at everything; of the parameters only at those of targets that are asked for or keep some."""
    asked = list(asked)
    ours, unit = files.look_files(host), unit_of(host)
    kept = {one.name.lower(): one for text in ours.values() for one in [files.parse(text)] if one}
    raw = look_targets(host)
    names = {one["name"] for one in asked if one["parameters"]}
    names |= {name for name, one in kept.items() if one.parameters}
    found = with_parameters(host, raw, names) if raw is not None else []
    luns = [lun for one in asked for lun in one["luns"] if lun["path"]]
    served = {lun.path for one in found for lun in one.luns if lun.path.startswith("/")}
    lost = {lun.path for one in kept.values() for lun in one.luns.values()}
    sized = {lun["path"] for lun in luns if lun["size"] is not None}
    backing = look_backing(host, served, lost | {lun["path"] for lun in luns}, sized)
    others, read_at_boot, unclear = look_others(host)
    at_discovery = host.read(KEPT) or ""
    running = _running(host, raw, found, kept, backing, _named(asked))
    return Serving(
        active=raw is not None,
        running=replace(
            running,
            discovery=running.discovery if raw is not None else users_of(parse_discovery(at_discovery)),
        ),
        files={**ours, **_look_boot(host, unit)},
        exposed=frozenset(path for path in (*ours, KEPT) if _is_exposed(host, path)),
        at_discovery=at_discovery,
        discovery_theirs=look_theirs(host),
        backing=backing,
        unit=unit,
        kept=kept,
        others=others,
        unclear=unclear,
        read_at_boot=read_at_boot,
        sockets=look_sockets(host),
        lio=tuple(
            one
            for one in host.list("/sys/kernel/config/target/iscsi")
            if one.startswith(("iqn.", "eui.", "naa."))
        ),
    )


def _running(
    host: Host,
    raw: list[RawTarget] | None,
    found: list[RawTarget],
    kept: Mapping[str, Target],
    backing: Mapping[str, Backing],
    names: Mapping[str, str],
) -> Running:
    """What runs; where tgtd does not, what its start brings of ours."""
    if raw is None:
        targets = {name: replace(one, portals=EVERYWHERE) for name, one in kept.items()}
        accounts = {name: accounts_of(one) for name, one in targets.items()}
        users = frozenset(user for names in accounts.values() for user in names if user)
        return Running(targets, accounts, portals=EVERYWHERE, users=users)
    users, (discovery, isns, debug) = look_users(host), look_system(host)
    running = in_words(found, kept, backing, look_portals(host), names)
    return replace(running, users=users, discovery=discovery, isns=isns, debug=debug)


def _named(asked: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {lun["serial"] or lun["derived"]: lun["name"] for one in asked for lun in one["luns"]}


def _look_boot(host: Host, unit: str) -> dict[str, str]:
    paths = [PROGRAM, *([drop_in_of(unit)] if unit else [])]
    texts = {path: host.read(path) for path in paths}
    return {path: text for path, text in texts.items() if text is not None}


def _is_exposed(host: Host, path: str) -> bool:
    stat = host.stat(path)
    return stat is not None and bool(stat.st_mode & 0o077)


def accounts_of(target: Target) -> tuple[str, ...]:
    """The CHAP users that a target shall have; the last one proves the target, or is ''."""
    chap = next((one.chap for one in target.initiators.values()), None)
    return (chap.user, chap.mutual_user) if chap else ("",)


def want_serving(
    seen: Serving,
    asked: Iterable[dict[str, Any]],
    purge: bool,
    all_targets: bool,
    discovery: Mapping[str, Any] | None = None,
) -> Serving:
    """What was asked for laid over what is; what runs is what is kept."""
    asked = list(asked)
    before = seen.targets()
    found = {one["name"]: _laid(seen, before.get(one["name"]), one, purge) for one in asked}
    if all_targets:
        gone = [name for name in before if name not in found]
        found.update(
            {name: _laid(seen, before[name], {"name": name, "state": "absent"}, purge) for name in gone}
        )
    targets = {name: one for name, one in {**seen.running.targets, **found}.items() if one}
    accounts = {
        name: accounts_of(one) if name in found else seen.running.accounts.get(name, ("",))
        for name, one in targets.items()
    }
    halves = tuple(one for one in seen.running.halves if one[0] not in found)
    at_discovery = want_discovery(seen.at_discovery, discovery)
    chap = parse_discovery(at_discovery)
    users = seen.running.discovery if discovery is None else users_of(chap)
    running = replace(seen.running, targets=targets, accounts=accounts, halves=halves, discovery=users)
    by_name = {one["name"]: one for one in asked}
    wanted = {
        name: _to_keep(seen.kept.get(name), one, by_name[name]) if one else None
        for name, one in found.items()
    }
    texts = {path: text for path, text in seen.files.items() if files.is_ours(path)}
    for name, one in wanted.items():
        texts.pop(files.file_of(name), None)
        texts.update({files.file_of(name): files.render(one)} if one else {})
    kept = [one for text in texts.values() for one in [files.parse(text)] if one]
    touched = bool(found) or discovery is not None
    boot = boot_files(seen.unit, kept, chap is not None) if touched else _boot_of(seen)
    return replace(
        seen,
        active=seen.active or any(found.values()) or (discovery is not None and chap is not None),
        running=running,
        files={**texts, **boot},
        exposed=frozenset() if touched else seen.exposed,
        at_discovery=at_discovery,
        backing=_grown(seen, found),
        kept={one.name.lower(): one for one in kept},
    )


def _boot_of(seen: Serving) -> dict[str, str]:
    return {path: text for path, text in seen.files.items() if not files.is_ours(path)}


def _laid(seen: Serving, before: Target | None, asked: dict[str, Any], purge: bool) -> Target | None:
    name = asked["name"]
    if name in seen.others:
        raise Problem(
            f"The target '{name}' is defined in '{seen.others[name]}', which is not a file of this collection: it is left "
            "alone. Change it there, or take it out there to have it managed here."
        )
    if seen.unclear and files.file_of(name) not in seen.files and (before or not seen.active):
        raise Problem(
            f"Whether a file of others defines the target '{name}' is not known, so it is left alone: {seen.unclear}. Write that "
            "line in another way, or correct it."
        )
    if files.file_of(name) in seen.files and name not in seen.kept:
        raise Problem(
            f"'{files.file_of(name)}' was changed by hand and cannot be read: the target '{name}' is left alone. Repair the "
            "file, or move it away to have it written again from what runs."
        )
    if asked["state"] == "absent":
        return None
    asked = spelled(asked)
    base = before or Target(name, portals=seen.running.portals)
    base = lay_read_only(base, asked, seen.backing)
    laid = lay(base, asked, seen.backing, purge, NUMBERS[1:])
    if laid is None:
        return None
    _check_portals(seen, asked, laid)
    laid = lay_read_only(laid, asked, seen.backing)
    laid = seen_by_all(before, with_accounts(base, laid, asked), asked)
    same = {(lun.backstore, lun.serial) for lun in base.luns.values()}
    luns = {
        number: lun
        if (lun.backstore, lun.serial) in same
        else replace(lun, backstore=identity_of(lun.serial))
        for number, lun in laid.luns.items()
    }
    access = before is None or _says_who(base, asked) or (purge and "igroups" in asked["given"])
    rules = {key: value for key, value in laid.attributes.items() if key != files.RULES or not access}
    return replace(laid, portals=seen.running.portals, luns=luns, attributes=rules)


def _says_who(target: Target, asked: dict[str, Any]) -> bool:
    """Whether igroups are asked for, or some that there are shall go: then no address lets anybody in any more."""
    return any(one["state"] == "present" or one["name"] in target.igroups() for one in asked["igroups"])


def _check_portals(seen: Serving, asked: dict[str, Any], laid: Target) -> None:
    """tgtd listens for all its targets alike: what is asked for must be among that."""
    for portal in sorted(asked["portals"] or ()):
        listens = any(
            one == portal or (one.port == portal.port and _is_wide(one, portal) and seen.sockets.has(portal))
            for one in seen.running.portals
        )
        if not listens:
            raise Problem(
                f"'{laid.name}' cannot be served on {portal}: tgtd listens for all targets of this host on "
                f"{', '.join(map(str, sorted(seen.running.portals))) or 'nothing'}, and on which addresses and ports is an "
                "option of its start (--iscsi portal=..., tgtd(8)). "
                + (
                    "Change that, or the portal."
                    if seen.sockets.has(portal)
                    else f"This host has no address {portal.address}."
                )
            )


def _is_wide(one: Portal, portal: Portal) -> bool:
    return one.address == "::" or (one.address == "0.0.0.0" and ":" not in portal.address)


def _to_keep(kept: Target | None, after: Target, asked: dict[str, Any]) -> Target:
    """The target as it is kept: of what can be set for now alone, what was asked for or is kept already."""
    old = kept.parameters if kept else {}
    parameters = {
        key: value if key in asked["parameters"] else old[key]
        for key, value in after.parameters.items()
        if key in asked["parameters"] or key in old
    }
    enabled = kept.enabled if kept and asked["enabled"] is None else after.enabled
    return replace(after, parameters=parameters, enabled=enabled)


def _grown(seen: Serving, after: Mapping[str, Target | None]) -> dict[str, Backing]:
    """Every file is at least as big as its LUN."""
    found = dict(seen.backing)
    for lun in (lun for target in after.values() if target for lun in target.luns.values()):
        now = found.get(lun.path, Backing())
        if lun.size is not None and lun.path.startswith("/") and (now.size or 0) < lun.size:
            found[lun.path] = replace(now, size=lun.size, identity=now.identity or (lun.path,))
    return found


def show_serving(state: Serving, names: Iterable[str] | None) -> dict[str, Any]:
    """The targets by name, without secrets; None: all of them."""
    return shown_targets(state.running.targets, names, sizes_of(state.backing), wwid_of)
