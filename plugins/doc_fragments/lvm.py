# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin of module_utils/lvm_group_wish.py and lvm_volume_wish.py: options that stand alone, and in a list."""

from __future__ import annotations

from textwrap import indent

GROUP_BODY = """\
name:
  description: The name of the volume group, by the rules of lvm(8).
  type: str
  required: true
devices:
  description:
    - The disks that the group shall have at least, under names that mean the same disk after every boot, like
      C(/dev/mapper/NAME) or C(/dev/disk/by-id/dm-uuid-mpath-WWID); M(lunworks.iscsi.disks) returns such names. C(/dev/sdX),
      C(/dev/dm-N) and C(/dev/disk/by-path) are refused.
    - A disk that is not in the group joins it. It must be empty and unused; whatever is on it is named and refused, and
      so is a path of a multipath map.
    - A disk of which a partition is a physical volume of the group is in it; it stays on that partition.
    - Disks of the group that are not listed stay in it. This module never takes a disk out of a group.
    - Physical volumes whose disks have grown grow with them.
    - If omitted, the disks stay as they are, and the group must be there.
  type: list
  elements: path
extent_size:
  description:
    - The size of an extent, a number with a binary unit, a power of two from V(1k) on or a multiple of V(128k).
    - It is chosen when the group is created; another one later is refused.
    - If omitted, it is left unchanged; a new group gets LVM's default, 4 MiB unless C(lvm.conf) says otherwise.
  type: str
autoactivation:
  description:
    - Whether the host activates the group by itself when its last disk appears (LVM 2.03.12 and newer).
    - If omitted, it is left unchanged; LVM's default for a new group is V(true).
  type: bool
tags:
  description:
    - All tags of the group. An empty list removes them.
    - If omitted, they are left unchanged.
  type: list
  elements: str
system_id:
  description:
    - The system ID (lvmsystemid(7)) of the host that the group belongs to; no other host can use it then. An empty one
      gives it to nobody. The group must be inactive, and belong to this host or nobody.
    - If omitted, it is left unchanged; exporting clears it, importing sets this host's own.
  type: str
take_over_from:
  description:
    - When the group is imported (O(PREFIXstate=imported) or O(PREFIXimported)), take one over that belongs to exactly this
      system ID, whose host is dead and cannot hand it over. This host must have a system ID itself, which the group gets.
    - Only after that host is fenced. LVM cannot know whether it is, and a host that is not goes on writing.
    - If omitted, the group of another host is refused. One that this host has already stays as it is.
  type: str
imported:
  description:
    - With O(PREFIXstate=active), import the group first if it is exported.
    - Without it an exported group is refused, since it may be on its way to another host.
    - Disks of the group that this host knows as read-only, since their LUNs were mapped so when it found them, are asked again on
      every path until they may be written.
  type: bool
  default: false
checksums:
  description:
    - Read a checksum sample of each active logical volume, as M(lunworks.iscsi.volume_sample_info) does, and return it.
    - With O(PREFIXstate=exported), also record the samples in the group, as the tags C(lunworks.sum:VOLUME:DIGEST), so that the
      host that imports it can compare them. Older ones are removed.
  type: bool
  default: false
state:
  description:
    - V(active), all its logical volumes are active. V(inactive), none is.
    - V(exported), inactive and marked as on its way to another host; no host uses it then. V(imported), not so any more.
    - V(absent), removed with the labels on its disks. There must be no logical volume unless O(PREFIXforce) is set.
    - A group is made V(inactive), V(exported) or V(absent) only when nobody uses it; who does is named.
    - If omitted, the group must be there or is created, and what is active stays so.
  type: str
  choices: [active, inactive, exported, imported, absent]
force:
  description:
    - With O(PREFIXstate=absent), remove the logical volumes too, and lose all on them. Those in use are refused even so.
    - It is for the one task that needs it.
  type: bool
  default: false
seqno:
  description:
    - The sequence number of its metadata that you planned on (C(seqno) of M(lunworks.iscsi.volume_group_info)). Where there is
      another one, somebody else has changed the group since, and nothing is done.
    - If omitted, what this module has looked at first is what its first change must find.
  type: int
"""

