# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what hosts answered and what the inventory wants to a report."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Iterable, Mapping, Sequence

from .._by_hand import initiators_of
from . import compute, storage
from .compute import Compute, luns_of
from .disks import disk_faults
from .model import Data, Down, Fault, Rank, Report, answer, listed, marked, spelled
from .paths import OF_COMPUTE, dependents, downs_of, lun_faults, network_faults, path_faults, silence
from .san_wide import located
from .settings import setting_faults
from .storage import Storage
from .wanted import Wanted, wanted_of


def report_of(
    answers: Mapping[str, Data], data: Mapping[str, Data], sentences: Iterable[str], made: str
) -> Report:
    """The report; without answers it shows what the data would make. 'sentences': what contradicts itself in the data."""
    storages, computes = _storages(answers, data), _computes(answers, data)
    faults = [Fault(Rank.INVENTORY, "", sentence) for sentence in sentences]
    if answers:
        faults += _faults(storages, computes)
    views = [*map(storage.view_of, storages), *map(compute.view_of, computes)]
    faults = located(dict.fromkeys(faults), views)
    faults.sort(key=lambda fault: (fault.rank, fault.host, fault.text))
    return Report(made, bool(answers), tuple(faults), marked(views, faults))


def _storages(answers: Mapping[str, Data], data: Mapping[str, Data]) -> list[Storage]:
    hosts = [
        host
        for host in _asked(answers, data)
        if "targets" in answers.get(host, {}) or data.get(host, {}).get("target_targets")
    ]
    owners = {**_owners(answers), **initiators_of(data)}
    return [
        Storage(
            host,
            answers.get(host, {}),
            data.get(host, {}),
            owners,
            bool(answers) and "targets" in answers.get(host, {}),
        )
        for host in hosts
    ]


def _asked(answers: Mapping[str, Data], data: Mapping[str, Data]) -> list[str]:
    """The hosts of this run; those of the data where nobody was asked. db-2 stands before db-10."""
    return sorted(
        answers or data, key=lambda name: [part.zfill(9) for part in re.split(r"(\d+)", name) if part]
    )


def _owners(answers: Mapping[str, Data]) -> dict[str, str]:
    told = {host: answer(one.get("initiator"), "sessions") for host, one in answers.items()}
    return {str(one["name"]).lower(): host for host, one in told.items() if one and one["name"]}


def _computes(answers: Mapping[str, Data], data: Mapping[str, Data]) -> list[Compute]:
    wanted, names, servers = wanted_of(data), _lun_names(answers, data), _servers(answers, data)
    return [
        Compute(host, answers.get(host, {}), wanted.get(host, Wanted()), names, servers, bool(answers))
        for host in _asked(answers, data)
        if "initiator" in answers.get(host, {}) or (not answers and host in wanted)
    ]


def _targets(answers: Mapping[str, Data]) -> Iterable[tuple[str, Data]]:
    for host, one in answers.items():
        for target in (answer(one.get("targets"), "targets") or {}).get("targets", []):
            yield host, target


def _lun_names(answers: Mapping[str, Data], data: Mapping[str, Data]) -> dict[str, tuple[str, str]]:
    """Target and name of each LUN by its WWID, as storage hosts serve them and as the inventory has them."""
    found = {
        spelled(lun["wwid"]): (target["name"].lower(), lun["name"])
        for _host, target in _targets(answers)
        for lun in target.get("luns") or []
        if lun.get("wwid")
    }
    wanted = {
        key: (lun.target, lun.name) for one in wanted_of(data).values() for key, lun in one.luns.items()
    }
    return {**wanted, **found}


def _servers(answers: Mapping[str, Data], data: Mapping[str, Data]) -> dict[str, str]:
    wanted = {
        str(t["name"]).lower(): host for host, one in data.items() for t in one.get("target_targets") or []
    }
    return {**wanted, **{target["name"].lower(): host for host, target in _targets(answers)}}


def _faults(storages: Sequence[Storage], computes: Sequence[Compute]) -> list[Fault]:
    faults: list[Fault] = []
    for host in storages:
        if host.looked:
            faults += silence(host.host, host.answers, ["targets"], dependents(host, computes))
        faults += storage.faults_of(host)
    downs: list[Down] = []
    users: dict[str, set[str]] = defaultdict(set)
    for one in computes:
        faults += silence(one.host, one.answers, [part for part in OF_COMPUTE if part in one.answers])
        luns = luns_of(one)
        for session in one.sessions:
            users[session["portal"]].add(one.host)
        if one.initiator:
            downs += downs_of(one)
            faults += [
                *network_faults(one),
                *lun_faults(one, luns),
                *disk_faults(one, luns),
                *setting_faults(one, luns),
            ]
    silent = {fault.host for fault in faults if fault.rank == Rank.SILENT}
    for down in downs:
        users[down.portal].add(down.host)
    servers = computes[0].storage if computes else {}
    return [*faults, *path_faults(downs, users, servers, silent), *_twins(computes)]


def _twins(computes: Sequence[Compute]) -> list[Fault]:
    """Hosts that log in with one name: storage hosts take them for one."""
    names: dict[str, set[str]] = defaultdict(set)
    for one in computes:
        told = [one.initiator["name"]] if one.initiator else []
        for name in [*told, *(session.get("initiator") for session in one.sessions)]:
            if name:
                names[str(name).lower()].add(one.host)
    todo = "Give each its own (lunworks.iscsi.rename_initiator)."
    return [
        Fault(
            Rank.STORAGE,
            "",
            f"The initiator name '{name}' is that of {listed(sorted(hosts))}: storage hosts cannot tell them apart.",
            todo,
        )
        for name, hosts in sorted(names.items())
        if len(hosts) > 1
    ]
