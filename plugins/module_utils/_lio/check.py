# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be wanted of LIO, given what is there. Only what a call creates or changes is judged: what others
made is left as it is."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping

from .._arguments import Portal
from .._chap import NO_CHAP, Chap
from .._host import Problem
from .._net.sockets import meet
from .._san.backing import Backing
from .._san.target import Lun, Target
from .._san.wwid import wwid_of_lio
from .plan import feasible, same_disk
from .rdma import NEEDED, why_lost
from .refuse import check_access
from .saved_entry import OURS
from .settings import check_known, check_limits
from .state import RESTORABLE, Serving

SHAPE = ("path", "serial", "size", "block_size", "write_back")  # what we change of our own kinds alone
ABSENT = Target("")


def check_serving(seen: Serving, want: Serving, asked: Iterable[dict[str, Any]], force: bool) -> None:
    """Raise where what is wanted would lose something, or cannot be made."""
    for one in asked:
        then = want.requested.get(one["name"])
        if then:
            _check_target(seen, one, seen.whole(one["name"]) or ABSENT, then, force)
    _check_twice(seen, want)
    _check_overlap(seen, want)


def _check_target(seen: Serving, asked: dict[str, Any], before: Target, then: Target, force: bool) -> None:
    now = seen.running.targets.get(asked["name"])
    _check_names(before, then)
    _check_chap(before, then, asked)
    check_known(asked, then, seen.known)
    _check_iser(seen, asked, then)
    _check_left(seen, asked, then)
    _check_lost(seen, then)
    for lun, old in _pairs(before, then):
        _check_kind(lun, old)
        _check_remake(seen, then, lun, force)
    for one in asked["luns"]:
        found = then.lun(one["name"], one["number"]) if one["state"] == "present" else None
        if found:
            check_limits(one, found, seen.backing.get(found.path, Backing()))
    if now and not force:
        _check_common(now, then, asked)
        check_access(seen, now, then)


def _pairs(before: Target, then: Target) -> Iterator[tuple[Lun, Lun | None]]:
    """Each LUN, and what was it before: the one with its backstore, or with its name and number."""
    by_store = {lun.backstore: lun for lun in before.luns.values()}
    names = {lun.name: lun for lun in before.luns.values()}
    for lun in then.luns.values():
        yield lun, by_store.get(lun.backstore) or names.get(lun.name)


def _check_names(before: Target, then: Target) -> None:
    new = [name for name in then.initiators if name not in before.initiators]
    for name in [*new, *([then.name] if before is ABSENT else [])]:
        if not RESTORABLE.fullmatch(name):
            raise Problem(
                f"LIO's restore at boot does not accept the name '{name}'. It must be iqn.YYYY-MM.domain.name:anything with at "
                "least two parts in the domain, eui. and 16 hex digits, or naa. and 16 hex digits that begin with 1, 2 or 5."
            )
    for lun, old in _pairs(before, then):
        if old is None and len(f"{then.name}:{lun.name}") > 255:
            raise Problem(
                f"The names of the target '{then.name}' and its LUN '{lun.name}' together have more than 255 bytes."
            )


def _check_chap(before: Target, then: Target, asked: dict[str, Any]) -> None:
    bare = sorted(name for name, one in then.initiators.items() if one.chap is None)
    was_bare = sorted(name for name, one in before.initiators.items() if one.chap is None)
    mixed = bool(bare) and len(bare) < len(then.initiators)
    if mixed and asked["access"] and (bare, list(then.initiators)) != (was_bare, list(before.initiators)):
        raise Problem(
            f"The target '{then.name}' has initiators with CHAP and without ({', '.join(bare)}). LIO requires it for "
            "the whole target: give CHAP to every igroup of it or to none, or create a separate target for them."
        )
    was = {one.chap for one in before.initiators.values()}
    new = [one.chap for one in then.initiators.values() if one.chap and one.chap not in was]
    if any(text.startswith("NULL") for one in new for text in _texts(one)):
        raise Problem("A CHAP user or secret must not begin with 'NULL': the kernel takes that for none.")


def _check_common(now: Target, then: Target, asked: dict[str, Any]) -> None:
    """An initiator that had to authenticate must not be let in without it as a side effect."""
    opened = (now.attributes.get("authentication"), then.attributes.get("authentication")) == ("1", "0")
    if now.common_chap and opened and not any(group["chap"] == NO_CHAP for group in asked["igroups"]):
        raise Problem(
            f"'{now.name}' requires CHAP from everybody, with credentials for the whole portal group, and its igroups have "
            "none: their initiators would get in without it. Give chap to the igroups, or an empty user and secret there if "
            "CHAP is not wanted."
        )


