# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of targets and LUNs that may be asked for, and what the kernel takes.

Which settings there are is asked of the kernel where it can be (each version has others); the tables say only what values it
takes, as tried out on Linux 6.1 and 7.2 (drivers/target/iscsi/iscsi_target_configfs.c, target_core_configfs.c,
target_core_device.c).
"""

from __future__ import annotations

from typing import Any, Collection, Mapping

from .._host import Problem
from .._san.backing import Backing
from .._san.target import Lun, Target
from .._san.values import Values, check_values
from .saveconfig import DERIVED

BIT, YES, DIGEST = "[01]", "Yes|No", "(None|CRC32C)(,(None|CRC32C))?"
LENGTH, SECONDS, COUNT = range(512, 1 << 24), range(3601), range(1 << 32)
TARGET_ATTRIBUTES: dict[str, Values] = {
    "default_cmdsn_depth": range(1, 513),
    "default_erl": "[012]",
    "demo_mode_discovery": BIT,
    "fabric_prot_type": "[013]",
    "login_keys_workaround": BIT,
    "login_timeout": range(5, 31),
    "netif_timeout": range(2, 16),
    "t10_pi": BIT,
    "tpg_enabled_sendtargets": BIT,
}
TARGET_PARAMETERS: dict[str, Values] = {
    "DataDigest": DIGEST,
    "DataPDUInOrder": YES,
    "DataSequenceInOrder": YES,
    "DefaultTime2Retain": SECONDS,
    "DefaultTime2Wait": SECONDS,
    "ErrorRecoveryLevel": "[012]",
    "FirstBurstLength": LENGTH,
    "HeaderDigest": DIGEST,
    "ImmediateData": YES,
    "InitialR2T": YES,
    "MaxBurstLength": LENGTH,
    "MaxConnections": range(1, 1 << 16),
    "MaxOutstandingR2T": range(1, 1 << 16),
    "MaxRecvDataSegmentLength": LENGTH,
    "MaxXmitDataSegmentLength": LENGTH,
    "TargetAlias": ".*",
}
LUN_ATTRIBUTES: dict[str, Values] = {
    **dict.fromkeys(("emulate_3pc", "emulate_caw", "emulate_fua_write", "emulate_pr", "emulate_rsoc"), BIT),
    **dict.fromkeys(("emulate_tas", "emulate_tpu", "emulate_tpws"), BIT),
    **dict.fromkeys(("enforce_pr_isids", "force_pr_aptpl", "is_nonrot"), BIT),
    **dict.fromkeys(("max_unmap_block_desc_count", "max_unmap_lba_count", "max_write_same_len"), COUNT),
    **dict.fromkeys(("unmap_granularity", "unmap_granularity_alignment"), COUNT),
    **dict.fromkeys(("optimal_sectors", "queue_depth"), range(1, 1 << 32)),
    # The kernel has but one answer to these, and takes or refuses another one without it becoming true.
    **dict.fromkeys(("emulate_dpo", "emulate_fua_read"), "1"),
    "emulate_rest_reord": "0",
    "emulate_ua_intlck_ctrl": "[012]",
}
# What a LUN cannot ask for beyond: the attribute that says how much there is.
HARDWARE = {"queue_depth": "hw_queue_depth", "optimal_sectors": "hw_max_sectors"}
FILE_DEPTH, FILE_BYTES = 128, 8 << 20  # of a file (Linux, target_core_file.h)
OWN = {"block_size", "emulate_write_cache"}  # options of their own


def check_settings(asked: dict[str, Any]) -> None:
    """Settings that are not ours to derive, and that have values the kernel takes."""
    for key in sorted({*asked["attributes"], *asked["parameters"]} & DERIVED):
        raise Problem(
            f"'{key}' of '{asked['name']}' is not set by hand: demo mode stays off, and authentication follows whether the "
            "igroups have CHAP."
        )
    for lun in asked["luns"]:
        for key in sorted(set(lun["attributes"]) & OWN):
            raise Problem(
                f"LUN '{lun['name']}': '{key}' is not an attribute here; use block_size or write_back."
            )
        check_values("LIO", f"LUN '{lun['name']}'", "attribute", lun["attributes"], LUN_ATTRIBUTES)
    check_values("LIO", f"Target '{asked['name']}'", "attribute", asked["attributes"], TARGET_ATTRIBUTES)
    check_values("LIO", f"Target '{asked['name']}'", "parameter", asked["parameters"], TARGET_PARAMETERS)


def check_known(asked: dict[str, Any], target: Target, known: Mapping[str, Collection[str]]) -> None:
    """What this very kernel does not have."""
    for kind, what in (("attrib", "attributes"), ("param", "parameters")):
        for key in sorted(set(asked[what]) - set(known.get(kind) or asked[what])):
            raise Problem(
                f"Target '{asked['name']}': the kernel of this host has no {what[:-1]} '{key}' (other versions do). Leave it "
                "out."
            )
    for lun in (one for one in asked["luns"] if one["state"] == "present"):
        found = target.lun(lun["name"], lun["number"])
        there = known.get(found.backstore.partition("/")[0]) if found else None
        for key in sorted(set(lun["attributes"]) - set(there or lun["attributes"])):
            raise Problem(
                f"LUN '{lun['name']}': the kernel of this host has no attribute '{key}' (other versions do). Leave it out."
            )


def check_limits(asked: Mapping[str, Any], lun: Lun, backing: Backing) -> None:
    """What the device or file behind a LUN cannot do, and the kernel would refuse."""
    file = lun.backstore.startswith("fileio/")
    for key, hardware in HARDWARE.items():
        most = lun.settings.get(f"attrib/{hardware}")
        if most is None and file:
            most = str(FILE_DEPTH if key == "queue_depth" else FILE_BYTES // lun.block_size)
        elif most is None and key in backing.limits:
            most = str(backing.limits[key])
        if key in asked["attributes"] and most and int(asked["attributes"][key]) > int(most):
            raise Problem(
                f"LUN '{lun.name}': {key} of {asked['attributes'][key]} is more than '{lun.path}' supports, {most}."
            )
    for key in ("emulate_tpu", "emulate_tpws"):
        if asked["attributes"].get(key) == "1" and backing.limits.get("discard") == 0:
            raise Problem(f"LUN '{lun.name}': '{lun.path}' cannot discard blocks, so {key} cannot be 1.")
    if asked["write_back"] and not file:
        raise Problem(
            f"LUN '{lun.name}': write_back is for files. A block device has its own cache, or none, and the kernel announces "
            "it to hosts. Leave it out."
        )
