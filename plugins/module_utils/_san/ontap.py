# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SVM of a NetApp ONTAP system, which the role ontap sets up from the controller: what of a request it can enforce."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping

from .._arguments import PORT
from .array import array, check_parts
from .options import asked_portals
from .provider import Ability

NAME = "ontap"
# A volume has letters, digits and '_' (volume create); a LUN is in it or in a qtree of it.
PATH = re.compile(r"/vol/[A-Za-z_][A-Za-z0-9_]{0,202}(?:/[^/\s]{1,64})?/[^/\s]{1,255}")
TARGET = {"name", "portals", "alias", "enabled", "luns", "igroups", "state"}
LUN = {"name", "path", "size", "allocation", "number", "wwid", "shared", "read_only", "state"}
IGROUP = {"name", "initiators", "luns", "chap", "state"}
MAP = {"name", "number", "read_only", "shared", "state"}
Data = Mapping[str, Any]


def check(target: Data) -> None:
    """Raise a Problem for what an SVM cannot have, found in the data alone."""
    check_parts(target, _of_target, _of_lun, _of_group)


def _of_target(target: Data) -> Iterator[str]:
    yield from _unknown(target, TARGET)
    if target.get("state") == "absent":
        yield "an SVM has one target, which stays. Remove its igroups and LUNs, or set enabled to false."
    if not isinstance(target.get("enabled"), (bool, type(None))):
        yield f"enabled is true or false, not '{target['enabled']}'."
    for where, _iser in asked_portals(target.get("portals")):
        if where.port != PORT or where.address in ("0.0.0.0", "::"):
            yield f"its portals are the addresses of the LIFs of the SVM, at port {PORT}; '{where}' is none."


def _of_lun(lun: Data) -> Iterator[str]:
    yield from _unknown(lun, LUN)
    path = lun.get("path")
    if path is not None and not PATH.fullmatch(str(path)):
        yield f"its path must be /vol/VOLUME/LUN or /vol/VOLUME/QTREE/LUN, not '{path}'."
    if lun.get("allocation") not in (None, "sparse", "full"):
        yield f"allocation is sparse (thin) or full (with a space reservation), not '{lun['allocation']}'."
    if lun.get("read_only"):
        yield "ONTAP maps a LUN for reading and writing (lun mapping create). Leave read_only out."


def _of_group(group: Data) -> Iterator[str]:
    yield from _unknown(group, IGROUP)
    for entry in group.get("luns") or []:
        if not isinstance(entry, str):
            yield from _unknown(entry, MAP)


def _unknown(given: Data, known: set[str]) -> Iterator[str]:
    for key in sorted(set(given) - known):
        if given[key] not in (None, [], {}):
            yield f"'{key}' cannot be set on ONTAP from here; it takes {', '.join(sorted(known))}. Leave it out."


def wwid_of_ontap(serial: str) -> str:
    """The WWID of the LUN with this serial of 12 characters (na_ontap_lun_map: lun_naa_id); '3' says that it is an NAA."""
    return "3600a0980" + serial.encode().hex()


ONTAP = array(
    NAME,
    "An SVM of ONTAP",
    check,
    lacks={
        Ability.READ_ONLY_BY_INITIATOR: "a map gives reading and writing (lun mapping create)",
        Ability.STABLE_IDENTITY: "it gives a LUN its serial itself (REST: storage/luns, serial_number is read-only)",
        Ability.ISER: "its LIFs of the protocol iscsi speak TCP (REST: network/ip/interfaces)",
        Ability.ALLOW_BY_ADDRESS: "an igroup consists of names (lun igroup create)",
    },
)
