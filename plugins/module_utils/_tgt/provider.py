# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt (STGT) as a provider of targets."""

from __future__ import annotations

from .._san.provider import Ability, Provider
from .identity import wwid_of_tgt
from .info import tell_targets
from .lun_info import tell_luns
from .resource import Targets

TGT = Provider(
    name="tgt",
    converged=Targets,
    targets=tell_targets,
    luns=tell_luns,
    wwid=wwid_of_tgt,
    takes=("discovery_chap", "expected"),
    lacks={
        Ability.LUN_BY_INITIATOR: "whom a target lets in sees all its LUNs (tgt, usr/target.c, acl_get)",
        Ability.NUMBER_BY_INITIATOR: "all initiators of a target see a LUN under its own number (tgtadm(8), logicalunit)",
        Ability.READ_ONLY_BY_INITIATOR: "a LUN is read-only for all initiators of its target or for none (tgtadm(8), readonly); "
        "set read_only on the LUN itself",
        Ability.CHAP_BY_INITIATOR: "each user of a target may log in as each of its initiators (tgt, usr/target.c, "
        "account_lookup)",
        Ability.ALLOW_BY_ADDRESS: "it admits whom either a name or an address allows (tgt, usr/iscsi/iscsid.c, login_start), so "
        "an address would open the target to every name",
        Ability.ALUA: "it reports no target port groups (tgt, usr/spc.c, spc_inquiry)",
        Ability.ISER: "a target and all that it listens on belong to one driver (tgtadm(8), --lld)",
        Ability.ONLINE_GROWTH: "a LUN keeps the size that it was opened with (tgt, usr/target.c, tgt_device_path_update)",
    },
)
