# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems in the tree: what /etc/fstab says (fstab(5)) and what the kernel has mounted (proc(5), mountinfo)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Iterator, Sequence

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem, lines_of
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

FSTAB = "/etc/fstab"
# A network disk must neither stop the boot when it stays away nor be unmounted after its network is gone, and when it comes
# back later it is mounted then: systemd.mount(5) on _netdev, nofail, x-systemd.device-timeout and x-systemd.wanted-by.
OPTIONS = "_netdev,nofail,x-systemd.device-timeout=90"
WANTED_BY = ",x-systemd.wanted-by={}"
DEVICE_SECONDS = 15
UNMOUNT_SECONDS = 600  # what is dirty in memory is written first


@dataclass(frozen=True)
class Line:
    """A line of /etc/fstab."""

    device: str
    filesystem: str
    options: str


@dataclass(frozen=True)
class Mount:
    """A mount point: its line in /etc/fstab, the device that is mounted there, and who is busy in it."""

    path: str
    line: Line | None = None
    mounted: str | None = None
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class MakeMountPoint(Step):
    path: str

    def __str__(self) -> str:
        return f"Make the directory '{self.path}'"

    def take(self, host: Host) -> None:
        host.mkdir(self.path)


@dataclass(frozen=True)
class WriteLine(Step):
    """Write the line once the device is there, so that no boot waits for what was never made."""

    path: str
    line: Line

    def __str__(self) -> str:
        return f"Write '{self.line.device}' on '{self.path}' ({self.line.options}) into {FSTAB}"

    def take(self, host: Host) -> None:
        if not host.until(lambda: host.stat(self.line.device), DEVICE_SECONDS):
            raise Problem(
                f"The device '{self.line.device}' is not there; waited for it {DEVICE_SECONDS} seconds."
            )
        fields = (self.line.device, self.path, self.line.filesystem, self.line.options, "0", "0")
        edit_line(host, self.path, " ".join(map(escaped, fields)))


@dataclass(frozen=True)
class DropLine(Step):
    path: str

    def __str__(self) -> str:
        return f"Drop the line of '{self.path}' from {FSTAB}"

    def take(self, host: Host) -> None:
        edit_line(host, self.path, None)


@dataclass(frozen=True)
class ReloadUnits(Step):
    """systemd makes units of the lines and keeps using old ones until told."""

    def __str__(self) -> str:
        return f"Let systemd read {FSTAB} again"

    def take(self, host: Host) -> None:
        if host.stat("/run/systemd/system"):
            host.run("systemctl", "daemon-reload")


@dataclass(frozen=True)
class MountIt(Step):
    path: str
    device: str

    def __str__(self) -> str:
        return f"Mount '{self.device}' on '{self.path}'"

    def take(self, host: Host) -> None:
        ran = host.run("mount", self.path, ok=None, timeout=120)
        if ran.rc and self.path not in dict(
            _mounted(host)
        ):  # systemd may have been faster, since the device came just now
            raise Problem(f"'mount {self.path}' failed with exit code {ran.rc}: {' '.join(ran.err.split())}")


@dataclass(frozen=True)
class Unmount(Step):
    path: str
    device: str

    def __str__(self) -> str:
        return f"Unmount '{self.device}' from '{self.path}'"

    def take(self, host: Host) -> None:
        host.run("umount", self.path, timeout=UNMOUNT_SECONDS)


def new_options(device: str) -> str:
    """The options of a new line."""
    return OPTIONS + "".join(WANTED_BY.format(unit) for unit in ("remote-fs.target", device_unit(device)))


def device_unit(device: str) -> str:
    """systemd's unit of a device, its name escaped as in systemd.unit(5)."""
    kept = re.sub(
        r"[^A-Za-z0-9:_./]",
        lambda match: "".join(f"\\x{byte:02x}" for byte in match[0].encode()),
        device.strip("/"),
    )
    return kept.replace("/", "-") + ".device"


def look_mounts(host: Host, devices: dict[str, str | None], leaving: Sequence[str] = ()) -> tuple[Mount, ...]:
    """The mounts at these paths. 'devices' names the device that each path should have, if known: what is mounted is
    then named by it. Who is busy in a mount is asked only for the paths in 'leaving'.
    """
    lines = {path: line for path, line in map(parsed_line, lines_of(host.read(FSTAB))) if line}
    mounted = dict(_mounted(host))
    used = _used(host) if set(leaving) & set(mounted) else {}
    return tuple(
        Mount(
            path=path,
            line=lines.get(path),
            mounted=_name(host, mounted[path], device) if path in mounted else None,
            users=tuple(_users(host, path, mounted, leaving, used))
            if path in leaving and path in mounted
            else (),
        )
        for path, device in devices.items()
    )


