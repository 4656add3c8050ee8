# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for, laid over what IET serves and has in its files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterable, Mapping

from .._host import Problem
from .._san.backing import Backing
from .._san.merge import lay
from .._san.target import Lun, LunMap, Target
from .._san.wwid import iet_id, iet_serial
from . import allow
from .accounts import accounts_after
from .conf import Account
from .keys import LIVE, runs_as
from .running import Running, Volume
from .state import Serving, Text
from .writer import with_section, without_section


def want_serving(seen: Serving, asked: Iterable[dict[str, Any]], purge: bool, all_targets: bool) -> Serving:
    """The files, and what runs, as they shall be."""
    want = seen
    gone = []
    for one in asked:
        then = _wanted(seen, one, purge)
        if then is None:
            gone.append(one["name"])
        else:
            want = _with_target(seen, want, one, then, purge)
    if all_targets:
        named = {one["name"] for one in asked}
        gone += [name for name in {**seen.saved, **(seen.running or {})} if name not in named]
    return _without(want, gone)


def _wanted(seen: Serving, asked: dict[str, Any], purge: bool) -> Target | None:
    base = seen.saved.get(asked["name"])
    laid = lay(_as_asked(base, asked) if base else None, asked, seen.backing, purge)
    if laid is None:
        return None
    if base is None and seen.running and asked["name"] in seen.running:
        raise Problem(
            f"The target '{asked['name']}' runs, but is not in '{seen.conf.path}': somebody made it with ietadm, which does not "
            "say the identity of its LUNs. Write it to the file as it was made, or delete it with ietadm."
        )
    return _finished(laid, base, asked)


def _as_asked(base: Target, asked: Mapping[str, Any]) -> Target:
    """The target with the numbers and modes of the call: initiators see a LUN under the number that it has, and what is read-only
    by its mode need not stay so."""
    present = {lun["name"]: lun for lun in asked["luns"] if lun["state"] == "present"}
    luns = {}
    for lun in base.luns.values():
        option = present.get(lun.name, {})
        number, read_only = option.get("number"), option.get("read_only")
        number = lun.number if number is None else number
        if number in luns:
            return base  # two of one number: refused when it is laid over
        luns[number] = replace(
            lun, number=number, read_only=lun.read_only if read_only is None else read_only
        )
    maps = {number: LunMap(number, number, lun.read_only) for number, lun in luns.items()}
    return replace(
        base,
        luns=luns,
        initiators={name: replace(one, luns=dict(maps)) for name, one in base.initiators.items()},
    )


def _finished(target: Target, base: Target | None, asked: dict[str, Any]) -> Target:
    """With the identities and modes that IET has; a LUN is read-only for all."""
    options = {lun["name"]: lun for lun in asked["luns"] if lun["state"] == "present"}
    known = {lun.name: lun for lun in base.luns.values()} if base else {}
    luns = {}
    for number, lun in target.luns.items():
        option = options.get(lun.name)
        luns[number] = _lun(lun, option, known.get(lun.name)) if option else lun
    initiators = {
        name: replace(
            one,
            luns={
                number: replace(entry, read_only=luns[entry.lun].read_only)
                for number, entry in one.luns.items()
            },
        )
        for name, one in target.initiators.items()
    }
    return replace(target, luns=luns, initiators=initiators)


def _lun(lun: Lun, option: Mapping[str, Any], old: Lun | None) -> Lun:
    attributes, serial = dict(lun.attributes), lun.serial
    if old and iet_serial(serial) == iet_serial(old.serial):
        serial = old.serial  # as it is spelled
    else:
        serial = iet_serial(serial)
        attributes["ScsiId"] = option["attributes"].get("ScsiId") or iet_id(serial)
    if old is None:
        device = lun.path.startswith("/dev/") and not option["write_back"]
        attributes.setdefault("Type", "blockio" if device else "fileio")
    read_only = lun.read_only if option["read_only"] is None else option["read_only"]
    return replace(lun, serial=serial, attributes=attributes, read_only=read_only)


def _with_target(seen: Serving, want: Serving, asked: dict[str, Any], then: Target, purge: bool) -> Serving:
    name, base = asked["name"], seen.saved.get(asked["name"])
    accounts = accounts_after(seen, asked, purge)
    text = with_section(
        want.conf.text or "", then.name, then.luns, {**then.attributes, **then.parameters}, accounts
    )
    running = want.running
    if running is not None:
        running = {**running, name: _run(seen, asked, base, then, accounts)}
    return replace(
        want,
        conf=Text(want.conf.path, text, True),
        initiators=_initiators(seen, want, asked, then, purge),
        portals=_portals(seen, want, asked, then, purge),
        running=running,
        backing=_grown(want, then),
        saved={**want.saved, name: then},
    )


