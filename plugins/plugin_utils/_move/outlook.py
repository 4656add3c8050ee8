# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where groups stand when nobody has said from where or to where they shall move, and what speaks against each way."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ...module_utils._block.pv_label import Label
from .checks.group import refuse_group
from .checks.request import refuse_request
from .model import Refusal, Survey, moves_of
from .plan import plan
from .position import Standing, found_luns, moving_wwids, newest, nowhere, standing
from .status import not_by_itself, noted, side_of
from .survey import survey_of

DEAD = "-e move_volume_group_source_is_dead=true"


def outlook(asked: Mapping[str, Any]) -> dict[str, list[str]]:
    """Sentences about each group ('status'), and about those that nobody knows ('unknown')."""
    everything = survey_of({**asked, "source": "", "destination": ""})
    there = sorted({found.label.group for found in found_luns(everything) if found.label.group})
    silent = [name for name, storage in everything.storages.items() if storage is None]
    status = [
        f"The storage host '{name}' does not answer: what is on its LUNs is not known." for name in silent
    ]
    unknown = []
    for group in asked["groups"]:
        if group in there:
            status += _group(asked, everything, group)
        else:
            unknown.append(nowhere(everything, group))
    return {"status": status, "unknown": unknown}


def _group(asked: Mapping[str, Any], everything: Survey, group: str) -> Iterator[str]:
    try:
        label = newest(everything, group)
    except Refusal as refusal:
        yield f"'{group}': {refusal}"
        return
    source, destination = _way(asked, everything, label)
    others = [host for host in asked["hosts"] if host != source]
    surveys = [
        survey_of({**asked, "source": source, "destination": to})
        for to in ([destination] if destination else others)
    ]
    first = next(iter(surveys), survey_of({**asked, "source": source, "destination": ""}))
    yield from _stands(first, group, label, source)
    for survey in surveys:
        yield f"  to '{survey.destination}': {_against(survey, group) or 'nothing speaks against it'}"


def _way(asked: Mapping[str, Any], everything: Survey, label: Label) -> tuple[str, str]:
    """As it is asked for; else as a move has begun; else from the host that has its LUNs."""
    begun = sorted(moves_of(frozenset(label.tags)))
    if begun and not asked["source"] and not asked["destination"]:
        return begun[0]
    return asked["source"] or _owner(asked, everything, label), asked["destination"]


def _owner(asked: Mapping[str, Any], everything: Survey, label: Label) -> str:
    """The host whose initiator may write to its LUNs, now or after a boot of the storage host; '' for none."""
    writers = {
        name
        for found in found_luns(everything)
        if found.label.uuid == label.uuid
        for name in found.lun.initiators() - found.lun.read_only
    }
    for host in asked["hosts"]:
        answer = asked["answers"].get(host, {})
        names = {(answer.get("initiator") or {}).get("name"), answer.get("name")} - {None, ""}
        if {str(name).lower() for name in names} & writers:
            return str(host)
    return ""


def _stands(survey: Survey, group: str, label: Label, source: str) -> Iterator[str]:
    yield f"'{group}' ({label.uuid}) {f'is on {chr(39)}{source}{chr(39)}' if source else 'is mapped to no host of the inventory'}"
    try:
        one = standing(survey, group, moving_wwids(survey, [group]))
    except Refusal as refusal:
        yield f"  {refusal}"
        return
    yield f"  on the disks: {'exported' if one.exported else 'not exported'}{noted(one)}"
    if source:
        yield from (f"  {line}" for line in side_of(one.source, one))
    yield from (f"  {line}" for line in not_by_itself(one))
    if source and not one.source.answers:
        yield (
            f"  '{source}' does not answer. If it is certainly dead, a move takes {DEAD}: its access to the LUNs is taken away "
            "first, and what it had not written is lost"
        )


def _against(survey: Survey, group: str) -> str:
    """Why a group does not move to a host; '' where it would."""
    try:
        refuse_request(survey, [group])
        one: Standing = standing(survey, group, moving_wwids(survey, [group]))
        refuse_group(survey, one)
        plan([one])
    except Refusal as refusal:
        return str(refusal)
    return ""
