# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection itself reads in a text, by the word that the schema has for it (tools/schema)."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleError

from ...filter.to_initiator_name import to_initiator_name
from ...module_utils._arguments import NIC, iscsi_name, portal, size, target_name
from ...module_utils._fs.mounts import checked
from ...module_utils._host import Problem
from ...module_utils._lvm.names import extent_size, group_name, volume_size
from ...module_utils._san.wwid import wwid

SMALLEST = 1 << 20  # bytes of a size without a unit: below it, the unit was forgotten


def _with_unit(text: Any) -> None:
    given = str(text).strip()
    if given.isdigit() and 0 < int(given) < SMALLEST:
        raise Problem(
            f"'{given}' has no unit and would be {given} bytes. Write it with its unit, like {given}g."
        )


def _size(text: Any) -> None:
    size(text)
    _with_unit(text)


def _volume_size(text: Any) -> None:
    volume_size(text)
    _with_unit(text)


def _nic(text: Any) -> None:
    if not NIC.fullmatch(str(text)):
        raise Problem(f"'{text}' is not the name of a network interface, like eth1")


def _naming_authority(text: Any) -> None:
    if text:
        to_initiator_name("host", text)


FORMATS: dict[str, Callable[[Any], Any]] = {
    "extent-size": extent_size,
    "initiator-name": lambda text: iscsi_name(str(text)),
    "mount-point": lambda text: checked(
        dict.fromkeys(("device", "filesystem", "options")) | {"path": text, "state": "absent"}
    ),
    "naming-authority": _naming_authority,
    "nic": _nic,
    "portal": portal,
    "portal-or-host": lambda text: portal(text, names=True),
    "size": _size,
    "target-name": target_name,
    "volume-group": lambda text: group_name(str(text)),
    "volume-size": _volume_size,
    "wwid": lambda text: wwid(str(text)),
}


def refusal(form: str, text: Any) -> str:
    """Why a text is not what it must be; '' if it is, or if this collection knows no such word."""
    try:
        FORMATS.get(form, str)(text)
    except (Problem, AnsibleError) as problem:
        return str(problem)
    return ""
