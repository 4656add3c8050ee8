# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""udev: its rules, waiting for it (udevadm(8)), and what it remembers of a disk: who it was when it appeared.

multipathd and the links in /dev/disk believe that. Where a LUN number is given to another LUN while the target is away, the
kernel no longer tells: since open-iscsi 2.1.10 iscsid lets it read each disk again after a login (usr/initiator.c,
session_scan_host). Of that udev hears nothing: it still knows.
"""

from __future__ import annotations

from .._host import Host, lines_of

DATABASE = "/run/udev/data/b"  # by device number (systemd, src/libsystemd/sd-device/device-private.c)
WWID, SERIAL = "E:ID_SERIAL=", "E:ID_SCSI_SERIAL="  # what scsi_id found


def settle(host: Host, seconds: int) -> None:
    """Wait until udev has handled all events, or for so many seconds: what it does for other devices may take longer."""
    host.run("udevadm", "settle", f"--timeout={seconds}", ok=None, timeout=seconds + 10)


def write_rules(host: Host, path: str, text: str | None) -> None:
    """Give udev a file of rules, or take it away (None); they hold from its next event on (udev(7))."""
    if text is None:
        host.remove(path)
    else:
        host.write(path, text, 0o644)
    host.run("udevadm", "control", "--reload")


def remembered(host: Host, device: str) -> tuple[str, str]:
    """The WWID (only EUI-64 and NAA) and the unit serial of a disk as udev remembers them; empty where it does not."""
    number = (host.read(f"/sys/class/block/{device}/dev") or "").strip()
    lines = lines_of(host.read(f"{DATABASE}{number}")) if number else []
    wwid, serial = (
        next((line[len(name) :] for line in lines if line.startswith(name)), "") for name in (WWID, SERIAL)
    )
    return (wwid, serial) if wwid[:1] in ("2", "3") and len(wwid) in (17, 33) else ("", "")
