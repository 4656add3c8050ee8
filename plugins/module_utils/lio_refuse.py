# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LIO would do without a word, and we do not: cut a session, serve a disk in use, lose a target at the next boot."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import PORT, Chap, Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils.backing import Backing, check_backing
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.identity import wwid_of_lio
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio import DERIVED, RESTORABLE, Serving
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_backstore import MakeBackstore, MakeFile
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_plan import same_disk
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_target import (
    AddPortal,
    Disable,
    ForbidInitiator,
    ProtectLun,
    RemovePortal,
    RemoveTarget,
    UnmapLun,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Lun, Session, Target
from ansible_collections.lunworks.iscsi.plugins.module_utils.sockets import meet
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

# What the kernel has and takes, tried out on Linux 6.1 (drivers/target/iscsi/iscsi_target_configfs.c, target_core_configfs.c).
BIT, YES = "[01]", "Yes|No"
TARGET_ATTRIBUTES = {
    "default_cmdsn_depth": "[1-9]|[1-9][0-9]|[1-4][0-9]{2}|50[0-9]|51[0-2]",
    "default_erl": "[012]",
    "demo_mode_discovery": BIT,
    "fabric_prot_type": "[0-3]",
    "login_keys_workaround": BIT,
    "login_timeout": "[5-9]|[12][0-9]|30",
    "netif_timeout": "[2-9]|1[0-5]",
    "t10_pi": BIT,
    "tpg_enabled_sendtargets": BIT,
}
LENGTH, SECONDS = "[1-9][0-9]{2,7}", "[0-9]{1,3}|[12][0-9]{3}|3[0-5][0-9]{2}|3600"
DIGEST = "(None|CRC32C)(,(None|CRC32C))?"
TARGET_PARAMETERS = {
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
    "MaxConnections": "[1-9][0-9]{0,4}",
    "MaxOutstandingR2T": "[1-9][0-9]{0,4}",
    "MaxRecvDataSegmentLength": LENGTH,
    "MaxXmitDataSegmentLength": LENGTH,
    "TargetAlias": ".*",
}
COUNT = "[0-9]{1,10}"
LUN_ATTRIBUTES = {
    **dict.fromkeys(
        ("emulate_3pc", "emulate_caw", "emulate_dpo", "emulate_fua_read", "emulate_fua_write"), BIT
    ),
    **dict.fromkeys(("emulate_pr", "emulate_rest_reord", "emulate_tas", "emulate_tpu", "emulate_tpws"), BIT),
    **dict.fromkeys(("enforce_pr_isids", "force_pr_aptpl", "is_nonrot"), BIT),
    **dict.fromkeys(("max_unmap_block_desc_count", "max_unmap_lba_count", "max_write_same_len"), COUNT),
    **dict.fromkeys(
        ("optimal_sectors", "queue_depth", "unmap_granularity", "unmap_granularity_alignment"), COUNT
    ),
    "emulate_ua_intlck_ctrl": "[012]",
}
ADVICE = "Log out there first, or set force for this one task."


def check_target(target: Target) -> None:
    """What LIO and its restore can carry, whatever is there now."""
    for name in (target.name, *target.initiators):
        if not RESTORABLE.fullmatch(name):
            raise Problem(
                f"LIO's restore at boot does not take the name '{name}'. Wanted is iqn.YYYY-MM.domain.name:anything with at "
                "least two parts in the domain, eui. and 16 hex digits, or naa. and 16 hex digits that begin with 1, 2 or 5."
            )
    bare = sorted(name for name, one in target.initiators.items() if one.chap is None)
    if bare and len(bare) < len(target.initiators):
        raise Problem(
            f"The target '{target.name}' has initiators with CHAP and without ({', '.join(bare)}). LIO asks for it on the "
            "whole target: give CHAP to every igroup of it or to none, or make a target of its own for them."
        )
    texts = {text for one in target.initiators.values() if one.chap for text in _texts(one.chap)}
    if any(text.startswith("NULL") for text in texts):
        raise Problem("A CHAP user or secret must not begin with 'NULL': the kernel takes that for none.")
    for lun in target.luns.values():
        if len(f"{target.name}:{lun.name}") > 255:
            raise Problem(
                f"The names of the target '{target.name}' and its LUN '{lun.name}' have more than 255 bytes."
            )


def _texts(chap: Chap) -> tuple[str, ...]:
    return (chap.user, chap.secret.reveal(), chap.mutual_user, chap.mutual_secret.reveal())


def check_settings(asked: dict[str, Any]) -> None:
    """Settings that LIO has, and that are not ours to derive."""
    for key in sorted({*asked["attributes"], *asked["parameters"]} & DERIVED):
        raise Problem(
            f"'{key}' of '{asked['name']}' is not set by hand: demo mode stays off, and authentication follows whether the "
            "igroups have CHAP."
        )
    for lun in asked["luns"]:
        for key in sorted(set(lun["attributes"]) & {"block_size", "emulate_write_cache"}):
            raise Problem(f"LUN '{lun['name']}': '{key}' is no attribute here; use block_size or write_back.")
        _check_known(f"LUN '{lun['name']}'", "attribute", lun["attributes"], LUN_ATTRIBUTES)
    _check_known(f"Target '{asked['name']}'", "attribute", asked["attributes"], TARGET_ATTRIBUTES)
    _check_known(f"Target '{asked['name']}'", "parameter", asked["parameters"], TARGET_PARAMETERS)


def _check_known(whose: str, what: str, asked: dict[str, str], known: dict[str, str]) -> None:
    for key, value in asked.items():
        if key not in known:
            raise Problem(f"{whose}: LIO has no {what} '{key}'. It has {', '.join(sorted(known))}.")
        if not re.fullmatch(known[key], value):
            raise Problem(f"{whose}: '{value}' is no value for the {what} '{key}' (wanted: {known[key]}).")


def check_serving(seen: Serving, want: Serving, force: bool) -> None:
    """What must not be wanted, given what is there."""
    _check_lost(seen, want)
    _check_twice(want)
    _check_overlap(seen, want)
    if not force:
        _check_identity(seen, want)


def refuse_serving(seen: Serving, steps: list[Step], force: bool) -> None:
    """Raise where a step could hurt."""
    for step in steps:
        if isinstance(step, MakeBackstore):
            check_backing(step.lun.name, step.lun.path, seen.backing[step.lun.path])
        if isinstance(step, AddPortal):
            _check_portal(seen, step.portal, step.target)
        if isinstance(step, MakeFile) and step.full:
            _check_room(step, seen.backing[step.path])
        if not force:
            _check_sessions(seen, step)


def _check_sessions(seen: Serving, step: Step) -> None:
    if isinstance(step, RemoveTarget):
        _nobody(step, [one for one in seen.running.sessions if one.target == step.target.name])
    if isinstance(step, Disable):
        _nobody(step, [one for one in seen.running.sessions if one.target == step.target])
    if isinstance(step, (UnmapLun, ForbidInitiator)) or (isinstance(step, ProtectLun) and step.read_only):
        here = (step.target, step.initiator)
        _nobody(step, [one for one in seen.running.sessions if (one.target, one.initiator) == here])
    if isinstance(step, RemovePortal) and seen.sockets.used(step.portal):
        who = [one for one in seen.running.sessions if one.target == step.target]
        _nobody(step, who)


def _nobody(step: Step, sessions: list[Session]) -> None:
    if sessions:
        who = ", ".join(str(one) for one in sessions)
        raise Problem(f"Refused: {step}. Logged in is {who}. {ADVICE}")


def _check_identity(seen: Serving, want: Serving) -> None:
    for name, target in want.running.targets.items():
        now = seen.running.targets.get(name)
        for lun in target.luns.values():
            old = now.luns.get(lun.name) if now else None
            if (
                old
                and old.serial
                and (old.path, old.serial) != (lun.path, lun.serial)
                and not same_disk(old, lun)
            ):
                raise Problem(
                    f"The LUN '{lun.name}' of '{name}' is '{old.path}' with the serial '{old.serial}', and shall be "
                    f"'{lun.path}' with the serial '{lun.serial}': another disk under the same name. Remove it (state: absent) "
                    "and make it anew, use another name, or set force for this one task."
                )


def _check_lost(seen: Serving, want: Serving) -> None:
    """A file that was behind a LUN and is not there any more must not come back empty under the same identity."""
    for name, target in seen.targets().items():
        for lun in target.luns.values():
            then = want.running.targets.get(name)
            stays = then and lun.name in then.luns and then.luns[lun.name].path == lun.path
            if stays and lun.path and seen.backing[lun.path].size is None:
                raise Problem(
                    f"The LUN '{lun.name}' of '{name}' was served from '{lun.path}', which is not there now. Bring it back (is "
                    "its file system mounted, its volume active?), or remove the LUN (state: absent) if its data may be gone."
                )


def _check_room(step: MakeFile, backing: Backing) -> None:
    wanted = step.size - (backing.size or 0)
    if backing.room is not None and backing.room < wanted:
        raise Problem(
            f"'{step.path}' shall get {wanted} more bytes with all their blocks, but its file system has {backing.room} left. "
            "Make room, or choose allocation: sparse."
        )


def _check_overlap(seen: Serving, want: Serving) -> None:
    """Targets may share a portal, but not one address and a wildcard that stands for it (bind(2), EADDRINUSE)."""
    listens = sorted((portal, name) for name, one in want.running.targets.items() for portal in one.portals)
    old = {portal for one in seen.running.targets.values() for portal in one.portals}
    for portal, name in listens:
        for other, owner in listens:
            if portal not in old and portal != other and portal.port == other.port and meet(portal, other):
                raise Problem(
                    f"'{name}' cannot listen on {portal}: '{owner}' listens on {other}, which has it in it."
                )


def _check_portal(seen: Serving, portal: Portal, target: str) -> None:
    if not seen.sockets.has(portal):
        raise Problem(f"'{target}' cannot listen on {portal}: this host has no address {portal.address}.")
    ours = {one for running in seen.running.targets.values() for one in running.portals}
    taken = seen.sockets.taken(portal)
    if taken and taken not in ours and portal not in ours:
        tgt = " If it is tgt, stop it: systemctl disable --now tgt." if portal.port == PORT else ""
        raise Problem(f"'{target}' cannot listen on {portal}: another program listens on {taken}.{tgt}")


def _check_twice(want: Serving) -> None:
    """One file or device behind two LUNs, or two LUNs with one identity: hosts would merge or destroy them."""
    paths: dict[tuple[str | int, ...], tuple[str, Lun]] = {}
    wwids: dict[str, tuple[str, Lun]] = {}
    for name, target in sorted(want.running.targets.items()):
        for lun in target.luns.values():
            known = want.backing.get(lun.path)
            where, one = paths.setdefault(known.identity if known else (lun.path,), (name, lun))
            if lun.path and one is not lun:
                raise Problem(
                    f"'{lun.path}' would be behind two LUNs: '{one.name}' of '{where}' and '{lun.name}' of '{name}'."
                )
            where, one = wwids.setdefault(wwid_of_lio(lun.serial), (name, lun))
            if lun.serial and one is not lun:
                raise Problem(
                    f"The LUNs '{one.name}' of '{where}' and '{lun.name}' of '{name}' would have one WWID (the serials "
                    f"'{one.serial}' and '{lun.serial}' have the same 25 hex digits): hosts would take them for one disk."
                )
