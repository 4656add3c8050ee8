# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml does on a host although the data is what stands, and why."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from .volumes import disks_of

Data = Mapping[str, Any]
LOGIN_UNIT = (
    "the unit that logs in at boot must be enabled, and must not hold up the boot for a portal that is away"
)
SETTINGS = "initiator_settings is written, and the role looks after the file then"
TARGETS = "what runs must also be what is saved, and the restore at boot must wait for the disks behind LUNs"


def changes_of(host: str, part: Data) -> Iterator[str]:
    """One sentence for each step, with its reason."""
    server, compute = part.get("storage") or {}, part.get("compute") or {}
    for own in (server, compute):
        for name in own.get("missing", []):
            yield f"'{host}': install the package '{name}', which the roles need."
    if server.get("steps"):
        yield from (f"'{host}': {step}: {TARGETS}." for step in server["steps"])
    if server.get("unit") and not server["unit"].get("enabled"):
        yield f"'{host}': enable the unit that serves again at boot."
    if compute.get("initiator_info"):
        yield from (f"'{host}': {step}: {SETTINGS}." for step in compute.get("settings_steps") or [])
        yield from (f"'{host}': {step}: {LOGIN_UNIT}." for step in compute.get("login_unit") or [])
        yield from _multipath(host, compute)


def _multipath(host: str, part: Data) -> Iterator[str]:
    answer = part.get("multipath_info")
    if not answer:
        yield f"'{host}': configure multipath, which is not there: the data leaves it to the defaults of the role."
        return
    if not answer["running"]:
        yield f"'{host}': start multipathd: maps must be made and watched."
    if not part.get("multipath_enabled", True):
        yield f"'{host}': enable multipathd at boot: LUNs must come back as maps."
    for disk in disks_of(part["initiator_info"]).values():
        if disk.map and disk.wwid not in answer["listed_wwids"]:
            yield (
                f"'{host}': put '{disk.wwid}' on multipath's list of WWIDs, if a volume group or a file system is written for "
                "it: its first path must not be taken without the map."
            )
