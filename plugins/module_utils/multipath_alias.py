# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases: one name for one WWID, the same on every host, in a drop-in of their own (multipath.conf(5), multipaths)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem, lines_of
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_conf import (
    DROP_INS,
    MAIN,
    Reconfigure,
    WriteConf,
    format_conf,
    loaded,
    path_of,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipathd import running
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

PATH = path_of("lunworks-aliases")
BLOCK = "/sys/class/block"
ALIAS = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}"
)  # a device-mapper name needs no escapes and has 127 bytes
MADE_UP = re.compile(r"mpath[a-z]+")  # what user_friendly_names gives away by itself
SETTING = re.compile(r'^\s*(multipath|wwid|alias|\})\s*(?:\{|"?([^"{}]*?)"?)\s*$')


@dataclass(frozen=True)
class Aliases:
    """The aliases of the own drop-in by WWID; those of other files; the maps that there are by WWID, and all dm names."""

    own: dict[str, str]
    elsewhere: dict[str, dict[str, str]]  # file: {WWID: alias}
    maps: dict[str, str]
    names: dict[str, str]  # device-mapper name: its UUID
    running: bool = True
    loaded: bool = True


def look_aliases(host: Host) -> Aliases:
    """The aliases in all files of multipath, and the names that are in use."""
    files = [MAIN, *(f"{DROP_INS}/{name}" for name in host.list(DROP_INS) if name.endswith(".conf"))]
    texts = {path: host.read(path) or "" for path in files if path != PATH}
    names = {
        (host.read(f"{BLOCK}/{name}/dm/name") or "").strip(): (
            host.read(f"{BLOCK}/{name}/dm/uuid") or ""
        ).strip()
        for name in host.list(BLOCK)
        if name.startswith("dm-")
    }
    runs = running(host)
    return Aliases(
        own=parse_aliases(host.read(PATH) or ""),
        elsewhere={path: parse_aliases(text) for path, text in texts.items() if parse_aliases(text)},
        maps={uuid[len("mpath-") :]: name for name, uuid in names.items() if uuid.startswith("mpath-")},
        names=names,
        running=runs,
        loaded=not runs or loaded(host),
    )


def parse_aliases(text: str) -> dict[str, str]:
    """The aliases of the multipath sections of one file, by WWID."""
    found: dict[str, str] = {}
    section: dict[str, str] = {}
    for match in filter(None, (SETTING.match(line.split("#")[0].rstrip()) for line in lines_of(text))):
        if match[1] == "multipath":
            section = {}
        elif match[1] == "}":
            found.update({section["wwid"]: section["alias"]} if len(section) == 2 else {})
            section = {}
        else:
            section[match[1]] = match[2] or ""
    return found


def plan_aliases(seen: Aliases, want: Aliases) -> list[Step]:
    """Write the drop-in where it differs; have the daemon read it and rename its maps, also those in use."""
    steps: list[Step] = []
    if seen.own != want.own:
        steps.append(WriteConf(PATH, format_aliases(want.own)))
    renamed = any(seen.maps.get(wwid, alias) != alias for wwid, alias in want.own.items())
    if want.running and (steps or renamed or not seen.loaded):
        steps.append(
            Reconfigure(tuple(f"/dev/mapper/{name}" for wwid, name in want.own.items() if wwid in seen.maps))
        )
    return steps


def refuse_aliases(seen: Aliases, want: dict[str, str]) -> None:
    """One name, one WWID: in the list, in every file, in the kernel."""
    given: dict[str, str] = {}
    for wwid, alias in want.items():
        if given.setdefault(alias, wwid) != wwid:
            raise Problem(
                f"The alias '{alias}' is wanted for '{wwid}', but '{PATH}' gives it to '{given[alias]}'. "
                "Remove it there first (state: absent)."
            )
        holder = seen.names.get(alias, f"mpath-{wwid}")
        if holder != f"mpath-{wwid}":
            raise Problem(
                f"The alias '{alias}' for '{wwid}' is the name of another device ('{holder}'). Choose another alias, or "
                "rename that device first."
            )
        for path, aliases in seen.elsewhere.items():
            for other, name in aliases.items():
                if (other == wwid) != (name == alias):
                    raise Problem(
                        f"'{path}' gives the alias '{name}' to '{other}', wanted is '{alias}' for '{wwid}'. "
                        "An alias has one place: remove it there."
                    )


def format_aliases(aliases: dict[str, str]) -> str | None:
    """The drop-in; None when it would say nothing."""
    multipaths = [{"wwid": wwid, "alias": alias} for wwid, alias in sorted(aliases.items())]
    return format_conf("lunworks.iscsi.multipath_alias", {"multipaths": multipaths}) if multipaths else None


def alias(text: str) -> str:
    """A name for a map."""
    if not ALIAS.fullmatch(text):
        raise Problem(f"'{text}' is not an alias. Wanted are 1 to 127 letters, digits, '.', '_' and '-'.")
    if MADE_UP.fullmatch(text):
        raise Problem(f"'{text}' is not an alias: multipath itself makes up names like it. Choose another.")
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
