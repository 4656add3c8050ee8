# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCSI disks as paths to LUNs: who a device says that it is now, and who the kernel believes that it is.

The kernel keeps what it read when the device appeared, and so does udev; a LUN number that was given to another LUN answers
otherwise. So each device is asked: INQUIRY, VPD pages 0x83 and 0x80 (SPC-4 6.4, 7.8), READ CAPACITY (16) (SBC-3 5.16).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Iterable, Sequence

from ..._block.dm_multipath import wwid_of_map
from ..._block.udev import remembered, settle
from ..._host import Host, Problem
from ..multipathd import look_maps

DISKS = "/sys/class/scsi_disk"
SESSIONS = "/sys/class/iscsi_session"
CONNECTIONS = "/sys/class/iscsi_connection"
INQUIRY = bytes([0x12, 0, 0, 0, 96, 0])
IDENTIFICATION = bytes([0x12, 1, 0x83, 4, 0, 0])
SERIAL = bytes([0x12, 1, 0x80, 1, 0, 0])
CAPACITY = bytes([0x9E, 0x10, *[0] * 8, 0, 0, 0, 32, 0, 0])
QUESTIONS = ((INQUIRY, 96), (IDENTIFICATION, 1024), (SERIAL, 256), (CAPACITY, 32))
SETTLING = 30  # seconds for udev
ACCESS_LUN = (
    "Universal Xport"  # Dell MD3000i and its relatives: LUN 31 is for the array's management, not a disk
)
# How multipath and udev begin a WWID: by the type of its designator (SPC-4 table 460; libmultipath, discovery.c).
T10, EUI, NAA, NAME = 1, 2, 3, 8


@dataclass(frozen=True)
class Session:
    """An iSCSI session in the kernel."""

    number: int
    target: str
    portal: str
    host: str
    state: str


@dataclass(frozen=True)
class Path:
    """One SCSI device. 'known' is the WWID that the kernel keeps, 'wwids' are those that the device answers with now;
    in the same way 'kept_serial' and 'serial', 'size' and 'capacity'. 'mapped_as' is the WWID of its map.
    'remembered' is the WWID of another disk that udev takes it for; empty where udev agrees, or a map says which disk it is.

    state: running; what sysfs says instead (blocked, offline, transport-offline); silent (no answer in time); unmapped
    (the target has no LUN there any more); failed (so says multipathd).
    """

    device: str
    hctl: str
    state: str
    known: str
    wwids: tuple[str, ...] = ()
    serial: str = ""
    product: str = ""
    size: int = 0
    capacity: int = 0
    session: Session | None = None
    map: str = ""
    kept_serial: str = ""
    mapped_as: str = ""
    remembered: str = ""

    @property
    def taken_for(self) -> str:
        """The WWID of the disk that this host uses it as: that of its map, or udev's, or the kernel's."""
        return self.mapped_as or self.remembered or self.known

    @property
    def other(self) -> bool:
        """Whether another LUN answers than the one that this host takes it for: its LUN number was given away."""
        kept = [wwid for wwid in (self.known, self.mapped_as, self.remembered) if wwid[:1] in ("2", "3")]
        return any(wwid not in self.wwids for wwid in kept) if self.wwids else False

    @property
    def was(self) -> str:
        """The disk that this host takes it for, in words."""
        known = self.kept_serial and self.kept_serial != self.serial
        return f"'{self.taken_for}'" + (f" (serial '{self.kept_serial}')" if known else "")

    @property
    def now(self) -> str:
        """The disk that answers, in words."""
        return f"'{self.wwids[0]}'" + (f" (serial '{self.serial}')" if self.serial else "")

    @property
    def good(self) -> bool:
        """Whether it carries I/O."""
        return self.state == "running"

    def __str__(self) -> str:
        where = f" at {self.session.portal}" if self.session else ""
        return f"/dev/{self.device} ({self.hctl}{where})"


def look_sessions(host: Host) -> list[Session]:
    """Every iSCSI session of this host."""
    found = []
    for name in host.list(SESSIONS):
        number = name[len("session") :]
        connection = f"{CONNECTIONS}/connection{number}:0"
        address = (host.read(f"{connection}/persistent_address") or "").strip()
        port = (host.read(f"{connection}/persistent_port") or "").strip()
        behind = re.search(r"/(host\d+)/", host.real(f"{SESSIONS}/{name}/device") + "/")
        found.append(
            Session(
                number=int(number),
                target=(host.read(f"{SESSIONS}/{name}/targetname") or "").strip(),
                portal=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
                host=behind[1] if behind else "",
                state=(host.read(f"{SESSIONS}/{name}/state") or "").strip(),
            )
        )
    return found


def look_paths(host: Host, sessions: Iterable[Session], wwids: Iterable[str] = ()) -> list[Path]:
    """The disks of these sessions and those that the kernel knows by these WWIDs, each asked who it is now.

    One that multipathd has failed is not good, whatever it says of itself.
    """
    paths = ask_paths(host, sessions, wwids)
    failed = {device for one in look_maps(host) for device in one.failed} if any(p.map for p in paths) else ()
    return _witnessed(host, [_judged(path, path.device in failed) for path in paths])