def _texts(chap: Chap) -> tuple[str, ...]:
    return (chap.user, chap.secret.reveal(), chap.mutual_user, chap.mutual_secret.reveal())


def _check_left(seen: Serving, asked: dict[str, Any], then: Target) -> None:
    """What was lost and cannot be made again as it was must not be asked for either: it would silently not be done."""
    made = feasible(seen, asked["name"], then) or then
    lost = {lun.name: lun for number, lun in then.luns.items() if number not in made.luns}
    named = {lun["name"] for lun in asked["luns"] if lun["state"] == "present"}
    named |= {
        entry["name"] for group in asked["igroups"] for entry in group["luns"] if entry["state"] == "present"
    }
    for name in sorted(named & set(lost)):
        raise Problem(
            f"The LUN '{name}' of '{then.name}' is saved but not running, and cannot be made here as it was: "
            f"'{lost[name].backstore}' {lost[name].fixed}. Recreate it with the tool that made it (targetcli), bring it back "
            "by 'targetctl restore', which takes all targets down first, or remove it (state: absent)."
        )
    for portal in sorted((asked["portals"] or frozenset()) - made.portals):
        raise Problem(
            f"The portal {portal} of '{then.name}' {why_lost(portal in then.iser)}, or remove it (purge)."
        )


def _check_iser(seen: Serving, asked: dict[str, Any], then: Target) -> None:
    now = seen.running.targets.get(asked["name"], ABSENT)
    for portal in sorted(where for where, iser in asked["iser"].items() if iser and not seen.rdma):
        if portal not in now.iser:
            raise Problem(
                f"The portal {portal} of '{then.name}' cannot speak iSER: this host has no RDMA device. {NEEDED}. Set that up, "
                "or leave iser out."
            )


def _check_kind(lun: Lun, old: Lun | None) -> None:
    """Backstores of other kinds are left to what made them."""
    if old and old.backstore == lun.backstore and lun.backstore.partition("/")[0] not in OURS:
        changed = [key for key in SHAPE if getattr(old, key) != getattr(lun, key)]
        if changed:
            raise Problem(
                f"The LUN '{lun.name}' is of the kind '{lun.backstore.partition('/')[0]}': its {changed[0]} must be changed "
                "with the tool that made it (targetcli)."
            )


def _check_remake(seen: Serving, then: Target, lun: Lun, force: bool) -> None:
    """A backstore that must be recreated: only its own, nobody else's, and only what we can make again."""
    old = seen.running.stores.get(lun.backstore)
    if lun.backstore in seen.running.faults and old:
        raise Problem(f"Two backstores cannot be told apart: {seen.running.faults[lun.backstore]}.")
    now = seen.running.targets.get(then.name.lower())
    served = {one.backstore: one for one in now.luns.values()} if now else {}
    by_name = next((one for one in served.values() if one.name == lun.name), None)
    new = lun.backstore not in served
    if by_name and new and not force and by_name.serial and by_name.backstore not in _stores(then):
        _another_disk(then, by_name, lun)
    if old is None or same_disk(old, lun):
        return
    if old.serial and not force and (old.path, old.serial) != (lun.path, lun.serial):
        _another_disk(then, old, lun)
    others = [
        place
        for name, tag, place in seen.running.users(lun.backstore)
        if (name, tag) != (then.name.lower(), then.tag)
    ]
    fixed = served.get(lun.backstore, old).fixed
    why = f"{old.backstore} {fixed}" if fixed else f"it is also served by {', '.join(others)}"
    if fixed or others:
        raise Problem(
            f"The LUN '{lun.name}' of '{then.name}' would have to be created again, but {why}. Change that first."
        )


def _stores(target: Target) -> set[str]:
    return {lun.backstore for lun in target.luns.values()}


def _another_disk(target: Target, old: Lun, lun: Lun) -> None:
    raise Problem(
        f"The LUN '{lun.name}' of '{target.name}' is '{old.path}' with the serial '{old.serial}', and must become "
        f"'{lun.path}' with the serial '{lun.serial}': another disk under the same name. Remove it (state: absent) and "
        "create it again, use another name, or set force for this one task."
    )


