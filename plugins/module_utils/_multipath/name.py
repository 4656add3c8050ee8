# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What multipath calls a map, by its configuration and its bindings file, and what a reconfiguration does to running maps.

libmultipath/propsel.c, select_alias: an alias of the multipaths section, else with user_friendly_names a name of the bindings
file (alias.c, get_user_friendly_alias), else the WWID. A running map that is to have another name is renamed, in use or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Collection, Iterable, Iterator, Mapping, Sequence

from .._block.dm_multipath import look_wwids
from .._block.sysfs import BLOCK
from .._host import Host, Problem
from .._step import Step
from .blacklist import shut_out
from .multipathd import registered
from .queueing import in_force
from .sections import Section
from .use import Running, uses_of

BINDINGS = "/etc/multipath/bindings"
ANY = "*"  # behind the prefix of a name that multipath makes up: which one it takes is known afterwards
UDEV = 30  # seconds until a renamed map has its links
BY_PATH = ("fast_io_fail_tmo", "dev_loss_tmo")  # these may stand in a protocol section
KEYWORDS = (
    *(
        "path_grouping_policy",
        "no_path_retry",
        "failback",
        "path_selector",
        "prio",
        "path_checker",
        "features",
    ),
    *("hardware_handler", "flush_on_last_del", "rr_min_io_rq", "skip_kpartx", "recheck_wwid", *BY_PATH),
)


@dataclass(frozen=True)
class RenameMap(Step):
    """multipathd renames a map and its partitions as it reads its files; udev gives the new name its links."""

    map: Running
    name: str
    uses: tuple[str, ...] = ()  # what would lose the old name

    def __str__(self) -> str:
        parts = f" and its {len(self.map.parts)} partitions" if self.map.parts else ""
        name = f"a name that it makes up ({self.name})" if self.name.endswith(ANY) else f"'{self.name}'"
        return f"Rename the multipath map '{self.map.name}'{parts} to {name}"

    def take(self, host: Host) -> None:
        if not host.until(lambda: self._renamed(host), UDEV):
            raise Problem(
                f"'/dev/mapper/{self.name}' is not the map of '{self.map.wwid}'. Look at the log of multipathd "
                "('journalctl -u multipathd')."
            )

    def _renamed(self, host: Host) -> bool:
        name = self.name
        if name.endswith(ANY):
            name = _dm(host, self.map.device, "name")
            if not name.startswith(self.name[:-1]):
                return False
        return host.real(f"/dev/mapper/{name}").rpartition("/")[2] == self.map.device


@dataclass(frozen=True)
class LoseMap(Step):
    """multipathd removes a map that its files shut out, as it reads them."""

    map: Running
    reason: str
    uses: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Have multipathd remove the map '{self.map.name}' ({self.map.wwid}): {self.reason}"

    def take(self, host: Host) -> None:
        if not host.until(lambda: not _dm(host, self.map.device, "uuid"), UDEV):
            raise Problem(
                f"'{self.map.name}' is still there. Look at the log of multipathd ('journalctl -u multipathd')."
            )


@dataclass(frozen=True)
class ChangeMap(Step):
    """A running map whose settings are others once multipathd has read its files: it has loaded the map again by then."""

    name: str
    changes: tuple[tuple[str, str, str], ...]  # keyword, value before, value after

    def __str__(self) -> str:
        told = ", ".join(
            f"{key} {new or 'unset'} instead of {old or 'unset'}" for key, old, new in self.changes
        )
        return f"Give the multipath map '{self.name}' {told}"

    def take(self, host: Host) -> None:
        """multipathd has done it."""


def look_running(host: Host) -> list[Running]:
    """The maps that there are, by the kernel."""
    return [_running(host, device, wwid) for device, wwid in sorted(look_wwids(host).items())]


def _running(host: Host, device: str, wwid: str) -> Running:
    paths = host.list(f"{BLOCK}/{device}/slaves")
    place = f"{BLOCK}/{paths[0]}/device" if paths else ""
    vendor, product, revision = (
        (host.read(f"{place}/{key}") or "").strip() for key in ("vendor", "model", "rev")
    )
    above = [(upper, _dm(host, upper, "uuid")) for upper in host.list(f"{BLOCK}/{device}/holders")]
    parts = [(upper, _dm(host, upper, "name")) for upper, uuid in above if re.match(r"part\d+-mpath-", uuid)]
    iscsi = all(
        "/session" in host.real(f"{BLOCK}/{path}") + host.real(f"{BLOCK}/{path}/device") for path in paths
    )
    return Running(
        device,
        _dm(host, device, "name"),
        wwid,
        vendor,
        product,
        revision,
        parts=tuple(parts),
        paths=tuple(paths),
        protocols=("scsi:iscsi",) if paths and iscsi else (),
    )


def _dm(host: Host, device: str, what: str) -> str:
    return (host.read(f"{BLOCK}/{device}/dm/{what}") or "").strip()


def look_bindings(host: Host, config: Section) -> list[tuple[str, str]]:
    """The lines of the bindings file: name and WWID (alias.c, read_binding)."""
    path = in_force(config, {}, "bindings_file") or BINDINGS
    lines = (re.split(r"[#\r]", line)[0].split() for line in (host.read(path) or "").split("\n"))
    found: dict[str, str] = {}
    for words in lines:
        if len(words) > 1:
            found.setdefault(words[0], words[1])
    return list(found.items())


