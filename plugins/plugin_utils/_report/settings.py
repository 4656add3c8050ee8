# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and timers that iscsid.conf, records, sessions and maps do not agree on; each once, not once for each record."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Iterator, Sequence

from ...module_utils._timers.conflicts import BARE, BESIDE
from .compute import Compute, Lun
from .model import Data, Fault, Rank, counted, spelled

# 'iqn...' at 10.77.1.11:3260, as timers_info names a record or session
NODE = re.compile(r"'((?:iqn\.|eui\.|naa\.)[^']*)' at (\S+?)(?=[,:]? |\.?$)")
TIMER = re.compile(r"timeo\.")  # of these timers_info tells
# What each record has for itself: whether and how long it logs in at boot, and its credentials.
OWN = ("node.startup", "node.leading_login", "node.session.initial_login_retry_max", "node.session.auth.")


def setting_faults(host: Compute, luns: Sequence[Lun]) -> Iterator[Fault]:
    """Those of records, and all that timers_info says."""
    found: dict[tuple[str, str, str, bool], list[Data]] = defaultdict(list)
    for one in (host.initiator or {}).get("differences", []):
        if not TIMER.search(one["setting"]) and not _deliberate(host, one):
            other = one["session"] if one["next_login"] else one["iscsid_conf"]
            found[one["setting"], str(one["record"]), str(other), one["next_login"]].append(one)
    for values, places in found.items():
        yield _record(host, *values, places)
    yield from _timers(host, luns)


def _deliberate(host: Compute, one: Data) -> bool:
    """Whether the record is meant to differ from iscsid.conf."""
    named = (one["target"].lower(), one["setting"])
    return not one["next_login"] and (one["setting"].startswith(OWN) or named in host.wanted.settings)


def _record(host: Compute, setting: str, record: str, other: str, later: bool, places: list[Data]) -> Fault:
    more = f" and {counted(len(places) - 1, 'more record')}" if len(places) > 1 else ""
    text = (
        f"'{setting}' is '{record}' in the record of '{places[0]['target']}' at {places[0]['portal']}{more}"
    )
    if later:
        text += f" and '{other}' in the session: that takes effect at the next login."
        todo = "Log in again path by path (module lunworks.iscsi.relogin)."
    else:
        text += f" and '{other}' in iscsid.conf, which applies to new records only."
        todo = "Set both to the same value (initiator_settings, or the settings of initiator_nodes) and run lunworks.iscsi.site."
    about = dict.fromkeys(f"target {one['target'].lower()}" for one in places)
    return Fault(Rank.RECORD, host.host, text, todo, tuple(about))


def _timers(host: Compute, luns: Sequence[Lun]) -> Iterator[Fault]:
    """Each sentence once for all sessions and records that it holds for."""
    folded: dict[str, list[str]] = defaultdict(list)
    for sentence in (host.timers or {}).get("faults", []):
        if not ("iscsid.conf" in sentence and _timer_deliberate(host, sentence)):
            folded[NODE.sub("", sentence)].append(sentence)
    for first, *others in folded.values():
        text = f"{first} The same holds for {counted(len(others), 'more session')}." if others else first
        bare = BESIDE in first or BARE in first
        rank = Rank.BARE_PATH if bare else Rank.RECORD if "iscsid.conf" in first else Rank.TIMER
        about = [_about(lun, bare) for lun in luns if any(_names(lun, one) for one in (first, *others))]
        about += [
            f"target {found[1].lower()}" for one in (first, *others) for found in [NODE.search(one)] if found
        ]
        yield Fault(rank, host.host, text, about=tuple(dict.fromkeys(about)))


def _timer_deliberate(host: Compute, sentence: str) -> bool:
    """Whether the inventory sets this timer for the target itself; the sentence begins with the name of the timer."""
    found, name = NODE.search(sentence), sentence.partition(" ")[0]
    return any(
        found is not None and target == found[1].lower() and setting.rpartition(".")[2] == name
        for target, setting in host.wanted.settings
    )


def _about(lun: Lun, bare: bool) -> str:
    return f"map {lun.key}" if lun.map and not bare else f"lun {lun.key}"


def _names(lun: Lun, sentence: str) -> bool:
    """Whether a sentence is about a LUN: by its WWID, its map or one of its disks."""
    words = {spelled(word.strip("().,:'")) for word in sentence.split() if len(word) > 15}
    names = {f"'{name}'" for name in (lun.map, *(disk["device"] for disk in lun.disks)) if name}
    return lun.key in words or any(name in sentence for name in names)
