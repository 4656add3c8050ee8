# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which LUN must be mapped to which initiator on an array that a person sets up, as the data has it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, Sequence

from ..module_utils._arguments import in_units, size, target_key, target_name
from ..module_utils._host import Problem
from ..module_utils._san.wwid import wwid
from ._san_use import present

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Due:
    """A map of a LUN to an initiator. Number and size are None where the data leaves them to the array, the WWID is '' where the
    data does not have it yet."""

    target: str
    lun: str
    initiator: str
    number: int | None
    size: int | None
    wwid: str
    read_only: bool = False

    def __str__(self) -> str:
        return self.told(f"the initiator '{self.initiator}'")

    def told(self, whom: str) -> str:
        """The map as what a person does, and for whom."""
        where = "under any free number" if self.number is None else f"as LUN {self.number}"
        how = ", read-only" if self.read_only else ""
        return f"map the LUN '{self.lun}'{sized(self.size)} to {whom} {where}{how}"


def sized(count: int | None) -> str:
    """A size behind the name of a LUN."""
    return "" if count is None else f" of {in_units(count)} ({count} bytes)"


def lun_size(lun: Data) -> int | None:
    """The size of a LUN in bytes, if the data has it."""
    return None if lun.get("size") is None else size(lun["size"])


def lun_wwid(lun: Data) -> str:
    """The WWID of a LUN, if the data has it."""
    return wwid(str(lun["wwid"])) if lun.get("wwid") else ""


def maps_of(group: Data, gone: bool = False) -> Iterator[Data]:
    """The LUNs of an igroup, each with its name, that it must have, or must not have any more."""
    for entry in group.get("luns") or []:
        one = {"name": entry} if isinstance(entry, str) else entry
        if (one.get("state", "present") == "absent") is gone:
            yield one


def dues_of(target: Data) -> list[Due]:
    """The maps that a target must have."""
    name, luns = target_name(target["name"]), {lun["name"]: lun for lun in present(target, "luns")}
    found = []
    for group in present(target, "igroups"):
        for entry in maps_of(group):
            lun = luns.get(entry["name"])
            if lun is None:
                raise Problem(
                    f"The igroup '{group['name']}' of '{name}' names the LUN '{entry['name']}', which the target does not have."
                )
            for initiator in group.get("initiators") or []:
                found.append(due_of(name, lun, entry, target_key(initiator)))
    _refuse_one_number(found)
    return found


def due_of(target: str, lun: Data, entry: Data, initiator: str) -> Due:
    """The map of a LUN, as the entry of an igroup has it."""
    number = lun.get("number") if entry.get("number") is None else entry["number"]
    return Due(
        target=target,
        lun=lun["name"],
        initiator=initiator,
        number=None if number is None else int(number),
        size=lun_size(lun),
        wwid=lun_wwid(lun),
        read_only=bool(lun.get("read_only") if entry.get("read_only") is None else entry["read_only"]),
    )


def _refuse_one_number(dues: Iterable[Due]) -> None:
    taken: dict[tuple[str, int], list[str]] = defaultdict(list)
    for due in dues:
        if due.number is not None and due.lun not in taken[due.initiator, due.number]:
            taken[due.initiator, due.number].append(due.lun)
    for (initiator, number), luns in taken.items():
        if len(luns) > 1:
            raise Problem(
                f"'{initiator}' would have the LUNs '{luns[0]}' and '{luns[1]}' both as LUN {number}."
            )


def initiators_of(hosts: Mapping[str, Data]) -> dict[str, str]:
    """The host of each initiator name: its own, and those of its ifaces."""
    found = {}
    for host, vars_ in hosts.items():
        names: Sequence[Any] = [iface.get("initiator_name") for iface in present(vars_, "initiator_ifaces")]
        found.update({target_key(name): host for name in [vars_.get("initiator_name"), *names] if name})
    return found
