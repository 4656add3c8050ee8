# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetBSD's target serves: its two files, and whether it runs. Nothing of Linux is asked: no /proc, no /sys."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Mapping

from .._arguments import Portal
from .._host import Host, Problem, lines_of
from .._san.target import Lun, Target
from . import conf

TARGETS, AUTHS = "/etc/iscsi/targets", "/etc/iscsi/auths"
RC = "/etc/rc.d/iscsi_target"
RC_CONF = ("/etc/rc.conf", "/etc/rc.conf.d/iscsi_target")  # the last assignment counts: rc.conf(5)
# Here from before the daemon is stopped until it runs again; emptied at boot (rc.d/cleanvar), when rc.conf decides anew.
NOTE = "/var/run/lunworks-iscsi-target.stopped"
EVERYWHERE = Portal("::")  # iscsi-target(8): it listens on all addresses
NO_AUTHS = (
    "# user:chap:secret (auths(5)). Without this file the target exits when an initiator offers CHAP.\n"
)


@dataclass(frozen=True)
class Serving:
    """The files, and the daemon. Texts may have secrets."""

    text: str = field(repr=False)
    auths: str | None = field(repr=False)
    running: bool = False
    sizes: Mapping[str, int | None] = field(default_factory=dict)  # of files behind extents; None: not there
    kinds: Mapping[str, bool] = field(default_factory=dict, compare=False)  # whether a path is a file
    # What a path leads to, whatever its spelling and the links on its way.
    identities: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, compare=False)
    starts: bool = field(default=False, compare=False)  # at boot
    halted: bool = field(default=False, compare=False)  # by a run of ours that was killed

    def targets(self) -> dict[str, Target]:
        """The targets by name in lower case."""
        return {name: self._target(one) for name, one in conf.targets_of(self.text).items()}

    def behind(self, path: str) -> tuple[Any, ...]:
        """What a path leads to."""
        return self.identities.get(path, (path,))

    def _target(self, one: conf.TargetEntry) -> Target:
        extent = conf.labels_of(self.text, "extent").get(one.storage)
        path = extent.fields[1] if extent else ""
        size = conf.length_of(extent, self.sizes.get(path)) if extent else None
        lun = Lun(
            name_of(one.storage),
            0,
            path,
            "",
            size,
            backstore=one.storage,
            read_only=one.read_only,
            fixed="" if extent else f"is the device '{one.storage}', made of others",
        )
        return Target(one.name, portals=frozenset([EVERYWHERE]), luns={0: lun})


def name_of(storage: str) -> str:
    """The name of a LUN: what its extent's label has behind '_'."""
    return storage.partition("_")[2] or "lun0"


def look_serving(host: Host, asked: Iterable[Mapping[str, Any]]) -> Serving:
    """Look once."""
    text = host.read(TARGETS) or ""
    paths = {entry.fields[1] for entry in conf.labels_of(text, "extent").values()}
    paths |= {lun["path"] for one in asked for lun in one["luns"] if lun["path"]}
    real = {path: host.real(re.sub("/+", "/", path)) for path in sorted(paths)}
    found = {path: host.stat(there) for path, there in real.items()}
    return Serving(
        text,
        host.read(AUTHS),
        is_running(host),
        {path: one.st_size if one else None for path, one in found.items()},
        {path: one is None or stat.S_ISREG(one.st_mode) for path, one in found.items()},
        {path: _identity(real[path], one) for path, one in found.items()},
        _starts(host),
        host.stat(NOTE) is not None,
    )


def _identity(real: str, found: os.stat_result | None) -> tuple[Any, ...]:
    if found is None:
        return (real,)
    device = stat.S_ISBLK(found.st_mode) or stat.S_ISCHR(found.st_mode)
    return (stat.S_IFMT(found.st_mode), found.st_rdev) if device else (found.st_dev, found.st_ino)


def is_running(host: Host) -> bool:
    """Whether the daemon runs; rc.d's status of one that does not is not 0 (rc.subr(8))."""
    return host.stat(RC) is not None and host.run(RC, "onestatus", ok=None).rc == 0


def _starts(host: Host) -> bool:
    found = ""
    for path in RC_CONF:
        for line in lines_of(host.read(path)):
            match = re.match(r"\s*iscsi_target=[\"']?(\w+)", line)
            found = match[1] if match else found
    return found.lower() in ("yes", "true", "on", "1")  # rc.subr(8), checkyesno


def want_serving(
    seen: Serving, asked: Iterable[Mapping[str, Any]], purge_targets: bool, force: bool
) -> Serving:
    """The files as they shall be, and the daemon running where it ran or starts at boot."""
    asked = list(asked)
    want = seen
    for one in asked:
        now = want.targets().get(one["name"])
        want = _without(want, one["name"]) if one["state"] == "absent" else _with(want, one, now, force)
    for name in seen.targets() if purge_targets else ():
        if name not in {one["name"] for one in asked}:
            want = _without(want, name)
    if want.text or seen.text != want.text:
        auths = NO_AUTHS if want.auths is None else want.auths
        want = replace(want, auths=auths if asked else want.auths)
    paths = {entry.fields[1] for entry in conf.labels_of(want.text, "extent").values()}
    paths |= {lun["path"] for one in asked for lun in one["luns"]}
    want = replace(want, sizes={path: size for path, size in want.sizes.items() if path in paths})
    return replace(want, running=_runs(seen, want, any(one["state"] == "present" for one in asked)))


def _runs(seen: Serving, want: Serving, present: bool) -> bool:
    """Without a target it does not start (target.c, iscsi_target_start). What a killed run has stopped runs again."""
    if not want.targets():
        return seen.running and seen.text == want.text
    halted = seen.halted and bool(seen.targets())
    return seen.running or halted or (seen.starts and present)