def ask_paths(host: Host, sessions: Iterable[Session], wwids: Iterable[str] = ()) -> list[Path]:
    """The same without multipathd's and udev's word: what the devices themselves say."""
    by_number = {session.number: session for session in sessions}
    kept = [_kept(host, hctl, by_number) for hctl in host.list(DISKS)]
    paths = [path for path in kept if path and (path.session or path.known in set(wwids))]
    asked = [path for path in paths if path.good]
    questions = [(f"/dev/{path.device}", *question) for path in asked for question in QUESTIONS]
    answers = host.scsi(questions) if questions else []
    count = len(QUESTIONS)
    told = {
        path.hctl: answered(path, answers[at * count : (at + 1) * count]) for at, path in enumerate(asked)
    }
    return [told.get(path.hctl, path) for path in paths]


def _witnessed(host: Host, paths: list[Path]) -> list[Path]:
    """The paths, those marked that udev still takes for another disk."""
    if not any(_misremembered(host, path) for path in paths):
        return paths
    # udev may not have handled yet that a disk went, and that another one came that the kernel calls the same.
    settle(host, SETTLING)
    told = [(path, _misremembered(host, path)) for path in paths]
    return [
        replace(path, remembered=it[0], kept_serial=it[1] or path.kept_serial) if it else path
        for path, it in told
    ]


def _misremembered(host: Host, path: Path) -> tuple[str, str] | None:
    found = remembered(host, path.device) if path.wwids and not path.map else ("", "")
    return found if found[0] and found[0] not in path.wwids else None


def _judged(path: Path, failed: bool) -> Path:
    return replace(path, state="failed") if failed and path.good else path


def _kept(host: Host, hctl: str, sessions: dict[int, Session]) -> Path | None:
    here = f"{DISKS}/{hctl}/device"
    names = host.list(f"{here}/block")
    if not names:  # it is just coming or going
        return None
    session = re.search(r"/session(\d+)/", host.real(here))
    block = f"/sys/class/block/{names[0]}"
    holders = ((name, wwid_of_map(host, name)) for name in host.list(f"{block}/holders"))
    above, mapped_as = next((pair for pair in holders if pair[1]), ("", ""))
    return Path(
        device=names[0],
        hctl=hctl,
        state=(host.read(f"{here}/state") or "gone").strip(),
        known=wwid_of_kernel(_attribute(host, f"{here}/wwid").rstrip("\n")),
        size=int(host.read(f"{block}/size") or 0) * 512,
        session=sessions.get(int(session[1])) if session else None,
        map=above,
        mapped_as=mapped_as,
        kept_serial=_attribute(host, f"{here}/vpd_pg80")[4:].strip(" \0\n"),
    )


def _attribute(host: Host, path: str) -> str:
    """What the kernel kept of a device; reading it fails where the device told nothing, or is just going."""
    try:
        return host.read(path) or ""
    except Problem:
        return ""


def answered(path: Path, answers: Sequence[bytes | None]) -> Path:
    """The path with what its device said: the answers to QUESTIONS, empty where refused, None where silent."""
    inquiry, identification, serial, capacity = answers
    if inquiry is None or identification is None:
        return replace(path, state="silent")
    if not inquiry or inquiry[0] >> 5 or inquiry[0] & 31 == 31:  # SPC-4 table 140: nothing connected here
        return replace(path, state="unmapped")
    number = (serial or b"")[4:].decode(errors="replace").strip(" \0")
    vendor, product = (inquiry[a:b].decode(errors="replace").strip(" \0") for a, b in ((8, 16), (16, 32)))
    blocks, length = (
        int.from_bytes((capacity or b"")[:8], "big"),
        int.from_bytes((capacity or b"")[8:12], "big"),
    )
    return replace(
        path,
        wwids=tuple(parse_identification(identification)) or wwids_of_serial(vendor, product, number),
        serial=number,
        product=product,
        capacity=(blocks + 1) * length,
    )


def parse_identification(page: bytes) -> list[str]:
    """The WWIDs on VPD page 0x83 that name the logical unit, in multipath's notation and order of preference."""
    found = []
    at, end = 4, 4 + int.from_bytes(page[2:4], "big")
    while at + 4 <= min(end, len(page)):
        kind, length = page[at + 1], page[at + 3]
        value = page[at + 4 : at + 4 + length]
        if kind >> 4 & 3 == 0 and value:  # association 0: the logical unit, not its port or target
            found.append((_rank(kind & 15, value), _wwid(kind & 15, value)))
        at += 4 + length
    return [wwid for _order, wwid in sorted(found) if wwid]


def _rank(kind: int, value: bytes) -> int:
    """NAA before EUI-64 before names before T10 vendor texts; longer NAAs first (scsi_id and libmultipath agree)."""
    return {NAA: 0 if value[0] >> 4 == 6 else 1, EUI: 2, NAME: 3, T10: 4}.get(kind, 5)


def _wwid(kind: int, value: bytes) -> str:
    if kind in (NAA, EUI):
        return f"{kind}{value.hex()}"
    if kind in (T10, NAME):
        return f"{kind}{_text(value)}"
    return ""


def wwids_of_serial(vendor: str, product: str, serial: str) -> tuple[str, ...]:
    """What udev makes of a device without page 0x83: 'S', its vendor, product and serial."""
    return (f"S{vendor}_{product}_{serial}".replace(" ", "_"),) if serial else ()


def wwid_of_kernel(text: str) -> str:
    """The kernel's 'wwid' attribute (drivers/scsi/scsi_lib.c, scsi_vpd_lun_id) in multipath's notation."""
    kind, dot, value = text.partition(".")
    number = {"naa": NAA, "eui": EUI, "t10": T10}.get(kind)
    return (
        text if not dot or number is None else f"{number}{_text(value.encode()) if number == T10 else value}"
    )


def _text(value: bytes) -> str:
    return re.sub(r"\s+", "_", value.decode(errors="replace").strip(" \0"))
