# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin of module_utils/_lvm/group/resource.py and volume/resource.py: options that stand alone, and in a list."""

from __future__ import annotations

from textwrap import indent

GROUP_BODY = """\
name:
  description: The name of the volume group, by the rules of lvm(8).
  type: str
  required: true
devices:
  description:
    - The disks that the group must have at least, by names that refer to the same disk after every boot, like
      C(/dev/mapper/NAME) or C(/dev/disk/by-id/dm-uuid-mpath-WWID); M(lunworks.iscsi.disks) returns such names. C(/dev/sdX),
      C(/dev/dm-N) and C(/dev/disk/by-path) are refused.
    - A disk that is not in the group is added to it. It must be empty and unused; a disk with any content is named and
      refused, and so is a path of a multipath map.
    - A disk with a partition that is a physical volume of the group counts as a disk of the group; the physical volume stays
      on that partition.
    - Disks of the group that are not listed stay in it. This module never removes a disk from a group.
    - Physical volumes whose disks have grown are resized.
    - If omitted, the disks are left unchanged, and the group must exist.
  type: list
  elements: path
extent_size:
  description:
    - The size of an extent, a number with a binary unit, a power of two from V(1k) on or a multiple of V(128k).
    - It is set when the group is created; changing it later is refused.
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
    - The system ID (lvmsystemid(7)) of the host to which the group belongs; no other host can use it then. An empty string
      removes it. The group must be inactive, and belong to this host or to none.
    - If omitted, it is left unchanged; exporting clears it, importing sets this host's own.
  type: str
take_over_from:
  description:
    - When the group is imported (O(PREFIXstate=imported) or O(PREFIXimported)), take over a group that belongs to exactly this
      system ID, whose host is dead and cannot hand it over. This host must have a system ID itself, which the group gets.
    - Use this only after that host is fenced. LVM cannot know whether it is, and a host that is not fenced keeps writing.
    - If omitted, the group of another host is refused. A group that belongs to this host already is left unchanged.
  type: str
imported:
  description:
    - With O(PREFIXstate=active), import the group first if it is exported.
    - Otherwise an exported group is refused, since it may be on its way to another host.
    - Disks of the group that this host considers read-only, because their LUNs were mapped read-only when it found them, are
      queried again on every path until they are writable.
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
    - V(exported), inactive and marked as on its way to another host; no host uses it then. V(imported), no longer exported.
    - V(absent), removed, including the labels on its disks. There must be no logical volumes unless O(PREFIXforce) is set.
    - A group is made V(inactive), V(exported) or V(absent) only if nothing uses it; otherwise the users are named.
    - If omitted, the group must exist or is created, and active volumes stay active.
  type: str
  choices: [active, inactive, exported, imported, absent]
force:
  description:
    - With O(PREFIXstate=absent), remove the logical volumes too, and lose everything on them. Volumes in use are refused even
      then.
    - Set it only for the one task that needs it.
  type: bool
  default: false
seqno:
  description:
    - The sequence number of its metadata on which your decision is based (C(seqno) of M(lunworks.iscsi.volume_group_info)). If
      it differs, somebody else has changed the group since, and nothing is done.
    - If omitted, the first change must find the metadata as this module saw it when it started.
  type: int
"""

VOLUME_BODY = """\
group:
  description: Its volume group, which must exist on this host.
  type: str
  required: true
name:
  description: The name of the logical volume, by the rules of lvm(8).
  type: str
  required: true
size:
  description:
    - A number with a binary unit, like V(40g), rounded up to whole extents; or V(N%VG), a percentage of the group; or
      V(N%FREE), a percentage of what is free when the volume is created, in the order of the list.
    - A smaller volume is grown. A volume larger than an absolute size is refused, since nothing is ever shrunk. With a
      percentage, a volume is never too large, and it grows after the group has grown.
    - Only linear and striped volumes are grown.
    - If omitted, it is left unchanged, and the volume must exist.
  type: str
filesystem:
  description:
    - The file system on it. It is created only if the volume bears no signature and nothing uses it; a volume with other
      content is named and refused. It grows when the volume has grown.
    - If omitted, the content of the volume is ignored.
  type: str
  choices: [ext4, xfs]
filesystem_options:
  description:
    - Additional arguments for C(mkfs) when the file system is created, a list of single words like V([-L, data]), interpreted
      as C(mkfs) itself does. Options that force, that only simulate, or that name another device or another size are refused.
  type: list
  elements: str
active:
  description:
    - Whether the volume is active, so that its device exists. It is deactivated only if nothing uses it.
    - If omitted, it is left unchanged; a new one is active.
  type: bool
state:
  description:
    - V(absent) removes the volume. A volume in use is refused; a volume that holds anything, or whose content is unknown
      because it is inactive, is removed only with O(PREFIXforce).
  type: str
  choices: [present, absent]
  default: present
force:
  description:
    - With O(PREFIXstate=absent), remove the volume with everything that it holds.
    - Set it only for the one task that needs it.
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
  - Needs root and LVM 2 on the host; growing and creating file systems needs e2fsprogs or xfsprogs.
  - A volume group that is exported, belongs to another host (system ID), has missing or duplicate physical volumes or is
    shared through lvmlockd is reported and left alone.
  - If the host uses a devices file (lvmdevices(8)), LVM sees only the disks in it. These modules see all disks, and
    M(lunworks.iscsi.volume_group) adds the disks of a group that it manages.
  - Every LVM command has a time limit. While all paths of a disk are lost and multipath queues its I/O, LVM hangs; then the
    message says so.
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
    """What the LVM modules have in common, and each thing that they work on."""

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
