# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt shows all LUNs of a target to all whom it lets in, and protects a LUN for all of them: requests in these terms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping

from .._host import Problem
from .._san.backing import Backing
from .._san.maps import check_shared
from .._san.target import Lun, LunMap, Target


def spelled(asked: dict[str, Any]) -> dict[str, Any]:
    """The request with the names of initiators as they were written: tgtd compares them byte by byte (usr/iscsi/target.c,
    ip_acl and iqn_acl)."""
    return {**asked, "igroups": [_spelled(group) for group in asked["igroups"]]}


def _spelled(group: dict[str, Any]) -> dict[str, Any]:
    names = {one.lower(): one for one in group["spelled"]}
    found = {**group, "name": names.get(group["name"], group["name"])}
    if group["initiators"] is not None:
        found["initiators"] = [names[one] for one in group["initiators"]]
    return found


def lay_read_only(target: Target, asked: Mapping[str, Any], backing: Mapping[str, Backing]) -> Target:
    """A LUN is read-only for all of its initiators, or for none."""
    wanted = {one["name"]: one["read_only"] for one in asked["luns"] if one["read_only"] is not None}
    luns = {
        number: replace(lun, read_only=wanted.get(lun.name, lun.read_only) or _only_read(lun, backing))
        for number, lun in target.luns.items()
    }
    initiators = {
        name: replace(
            one,
            luns={at: replace(entry, read_only=luns[entry.lun].read_only) for at, entry in one.luns.items()},
        )
        for name, one in target.initiators.items()
    }
    return replace(target, luns=luns, initiators=initiators)


def _only_read(lun: Lun, backing: Mapping[str, Backing]) -> bool:
    return lun.path in backing and backing[lun.path].read_only


def with_accounts(before: Target, laid: Target, asked: Mapping[str, Any]) -> Target:
    """The accounts are those of the target: who comes into it without a word about them has them, too."""
    chap = next((one.chap for one in before.initiators.values()), None)
    if any(group["chap"] for group in asked["igroups"]):
        return laid
    initiators = {
        name: one if name in before.initiators else replace(one, chap=chap)
        for name, one in laid.initiators.items()
    }
    return replace(laid, initiators=initiators)


def seen_by_all(before: Target | None, laid: Target, asked: Mapping[str, Any]) -> Target:
    """Every initiator has every LUN under its own number; who asks for less is refused."""
    for name, one in sorted(laid.initiators.items()):
        there = {entry.lun for entry in one.luns.values()}
        unseen = [lun.name for number, lun in sorted(laid.luns.items()) if number not in there]
        if unseen:
            raise Problem(
                f"The igroup '{one.igroup}' of '{laid.name}' would not have the LUN '{unseen[0]}', but '{name}' would see it: "
                "tgt shows every LUN of a target to each initiator that it lets in (usr/target.c, acl_get). List it in the luns "
                "of that igroup in the same call (lunworks.iscsi.targets), serve it in another target, or use 'provider: lio', "
                "which maps LUNs by initiator."
            )
    maps = {number: LunMap(number, number, lun.read_only) for number, lun in laid.luns.items()}
    found = replace(laid, initiators={name: replace(one, luns=maps) for name, one in laid.initiators.items()})
    check_shared(before or Target(laid.name), found, dict(asked))
    return found
