# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the kernel takes a disk for one that may be written, and how it asks again.

It asks once, when a path appears (MODE SENSE, SPC-4 section 6.14; drivers/scsi/sd.c), and when it is told to scan the device
again. A map over paths that may be written stays read-only until it is loaded again, which multipathd does at the event that
tells of a path's change (multipathd/main.c, DISK_RO). But once a path that may only be read has joined a map, multipathd loads it
read-only until a second such event (force_readonly there). Where none comes, as the other paths are gone, the map is recreated.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Sequence

from .._host import Host, Late, Problem
from .dm_multipath import running
from .sysfs import BLOCK
from .udev import settle

AT_ONCE = 16  # paths that are asked at the same time
SCAN = 30  # seconds for one path
ALONE = 5  # seconds for multipathd to load the map again by itself
TOLD = 10  # and when it was told to
RECREATED = 60  # seconds for a map to be recreated
SETTLING = 10  # seconds for udev


def is_read_only(host: Host, device: str) -> bool:
    """Whether a disk, or any path of a map, is one that may only be read; by its name in the kernel."""
    return any(_flag(host, name) for name in (device, *paths_of(host, device)))


def paths_of(host: Host, device: str) -> list[str]:
    """The devices at the bottom of a map; a plain disk is its own."""
    below = host.list(f"{BLOCK}/{device}/slaves")
    return [path for name in below for path in paths_of(host, name)] if below else [device]


def make_writable(host: Host, devices: Sequence[str]) -> None:
    """Have each path asked again, then wait for the maps; what the devices' caches hold may be old, and is dropped.

    A path that does not answer would keep its map read-only. Beside others it is removed; the next scan brings it back.
    """
    closed = {device: [path for path in paths_of(host, device) if _flag(host, path)] for device in devices}
    silent = _silent(host, [path for paths in closed.values() for path in paths])
    for device in devices:
        if set(paths_of(host, device)) <= silent:
            raise Problem(f"No path of '/dev/{device}' answers: {_listed(closed[device])}. Repair one first.")
    for path in sorted(silent):
        host.run("tee", f"{BLOCK}/{path}/device/delete", stdin="1", timeout=SCAN)
    # multipathd hears of a path once udev has handled its event.
    settle(host, SETTLING + sum(map(len, closed.values())))
    late = _not_loaded(host, devices)
    for device in late:
        _recreate(host, device)
    kept = [f"/dev/{device}" for device in devices if device not in late]
    if kept:
        host.run("blockdev", "--flushbufs", *kept, timeout=SCAN)
    # Until udev has handled the events of the maps, LVM may see one of them under another name, or not.
    settle(host, SETTLING + len(devices))


def _silent(host: Host, paths: Sequence[str]) -> set[str]:
    """Ask all paths at once; those that do not answer."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answered = list(pool.map(lambda path: _answers(host, path), paths))
    return {path for path, answers in zip(paths, answered) if not answers}


def _not_loaded(host: Host, devices: Sequence[str]) -> list[str]:
    """The maps that multipathd does not load to be written to, neither by itself nor when it is told to."""
    late: list[str] = []

    def loaded() -> bool:
        late[:] = [device for device in devices if is_read_only(host, device)]
        return not late

    def told() -> bool:
        orders = "".join(f"reload map {device}\n" for device in late)
        host.run("multipathd", "-k", stdin=f"{orders}quit\n", ok=None, timeout=SCAN)
        return loaded()

    if not host.until(loaded, ALONE):
        if not running(host):
            raise Problem(
                f"All paths are writable, but not {_listed(late)}, and multipathd does not run. Start it."
            )
        host.until(told, TOLD, 2)
    return late


def _recreate(host: Host, device: str) -> None:
    """Only a map that nobody uses can be removed."""
    uuid = (host.read(f"{BLOCK}/{device}/dm/uuid") or "").strip()
    name, wwid = (host.read(f"{BLOCK}/{device}/dm/name") or "").strip(), uuid.partition("-")[2]
    link, said = f"/dev/disk/by-id/dm-uuid-{uuid}", [""]

    def answered(*words: str) -> str:
        ran = host.run("multipathd", *words, ok=None, timeout=SCAN)
        said[0] = " ".join((ran.out + ran.err).split())
        return said[0]

    def gone() -> bool:
        answered("remove", "map", name)
        return not host.stat(f"{BLOCK}/{device}/dm/name")

    def made() -> bool:
        answered("add", "map", wwid)
        now = host.real(link).rpartition("/")[2]
        return bool(host.stat(link) and host.stat(f"{BLOCK}/{now}/ro")) and not is_read_only(host, now)

    if not (host.until(gone, RECREATED, 1) and host.until(made, RECREATED, 1)):
        raise Problem(
            f"All paths are writable, but the multipath map '{name}' is read-only and was not reloaded within {RECREATED} "
            f"seconds. multipathd says: {said[0]}"
        )


def _answers(host: Host, path: str) -> bool:
    """Have a path asked again whether it may be written; False when it cannot be asked. A Problem when it may not be."""
    place = f"{BLOCK}/{path}/device"
    if host.stat(f"{place}/rescan"):
        before = host.read(f"{place}/wwid")
        try:
            host.run("tee", f"{place}/rescan", stdin="1", timeout=SCAN)
        except Late:  # a failing session holds the question
            return False
        if host.read(f"{place}/wwid") != before:
            raise Problem(
                f"'/dev/{path}' answers as a different disk than before. See lunworks.iscsi.rescan."
            )
        if (host.read(f"{place}/state") or "").strip() != "running":
            return False
    if _flag(host, path):
        raise Problem(f"'/dev/{path}' is read-only. Have its LUN mapped to this host writable first.")
    return True


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'/dev/{name}'" for name in names)


def _flag(host: Host, name: str) -> bool:
    return (host.read(f"{BLOCK}/{name}/ro") or "").strip() == "1"
