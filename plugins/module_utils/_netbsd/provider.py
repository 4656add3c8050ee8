# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetBSD's iSCSI target as a provider of targets."""

from __future__ import annotations

from .._host import Problem
from .._san.provider import Ability, Provider
from .info import tell_luns, tell_targets
from .resource import Targets


def wwid_of(serial: str) -> str:
    """There is none."""
    raise Problem(
        f"A LUN of NetBSD's target has no WWID, with the serial '{serial}' or another: its identifier changes at every start."
    )


NETBSD = Provider(
    name="netbsd",
    converged=Targets,
    targets=tell_targets,
    luns=tell_luns,
    wwid=wwid_of,
    lacks={
        Ability.SEVERAL_LUNS: "a target is one extent or device, LUN 0 (targets(5))",
        Ability.NUMBER_BY_INITIATOR: "a target is one extent or device, LUN 0 (targets(5))",
        Ability.READ_ONLY_BY_INITIATOR: "'ro' holds for a whole target (targets(5))",
        Ability.CHAP_BY_INITIATOR: "/etc/iscsi/auths is for all targets, and checked only where an initiator offers CHAP",
        Ability.ALLOW_BY_NAME: "it does not look at the initiator's name, and everybody can log in",
        Ability.ALLOW_BY_ADDRESS: "its netmask hides a target from discovery and stops no login; a packet filter can",
        Ability.STABLE_IDENTITY: "it makes a new device identifier at every start, so there is no multipath",
        Ability.LIVE_CHANGE: "it reads its files only when it starts, and SIGHUP ends it",
        Ability.ALUA: "it reports no target port groups (external/bsd/iscsi, disk.c)",
        Ability.ISER: "it listens with TCP alone (iscsi-target(8))",
        Ability.ONLINE_GROWTH: "it reads its files only when it starts",
    },
)
