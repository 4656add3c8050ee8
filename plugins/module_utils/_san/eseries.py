# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetApp E-Series arrays, which the role eseries sets up from the controller: what of a request such an array can enforce."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping

from .._arguments import size
from .array import array, check_parts
from .provider import Ability

NAME = "eseries"
# SANtricity System Manager: at most 30 characters, and of special ones '_', '-' and '#'.
LABEL = re.compile(r"[A-Za-z0-9_#-]{1,30}")
SEGMENT = 128 << 10  # na_santricity_volume: segment_size_kb, to whose multiples it cuts a size
ACCESS_LUN = 31  # under which the array's own "Universal Xport" is seen, where in-band management is on
SECRET = re.compile(r"[ -~]{12,57}")  # na_santricity_iscsi_target: chap_secret
Data = Mapping[str, Any]


def check(target: Data) -> None:
    """Raise a Problem for what such an array cannot have, found in the data alone."""
    check_parts(target, _of_target, _of_lun, _of_group)


def place(lun: Data) -> tuple[str, str]:
    """The storage pool of a LUN, '' where the data does not say it, and the name of its volume."""
    parts = [part for part in str(lun.get("path") or "").split("/") if part]
    return (parts[0], parts[-1]) if parts else ("", str(lun["name"]))


def _of_target(target: Data) -> Iterator[str]:
    if target.get("state") == "absent":
        yield "an E-Series array has one target of its own, which stays. Remove its igroups and LUNs."
    if target.get("enabled") not in (None, True):
        yield "the target of an E-Series array cannot be disabled. Leave enabled out."
    for key in ("alias", "attributes", "parameters"):
        if target.get(key):
            yield f"{key} cannot be set on an E-Series array from here. Leave it out."


def _of_lun(lun: Data) -> Iterator[str]:
    path = lun.get("path")
    if path and not re.fullmatch(rf"/{LABEL.pattern}/{LABEL.pattern}", str(path)):
        yield f"its path must be /STORAGE_POOL/VOLUME, two names of at most 30 letters, digits, '_', '-' and '#', not '{path}'."
    if not path and not LABEL.fullmatch(str(lun["name"])):
        yield "a volume has a name of at most 30 letters, digits, '_', '-' and '#'. Give its path, /STORAGE_POOL/VOLUME."
    if lun.get("block_size") not in (None, 512, "512"):
        yield "the block size of a volume is that of its drives. Leave block_size out."
    for key in ("write_back", "attributes"):
        if lun.get(key) not in (None, {}):
            yield f"{key} cannot be set on an E-Series array from here. Leave it out."
    if lun.get("read_only"):
        yield "an E-Series array has no read-only maps. Leave read_only out."
    if lun.get("size") is not None and size(lun["size"]) % SEGMENT:
        yield f"its size must be a multiple of 128 KiB, which {lun['size']} is not: volumes consist of segments."
    yield from _of_number(lun)


def _of_group(group: Data) -> Iterator[str]:
    if not LABEL.fullmatch(str(group["name"])):
        yield "the host on the array gets this name, so it must have at most 30 letters, digits, '_', '-' and '#'."
    for entry in group.get("luns") or []:
        yield from _of_number(entry if isinstance(entry, Mapping) else {})
    proof = group.get("chap") or {}
    if proof.get("mutual_user"):
        yield "mutual CHAP cannot be set on an E-Series array from here. Leave mutual_user and mutual_secret out."
    if proof.get("secret") and not SECRET.fullmatch(str(proof["secret"])):
        yield "the CHAP secret of an E-Series array must have 12 to 57 printable ASCII characters."


def _of_number(entry: Data) -> Iterator[str]:
    if str(entry.get("number")) == str(ACCESS_LUN):
        yield f"LUN {ACCESS_LUN} is kept for the array's own access volume. Choose another number."


ESERIES = array(
    NAME,
    "An E-Series array",
    check,
    lacks={
        Ability.READ_ONLY_BY_INITIATOR: "a map gives reading and writing (na_santricity_lun_mapping has no such option)",
        Ability.CHAP_BY_INITIATOR: "its target has one CHAP secret for all (na_santricity_iscsi_target)",
        Ability.STABLE_IDENTITY: "it chooses the WWID of a volume itself",
        Ability.ISER: "which protocol a host port speaks is a matter of the array's hardware; declare its portal without iser",
        Ability.ALLOW_BY_ADDRESS: "its hosts are known by the names of their initiators",
    },
)
