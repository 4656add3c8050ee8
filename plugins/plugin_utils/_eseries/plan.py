# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done on an E-Series array so that it has what the data says: pure, from what the array has."""

from __future__ import annotations

from dataclasses import dataclass

from ...module_utils._chap import NO_CHAP
from .asked import Asked
from .hosts import plan_hosts
from .maps import plan_maps
from .model import Array
from .step import Plan
from .volumes import plan_volumes


@dataclass(frozen=True)
class Scope:
    """How far a plan may go: the options of the filter."""

    purge: bool = False
    force: bool = False
    delete: bool = False
    send_chap: bool = False
    only_chap: bool = False


def plan_array(array: Array, asked: Asked, scope: Scope) -> Plan:
    """The steps, or why nothing may be done."""
    plan = Plan()
    _target(plan, array, asked)
    if plan.faults:
        return plan
    if not scope.only_chap:
        plan_hosts(plan, array, asked, scope.purge, scope.force)
        plan_volumes(plan, array, asked, scope.delete)
        plan_maps(plan, array, asked, scope.purge, scope.force)
    _chap(plan, array, asked, scope)
    return plan


def _target(plan: Plan, array: Array, asked: Asked) -> None:
    if array.iqn.lower() != asked.target:
        plan.refuse(
            f"The target of the array is '{array.iqn}', not '{asked.target}'. It cannot be renamed; correct the data."
        )
    strange = sorted(str(one) for one in asked.portals - array.portals)
    if strange:
        known = ", ".join(f"'{one}'" for one in sorted(map(str, array.portals)))
        plan.refuse(
            f"The array does not serve at '{strange[0]}' (it does at {known}). Its portals are set up on the array "
            "(netapp_eseries.santricity.na_santricity_iscsi_interface)."
        )


def _chap(plan: Plan, array: Array, asked: Asked, scope: Scope) -> None:
    """One secret for all who log in. The array does not show it, so one that is required already is sent only when told to."""
    if asked.chap is None:
        return
    keep = {"alias": array.alias, "ping": array.ping, "unnamed_discovery": array.unnamed_discovery}
    if asked.chap == NO_CHAP:
        if array.chap:
            plan.add("chap", "Let initiators in without CHAP.", secret="", **keep)
        return
    if array.chap and not scope.send_chap:
        return
    others = [
        host.name
        for host in array.hosts
        if not asked.igroup(host.name) and any(port.kind == "iscsi" for port in host.ports)
    ]
    if others and not scope.force:
        plan.refuse(
            f"The CHAP secret is that of all initiators, and the array has the host '{others[0]}' too, which is no igroup of the "
            "data: it could not log in any more. When it knows the secret, run this once with -e target_force=true."
        )
        return
    say = (
        "Set the CHAP secret to that of the data."
        if array.chap
        else "Let initiators in with the CHAP secret of the data only."
    )
    plan.add("chap", say, secret=asked.chap.secret.reveal(), **keep)
