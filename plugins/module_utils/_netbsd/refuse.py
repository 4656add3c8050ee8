# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetBSD's target cannot enforce, and what would end sessions or damage data."""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping

from .._arguments import PORT
from .._host import Problem
from .._step import Step
from . import conf
from .state import RC, TARGETS, Serving
from .steps import Stop

LIO = "'provider: lio' can."


def check_request(asked: Mapping[str, Any]) -> None:
    """Raise a Problem for what it has no means for, whatever is on the host."""
    here = f"Target '{asked['name']}'"
    for group in asked["igroups"]:
        if group["state"] == "present":
            raise Problem(
                f"{here}, igroup '{group['name']}': NetBSD's target lets in every initiator that reaches it. Its netmask hides "
                "targets from discovery only, and CHAP is checked only where an initiator offers it. Keep others out with a "
                f"packet filter, or use other storage software: {LIO}"
            )
    for portal in asked["portals"] or ():
        if portal.port != PORT or portal.address not in ("::", "0.0.0.0"):
            raise Problem(
                f"{here}: NetBSD's target listens on all addresses, with one port for all targets. Declare [::] alone; {portal} "
                f"cannot be chosen. {LIO}"
            )
    unset = {
        "way to disable a target": asked["enabled"] is False,
        "alias": bool(asked["parameters"].get("TargetAlias")),
        "attributes": bool(asked["attributes"]),
        "parameters": bool(set(asked["parameters"]) - {"TargetAlias"}),
    }
    for what, there in unset.items():
        if there:
            raise Problem(f"{here}: NetBSD's target has no {what}. {LIO}")
    for lun in asked["luns"]:
        if lun["state"] == "present":
            _check_lun(f"LUN '{lun['name']}' of '{asked['name']}'", lun)


def _check_lun(here: str, lun: Mapping[str, Any]) -> None:
    if lun["number"] not in (None, 0):
        raise Problem(f"{here}: NetBSD's target has the LUN number 0 and no other. {LIO}")
    if lun["block_size"] not in (None, 512):
        raise Problem(f"{here}: NetBSD's target has one block size for all targets (-b). {LIO}")
    if lun["write_back"]:
        raise Problem(f"{here}: NetBSD's target has no write_back. {LIO}")
    if lun["attributes"]:
        raise Problem(f"{here}: NetBSD's target has no attributes of LUNs. {LIO}")
    path = lun["path"]
    if path and (path.startswith("/dev/") or re.search(r"\s", path) or len(path.encode()) > 200):
        raise Problem(
            f"{here}: '{path}' cannot be served here. NetBSD's target does not see the size of a device, and has no room "
            "for longer paths or white space: use a file with a path of at most 200 bytes without white space."
        )


def refuse_serving(
    seen: Serving, want: Serving, asked: Iterable[Mapping[str, Any]], steps: Iterable[Step], force: bool
) -> None:
    """Raise where what is wanted would damage data, or end sessions."""
    if seen.text != want.text:
        conf.check_text(TARGETS, seen.text)
        _check_twice(seen, want)
    striped = set(conf.several_striped(want.text))
    targets = conf.targets_of(want.text)
    for one in asked:
        found = targets.get(one["name"])
        bad = striped & set(conf.below(want.text, found.storage)) if found else set()
        if found and bad:
            raise Problem(
                f"The target '{found.name}' is on '{sorted(bad)[0]}', a RAID0 of several members: NetBSD's target writes what is "
                "behind the first member to the first one, and destroys data. Move the data away, and use one extent."
            )
        for lun in one["luns"]:
            if lun["path"] and not seen.kinds.get(lun["path"], True):
                raise Problem(f"LUN '{lun['name']}': '{lun['path']}' is not a file.")
    if any(isinstance(step, Stop) for step in steps) and not force:
        raise Problem(
            f"Refused: the iSCSI target runs, and reads '{TARGETS}' only when it starts ('{RC} restart'; SIGHUP ends it). That "
            "ends all sessions of all targets, and who is logged in cannot be seen here. Log out everywhere, and set force for "
            "this one task."
        )


def _check_twice(seen: Serving, want: Serving) -> None:
    """One file behind two extents, whatever its names: two disks that overwrite each other."""
    before = conf.labels_of(seen.text, "extent")
    after = conf.labels_of(want.text, "extent")
    for label, entry in after.items():
        if label in before and before[label].fields[1] == entry.fields[1]:
            continue
        for other, one in after.items():
            if other != label and seen.behind(one.fields[1]) == seen.behind(entry.fields[1]):
                named = "" if one.fields[1] == entry.fields[1] else f" There it is called '{one.fields[1]}'."
                raise Problem(
                    f"'{entry.fields[1]}' would be behind two extents: '{other}' and '{label}'.{named} Serve the target that has "
                    "it, or use another file."
                )
