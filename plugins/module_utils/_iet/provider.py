# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The iSCSI Enterprise Target (IET) as a provider of targets."""

from __future__ import annotations

from .._san.provider import Ability, Provider
from .info import tell_luns, tell_targets
from .request import wwid_of
from .resource import Targets

IET = Provider(
    name="iet",
    converged=Targets,
    targets=tell_targets,
    luns=tell_luns,
    wwid=wwid_of,
    lacks={
        Ability.NUMBER_BY_INITIATOR: "a LUN has one number in its target (ietd.conf(5), Lun); 'provider: lio' maps numbers by "
        "initiator",
        Ability.READ_ONLY_BY_INITIATOR: "IOMode=ro holds for all initiators (ietd.conf(5)), so set read_only of the LUN itself; "
        "'provider: lio' has it by initiator",
        Ability.CHAP_BY_INITIATOR: "its accounts are those of the whole target (ietd.conf(5), IncomingUser); 'provider: lio' has "
        "them by initiator",
        Ability.ALLOW_BY_ADDRESS: "igroups name initiators; addresses that others wrote to initiators.allow stay",
        Ability.ONLINE_GROWTH: "it reads the size of a LUN when the LUN is made (kernel/file-io.c, fileio_attach); "
        "'provider: lio' grows LUNs online",
    },
)
