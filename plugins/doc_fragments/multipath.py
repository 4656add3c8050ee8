# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of disk and disks, alone and in a list. Their types are in module_utils/_multipath/disk/resource.py."""

from __future__ import annotations

from textwrap import indent

DISK_BODY = """\
target:
  description:
    - The iSCSI name of the target that the LUN is behind. Only the sessions to it are scanned.
    - If omitted with O(PREFIXwwid), all iSCSI sessions are scanned.
  type: str
lun:
  description:
    - The LUN's name in the data of its target, as given to M(lunworks.iscsi.targets).
    - Its serial, and so its WWID, is derived from O(PREFIXtarget) and this name.
  type: str
serial:
  description:
    - The LUN's unit serial, if the data of its target sets one explicitly.
    - If omitted, it is derived from both names.
  type: str
provider:
  description:
    - The storage software that serves the target. V(iet) makes another WWID of a serial than V(lio) and V(tgt), which make the
      same one. Other storage has its LUNs named by O(PREFIXwwid).
    - If omitted, it is V(lio).
  type: str
  choices: [iet, lio, tgt]
wwid:
  description:
    - The WWID of a LUN of any storage, as C(multipath -ll) shows it in parentheses and C(/lib/udev/scsi_id -g) prints it.
    - Capitals are accepted too, as is an NAA or EUI-64 identifier in the notation of arrays, C(lsblk), sysfs or
      C(/dev/disk/by-id) (C(naa.), C(eui.), C(t10.), C(0x), C(wwn-0x), C(scsi-3), without the C(3), with colons).
  type: str
paths:
  description: The minimum number of paths on which the disk must answer with its own WWID.
  type: int
  default: 1
multipath:
  description:
    - Whether the disk is used through a multipath map. If there is none, one is created, even for a single path.
    - V(false) is for hosts without multipathd. It refuses a disk that has a map.
  type: bool
  default: true
size:
  description:
    - The minimum size of the disk, a number with a binary unit, like V(40g).
    - With or without it, a disk whose LUN has grown is resized.
  type: str
timeout:
  description:
    - How long to wait for paths, udev and the map, in seconds, V(1) to V(3600). The time starts again whenever another one of
      the disks has appeared.
  type: int
  default: 60
state:
  description:
    - V(present) waits for the disk, verifies it and resizes it if its LUN has grown.
    - V(absent) removes it from this host, not from the storage. While the LUN is still mapped to this host, the next scan
      brings it back.
  type: str
  choices: [present, absent]
  default: present
"""

LIST = """\
disks:
  description: The disks, each listed once.
  type: list
  elements: dict
  required: true
  suboptions:
"""

NOTES = """\
notes:
  - Devices are queried with INQUIRY, VPD pages 0x83 and 0x80 (SPC-4 sections 6.4 and 7.8) and READ CAPACITY (16) (SBC-3
    section 5.16), in check mode too; these only read.
  - "If a LUN number was reassigned to another LUN, the host still has a device that bears the old identity. It is never used.
    If nothing uses it, it is removed and scanned again; if it is in use, the module refuses."
  - Growth, and a size that is asked for, require every path to be up, and to report the same size, before the map is touched.
"""


class ModuleDocFragment:
    """What disk and disks have in common."""

    DOCUMENTATION: str = "options: {}\n" + NOTES
    DISK: str = "options:\n" + indent(DISK_BODY.replace("PREFIX", ""), "  ")
    DISKS: str = "options:\n" + indent(LIST, "  ") + indent(DISK_BODY.replace("PREFIX", "disks[]."), " " * 6)
