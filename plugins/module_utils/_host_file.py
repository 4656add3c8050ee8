# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of 'host' that writes files, and says why it could not."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import stat

from ._host_lock import started

AS_ROOT = "The modules of this collection run as root: set 'become: true'."
ASIDE = ".lunworks."  # how the names of files begin that are being written; see path_resolution(7) for their length
WRITER = re.compile(re.escape(ASIDE) + r".*\.(\d+)\.(\d+)", re.S)  # and end: the process, and when it began
LONGEST = 200  # bytes of the file's own name in it
PLACES = (  # where the modules of this collection write files aside
    "/etc",
    "/etc/iet",
    "/etc/iscsi",
    "/etc/multipath",
    "/etc/multipath/conf.d",
    "/etc/network/if-up.d",
    "/etc/NetworkManager/conf.d",
    "/etc/rtslib-fb-target",
    "/etc/sysctl.d",
    "/etc/systemd/network/*.d",
    "/etc/systemd/system/*.d",
    "/etc/target",
    "/etc/tgt",
    "/etc/tgt/conf.d",
    "/etc/udev/rules.d",
    "/run",
    "/run/lock/iscsi",
    "/var/lib/iscsi",
    "/var/run",  # of NetBSD, which has no /run
)
KEPT = ("security.selinux", "system.posix_acl_access")  # and all of user.*: xattr(7)
REMEDIES = {
    errno.ENOSPC: "is full. Make room there, for files too ('df' and 'df -i' show it)",
    errno.EDQUOT: "has a quota that is used up. Raise it, or make room there ('quota' shows it)",
    errno.EROFS: "is mounted read-only. If the kernel log shows no fault of its disk, remount it read-write",
}


def why(error: Exception, path: str) -> str:
    """What went wrong with a path, as the rest of a sentence, and what to do."""
    if not isinstance(error, OSError):
        return "no path and no file can hold such characters"  # a NUL byte, or half a character
    reason = error.strerror or str(error)
    if error.errno in REMEDIES:
        point, source = file_system(path)
        return f"{reason}. The file system '{point}' ({source}) {REMEDIES[error.errno]}"
    return f"{reason}. {AS_ROOT[:-1]}" if isinstance(error, PermissionError) and os.geteuid() else reason


def file_system(path: str) -> tuple[str, str]:
    """The mount point that a path is under, and what is mounted there (proc(5), mountinfo)."""
    real, found = os.path.realpath(path), ("/", "its device")
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", "rb") as table:
        for fields in (line.decode(errors="surrogateescape").split(" ") for line in table):
            point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
            inside = real == point or real.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(found[0]):
                found = point, fields[fields.index("-") + 2]
    return found


def replace_file(path: str, text: str, mode: int | None, directory: str = "") -> None:
    """What 'Host.write' says. A link stays: the file that it names is replaced where that is."""
    data = text.encode(errors="surrogateescape")
    real, old = os.path.realpath(path), _old(path)
    if not os.path.islink(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    _refuse_target(path, real, old)
    directory = directory or os.path.dirname(real)
    clear(glob.escape(directory))
    aside = f"{directory}/{aside_name(os.path.basename(real))}"
    try:
        with open(aside, "xb", opener=_private) as file:
            file.write(data)
            file.flush()
            if old:
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
                _keep(real, file.fileno())
            kept = old.st_mode & 0o7777 if old else 0o644
            os.fchmod(file.fileno(), kept if mode is None else mode)
            os.fsync(file.fileno())
        os.rename(aside, real)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)
        raise
    sync(os.path.dirname(real))


def aside_name(name: str) -> str:
    """What a file is called while this process writes it."""
    short, number = os.fsencode(name)[:LONGEST].decode(errors="surrogateescape"), os.getpid()
    return f"{ASIDE}{short}.{number}.{started(number)}"


def clear(place: str) -> None:
    """Remove what runs that were killed were writing there: it may hold secrets. What a process that lives writes stays.

    '*' in a place stands for any names. Where nothing can be removed, whoever writes there is told why.
    """
    for path in glob.iglob(f"{place}/{ASIDE}*"):
        if abandoned(os.path.basename(path)):
            with contextlib.suppress(OSError):
                os.unlink(path)


def abandoned(name: str) -> bool:
    """Whether a file of this name was being written by a process that is gone; another one may have its ID by now."""
    writer = WRITER.fullmatch(name)
    return writer is not None and started(int(writer[1])) != int(writer[2])


def sync(directory: str) -> None:
    """Have the names in a directory on its disk (fsync(2))."""
    handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _old(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _refuse_target(path: str, real: str, old: os.stat_result | None) -> None:
    """A link to /dev/null says that there shall be no such file (systemd.unit(5), sysctl.d(5)): it must stay a device."""
    if old and not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, f"'{real}' is not a regular file. Was '{path}' masked on purpose?")
    if not os.path.isdir(os.path.dirname(real)):
        raise OSError(errno.ENOENT, f"it is a link to '{real}', whose directory is not there. Is it mounted?")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _keep(real: str, handle: int) -> None:
    """SELinux's label, ACLs and what users noted; a file system that has none of it has nothing to keep."""
    with contextlib.suppress(
        OSError, AttributeError
    ):  # the last: Linux alone has these functions (os, in Python's library)
        for name in os.listxattr(real):
            if name in KEPT or name.startswith("user."):
                with contextlib.suppress(OSError):
                    os.setxattr(handle, name, os.getxattr(real, name))