def plan_mounts(seen: tuple[Mount, ...], want: tuple[Mount, ...]) -> list[Step]:
    """The future first, then the present: lines of /etc/fstab, then what is mounted; a way out before a way in."""
    pairs = [(old, new) for old, new in zip(seen, want) if (old.line, old.mounted) != (new.line, new.mounted)]
    lines: list[Step] = []
    for old, new in pairs:
        if old.line != new.line:
            lines.append(WriteLine(new.path, new.line) if new.line else DropLine(new.path))
    # systemd unmounts what an old unit of the same mount point does not allow; where there is none, the service comes first.
    fresh = all(old.line is None for old, new in pairs if old.line != new.line)
    reload: list[Step] = [ReloadUnits()] if lines else []
    return [
        *(MakeMountPoint(new.path) for old, new in pairs if new.mounted and not old.line and not old.mounted),
        *lines,
        *([] if fresh else reload),
        *(
            Unmount(old.path, old.mounted)
            for old, new in sorted(pairs, key=lambda pair: pair[0].path, reverse=True)  # inner ones first
            if old.mounted and not new.mounted
        ),
        *(MountIt(new.path, new.mounted) for old, new in pairs if new.mounted and not old.mounted),
        *(reload if fresh else []),
    ]


def refuse_mounts(seen: tuple[Mount, ...], want: tuple[Mount, ...]) -> None:
    """Nothing is mounted over another file system, and nothing is taken from under those who use it."""
    for old, new in zip(seen, want):
        if old.mounted and new.mounted and old.mounted != new.mounted:
            raise Problem(
                f"Cannot mount '{new.mounted}' on '{new.path}': '{old.mounted}' is mounted there. Unmount it first."
            )
        if old.mounted and not new.mounted and old.users:
            raise Problem(f"Cannot unmount '{old.path}': {'; '.join(old.users)}. Stop them first.")


def edit_line(host: Host, path: str, wanted: str | None) -> None:
    """Put the line of a mount point into /etc/fstab in its place, or take it out; all else stays as it is."""
    lines = lines_of(host.read(FSTAB))
    own = [number for number, line in enumerate(lines) if parsed_line(line)[0] == path]
    at = own[0] if own else len(lines)
    kept = [line for number, line in enumerate(lines) if number not in own]
    host.write(FSTAB, "".join(f"{line}\n" for line in kept[:at] + ([wanted] if wanted else []) + kept[at:]))


def escaped(text: str) -> str:
    """A field of fstab: white space and backslashes as octal numbers."""
    return re.sub(r"[\s\\]", lambda match: f"\\{ord(match[0]):03o}", text)


def unescaped(text: str) -> str:
    """A field of fstab or mountinfo as it was."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def parsed_line(line: str) -> tuple[str, Line | None]:
    """The mount point and the rest of a line of /etc/fstab; none for a comment."""
    fields = (
        [unescaped(field) for field in line.split("#")[0].split()]
        if not line.lstrip().startswith("#")
        else []
    )
    if len(fields) < 3:
        return "", None
    return fields[1], Line(fields[0], fields[2], fields[3] if len(fields) > 3 else "defaults")


def _mounted(host: Host) -> Iterator[tuple[str, tuple[str, str]]]:
    """Mount points with the device number and the source; of two on one path the last one is seen."""
    for text in lines_of(host.read("/proc/self/mountinfo")):
        fields = text.split()
        yield unescaped(fields[4]), (fields[2], unescaped(fields[fields.index("-") + 2]))


def _name(host: Host, mounted: tuple[str, str], device: str | None) -> str:
    stat = host.stat(device) if device else None
    if device and stat and mounted[0] == f"{os.major(stat.st_rdev)}:{os.minor(stat.st_rdev)}":
        return device
    return mounted[1]


def _used(host: Host) -> dict[str, list[str]]:
    """What each process has open, and where it is."""
    found = {}
    for process in filter(str.isdecimal, host.list("/proc")):
        opened = [f"fd/{number}" for number in host.list(f"/proc/{process}/fd")]
        found[process] = [host.real(f"/proc/{process}/{link}") for link in ("cwd", "root", *opened)]
    return found


def _users(
    host: Host,
    path: str,
    mounted: dict[str, tuple[str, str]],
    leaving: Sequence[str],
    used: dict[str, list[str]],
) -> Iterator[str]:
    inside = path.rstrip("/") + "/"
    for point in mounted:
        if point.startswith(inside) and point not in leaving:
            yield f"'{mounted[point][1]}' is mounted on '{point}'"
    for process, targets in used.items():
        busy = [target for target in targets if target == path or target.startswith(inside)]
        if busy:
            name = (host.read(f"/proc/{process}/comm") or "").strip()
            yield f"the process {process} ({name}) uses '{busy[0]}'"
