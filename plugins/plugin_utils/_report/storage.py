# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a storage host serves, and to whom, beside what the inventory wants; with the faults of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from ...module_utils._arguments import in_units, size
from .._by_hand import maps_of
from .._san_use import present
from .model import (
    MISSING,
    OK,
    PLANNED,
    Data,
    Fact,
    Fault,
    Rank,
    Thing,
    View,
    answer,
    listed,
    name_key,
    portal_key,
)


@dataclass(frozen=True)
class Storage:
    """A storage host's answer, and its data. 'owners': the host of each initiator name. 'by_hand': nobody can ask it."""

    host: str
    answers: Data
    data: Data
    owners: Mapping[str, str]
    looked: bool = True

    @property
    def told(self) -> Data | None:
        """The answer of target_info."""
        return answer(self.answers.get("targets"), "targets")

    @property
    def missing(self) -> str:
        """The state of what is wanted and was not found."""
        return MISSING if self.looked and self.told else PLANNED

    def found(self) -> dict[str, Data]:
        """Its targets."""
        return {one["name"].lower(): one for one in (self.told or {}).get("targets", [])}

    def wanted(self) -> dict[str, Data]:
        """Those of its data."""
        return {name_key(one["name"]): one for one in present(dict(self.data), "target_targets")}


def view_of(host: Storage) -> View:
    """What it serves as things."""
    found, wanted = host.found(), host.wanted()
    things = [
        thing
        for name in sorted({*found, *wanted})
        for thing in _target(host, name, found.get(name, {}), wanted.get(name, {}))
    ]
    about = str(host.data.get("target_provider") or (host.answers.get("provider") or "lio"))
    return View(host.host, "storage", host.told is not None or not host.looked, about, tuple(things))


def _named(entries: Any) -> dict[str, Data]:
    return {one["name"]: one for one in entries or []}


def _portals(target: Data) -> str | None:
    """In one spelling; the data may leave the port out."""
    given = [one["portal"] if isinstance(one, dict) else one for one in target.get("portals") or []]
    return ", ".join(sorted(map(portal_key, given))) or None


def _target(host: Storage, name: str, found: Data, wanted: Data) -> Iterator[Thing]:
    key, sessions = f"target {name}", found.get("sessions") or []
    facts = (
        Fact("Name", name if found else None, name if wanted else None),
        Fact("Portals", ", ".join(sorted(found.get("portals") or [])) or None, _portals(wanted)),
        Fact("Enabled", ("yes" if found["enabled"] else "no") if found else None, "yes" if wanted else None),
        Fact("Sessions", str(len(sessions)) if found else None),
    )
    note = (_portals(found) or _portals(wanted) or "").replace(":3260", "")
    yield Thing(key, "target", name, note, facts, state=OK if found else host.missing)
    luns, wanted_luns = _named(found.get("luns")), _named(present(dict(wanted), "luns"))
    for lun in dict.fromkeys([*luns, *wanted_luns]):
        yield _lun(host, key, lun, luns.get(lun, {}), wanted_luns.get(lun, {}))
    groups, wanted_groups = _named(found.get("igroups")), _named(present(dict(wanted), "igroups"))
    for group in dict.fromkeys([*groups, *wanted_groups]):
        yield from _igroup(host, name, group, groups.get(group, {}), wanted_groups.get(group, {}), sessions)


def _lun(host: Storage, target: str, name: str, found: Data, wanted: Data) -> Thing:
    asked = in_units(size(wanted["size"])) if wanted.get("size") else None
    has = in_units(int(found["size"])) if found.get("size") is not None else None
    facts = (
        Fact("Name", name if found else None, name if wanted else None),
        Fact("Size", has, asked),
        Fact("Path", found.get("path"), wanted.get("path")),
        Fact("LUN number", str(found["number"]) if found.get("number") is not None else None),
        Fact("WWID", found.get("wwid")),
        Fact("Read-only", ("yes" if found["read_only"] else "no") if "read_only" in found else None),
    )
    key = f"lun {target.partition(' ')[2]} {name}"
    return Thing(key, "lun", name, has or asked or "", facts, (target,), OK if found else host.missing)