def _with(want: Serving, asked: Mapping[str, Any], now: Target | None, force: bool) -> Serving:
    luns = [lun for lun in asked["luns"] if lun["state"] == "present"]
    if now is None and not luns:
        raise Problem(
            f"The target '{asked['name']}' has no LUN, and NetBSD's has none without: give both in one call of "
            "lunworks.iscsi.targets."
        )
    if now and any(lun["state"] == "absent" and lun["name"] == now.luns[0].name for lun in asked["luns"]):
        raise Problem(
            f"The LUN '{now.luns[0].name}' is all that '{now.name}' has, and NetBSD's target has none without a LUN. Remove "
            "the target (lunworks.iscsi.target, state: absent)."
        )
    return _with_lun(want, asked["name"], now, luns[0], force) if luns else want


def _with_lun(want: Serving, name: str, now: Target | None, asked: Mapping[str, Any], force: bool) -> Serving:
    here = f"LUN '{asked['name']}' of '{name}'"
    if now is None:
        return _made(here, want, name, asked)
    old = now.luns[0]
    if old.name != asked["name"]:
        raise Problem(
            f"{here}: NetBSD's target has one LUN in a target, and that is '{old.name}'. Name that, or give this LUN a target of "
            "its own."
        )
    if asked["path"] and want.behind(asked["path"]) == want.behind(old.path):
        asked = {**asked, "path": old.path}  # the same file by another name
    _check_old(here, old, asked, want, force)
    text, sizes, path = want.text, want.sizes, asked["path"] or old.path
    if not old.fixed and (path != old.path or not _is_device(want, path)):
        size = _size(here, old.size if old.path == path else sizes.get(path), asked["size"])
        text = _resized(text, old, path, size)
        if asked["size"] is not None:
            sizes = {**sizes, path: max(size, sizes.get(path) or 0)}
    read_only = old.read_only if asked["read_only"] is None else asked["read_only"]
    return replace(want, text=_moded(text, name, read_only), sizes=sizes)


def _made(here: str, want: Serving, name: str, asked: Mapping[str, Any]) -> Serving:
    """A target and its extent, four columns each."""
    path = asked["path"]
    if not path:
        raise Problem(f"{here} does not exist yet: give its path, a file.")
    there = want.sizes.get(path)
    size = _size(here, there, asked["size"])
    number = conf.free_number(want.text)
    extent = f"extent{number}_{asked['name']}"
    text = conf.with_entry(want.text, None, (extent, path, "0", str(size)))
    flags = "ro" if asked["read_only"] else "rw"
    text = conf.with_entry(text, None, (f"target{number}={name}", flags, extent, "any"))
    return replace(want, text=text, sizes={**want.sizes, path: max(size, there or 0)})


def _is_device(want: Serving, path: str) -> bool:
    return path.startswith("/dev/") or not want.kinds.get(path, True)


def _check_old(here: str, old: Lun, asked: Mapping[str, Any], want: Serving, force: bool) -> None:
    stays = asked["path"] in (None, old.path)
    if old.path and want.sizes.get(old.path) is None and stays:
        raise Problem(
            f"{here} was served from '{old.path}', which is not there now. Bring it back, or remove the target (state: absent) "
            "if its data may be gone."
        )
    if old.path and stays and _is_device(want, old.path) and asked["size"] not in (None, old.size):
        raise Problem(
            f"{here} has {old.size} bytes of '{old.path}', which is not a file, and must have {asked['size']}: NetBSD's target "
            f"does not see the size of a device. Leave the size out, or change the entry in '{TARGETS}' by hand."
        )
    if old.fixed and (asked["path"] or asked["size"] is not None):
        raise Problem(f"{here} {old.fixed}: its path and size are not set here. Change '{TARGETS}' by hand.")
    if asked["path"] and asked["path"] != old.path and not force:
        raise Problem(
            f"{here} is '{old.path}', and must become '{asked['path']}': another disk under the same name. Remove the target and "
            "create it again, or set force for this one task."
        )


def _size(here: str, now: int | None, asked: int | None) -> int:
    size = asked or now
    if not size:
        raise Problem(f"{here}: its file does not exist. Give its size to create it.")
    if now and size < now:
        raise Problem(
            f"{here} has {now} bytes and cannot shrink to {size}: the data at its end would be lost."
        )
    if size % 512:
        raise Problem(f"{here}: its size of {size} bytes is not a multiple of 512, its block size.")
    return size


def _moded(text: str, name: str, read_only: bool) -> str:
    """With the mode of a target; three columns become four."""
    one = conf.targets_of(text)[name]
    if one.read_only == read_only:
        return text
    flags = "ro" if read_only else "rw"
    return conf.with_entry(text, one.entry, (one.entry.fields[0], flags, one.storage, one.mask))


def _resized(text: str, old: Lun, path: str, size: int) -> str:
    if (path, size) == (old.path, old.size):
        return text
    extent = conf.labels_of(text, "extent")[old.backstore]
    return conf.with_entry(text, extent, (extent.fields[0], path, extent.fields[2], str(size)))


def _without(want: Serving, name: str) -> Serving:
    """Without a target, and without its extent where this collection made it; devices and extents of others stay."""
    one = conf.targets_of(want.text).get(name)
    if one is None:
        return want
    text = conf.without_entry(want.text, one.entry)
    extent = conf.labels_of(text, "extent").get(one.storage)
    users = [other.storage for other in conf.targets_of(text).values()]
    users += [label for entry in conf.labels_of(text, "device").values() for label in entry.fields[2:]]
    if extent and re.match(r"extent\d+_", one.storage) and one.storage not in users:
        text = conf.without_entry(text, extent)
    return _without(replace(want, text=text), name)  # there may be another one of the name
