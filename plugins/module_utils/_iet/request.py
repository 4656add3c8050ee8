# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a request IET cannot have, whatever is on the host."""

from __future__ import annotations

import re
from typing import Any, Mapping

from .._arguments import PORT
from .._chap import NO_CHAP, Chap
from .._host import Problem
from .._san.wwid import iet_serial
from .keys import ATTRIBUTES, SESSION_KEYS, check_values

SN_LENGTH = 32  # SCSI_SN_LEN (include/iet_u.h)
TYPES = "fileio|blockio"
LONGEST_SECRET = 254  # bytes that 'ietadm --op show' prints behind the user (usr/ietadm.c, show_account)
LUN_ATTRIBUTES = {"Type": TYPES, "ScsiId": r"[!-+\--~]{1,16}"}
OTHERS = "Use 'provider: lio', which has it, or leave it out."


def check_request(asked: dict[str, Any]) -> None:
    """Raise a Problem for what IET would drop, alter or not enforce."""
    here = f"Target '{asked['name']}'"
    if asked["enabled"] is False:
        raise Problem(f"{here}: IET serves every target that it has, so none can be disabled. {OTHERS}")
    if asked["parameters"].get("TargetAlias"):
        raise Problem(f"{here}: IET reads an alias and drops it. {OTHERS}")
    asked["parameters"].pop("TargetAlias", None)
    check_values(here, "attribute", asked["attributes"], ATTRIBUTES)
    check_values(here, "parameter", asked["parameters"], SESSION_KEYS)
    _check_portals(here, asked)
    for lun in asked["luns"]:
        _check_lun(f"LUN '{lun['name']}' of '{asked['name']}'", lun)
    for group in asked["igroups"]:
        _check_chap(f"igroup '{group['name']}' of '{asked['name']}'", group["chap"])


def spelling_of(given: Mapping[str, Any]) -> dict[str, str]:
    """How a request spells the initiators that it does not name in lower case."""
    groups = given.get("igroups") or []
    names = [str(name).strip() for group in groups for name in group.get("initiators") or []]
    return {name.lower(): name for name in names if name != name.lower()}


def _check_portals(here: str, asked: dict[str, Any]) -> None:
    for one in asked["portals"] or ():
        if one.port != PORT:
            raise Problem(
                f"{here}: ietd listens on one port for all targets, so a portal cannot have the port {one.port}; it must be "
                f"{PORT}. {OTHERS}"
            )
        if one.address == "0.0.0.0" or "%" in one.address:
            raise Problem(
                f"{here}: targets.allow has no item for {one}. Name addresses of this host, or [::] for all of them, IPv4 "
                "too."
            )
    if len(asked["portals"] or ()) > 1 and any(one.address == "::" for one in asked["portals"]):
        raise Problem(f"{here}: [::] stands for all addresses; name it alone, or name the others without it.")


def _check_lun(here: str, lun: dict[str, Any]) -> None:
    check_values(here, "attribute", lun["attributes"], LUN_ATTRIBUTES)
    if lun["path"] and re.search(r"\s", lun["path"]):
        raise Problem(
            f"{here}: ietd.conf cannot name a path with white space in it: '{lun['path']}'. Use a link to it."
        )
    if lun["serial"] and not 1 <= len(iet_serial(lun["serial"])) <= SN_LENGTH:
        raise Problem(
            f"{here}: IET takes a serial of at most {SN_LENGTH} letters and digits, not '{lun['serial']}'."
        )
    if lun["write_back"] and (lun.get("read_only") or lun["attributes"].get("Type") == "blockio"):
        raise Problem(
            f"{here}: write_back has no meaning for a LUN that is read-only or of the type blockio."
        )


def _check_chap(here: str, chap: Chap | None) -> None:
    if chap is None or chap == NO_CHAP:
        return
    for what, text in (("user", chap.user), ("mutual_user", chap.mutual_user)):
        if re.search(r"[\s,]", text):
            raise Problem(
                f"{here}: the CHAP {what} must not have white space or commas in it; IET would cut it there."
            )
    for what, secret in (("secret", chap.secret), ("mutual_secret", chap.mutual_secret)):
        text = secret.reveal()
        if re.search(r"[\s\0]", text) or len(text.encode(errors="surrogateescape")) > LONGEST_SECRET:
            raise Problem(
                f"{here}: the CHAP {what} must have at most {LONGEST_SECRET} bytes and no white space; IET would cut it."
            )
