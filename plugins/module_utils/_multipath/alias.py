# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases: one name for one WWID, the same on every host, in a drop-in of their own (multipath.conf(5), multipaths)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping

from .._arguments import target_key, unique
from .._block.dm_multipath import running
from .._block.sysfs import BLOCK
from .._converge import Resource
from .._host import Host, Problem
from .._san import wwid as san_wwid
from .._step import Step
from .conf.plan import ALIASES, Reconfigure, WriteConf, format_conf, look_change, path_of, refuse_complaints
from .files import aliases_of, folded, look_files, refuse_conflicts
from .name import refuse_effects
from .sections import Section, parse_sections

PATH = path_of(ALIASES)
ALIAS = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}"
)  # a device-mapper name needs no escapes and has 127 bytes
MADE_UP = re.compile(r"mpath[a-z]+")  # what user_friendly_names gives away by itself
TAKEN = "control"  # /dev/mapper/control is device-mapper's own node
ONE_LUN: dict[str, Any] = {
    "mutually_exclusive": [("lun", "wwid")],
    "required_one_of": [("lun", "wwid")],
    "required_by": {"lun": "target", "provider": "lun"},
}
LUN: dict[str, Any] = {
    "target": {"type": "str"},
    "lun": {"type": "str"},
    "provider": {"type": "str", "choices": sorted(san_wwid.DERIVED)},
    "wwid": {"type": "str"},
}
ENTRY: dict[str, Any] = {
    **LUN,
    "alias": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS: dict[str, Any] = {
    "aliases": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": ENTRY,
        **ONE_LUN,
        "required_if": [("state", "present", ["alias"])],
    },
    "purge": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Aliases:
    """The aliases of the own drop-in by WWID; other files; the maps that there are by WWID, and all dm names."""

    own: dict[str, str]
    files: dict[str, Section]
    maps: dict[str, str]
    names: dict[str, str]  # device-mapper name: its UUID
    running: bool = True
    loaded: bool = True
    complaints: tuple[str, ...] = ()
    effects: tuple[Step, ...] = field(
        default=(), compare=False
    )  # of a reconfiguration on the maps that there are


def look_aliases(host: Host, wanted: Callable[[dict[str, str]], dict[str, str]]) -> Aliases:
    """The aliases in all files of multipath, the names that are in use, and what the wanted ones would do to the maps."""
    text, files, runs = host.read(PATH), look_files(host, but=PATH), running(host)
    own = aliases_of(parse_sections(text or ""))
    want = only_here(wanted(own), files)
    names = {
        (host.read(f"{BLOCK}/{name}/dm/name") or "").strip(): (
            host.read(f"{BLOCK}/{name}/dm/uuid") or ""
        ).strip()
        for name in host.list(BLOCK)
        if name.startswith("dm-")
    }
    candidate = text if own == want else format_aliases(want)
    change = look_change(host, PATH, text, candidate, frozenset({*own, *want}), runs)
    maps = {uuid[len("mpath-") :]: name for name, uuid in names.items() if uuid.startswith("mpath-")}
    return Aliases(own=own, files=files, maps=maps, names=names, **change)


def only_here(aliases: dict[str, str], files: dict[str, Section]) -> dict[str, str]:
    """Those that no other file gives in the same way: of a second entry each run of multipath warns."""
    given = [
        (folded(wwid), name) for sections in files.values() for wwid, name in aliases_of(sections).items()
    ]
    return {wwid: name for wwid, name in aliases.items() if (wwid, name) not in given}


def plan_aliases(seen: Aliases, want: Aliases) -> list[Step]:
    """Write the drop-in where it differs; have the daemon read it and rename its maps."""
    steps: list[Step] = []
    if seen.own != want.own:
        steps.append(WriteConf(PATH, format_aliases(want.own)))
    renamed = any(seen.maps.get(wwid, alias) != alias for wwid, alias in want.own.items())
    if want.running and (steps or renamed or not seen.loaded):
        steps += [Reconfigure(), *seen.effects]
    return steps


def refuse_aliases(seen: Aliases, want: dict[str, str], steps: list[Step]) -> None:
    """One name, one WWID: in the list, in every file, in the kernel; and no name that is in use goes."""
    given: dict[str, str] = {}
    for wwid, alias in want.items():
        if given.setdefault(alias, wwid) != wwid:
            raise Problem(
                f"The alias '{alias}' must be given to '{wwid}', but '{PATH}' gives it to '{given[alias]}'. "
                "Remove it there first (state: absent)."
            )
    refuse_conflicts(want, seen.files)
    ours = only_here(want, seen.files)
    for wwid, alias in want.items():
        holder = seen.names.get(alias, f"mpath-{wwid}")
        if holder != f"mpath-{wwid}":
            raise Problem(
                f"The alias '{alias}' for '{wwid}' is the name of another device ('{holder}'). Choose another alias, or "
                "rename that device first."
            )
        known = (seen.maps.get(wwid), seen.own.get(wwid))
        if wwid in ours and MADE_UP.fullmatch(alias) and alias not in known:
            raise Problem(
                f"'{alias}' is not an alias: multipath itself generates such names. Choose another."
            )
    refuse_complaints(PATH, seen.complaints)
    if steps:
        refuse_effects(seen.effects)


def format_aliases(aliases: dict[str, str]) -> str | None:
    """The drop-in; None when it would say nothing."""
    multipaths = [{"wwid": wwid, "alias": alias} for wwid, alias in sorted(aliases.items())]
    return format_conf("lunworks.iscsi.multipath_alias", {"multipaths": multipaths}) if multipaths else None


def alias(text: str) -> str:
    """A name for a map."""
    if not ALIAS.fullmatch(text) or text == TAKEN:
        raise Problem(
            f"'{text}' is not an alias. It must consist of 1 to 127 letters, digits, '.', '_' and '-', and not '{TAKEN}', "
            "which is device-mapper's own."
        )
    return text


def show_aliases(state: Aliases) -> dict[str, Any]:
    """The aliases as people and templates get them."""
    return {
        "path": PATH,
        "aliases": [
            {"wwid": wwid, "alias": name, "map": state.maps.get(wwid)}
            for wwid, name in sorted(state.own.items())
        ],
    }


def wwid_of(asked: Mapping[str, Any]) -> str:
    """The WWID of a LUN that is named by its own and its target's name, or by its WWID."""
    if asked["lun"] is not None:
        return san_wwid.derived(
            asked["provider"], san_wwid.serial_of(target_key(asked["target"]), asked["lun"])
        )
    return san_wwid.wwid(asked["wwid"])


class MultipathAlias(Resource):
    """The aliases that were asked for, in their own drop-in."""

    def __init__(self, options: dict[str, Any]) -> None:
        asked = [(wwid_of(one), one) for one in options["aliases"]]
        unique("disk", [name for name, _one in asked])
        self.present = {name: alias(one["alias"]) for name, one in asked if one["state"] == "present"}
        unique("alias", list(self.present.values()))
        self.absent = {name for name, one in asked if one["state"] == "absent"}
        self.purge = options["purge"]

    def wanted(self, own: dict[str, str]) -> dict[str, str]:
        """The aliases that the drop-in shall have, when it has these."""
        kept = {} if self.purge else {name: one for name, one in own.items() if name not in self.absent}
        return {**kept, **self.present}

    def look(self, host: Host) -> Aliases:
        return look_aliases(host, self.wanted)

    def want(self, seen: Aliases) -> Aliases:
        wanted = self.wanted(seen.own)
        given = wanted if seen.running else {}  # a daemon that does not run renames nothing
        maps = {name: given.get(name, current) for name, current in seen.maps.items()}
        own = only_here(wanted, seen.files)
        return replace(seen, own=own, maps=maps, loaded=True, complaints=(), effects=())

    def plan(self, seen: Aliases, want: Aliases) -> list[Step]:
        return plan_aliases(seen, want)

    def refuse(self, seen: Aliases, want: Aliases, steps: list[Step]) -> None:
        refuse_aliases(seen, self.wanted(seen.own), steps)

    def show(self, state: Aliases) -> dict[str, Any]:
        return show_aliases(state)

    def texts(self, state: Aliases) -> dict[str, str]:
        return {PATH: format_aliases(state.own) or ""}
