# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The discovery records of a compute host, in the words of the role initiator. No secret is asked for or told."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ...module_utils._open_iscsi.conf.settings import is_secret
from ...module_utils._open_iscsi.discovery.record import ALGORITHMS, KNOWN
from ...module_utils._open_iscsi.discovery.request import KINDS, PORTS
from .defaults import DISCOVERY
from .document import Entry, Findings, Variable
from .secret_names import SecretNames, chap_of

Data = Mapping[str, Any]
AUTH = "discovery.sendtargets.auth"
ORIGIN = "node.discovery_address", "node.discovery_port", "node.discovery_type"  # usr/idbm_fields.h
WORDS = {"sendtargets": "send_targets", "isns": "isns"}  # as node records call them
WHY = (
    "initiator_discovery is written, and what a portal offers gets a record, which nothing logs in to by itself; take the entry "
    "out if new targets shall not be recorded"
)


def asked(answer: Data) -> list[dict[str, Any]]:
    """An entry of initiator_discovery for each record, without CHAP: what is not named there stays, so it can be checked."""
    return [_entry(one, answer) for one in answer["discovery"]]


def discovery(host: str, answer: Data, checks: Sequence[Data] | None, secrets: SecretNames) -> Findings:
    """The records that site.yml can go on with; 'checks' are what the module said to each of them."""
    found = Findings()
    entries: list[dict[str, Any]] = []
    for number, (one, record) in enumerate(zip(asked(answer), answer["discovery"])):
        check = checks[number] if checks else {}
        if check.get("msg"):
            found.decisions.append(
                f"'{host}': the discovery record of {record['portal']} ({record['type']}) stays and is not written, since "
                f"site.yml would end there: {check['msg']}"
            )
            continue
        found.changes += [f"'{host}': {step}: {WHY}." for step in check.get("steps", [])]
        chap = chap_of(record["settings"], AUTH)
        if chap:
            one["chap"] = secrets.chap("", chap["user"], chap["mutual_user"])
        _add(entries, one)
    if entries:
        comment = "The discovery records of open-iscsi"
        found.variables.append(Variable("initiator_discovery", tuple(map(Entry, entries)), comment))
    return found


def _add(entries: list[dict[str, Any]], one: dict[str, Any]) -> None:
    """As one more portal of an entry that is the same otherwise."""
    for there in entries:
        if {**there, "portals": 0} == {**one, "portals": 0}:
            there["portals"] += one["portals"]
            return
    entries.append(one)


def _entry(record: Data, answer: Data) -> dict[str, Any]:
    kind, settings = record["type"], record["settings"]
    address, _colon, port = record["portal"].rpartition(":")
    usual = port == str(PORTS[KINDS[kind]]) and not address.startswith("[")
    found: dict[str, Any] = {} if kind == "sendtargets" else {"type": kind}
    found["portals"] = [address if usual else record["portal"]]
    found.update(_polling(kind, settings))
    other = dict(_settings(kind, settings, answer["iscsid_conf"]))
    if other:
        found["settings"] = other
    ifaces = sorted(
        {one["iface"] for one in answer["records"] if _came_from(one["settings"], kind, address, port)}
    )
    return {**found, "ifaces": ifaces} if ifaces not in ([], ["default"]) else found


def _polling(kind: str, settings: Data) -> Iterator[tuple[str, Any]]:
    if str(settings.get(f"discovery.{kind}.use_discoveryd")) != "Yes":
        return
    yield "use_discoveryd", True
    seconds = str(settings.get(f"discovery.{kind}.discoveryd_poll_inval", ""))
    if seconds.isdecimal():
        yield "poll_interval", int(seconds)


def _settings(kind: str, settings: Data, conf: Data) -> Iterator[tuple[str, str]]:
    """What differs from what a new record gets."""
    standard = {**DISCOVERY, **conf}
    for key in sorted(KNOWN[KINDS[kind]]):
        elsewhere = key.startswith(f"{AUTH}.") or "discoveryd" in key or key == ALGORITHMS or is_secret(key)
        value = str(settings.get(key, ""))
        if not elsewhere and value and value != str(standard.get(key, "")):
            yield key, value


def _came_from(settings: Data, kind: str, address: str, port: str) -> bool:
    said = [str(settings.get(key, "")) for key in ORIGIN]
    return said == [address.strip("[]"), port, WORDS[kind]]
