# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of discovery, checked and turned into a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ..._arguments import portal, unique
from ..._chap import CHAP_OPTION, chap
from ..._host import Problem
from ..conf.settings import Value, chap_settings, named, setting
from ..record import iface_name
from ..sendtargets import FIRMWARE, ISNS, SENDTARGETS
from .filters import FAMILIES, Filter, networks
from .record import AUTH, INTERVAL, KNOWN, POLLED, Source

KINDS = {"sendtargets": SENDTARGETS, "isns": ISNS, "firmware": FIRMWARE}
PORTS = {SENDTARGETS: 3260, ISNS: 3205}  # RFC 7143 section 14, RFC 4171 section 2.4
OPTIONS: dict[str, Any] = {
    "type": {"type": "str", "choices": [*KINDS, "slp"], "default": "sendtargets"},
    "portals": {"type": "list", "elements": "str", "default": []},
    "chap": CHAP_OPTION,
    "use_discoveryd": {"type": "bool"},
    "poll_interval": {"type": "int"},
    "settings": {"type": "dict", "default": {}},
    "ifaces": {"type": "list", "elements": "str", "default": ["default"]},
    "subnets": {"type": "list", "elements": "str", "default": []},
    "excluded_subnets": {"type": "list", "elements": "str", "default": []},
    "families": {"type": "list", "elements": "str", "choices": [*FAMILIES], "default": [*FAMILIES]},
    "link_local": {"type": "bool", "default": False},
    "reachable": {"type": "bool", "default": False},
    "prune": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class Request:
    """What was requested: who is asked, with which settings, and which of the discovered portals get records."""

    sources: tuple[Source, ...]
    settings: dict[str, Value]
    ifaces: tuple[str, ...]
    filter: Filter = Filter()
    reachable: bool = False
    prune: bool = False
    absent: bool = False


def request_of(options: dict[str, Any]) -> Request:
    """The options as a request; a Problem where they cannot be meant."""
    if options["type"] == "slp":
        raise Problem(
            "SLP discovery was never finished in open-iscsi: 'iscsiadm -t slp' only says so. Use sendtargets or isns."
        )
    kind = KINDS[options["type"]]
    if kind == FIRMWARE:
        _refuse_for_firmware(options)
        return Request((Source(FIRMWARE, None),), {}, ())
    if not options["portals"]:
        raise Problem(f"The type '{options['type']}' needs 'portals': whom should this host ask?")
    sources = tuple(_source(kind, text) for text in options["portals"])
    unique("portal", [str(source.portal) for source in sources])
    unique("iface", [iface_name(iface) for iface in options["ifaces"]])
    if not options["ifaces"]:
        raise Problem("'ifaces' is empty: no record could be made. Leave it out for the iface 'default'.")
    return Request(
        sources=sources,
        settings=_settings(sources[0], options),
        ifaces=tuple(options["ifaces"]),
        filter=_filter(options),
        reachable=options["reachable"],
        prune=options["prune"],
        absent=_absent(options),
    )


def _source(kind: str, text: str) -> Source:
    found = portal(text, names=True)
    said = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]]+):[^:]*", str(text).strip())
    return Source(kind, found if said else replace(found, port=PORTS[kind]))


def _filter(options: dict[str, Any]) -> Filter:
    if not options["families"]:
        raise Problem("'families' is empty: no portal could pass. Leave it out for both ipv4 and ipv6.")
    return Filter(
        subnets=networks("subnets", options["subnets"]),
        excluded=networks("excluded_subnets", options["excluded_subnets"]),
        families=tuple(options["families"]),
        link_local=options["link_local"],
    )


def _absent(options: dict[str, Any]) -> bool:
    if options["state"] == "present":
        return False
    given = [
        name
        for name in ("chap", "use_discoveryd", "poll_interval", "settings")
        if options[name] not in (None, {})
    ]
    if given:
        raise Problem(f"With state 'absent' there is no record to hold '{given[0]}'. Leave it out.")
    return True


def _refuse_for_firmware(options: dict[str, Any]) -> None:
    for name, option in OPTIONS.items():
        if name != "type" and options[name] != option.get("default"):
            raise Problem(
                f"The type 'firmware' has no '{name}': the firmware itself says what this host boots from, and keeps no "
                f"discovery record. Leave it out."
            )


def _settings(source: Source, options: dict[str, Any]) -> dict[str, Value]:
    """The settings that were asked for, checked, and CHAP as a discovery record holds it."""
    known = KNOWN[source.kind]
    own = {source.setting(POLLED): "use_discoveryd", source.setting(INTERVAL): "poll_interval"}
    found: dict[str, Value] = {}
    for name, value in named(options["settings"]).items():
        elsewhere = "chap" if name.startswith(f"{AUTH}.") else own.get(name)
        if elsewhere:
            raise Problem(f"'{name}' belongs in the option '{elsewhere}', not in 'settings'.")
        if value is None:
            raise Problem(
                f"The setting '{name}' has no value. What is not named stays as it is: leave the line out."
            )
        found[name] = setting(name, value, known)
    for name, option in own.items():
        if options[option] is not None:
            found[name] = setting(name, options[option], known)
    given = chap(options["chap"])
    if given and source.kind == ISNS:
        raise Problem("iSNS has no CHAP: the server is asked without credentials. Leave 'chap' out.")
    return {**found, **(chap_settings(given, AUTH) if given else {})}
