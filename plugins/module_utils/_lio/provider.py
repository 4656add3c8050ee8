# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's target (LIO) as a provider of targets."""

from __future__ import annotations

from .._san.provider import Ability, Provider
from .._san.wwid import wwid_of_lio
from .info import tell_targets
from .lun_info import tell_luns
from .resource import Targets

LIO = Provider(
    name="lio",
    converged=Targets,
    targets=tell_targets,
    luns=tell_luns,
    wwid=wwid_of_lio,
    takes=("discovery_chap", "expected"),
    lacks={
        Ability.ALLOW_BY_ADDRESS: "its ACLs name initiators, not addresses (Linux, "
        "drivers/target/iscsi/iscsi_target_configfs.c, lio_target_init_nodeacl)",
    },
)
