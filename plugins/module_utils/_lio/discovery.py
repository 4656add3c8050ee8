# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP at discovery: one pair of credentials for the whole host, in configfs (iscsi/discovery_auth) and in the saved file
(fabric_modules)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .._chap import NO_CHAP, Chap
from .._host import Host, Problem
from .._step import Step
from .configfs import AUTH, chap_of
from .configfs_node import ISCSI, exact_of, value_of
from .saved_entry import auth_key

BASE = f"{ISCSI}/discovery_auth"
ENFORCE, SAVED_ENFORCE = f"{BASE}/enforce_discovery_auth", "discovery_enable_auth"


@dataclass(frozen=True)
class Discovery:
    """What a host asks of who asks it for its targets. Without 'enforced' it checks only those that offer CHAP themselves."""

    chap: Chap | None = None
    enforced: bool = False

    def shown(self) -> dict[str, Any] | None:
        """For people, without secrets; None: nothing is asked."""
        if self.chap is None and not self.enforced:
            return None
        user, mutual = (self.chap.user, self.chap.mutual_user) if self.chap else ("", "")
        return {"user": user, "mutual_user": mutual, "enforced": self.enforced}


def look_discovery(host: Host) -> Discovery:
    """What the kernel asks for now."""
    fields = {key: exact_of(host, f"{BASE}/{key}") for key in AUTH}
    return Discovery(chap_of(fields), value_of(host, ENFORCE) == "1")


def saved_discovery(document: Mapping[str, Any]) -> Discovery:
    """What it will ask for after a boot."""
    modules: list[dict[str, Any]] = document.get("fabric_modules", [])
    entry = next((one for one in modules if one.get("name") == "iscsi"), {})
    fields = {key: str(entry.get(f"discovery_{auth_key(key)}") or "") for key in AUTH}
    return Discovery(chap_of(fields), str(entry.get(SAVED_ENFORCE)).lower() in ("1", "true"))


def want_discovery(seen: Discovery, asked: Mapping[str, Any] | None) -> Discovery:
    """What was asked for (options.py, asked_discovery) over what is; without credentials nothing can be enforced."""
    if asked is None:
        return seen
    if asked["chap"] == NO_CHAP:
        return Discovery()
    chap = asked["chap"]
    if any(
        text.startswith("NULL")
        for text in (chap.user, chap.secret.reveal(), chap.mutual_user, chap.mutual_secret.reveal())
    ):
        raise Problem("A CHAP user or secret must not begin with 'NULL': the kernel takes that for none.")
    kept = seen.enforced if seen.chap else True
    return Discovery(chap, kept if asked["enforced"] is None else asked["enforced"])


def with_discovery(document: Mapping[str, Any], want: Discovery) -> dict[str, Any]:
    """A saved document that says so; where it does already, as it stands there."""
    new = copy.deepcopy(dict(document))
    if saved_discovery(new) == want:
        return new
    modules = new.setdefault("fabric_modules", [])
    entry = next((one for one in modules if one.get("name") == "iscsi"), None)
    if entry is None:
        entry = {"name": "iscsi"}
        modules.append(entry)
    for key, text in zip(AUTH, _texts(want.chap)):
        entry.pop(f"discovery_{auth_key(key)}", None)
        if text:
            entry[f"discovery_{auth_key(key)}"] = text
    entry[SAVED_ENFORCE] = want.enforced
    return new


def discovery_drift(runs: Discovery, kept: Discovery) -> Iterator[str]:
    """Where the kernel asks for something else than after a boot."""
    if runs.chap != kept.chap:
        yield "The CHAP credentials at discovery run otherwise than they are saved."
    if runs.enforced != kept.enforced:
        yield f"CHAP at discovery is {_how(runs)} and saved as {_how(kept)}."


def _how(discovery: Discovery) -> str:
    return "enforced" if discovery.enforced else "not enforced"


def _texts(chap: Chap | None) -> tuple[str, ...]:
    one = chap or NO_CHAP
    return (one.user, one.secret.reveal(), one.mutual_user, one.mutual_secret.reveal())


@dataclass(frozen=True)
class SetDiscovery(Step):
    """Ask for other credentials at discovery, or none. Enforcement begins with the first write and ends with the last: what is
    half done lets nobody in. Fields are cleared with 'NULL', see SetChap."""

    want: Discovery

    def __str__(self) -> str:
        if self.want.chap is None:
            return "Ask for no CHAP at discovery any more"
        mutual = ", both ways" if self.want.chap.mutual_user else ""
        how = "every initiator that asks for targets" if self.want.enforced else "initiators that offer CHAP"
        return f"Ask {how} for CHAP at discovery (user '{self.want.chap.user}'{mutual})"

    def take(self, host: Host) -> None:
        if self.want.enforced:
            self._enforce(host)
        for key, text in zip(AUTH, _texts(self.want.chap)):
            if text or value_of(host, f"{BASE}/{key}") not in ("", "NULL"):
                host.poke(f"{BASE}/{key}", text or "NULL")
        self._enforce(host)

    def _enforce(self, host: Host) -> None:
        if self.want.enforced != (value_of(host, ENFORCE) == "1"):
            host.poke(ENFORCE, str(int(self.want.enforced)))
