# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that tgt has: negotiated parameters alone, with the values that tgtd takes (usr/iscsi/param.c, session_keys)."""

from __future__ import annotations

from typing import Any

from .._host import Problem
from .._san.values import Values, check_values

YES, DIGEST = "Yes|No", "None|CRC32C"
LENGTH, SECONDS, COUNT = range(512, 1 << 24), range(3601), range(1, 1 << 16)
PARAMETERS: dict[str, Values] = {
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
    "MaxConnections": COUNT,
    "MaxOutstandingR2T": COUNT,
    "MaxRecvDataSegmentLength": LENGTH,
    "MaxXmitDataSegmentLength": LENGTH,
}


def check_settings(asked: dict[str, Any]) -> None:
    """Settings that tgt has, with values that it takes."""
    where = f"Target '{asked['name']}'"
    if "TargetAlias" in asked["parameters"]:
        raise Problem(f"{where}: tgt has no alias of a target. Leave it out.")
    for key in asked["attributes"]:
        raise Problem(
            f"{where}: tgt has no attribute '{key}' of a target; attributes are LIO's. Leave it out."
        )
    for lun in asked["luns"]:
        for key in lun["attributes"]:
            raise Problem(
                f"LUN '{lun['name']}': tgt has no attribute '{key}'; attributes are LIO's. Leave it out."
            )
    check_values("tgt", where, "parameter", asked["parameters"], PARAMETERS)