VOLUME_BODY = """\
group:
  description: The volume group that it is in, which must be on this host.
  type: str
  required: true
name:
  description: The name of the logical volume, by the rules of lvm(8).
  type: str
  required: true
size:
  description:
    - A number with a binary unit, like V(40g), rounded up to whole extents; or V(N%VG), of the group; or V(N%FREE), of what
      is free when it is created, in the order of the list.
    - A volume that is smaller grows. One that is larger than its absolute size is refused, since nothing is ever made
      smaller. With a percentage it never needs to shrink, and grows when the group has.
    - Only linear and striped volumes are grown.
    - If omitted, it is left unchanged, and the volume must be there.
  type: str
filesystem:
  description:
    - The file system on it. It is made only when the volume has no signature of anything and nobody uses it; what else is
      on it is named and refused. It grows when the volume has grown.
    - If omitted, what is on the volume is not looked at.
  type: str
  choices: [ext4, xfs]
filesystem_options:
  description:
    - Further arguments of C(mkfs) when the file system is made, a list of single words like V([-L, data]), read as C(mkfs)
      itself reads them. Force, dry runs, other devices and sizes other than the device's are refused.
  type: list
  elements: str
active:
  description:
    - Whether the volume is active, so that its device is there. It is deactivated only when nobody uses it.
    - If omitted, it is left unchanged; a new one is active.
  type: bool
state:
  description:
    - V(absent) removes the volume. One that is in use is refused; one that holds anything, or is inactive so that nobody
      can see what it holds, only goes with O(PREFIXforce).
  type: str
  choices: [present, absent]
  default: present
force:
  description:
    - With O(PREFIXstate=absent), lose what the volume holds.
    - It is for the one task that needs it.
  type: bool
  default: false
"""

ASSUMED_DEVICES = """\
assume_present:
  description:
    - In check mode, devices to treat as present because an earlier task of the same check run reported that it would bring
      them. A real run still needs every one of them.
  type: list
  elements: path
  default: []
"""

ASSUMED_GROUPS = """\
assume_present:
  description:
    - In check mode, volume groups to treat as present because an earlier task of the same check run reported that it would
      create them. A real run still needs every one of them.
  type: list
  elements: str
  default: []
"""

NOTES = """\
notes:
  - Needs root and LVM 2 on the host; growing and making file systems need e2fsprogs or xfsprogs.
  - A volume group that is exported, belongs to another host (system ID), misses physical volumes, has copies of them or
    is shared through lvmlockd is seen, named, and left alone.
  - Where the host uses a devices file (lvmdevices(8)), LVM sees only the disks in it. These modules see all, and
    M(lunworks.iscsi.volume_group) adds the disks of a group that the host shall have.
  - Every command of LVM has a time limit. With all paths of some disk gone and multipath holding its I/O back, LVM hangs
    on any host; then the message says so.
seealso:
  - module: lunworks.iscsi.volume_group
  - module: lunworks.iscsi.volume_groups
  - module: lunworks.iscsi.logical_volume
  - module: lunworks.iscsi.logical_volumes
  - module: lunworks.iscsi.volume_group_info
  - module: lunworks.iscsi.disks
  - module: lunworks.iscsi.mounts
"""


def alone(body: str, assumed: str) -> str:
    """The options of one thing."""
    return "options:\n" + indent((body + assumed).replace("PREFIX", ""), "  ")


def many(name: str, what: str, body: str, assumed: str) -> str:
    """The options of a list of things."""
    head = (
        f"{name}:\n  description: {what}\n  type: list\n  elements: dict\n  required: true\n  suboptions:\n"
    )
    return "options:\n" + indent(head + indent(body.replace("PREFIX", f"{name}[]."), "    ") + assumed, "  ")


class ModuleDocFragment:
    """What the LVM doors have in common, and each thing that they work on."""

    DOCUMENTATION: str = "options: {}\n" + NOTES
    GROUP: str = alone(GROUP_BODY, ASSUMED_DEVICES)
    GROUPS: str = many("groups", "The volume groups, each named once.", GROUP_BODY, ASSUMED_DEVICES)
    VOLUME: str = alone(VOLUME_BODY, ASSUMED_GROUPS)
    VOLUMES: str = many(
        "volumes",
        "The logical volumes, each named once, in the order in which they take what is free.",
        VOLUME_BODY,
        ASSUMED_GROUPS,
    )
