# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes back after a boot: where saveconfig.json stands, and what its restore waits for."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Iterable, Mapping, NamedTuple

from .._host import Host, Problem
from .._san.unit_name import unit_name
from .._step import Step
from .shape import once, shape_faults

# Debian's rtslib is patched to its own directory; all others use /etc/target. The unit beside it restores the file.
PLACES = (("/etc/rtslib-fb-target", "rtslib-fb-targetctl.service"), ("/etc/target", "target.service"))
UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


# What has a unit to wait for: udev tags block devices alone (systemd 99-systemd.rules), no tape, no /dev/sgN.
WAITED_FOR = ("block", "fileio")
WRITTEN = 5  # seconds: who writes the file in place has done so
UNQUOTED = re.compile(r"/[^\0-\x1f\x7f\"'\\]*")  # a path that is one word of a unit file


@dataclass(frozen=True)
class Saved:
    """The saved configuration: where it stands, what is in it, and what the restore at boot is told to wait for."""

    path: str
    document: dict[str, Any] = field(repr=False)  # it has secrets
    private: bool = True
    unit: str = ""
    order: str = ""
    text: str = field(default="", compare=False, repr=False)  # the file as it was read
    # What shall be saved where the file is another one by now.
    merge: Callable[[Mapping[str, Any]], dict[str, Any]] = field(default=dict, compare=False, repr=False)

    @property
    def drop_in(self) -> str:
        """Where the restore unit is told what to wait for (systemd.unit(5))."""
        return f"/etc/systemd/system/{self.unit}.d/50-lunworks.conf"


@dataclass(frozen=True)
class Save(Step):
    """Write the file, 0600, whole or not at all; the files behind new LUNs are on their disks before it.

    rtslib and targetctl lock nothing: the file is read again when it is written, and what somebody has saved meanwhile stays.
    """

    seen: Saved
    want: Saved
    directories: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Save the configuration in '{self.want.path}', so that it comes back after a boot"

    def take(self, host: Host) -> None:
        if self.directories:
            host.run("sync", "--file-system", *self.directories)
        same = (host.read(self.want.path) or "") == self.seen.text
        document = self.want.document if same else self.want.merge(look_saved(host).document)
        text = json.dumps(document, sort_keys=True, indent=2) + "\n"
        host.write(host.real(self.want.path), text, 0o600)  # it may be a link, and stays one
        if not same and self.want.unit:
            OrderRestore(self.want.unit, self.want.drop_in).take(host)


@dataclass(frozen=True)
class OrderRestore(Step):
    """Tell systemd what the restore at boot of what is saved has to wait for."""

    unit: str
    path: str

    def __str__(self) -> str:
        return f"Let '{self.unit}' wait at boot for the network and for what holds the LUNs"

    def take(self, host: Host) -> None:
        host.write(self.path, restore_order(look_saved(host).document), 0o644)
        host.run("systemctl", "daemon-reload")


def look_saved(host: Host) -> Saved:
    """The saved configuration of this host; an empty one when nothing was saved yet."""
    units = [unit for _place, unit in PLACES if any(host.stat(f"{place}/{unit}") for place in UNITS)]
    known = [place for place, unit in PLACES if host.stat(place) or unit in units]
    directory = known[0] if known else PLACES[-1][0]
    path = f"{directory}/saveconfig.json"
    text, document, fault = host.until(lambda: _read(host, path), WRITTEN)
    if fault:
        raise Problem(f"'{path}' {fault}. {_remedy(directory)}")
    faults = list(shape_faults(document))
    if faults:
        raise Problem(f"'{path}' is not what targetctl writes: {'; '.join(faults[:3])}. {_remedy(directory)}")
    stat = host.stat(path)
    private = stat is None or not stat.st_mode & 0o077
    found = Saved(path, document, private, units[0] if units else "", text=text)
    return replace(found, order=host.read(found.drop_in) or "") if units else found


class _Read(NamedTuple):
    """The file once read: false while it is not whole."""

    text: str
    document: dict[str, Any]
    fault: str = ""

    def __bool__(self) -> bool:
        return not self.fault


def _read(host: Host, path: str) -> _Read:
    """rtslib writes it in place, and syncs nothing (root.py, save_to_file: shutil.copy): who reads meanwhile finds a part of it
    or none, and so does the boot after a power cut. An empty file is therefore not one in which nothing was saved yet."""
    text = host.read(path)
    if text is None:
        return _Read("", {})
    if not text.strip("\0 \n"):
        return _Read(
            text,
            {},
            "is empty: somebody's save of it was interrupted, and what it contained will not be restored",
        )
    try:
        return _Read(text, json.loads(text, object_pairs_hook=once))
    except (ValueError, RecursionError) as error:
        return _Read(text, {}, f"is not JSON ({error})")


def _remedy(directory: str) -> str:
    return (
        "It is what is restored at boot: repair it, restore a copy from "
        f"'{directory}/backup' ('targetctl restore COPY'), or, if everything that should be running is, move it away to have "
        "it created again from that."
    )


def plan_saved(seen: Saved, want: Saved, directories: Iterable[str]) -> list[Step]:
    """Save where the file differs or others can read it."""
    steps: list[Step] = []
    if (seen.document, seen.private) != (want.document, want.private):
        steps.append(Save(seen, want, tuple(sorted(set(directories)))))
    if seen.order != want.order:
        steps.append(OrderRestore(want.unit, want.drop_in))
    return steps


def restore_order(document: Mapping[str, Any]) -> str:
    """The drop-in of the restore unit. Without it the restore runs before addresses, mounts and devices are there,
    skips what it cannot make, and reports success; a file on a file system that is not mounted yet would even be
    recreated, empty, since the kernel opens backing files with O_CREAT (Linux, target_core_file.c)."""
    paths = sorted(
        os.path.normpath(one["dev"])
        for one in document.get("storage_objects", [])
        if one["plugin"] in WAITED_FOR and UNQUOTED.fullmatch(one.get("dev") or "")
    )
    devices = [f"{unit_name(path)}.device" for path in dict.fromkeys(paths) if path.startswith("/dev/")]
    mounts = sorted({os.path.dirname(path) for path in paths if not path.startswith("/dev/")})
    waits = ["network-online.target", *devices]
    lines = [
        "# Written by lunworks.iscsi. What the saved portals and LUNs need before they can be restored.",
        "[Unit]",
    ]
    lines += [f"{key}={wait}" for wait in waits for key in ("Wants", "After")]
    lines += [f"RequiresMountsFor={_quoted(directory.replace('%', '%%'))}" for directory in mounts]
    return "".join(f"{line}\n" for line in lines)


def _quoted(path: str) -> str:
    """A path as one word (systemd.syntax(7))."""
    return f'"{path}"' if " " in path else path
