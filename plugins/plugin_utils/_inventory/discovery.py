# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that ask a storage host for its targets with other CHAP credentials than it requires there."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Iterator, Mapping, NamedTuple

from ...module_utils._arguments import Portal, portal, truth
from ...module_utils._chap import NO_CHAP, Chap, chap
from ...module_utils._step import Secret
from .._san_served import Data, served_targets
from .._san_use import Clash, numbered

VARIABLES = ("target_discovery_chap", "initiator_settings", "initiator_secrets")
# What a record of discovery begins with (iscsid.conf): the user and secret of the host, and those of the portal.
SETTINGS = tuple(
    f"discovery.sendtargets.auth.{name}" for name in ("username", "password", "username_in", "password_in")
)


class Asks(NamedTuple):
    """A storage host that asks who wants to know its targets."""

    host: str
    chap: Chap
    enforced: bool


def discovery_clashes(data: Data) -> Iterator[Clash]:
    """The data of all hosts is right in all else. Only addresses of which one host is known are judged, so none that stands for
    all of a host's."""
    asking = {portal: found[0] for portal, found in _asking(data).items() if len(found) == 1}
    for host, vars_ in data.items():
        for number, one in numbered(vars_, "initiator_discovery", "portals"):
            for position, text in enumerate(
                one["portals"] if one.get("type", "sendtargets") == "sendtargets" else ()
            ):
                asks = asking.get(portal(text, names=True))
                why = _why_refused(asks, _proof(one, vars_)) if asks else ""
                if asks and why:
                    places = (
                        (host, ("initiator_discovery", number, "portals", position)),
                        (asks.host, ("target_discovery_chap",)),
                    )
                    yield Clash(f"'{host}' asks '{asks.host}' for its targets at '{text}' {why}", places)


def _asking(data: Data) -> Mapping[Portal, list[Asks]]:
    """The storage hosts behind each address; those that ask for no CHAP have credentials without a user."""
    found: dict[Portal, list[Asks]] = defaultdict(list)
    hosts: dict[str, set[Portal]] = defaultdict(set)
    for _name, one in served_targets(data):
        hosts[one.host] |= one.portals
    for host, portals in hosts.items():
        given = dict(data[host].get("target_discovery_chap") or {})
        enforced = truth("target_discovery_chap: enforced", given.pop("enforced", None))
        for where in portals:
            found[where].append(Asks(host, chap(given or None) or NO_CHAP, enforced is not False))
    return found


def _proof(one: Mapping[str, Any], vars_: Mapping[str, Any]) -> Chap:
    """What a host proves itself with: what is said of this discovery, or the settings with which its record begins."""
    if one.get("chap"):
        return chap(dict(one["chap"])) or NO_CHAP
    known = {**(vars_.get("initiator_settings") or {}), **(vars_.get("initiator_secrets") or {})}
    user, secret, mutual_user, mutual_secret = (str(known.get(name) or "") for name in SETTINGS)
    return Chap(user, Secret(secret), mutual_user, Secret(mutual_secret)) if user and secret else NO_CHAP


def _why_refused(asks: Asks, proof: Chap) -> str:
    if asks.chap == NO_CHAP:
        return ""
    if proof == NO_CHAP:
        said = "without CHAP, which target_discovery_chap requires there. Give the entry of initiator_discovery the same chap."
        return said if asks.enforced else ""
    # A portal proves itself to whoever asks it to.
    names = ("user", "secret", *(("mutual_user", "mutual_secret") if proof.mutual_user else ()))
    other = " and ".join(name for name in names if getattr(asks.chap, name) != getattr(proof, name))
    return (
        f"with another CHAP {other} than its target_discovery_chap has. Give both the same." if other else ""
    )
