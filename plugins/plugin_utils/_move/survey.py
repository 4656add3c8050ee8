# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the info modules answered to a survey."""

from __future__ import annotations

from typing import Any, Mapping

from ...module_utils._block.pv_label import Label
from .model import Computer, Group, Lun, Mount, Storage, Survey, Target, Volume

Answer = Mapping[str, Any]


def survey_of(asked: Answer) -> Survey:
    """The survey of a run: 'source', 'destination', 'source_is_dead', 'answers' by host, and the names of 'storage'.

    An answer has the results of the info modules by name, registered under ignore_unreachable.
    """
    answers = asked["answers"]
    return Survey(
        source=asked["source"],
        destination=asked["destination"],
        hosts={
            name: computer(answers.get(name, {}))
            for name in dict.fromkeys((asked["source"], asked["destination"]))
        },
        storages={name: storage(answers.get(name, {}).get("luns")) for name in asked["storage"]},
        dead=bool(asked.get("source_is_dead")),
        igroups=dict(asked.get("igroups") or {}),
        run=asked.get("run") or ("", ""),
        backup_room=asked.get("backup_room"),
    )


def computer(answer: Answer) -> Computer | None:
    """A compute host from initiator_info, volume_use_info and volume_group_info; None when one did not answer."""
    if not all(_answered(answer.get(name)) for name in ("initiator", "use", "groups")):
        return None
    initiator, use, groups = answer["initiator"], answer["use"], answer["groups"]
    return Computer(
        initiator=initiator["name"] or "",
        groups=tuple(_group(one, use["mounts"]) for one in groups["groups"]),
        mounts=tuple((one["group"], _mount(one)) for one in use["mounts"]),
        disks={
            wwid_of(disk["wwid"]): disk["device"]
            for session in initiator["sessions"]
            for disk in session["disks"]
        },
        records=_portals(initiator["records"]),
        sessions=_portals(initiator["sessions"]),
        declared=frozenset(answer.get("declared") or ()),
        active={group: frozenset(volumes) for group, volumes in use["active"].items()},
        system_id=groups["system_id"] or "",
        drivers=None if use.get("kernel_modules") is None else frozenset(use["kernel_modules"]),
        tools=frozenset(use.get("tools") or ()),
        kinds=frozenset(groups["segment_types"]) if groups.get("segment_types") else None,
        room=use.get("lvm_backup_free"),
        version=tuple(int(part) for part in (groups.get("version") or "").split(".") if part),
    )


def _answered(result: Answer | None) -> bool:
    return bool(result) and not result.get("unreachable") and not result.get("failed")  # type: ignore[union-attr]


def wwid_of(told: str) -> str:
    """The kernel's 'naa.6001405...' as multipath writes it: '3' and the digits (scsi_id(8))."""
    kind, _dot, digits = told.partition(".")
    return {"naa": "3", "eui": "2"}.get(kind, "") + (digits or kind)


def _portals(entries: list[Answer]) -> dict[str, frozenset[str]]:
    """By target, whose name hosts spell as it is offered, and storage hosts maybe otherwise."""
    found: dict[str, frozenset[str]] = {}
    for entry in entries:
        target = entry["target"].lower()
        found[target] = found.get(target, frozenset()) | {entry["portal"]}
    return found


def _mount(one: Answer) -> Mount:
    return Mount(
        volume=one["volume"],
        path=one["path"],
        filesystem=one["filesystem"],
        options=one["options"],
        line=one["in_fstab"],
        mounted=one["mounted"],
        root=one["root"],
    )


def _group(one: Answer, mounts: list[Answer]) -> Group:
    known = {mount["path"] for mount in mounts if mount["group"] == one["name"]}
    return Group(
        name=one["name"],
        uuid=one["uuid"],
        pvs={
            pv["uuid"]: pv["wwid"] or "" for pv in one["physical_volumes"] if pv["uuid"] not in one["missing"]
        },
        volumes=tuple(
            Volume(
                name=volume["name"],
                active=volume["active"],
                kind=volume["layout"],
                health=volume.get("health") or "",
                users=tuple(user for user in volume["users"] if not _is_ours(user, one["name"], known)),
            )
            for volume in one["logical_volumes"]
        ),
        exported=one["exported"],
        foreign=one["system_id"] or "" if one["state"] == "foreign" else "",
        missing=len(one["missing"]),
        copies=tuple(one.get("copies") or ()),
    )


def _is_ours(user: str, group: str, mounts: set[str]) -> bool:
    """Mounts that the move takes away itself, and other volumes of the group."""
    inner = f"holds the active logical volume '{group}/" in user
    return inner or any(user.endswith(f" is mounted on '{path}'") for path in mounts)


def storage(answer: Answer | None) -> Storage | None:
    """A storage host from lun_info; None when it did not answer."""
    if not answer or not _answered(answer):
        return None
    return Storage(
        targets={one["name"].lower(): _target(one) for one in answer["targets"]},
        luns=tuple(_lun(one) for one in answer["luns"]),
        labels={one["path"]: _label(one["label"]) for one in answer["luns"] if one["label"]},
        provider=answer.get("provider") or "lio",
    )


def _target(one: Answer) -> Target:
    return Target(
        name=one["name"].lower(),
        portals=frozenset(one["portals"]),
        igroups={group["name"]: tuple(group["initiators"]) for group in one["igroups"]},
        chap=frozenset(group["name"] for group in one["igroups"] if group["chap"]),
        enabled=one["enabled"],
    )


def _lun(one: Answer) -> Lun:
    return Lun(
        target=one["target"].lower(),
        name=one["name"],
        wwid=one["wwid"],
        path=one["path"],
        running=frozenset(one["initiators"]),
        saved=frozenset(one["saved_initiators"]),
        read_only=frozenset(one["read_only_initiators"]),
        saved_read_only=frozenset(one["saved_read_only_initiators"]),
        unreadable=one.get("unreadable_reason") or "",
    )


def _label(one: Answer) -> Label:
    return Label(
        pv=one["pv"],
        group=one["group"],
        uuid=one["uuid"],
        seqno=one["seqno"],
        exported=one["exported"],
        system_id=one["system_id"],
        status=tuple(one["status"]),
        tags=tuple(one["tags"]),
        pvs=tuple((uuid, device) for uuid, device in one["pvs"]),
        volumes=tuple(one["volumes"]),
        segment_types=tuple(one.get("segment_types") or ()),
        metadata=one["metadata"],
    )