def refuse_bound(host: Host, config: Section, aliases: Mapping[str, str]) -> None:
    """A new alias that the bindings file gives to another WWID, whose map wants that name when it comes back."""
    others = {
        part.values.get("wwid") for part in config.all("multipaths", "multipath") if "alias" in part.values
    }
    path = in_force(config, {}, "bindings_file") or BINDINGS
    bound = dict(look_bindings(host, config))
    for wwid, alias in aliases.items():
        if bound.get(alias, wwid) != wwid and bound[alias] not in others:
            raise Problem(
                f"'{path}' gives the alias '{alias}' to '{bound[alias]}'; it must be '{alias}' for '{wwid}'. Choose another "
                "alias, give that disk its own alias, or remove its line there if it will not come back."
            )


def name_of(
    config: Section, bindings: Sequence[tuple[str, str]], one: Running, kept: Collection[str] = ()
) -> str:
    """What multipath would call this map with this configuration."""
    told = {"uuid": one.wwid, "vend": one.vendor, "prod": one.product, "rev": one.revision}
    own = [part for part in config.all("multipaths", "multipath") if part.values.get("wwid") == one.wwid]
    alias = next((part.values["alias"] for part in reversed(own) if part.values.get("alias")), "")
    if alias:
        return alias
    if in_force(config, told, "user_friendly_names") not in ("yes", "1"):
        return one.wwid
    if (one.name, one.wwid) in bindings:
        return one.name
    bound = next((name for name, wwid in bindings if wwid == one.wwid), "")
    if bound:
        return one.wwid if bound in kept else bound
    prefix, names = in_force(config, told, "alias_prefix") or "mpath", {name for name, _wwid in bindings}
    made_up = re.fullmatch(rf"{re.escape(prefix)}[a-z]{{1,7}}", one.name) and one.name not in names
    return one.name if made_up else prefix + ANY


def effects(
    host: Host, maps: Sequence[Running], old: Section, new: Section, named: frozenset[str]
) -> tuple[Step, ...]:
    """What becomes of the running maps when multipathd goes from one configuration to the other.

    'named' are the WWIDs whose name is asked for: what stands on such a map without knowing its name does not mind.
    """
    bindings, listed = look_bindings(host, new), registered(host)
    reasons = {one.device: shut_out(new, one, listed) for one in maps if not shut_out(old, one, listed)}
    lost = [one for one in maps if reasons.get(one.device)]
    maps = [one for one in maps if one.name and one not in lost]
    # A name that another map has and keeps cannot be given (libmultipath/configure.c, select_action).
    kept = {one.name for one in maps if name_of(new, bindings, one) == one.name}
    pairs = [(one, name_of(new, bindings, one, kept)) for one in maps]
    renamed = [(one, name) for one, name in pairs if name != one.name and name not in kept]
    leaving = [(one, one.name) for one in lost]
    uses = uses_of(host, renamed + leaving, named - {one.wwid for one in lost}) if renamed or lost else {}
    changed = [(name, _changes(old, new, one)) for one, name in pairs]
    return (
        *(LoseMap(one, reasons[one.device], uses[one.device]) for one in lost),
        *(RenameMap(one, name, (*uses[one.device], *_raced(name, renamed))) for one, name in renamed),
        *(ChangeMap(name, changes) for name, changes in changed if changes),
    )


def _raced(name: str, renamed: Sequence[tuple[Running, str]]) -> Iterator[str]:
    """Two maps that are renamed, one to the name of the other: multipathd begins with either."""
    if name in [one.name for one, _new in renamed]:
        yield f"'{name}' is the name of another map, and which of them is renamed first is not known"


def _changes(old: Section, new: Section, one: Running) -> tuple[tuple[str, str, str], ...]:
    told = {"uuid": one.wwid, "vend": one.vendor, "prod": one.product, "rev": one.revision}
    values = (
        (key, *(in_force(config, told, key, by_protocol=key in BY_PATH) for config in (old, new)))
        for key in KEYWORDS
    )
    return tuple((key, before, after) for key, before, after in values if before != after)


def refuse_effects(steps: Iterable[Step]) -> None:
    """What is used stays, by its name: systemd unmounts what fstab mounts by a name that vanishes, and says nothing."""
    for step in steps:
        if isinstance(step, RenameMap) and step.uses:
            raise Problem(
                f"multipathd would rename the map '{step.map.name}' ({step.map.wwid}) to '{step.name}', and its name is in "
                f"use: {'; '.join(step.uses)}. Keep the name with an alias (lunworks.iscsi.multipath_alias, wwid: "
                f"{step.map.wwid}, alias: {step.map.name}), leave out what renames it, or change these places first."
            )
        if isinstance(step, LoseMap) and step.uses:
            raise Problem(
                f"multipathd would drop the map '{step.map.name}' ({step.map.wwid}), since {step.reason}, and it is in "
                f"use: {'; '.join(step.uses)}. Remove what excludes it, or stop its users first."
            )
