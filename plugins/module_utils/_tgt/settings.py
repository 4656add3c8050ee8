# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that tgt has: negotiated parameters, with the values that tgtd takes (usr/iscsi/param.c), and nops."""

from __future__ import annotations

from typing import Any

from .._host import Problem
from .._san.values import Values, check_values
from .identity import LONGEST_SERIAL

NOP = ("nop_count", "nop_interval")
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
    # How often a silent initiator is asked whether it is there, in seconds, and how many answers may be missing before its
    # connection is closed; 0 is never (tgtadm(8), nop_interval).
    **dict.fromkeys(NOP, range(3601)),
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
        _check_lun(asked["name"], lun)
        for key in lun["attributes"]:
            raise Problem(
                f"LUN '{lun['name']}': tgt has no attribute '{key}'; attributes are LIO's. Leave it out."
            )
    check_values("tgt", where, "parameter", asked["parameters"], PARAMETERS)


def _check_lun(target: str, lun: dict[str, Any]) -> None:
    if lun["state"] == "present" and lun["number"] == 0:
        raise Problem(
            f"The LUN '{lun['name']}' of '{target}' cannot be number 0: that is tgt's own controller in every target. Numbers "
            "begin with 1."
        )
    if lun["serial"] and len(lun["serial"]) > LONGEST_SERIAL:
        raise Problem(
            f"The serial of the LUN '{lun['name']}' has {len(lun['serial'])} characters; tgt keeps {LONGEST_SERIAL}."
        )