def _check_lost(seen: Serving, then: Target) -> None:
    """A file that was behind a LUN and is not there any more must not come back empty under the same identity."""
    before = seen.whole(then.name.lower()) or ABSENT
    paths = {
        (lun.backstore, lun.path) for lun in before.luns.values() if lun.backstore.partition("/")[0] in OURS
    }
    for lun in then.luns.values():
        backing = seen.backing.get(lun.path)
        if (
            (lun.backstore, lun.path) in paths
            and lun.path
            and backing
            and backing.size is None
            and not lun.fixed
        ):
            raise Problem(
                f"The LUN '{lun.name}' of '{then.name}' was served from '{lun.path}', which is not there now. Bring it back "
                "(is its file system mounted, its volume active?), or remove the LUN (state: absent) if its data may be gone."
            )


def _check_overlap(seen: Serving, want: Serving) -> None:
    """Targets may share a portal, but not one address and a wildcard that stands for it (bind(2), EADDRINUSE)."""
    listens = sorted((portal, name) for name, one in want.requested.items() for portal in one.portals)
    others = [
        (portal, one.name) for more in seen.running.others.values() for one in more for portal in one.portals
    ]
    old = {portal for one in seen.running.targets.values() for portal in one.portals}
    for portal, name in listens:
        for other, owner in [*listens, *others]:
            if portal not in old and portal != other and portal.port == other.port and meet(portal, other):
                raise Problem(
                    f"'{name}' cannot listen on {portal}: '{owner}' listens on {other}, which includes it."
                    + _advice(name, owner, other, portal)
                )


def _advice(name: str, owner: str, other: Portal, portal: Portal) -> str:
    wide = other if other.address in ("::", "0.0.0.0") else portal
    if name != owner or wide is portal:
        return ""
    return f" Declare {wide} itself, which serves every address of this host, or list other portals with purge to give it up."


def _check_twice(seen: Serving, want: Serving) -> None:
    """One file or device behind two LUNs, or two LUNs with one identity: hosts would merge or destroy them. Judged is what is
    new: one backstore of others may well be in several targets."""
    before = {_identity(lun): lun for target in seen.targets().values() for lun in target.luns.values()}
    luns = [(name, lun) for name, one in sorted(want.requested.items()) for lun in one.luns.values()]
    paths: dict[Any, list[tuple[str, Lun]]] = {}
    wwids: dict[str, list[tuple[str, Lun]]] = {}
    for name, lun in [*luns, *_other_luns(seen, luns)]:
        if lun.path:
            paths.setdefault(_behind(want.backing, lun), []).append((name, lun))
        if lun.serial:
            wwids.setdefault(wwid_of_lio(lun.serial), []).append((name, lun))
    for name, lun in luns:
        if _identity(lun) in before:
            continue
        where, one = _other(paths.get(_behind(want.backing, lun), []), lun)
        if one:
            raise Problem(
                f"'{lun.path}' would be behind two LUNs: '{one.name}' of '{where}' and '{lun.name}' of '{name}'."
            )
        where, one = _other(wwids.get(wwid_of_lio(lun.serial), []), lun)
        if one:
            raise Problem(
                f"The LUNs '{one.name}' of '{where}' and '{lun.name}' of '{name}' would have one WWID (the serials "
                f"'{one.serial}' and '{lun.serial}' have the same 25 hex digits): hosts would take them for one disk."
            )


def _other_luns(seen: Serving, luns: list[tuple[str, Lun]]) -> Iterator[tuple[str, Lun]]:
    """What further portal groups and other fabrics serve."""
    known = {lun.backstore for _name, lun in luns}
    first = {(name, target.tag) for name, target in seen.running.targets.items()}
    for store, lun in seen.running.stores.items():
        places = [name or place for name, tag, place in seen.running.users(store) if (name, tag) not in first]
        if store not in known and places:
            yield places[0], lun


def _identity(lun: Lun) -> tuple[str, str, str]:
    return (lun.backstore, lun.path, lun.serial)


def _behind(backing: Mapping[str, Backing], lun: Lun) -> Any:
    known = backing.get(lun.path)
    return known.identity if known else (lun.path,)


def _other(found: list[tuple[str, Lun]], lun: Lun) -> tuple[str, Lun | None]:
    return next(((name, one) for name, one in found if one.backstore != lun.backstore), ("", None))
