# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The iSCSI Enterprise Target (IET) as a provider of targets."""

from __future__ import annotations

from .._san.provider import Ability, Provider
from .._san.wwid import wwid_of_iet
from .info import tell_luns, tell_targets
from .resource import Targets

IET = Provider(
    name="iet",
    converged=Targets,
    targets=tell_targets,
    luns=tell_luns,
    wwid=wwid_of_iet,
    lacks={
        Ability.NUMBER_BY_INITIATOR: "a LUN has one number in its target (ietd.conf(5), Lun)",
        Ability.READ_ONLY_BY_INITIATOR: "IOMode=ro holds for all initiators (ietd.conf(5)), so set read_only of the LUN itself",
        Ability.CHAP_BY_INITIATOR: "its accounts are those of the whole target (ietd.conf(5), IncomingUser)",
        Ability.ALLOW_BY_ADDRESS: "igroups name initiators; addresses that others wrote to initiators.allow stay",
        Ability.ALUA: "it reports no target port groups (kernel/target_disk.c, build_inquiry_response)",
        Ability.ISER: "it listens with TCP alone (usr/ietd.c, create_listen_socket)",
        Ability.ONLINE_GROWTH: "it reads the size of a LUN when the LUN is made (kernel/file-io.c, fileio_attach)",
    },
)
