# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of the data in their own types: a template or a quoted word gives text, which modules read by their options."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._arguments import truth
from ..module_utils._host import Problem
from ..module_utils._san.options import IGROUP, LISTED_LUN, TARGET

Data = Mapping[str, Any]
BOOLEANS = ("enabled", "read_only", "shared", "write_back")
SPEC: dict[str, Any] = {
    **TARGET,
    "luns": {
        "type": "list",
        "elements": "dict",
        "options": {**LISTED_LUN, "wwid": {"type": "str"}},
    },
    "igroups": {"type": "list", "elements": "dict", "options": IGROUP},
}


def truths(target: Data) -> dict[str, Any]:
    """A target whose booleans are booleans: "false" is false, and what is neither is refused. Other things stay as they are."""
    found: dict[str, Any] = _entry("target", target)
    for key, what in (("luns", "LUN"), ("igroups", "igroup")):
        found.update({key: [_entry(what, one) for one in found[key]]} if _is_list(found.get(key)) else {})
    for group in found.get("igroups") or ():
        if isinstance(group, dict) and _is_list(group.get("luns")):
            where = f"igroup '{group.get('name')}', LUN"
            group["luns"] = [_entry(where, one) for one in group["luns"]]
    return found


def typed(target: Data) -> dict[str, Any]:
    """A target in the types of the modules' options, as a module would take it."""
    if not isinstance(target, Mapping):
        raise Problem(f"target_targets has {target!r}, and each target is a dictionary with a name.")
    if not target.get("name"):
        raise Problem("A target of target_targets has no name. Give it the name of the array's target.")
    result = ArgumentSpecValidator(SPEC).validate(truths(target))
    if result.error_messages:
        raise Problem(f"target '{target['name']}': {' '.join(result.error_messages)}")
    return dict(result.validated_parameters)


def shared_luns(asked: Data) -> set[str]:
    """The LUNs that are said to be shared, by themselves or where an igroup lists them, of a target as asked_target gives it."""
    listed = [entry for group in asked["igroups"] for entry in group["luns"]]
    return {one["name"] for one in (*asked["luns"], *listed) if one["shared"]}


def _entry(what: str, given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    return {
        key: truth(f"{what} '{given.get('name')}': {key}", value) if key in BOOLEANS else value
        for key, value in given.items()
    }


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