def _igroup(
    host: Storage, target: str, name: str, found: Data, wanted: Data, sessions: list[Data]
) -> Iterator[Thing]:
    key = f"igroup {target} {name}"
    luns = {one["name"]: one for one in found.get("luns") or []}
    wanted_luns = {one["name"]: one for one in maps_of(wanted)}
    initiators = [name_key(one) for one in found.get("initiators") or []]
    asked = [name_key(one) for one in wanted.get("initiators") or []]
    facts = (
        Fact("LUNs", _maps(luns) if found else None, _maps(wanted_luns) if wanted else None),
        Fact("Initiators", ", ".join(sorted(initiators)) or None, ", ".join(sorted(asked)) or None),
        Fact("CHAP", ("asked for" if found.get("chap") else "not asked for") if found else None),
    )
    on = tuple(f"lun {target} {lun}" for lun in dict.fromkeys([*luns, *wanted_luns]))
    note = ", ".join(luns or wanted_luns)
    yield Thing(key, "igroup", name, note, facts, on or (f"target {target}",), OK if found else host.missing)
    for initiator in dict.fromkeys([*initiators, *asked]):
        here = [one for one in sessions if one["initiator"].lower() == initiator]
        state = OK if initiator in initiators else host.missing
        seen = ("logged in" if here else "not logged in") if host.told else ""
        told = (
            Fact("Initiator", initiator),
            Fact("Addresses", ", ".join(sorted({one["address"] for one in here})) or None),
        )
        yield Thing(
            f"initiator {target} {name} {initiator}",
            "initiator",
            host.owners.get(initiator, initiator),
            seen,
            told,
            (key,),
            state,
        )


def _maps(luns: Mapping[str, Data]) -> str:
    return ", ".join(f"{name} (read-only)" if luns[name].get("read_only") else name for name in sorted(luns))


def faults_of(host: Storage) -> Iterator[Fault]:
    """What is wrong with what it serves."""
    if host.told is None:
        return
    again = f"Run lunworks.iscsi.site --limit {host.host}."
    for sentence in host.told.get("drift") or []:
        yield Fault(Rank.STORAGE, host.host, sentence, f"A boot would change what is served. {again}")
    found = host.found()
    for name, wanted in host.wanted().items():
        if name not in found:
            yield Fault(
                Rank.STORAGE,
                host.host,
                f"The target '{name}' is in the inventory and is not served.",
                again,
                (f"target {name}",),
            )
        else:
            yield from _differences(host, name, found[name], wanted, again)


def _differences(host: Storage, name: str, found: Data, wanted: Data, again: str) -> Iterator[Fault]:
    if not found["enabled"]:
        yield Fault(
            Rank.STORAGE,
            host.host,
            f"The target '{name}' is disabled: nobody can log in.",
            again,
            (f"target {name}",),
        )
    luns, groups = _named(found.get("luns")), _named(found.get("igroups"))
    for lun in present(dict(wanted), "luns"):
        key = (f"lun {name} {lun['name']}",)
        has = luns.get(lun["name"])
        if has is None:
            yield Fault(
                Rank.STORAGE,
                host.host,
                f"The LUN '{lun['name']}' of '{name}' is in the inventory and is not served.",
                again,
                key,
            )
        elif lun.get("size") and int(has["size"]) < size(lun["size"]):
            said = f"has {in_units(int(has['size']))}, the inventory wants {in_units(size(lun['size']))}"
            yield Fault(Rank.WANTED, host.host, f"The LUN '{lun['name']}' of '{name}' {said}.", again, key)
    for group in present(dict(wanted), "igroups"):
        yield from _igroup_lacks(host, name, group, groups.get(group["name"], {}), again)


def _igroup_lacks(host: Storage, target: str, wanted: Data, found: Data, again: str) -> Iterator[Fault]:
    key = (f"igroup {target} {wanted['name']}",)
    maps = {one["name"] for one in found.get("luns") or []}
    luns = [one["name"] for one in maps_of(wanted) if one["name"] not in maps]
    members = {name_key(one) for one in found.get("initiators") or []}
    initiators = [one for one in map(name_key, wanted.get("initiators") or []) if one not in members]
    for what, names in (("LUNs", luns), ("initiators", initiators)):
        if names:
            text = f"The igroup '{wanted['name']}' of '{target}' lacks the {what} {listed(names)} of the inventory."
            todo = f"{again} In the middle of a move that is as it must be: lunworks.iscsi.move_volume_group --tags status."
            yield Fault(Rank.STORAGE, host.host, text, todo if what == "LUNs" else again, key)
