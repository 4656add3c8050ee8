# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ALUA target port group that a LUN is in (SPC-4 section 5.15; Linux, target_core_configfs.c and target_core_alua.c): read
from the kernel and the saved file, and written to both. Groups that cannot be made again as they are stay as they are.
"""

from __future__ import annotations

from typing import Any, Mapping

from .._host import Host
from .._san.target import ALUA_STATES, ALUA_TYPES, Alua
from .configfs_node import value_of, values_of

DEFAULT_GROUP = "default_tg_pt_gp"  # every LUN begins in it
STATES = {text: number for number, text in enumerate(ALUA_STATES)}
TYPES = {text: number for number, text in enumerate(ALUA_TYPES)}
# As the kernel shows them (core_alua_show_access_type); it takes numbers.
SHOWN_TYPES = {
    "None": "none",
    "Implicit": "implicit",
    "Explicit": "explicit",
    "Implicit and Explicit": "both",
}
EXPLICIT_ALONE = ("None", "Explicit")  # then the kernel refuses a change of the state by the storage host
# What the kernel gives to a group (core_alua_allocate_tg_pt_gp).
USUAL_GROUP = {
    "alua_access_state": "0",
    "alua_access_status": "0",
    "alua_access_type": "3",
    "alua_support_active_nonoptimized": "1",
    "alua_support_active_optimized": "1",
    "alua_support_offline": "1",
    "alua_support_standby": "1",
    "alua_support_transitioning": "1",
    "alua_support_unavailable": "1",
    "alua_write_metadata": "0",
    "implicit_trans_secs": "0",
    "name": DEFAULT_GROUP,
    "nonop_delay_msecs": "100",
    "preferred": "0",
    "tg_pt_gp_id": "0",
    "trans_delay_msecs": "0",
}
OWN = {"name", "tg_pt_gp_id", "alua_access_state", "alua_access_type", "preferred"}  # what an Alua says
HISTORY = "alua_access_status"  # how its state came to be


def look_alua(host: Host, store: str, lun: str) -> tuple[Alua | None, str]:
    """The group that a LUN is in, None for the one that every LUN begins in; and what of groups cannot be made again."""
    groups = [name for name in host.list(f"{store}/alua") if name != DEFAULT_GROUP]
    lines = value_of(host, f"{lun}/alua_tg_pt_gp").splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("TG Port Alias:")), "")
    others = [group for group in groups if group != name]
    why = f"has the ALUA group '{others[0]}'" if others else ""
    if name not in groups:
        return None, why
    values = values_of(host, f"{store}/alua/{name}", USUAL_GROUP)
    values["alua_access_type"] = str(TYPES.get(SHOWN_TYPES.get(values.get("alua_access_type", ""), ""), -1))
    found = _alua(name, values)
    return found, why or ("" if found else f"has settings of the ALUA group '{name}'")


def saved_alua(name: str | None, store: Mapping[str, Any] | None) -> tuple[Alua | None, str]:
    """The same of the saved file: 'name' is the group of the LUN there."""
    groups = {str(one.get("name")): one for one in (store or {}).get("alua_tpgs", [])}
    if name in (None, DEFAULT_GROUP):
        return None, ""
    if name not in groups:
        return None, f"is in the ALUA group '{name}', which is not in the file"
    found = _alua(str(name), _texts(groups[name]))
    return found, "" if found else f"is in the ALUA group '{name}'"


def strange_group(own: str | None, store: Mapping[str, Any]) -> str:
    """What the file says of other groups than the one of the LUN that would be lost."""
    for group in store.get("alua_tpgs", []):
        said = _texts(group)
        if said.get("name") != own and any(text != USUAL_GROUP.get(key, text) for key, text in said.items()):
            return f"has settings of the ALUA group '{group.get('name')}'"
    return ""


def _alua(name: str, values: Mapping[str, str]) -> Alua | None:
    usual = {key: text for key, text in USUAL_GROUP.items() if key not in OWN and key != HISTORY}
    state, kind, number = (
        values.get(key, "") for key in ("alua_access_state", "alua_access_type", "tg_pt_gp_id")
    )
    known = state in map(str, STATES.values()) and kind in map(str, TYPES.values()) and number.isdecimal()
    if not known or any(values.get(key, text) != text for key, text in usual.items()):
        return None
    return Alua(
        group=name,
        number=int(number),
        state=ALUA_STATES[int(state)],
        access_type=ALUA_TYPES[int(kind)],
        preferred=values.get("preferred") == "1",
    )


def _texts(group: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: str(int(one) if isinstance(one, bool) else one) for key, one in group.items() if one is not None
    }


def merge_alua(stores: list[dict[str, Any]], lun: dict[str, Any], was: Alua | None, now: Alua | None) -> None:
    """The group of a LUN into its saved storage object (the only one in 'stores') and its entry."""
    for store in stores:
        left = [
            one
            for one in store.get("alua_tpgs", [])
            if one.get("name") not in {a.group for a in (was, now) if a}
        ]
        store["alua_tpgs"] = [*left, *([_entry(now)] if now else [])]
    lun.pop("alua_tg_pt_gp_name", None)
    if now:
        lun["alua_tg_pt_gp_name"] = now.group


def _entry(alua: Alua) -> dict[str, Any]:
    numbers = {key: int(text) for key, text in USUAL_GROUP.items() if key != "name"}
    return {
        **numbers,
        "name": alua.group,
        "tg_pt_gp_id": alua.number,
        "alua_access_state": STATES[alua.state],
        "alua_access_type": TYPES[alua.access_type],
        "preferred": int(alua.preferred),
    }


def arrange(host: Host, store: str, lun: str, alua: Alua | None) -> None:
    """Put a LUN into its group, which is made or changed first; one that it leaves goes when nothing is in it."""
    before, _why = look_alua(host, store, lun)
    if alua:
        if before and before.group == alua.group and before.number != alua.number:
            _leave(host, store, lun, before.group)  # a group has its number once and for all
            before = None
        _make(host, f"{store}/alua/{alua.group}", alua)
        if before is None or before.group != alua.group:
            host.poke(f"{lun}/alua_tg_pt_gp", alua.group)
    if before and (alua is None or before.group != alua.group):
        _leave(host, store, lun, before.group, alua.group if alua else DEFAULT_GROUP)


def _make(host: Host, group: str, alua: Alua) -> None:
    if host.stat(group) is None:
        host.mkdir(group)
    if value_of(host, f"{group}/tg_pt_gp_id") != str(alua.number):
        host.poke(f"{group}/tg_pt_gp_id", str(alua.number))
    kind, state = value_of(host, f"{group}/alua_access_type"), str(STATES[alua.state])
    if value_of(host, f"{group}/alua_access_state") != state:
        if kind in EXPLICIT_ALONE:
            host.poke(f"{group}/alua_access_type", str(TYPES["both"]))
            kind = "Implicit and Explicit"
        host.poke(f"{group}/alua_access_state", state)
    if SHOWN_TYPES.get(kind) != alua.access_type:
        host.poke(f"{group}/alua_access_type", str(TYPES[alua.access_type]))
    if value_of(host, f"{group}/preferred") != str(int(alua.preferred)):
        host.poke(f"{group}/preferred", str(int(alua.preferred)))


def _leave(host: Host, store: str, lun: str, group: str, into: str = DEFAULT_GROUP) -> None:
    if into == DEFAULT_GROUP:
        host.poke(f"{lun}/alua_tg_pt_gp", DEFAULT_GROUP)
    if not value_of(host, f"{store}/alua/{group}/members"):
        host.rmdir(f"{store}/alua/{group}")


def drop_groups(host: Host, store: str) -> None:
    """The groups of a backstore that is to be closed: the kernel does not take them away with it."""
    for group in [name for name in host.list(f"{store}/alua") if name != DEFAULT_GROUP]:
        host.rmdir(f"{store}/alua/{group}")
