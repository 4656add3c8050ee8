# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CHAP secrets are called in a vault: the same on both sides, and nobody reads one."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Iterable, Iterator, Mapping, Tuple

from ...module_utils._arguments import target_key
from .document import Template

Facts = Mapping[str, Mapping[str, Any]]
Key = Tuple[str, str, bool]  # target in lower case ('' for discovery), user, whether it is the target's own
AUTH = "node.session.auth"


class SecretNames:
    """The names of the variables with the secrets of all hosts."""

    def __init__(self, facts: Facts) -> None:
        self.names = names_of(_keys(facts))
        self.used: dict[str, str] = {}  # what was asked for, and what it is

    def chap(self, target: str, user: str, mutual_user: str = "") -> dict[str, str]:
        """The option 'chap' of an igroup or of a node."""
        found = {"user": user, "secret": self._template(target, user, False)}
        if mutual_user:
            found.update(mutual_user=mutual_user, mutual_secret=self._template(target, mutual_user, True))
        return found

    def _template(self, target: str, user: str, mutual: bool) -> str:
        name = self.names[target_key(target) if target else "", user, mutual]
        where = f"at the target '{target}'" if target else "at discovery"
        whose = "the target's user" if mutual else "the user"
        self.used.setdefault(name, f"{whose} '{user}' {where}")
        return Template("{{ " + name + " }}")


def names_of(keys: Iterable[Key]) -> dict[Key, str]:
    """A name for each: by its user alone where that is enough."""
    known = sorted(set(keys))
    by_user = defaultdict(set)
    for target, user, mutual in known:
        by_user[_slug(user), mutual].add((target, user))
    found: dict[Key, str] = {}
    for target, user, mutual in known:
        parts = ["vault", "chap", _slug(user)]
        if len(by_user[_slug(user), mutual]) > 1:
            parts.append(_slug(target.rpartition(":")[2] or target or "discovery"))
        name = "_".join(filter(None, [*parts, "mutual" if mutual else "", "secret"]))
        count = sum(one == name or one.startswith(f"{name}_") for one in found.values())
        found[target, user, mutual] = f"{name}_{count + 1}" if count else name
    return found


def _keys(facts: Facts) -> Iterator[Key]:
    for part in facts.values():
        served = (part.get("storage") or {}).get("target_info") or {}
        for target in served.get("targets", []):
            for group in target["igroups"]:
                yield from _both(target["name"], group["chap"])
        yield from _both("", served.get("discovery_chap"))
        for record in ((part.get("compute") or {}).get("initiator_info") or {}).get("records", []):
            yield from _both(record["target"], chap_of(record["settings"], AUTH))
        for record in ((part.get("compute") or {}).get("initiator_info") or {}).get("discovery", []):
            yield from _both("", chap_of(record["settings"], "discovery.sendtargets.auth"))


def chap_of(settings: Mapping[str, Any], auth: str) -> dict[str, str] | None:
    """The users of a record; open-iscsi uses them whatever authmethod says."""
    user = str(settings.get(f"{auth}.username") or "")
    return {"user": user, "mutual_user": str(settings.get(f"{auth}.username_in") or "")} if user else None


def _both(target: str, chap: Mapping[str, Any] | None) -> Iterator[Key]:
    if chap and chap.get("user"):
        yield target_key(target) if target else "", chap["user"], False
        if chap.get("mutual_user"):
            yield target_key(target) if target else "", chap["mutual_user"], True


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "user"