def _initiators(seen: Serving, want: Serving, asked: dict[str, Any], then: Target, purge: bool) -> Text:
    """Who gets in: the items of before that still hold, as they are spelled, and then the new ones."""
    base = seen.saved.get(asked["name"])
    if base and "igroups" not in asked["given"]:
        return want.initiators
    line = allow.deciding(seen.initiators.text, then.name)
    named = any(group["state"] == "present" for group in asked["igroups"])
    if base and not purge and not named and set(then.initiators) == set(base.initiators):
        return want.initiators
    spelling = asked["spelling"]
    kept = [
        (name, item)
        for item in line.items
        for name in [allow.initiator_of(item)]
        if name in then.initiators and not (purge and _misspelled(item, spelling.get(name)))
    ]
    there = {name for name, item in kept if not _misspelled(item, spelling.get(name))}
    new = [allow.item_of(spelling.get(name, name)) for name in sorted(set(then.initiators) - there)]
    items = [*(item for _name, item in kept), *new]
    if not purge and (line.own or base):
        items += allow.others_in(line.items)
        items += [allow.ALL] if allow.ALL in line.items and not named else []
    groups = {group: names for group, names in then.igroups().items() if names != [group]}
    return replace(want.initiators, text=allow.with_line(want.initiators.text, then.name, items, groups))


def _misspelled(item: str, spelling: str | None) -> bool:
    """Whether a request spells the initiator with capitals, and otherwise than the item does."""
    return spelling is not None and spelling != allow.plain(item)


def _portals(seen: Serving, want: Serving, asked: dict[str, Any], then: Target, purge: bool) -> Text:
    base = seen.saved.get(asked["name"])
    if base and "portals" not in asked["given"]:
        return want.portals
    line = allow.deciding(seen.portals.text, then.name)
    kept = [one for one in line.items if allow.portal_of(one) in then.portals]
    there = {allow.portal_of(one) for one in kept}
    items = [*kept, *(allow.portal_item(one) for one in sorted(then.portals - there))]
    if not purge and (line.own or base):
        others = [one for one in line.items if allow.portal_of(one) is None]
        items += [one for one in others if one != allow.NOBODY]
    if not line.own and list(line.items) == items:
        return want.portals  # the line for all targets says just that
    return replace(want.portals, text=allow.with_line(want.portals.text, then.name, items))


def _run(
    seen: Serving, asked: dict[str, Any], base: Target | None, then: Target, accounts: tuple[Account, ...]
) -> Running:
    """What runs of the target: what was asked for and what was lost; all else as it runs."""
    now = (seen.running or {}).get(asked["name"])
    said = {**then.attributes, **then.parameters}
    live = {key: runs_as(key, value) for key, value in said.items() if key in LIVE}
    if now is None:
        luns = {number: _volume(lun) for number, lun in then.luns.items()}
        return Running(then.name, luns=luns, keys=live, accounts=frozenset(accounts))
    named = {one["name"]: one for one in asked["luns"] if one["state"] == "present"}
    gone = set(base.luns if base else ()) - set(then.luns)
    luns = {number: volume for number, volume in now.luns.items() if number not in gone}
    for number, lun in then.luns.items():
        option = named.get(lun.name)
        if number not in now.luns or option:
            there = seen.backing.get(lun.path, Backing()).size
            luns[number] = _volume(lun, now.luns.get(number), option, there)
    asked_keys = {*asked["attributes"], *asked["parameters"]}
    keys = {**now.keys, **{key: value for key, value in live.items() if key in asked_keys}}
    chap = any(group["chap"] for group in asked["igroups"] if group["state"] == "present")
    return replace(now, luns=luns, keys=keys, accounts=frozenset(accounts) if chap else now.accounts)


def _volume(
    lun: Lun, now: Volume | None = None, option: Mapping[str, Any] | None = None, there: int | None = None
) -> Volume:
    """A LUN as it runs. IET keeps the size that its file or device had when it was made; a larger one must be asked for."""
    size = now.size if now and now.path == lun.path else None
    if size is not None and option and size < (option["size"] or 0):
        whole = there if lun.size is None else lun.size
        size = max(size, (whole or 0) // lun.block_size * lun.block_size)
    mode = "ro" if lun.read_only else "wb" if lun.write_back else "wt"
    return Volume(lun.path, lun.attributes.get("Type", "fileio"), mode, size)


def _grown(want: Serving, then: Target) -> Mapping[str, Backing]:
    backing = dict(want.backing)
    for lun in then.luns.values():
        if lun.size is not None and lun.path in backing:
            backing[lun.path] = replace(backing[lun.path], size=lun.size)
    return backing


def _without(want: Serving, gone: Iterable[str]) -> Serving:
    """Without these targets. Who may log in is forgotten last: as long as they are there, the line for all would decide."""
    opened = (want.initiators, want.portals)
    for name in gone:
        if any(one.target == name for one in want.sessions):  # nobody comes back while its sessions end
            opened = (replace(opened[0], text=allow.with_line(opened[0].text, name, [])), opened[1])
        section = want.sections.get(name)
        spelled = section.name if section else name
        conf = (
            want.conf
            if section is None
            else replace(want.conf, text=without_section(want.conf.text or "", spelled))
        )
        want = replace(
            want,
            conf=conf,
            initiators=replace(want.initiators, text=allow.without_line(want.initiators.text, spelled)),
            portals=replace(want.portals, text=allow.without_line(want.portals.text, spelled)),
            running=None
            if want.running is None
            else {key: one for key, one in want.running.items() if key != name},
            saved={key: one for key, one in want.saved.items() if key != name},
        )
    return replace(want, opened=opened)
