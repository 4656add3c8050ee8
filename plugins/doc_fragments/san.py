# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin of module_utils/san_asked.py: the same options stand alone in one module and nested in another."""

from __future__ import annotations

from textwrap import indent

LUN_BODY = """\
path:
  description:
    - What stands behind the LUN, a block device or a file. Needed when the LUN is made.
    - A block device is given by a name that stays, like a link under C(/dev/disk/by-id) or a logical volume; C(/dev/sdb),
      C(/dev/rbd0) and all others that the kernel counts are refused, and so is a device that is mounted, is swap, or is held
      by LVM, RAID or another target. One that can only be read makes a LUN that can only be read.
    - A file that does not exist is made with O(PREFIXsize), mode 0600; so is its directory, mode 0700.
    - Left out, it stays as it is. Another path under the same name is refused, since it would be another disk; another name
      of the same device or file is none.
  type: path
size:
  description:
    - How big the LUN is, a number with a binary unit, like V(512m), V(40g) or V(1.5t).
    - A file is made with this size, and grown online when the size is raised; sessions go on. Initiators see the new size
      after a rescan. A LUN is never made smaller; that is refused.
    - A LUN on a block device always has the size of the device and follows it when it grows. A O(PREFIXsize) that is bigger than
      the device is refused.
    - Left out, it stays as it is; for a new LUN on a file that exists it is the file's size.
  type: str
allocation:
  description:
    - How a file is made or extended. V(sparse) takes blocks of the file system when they are first written, V(full)
      takes all of them at once and is refused when there is no room.
  type: str
  choices: [sparse, full]
  default: sparse
number:
  description:
    - The LUN number in the target, 0 to 255. Where others made several LUNs of one name, it says which is meant; with
      O(PREFIXstate=absent) only the LUN of this number goes.
    - Left out, it stays as it is; a new LUN gets the lowest free number.
  type: int
serial:
  description:
    - The unit serial, 8 to 64 letters, digits and V(-). LIO makes the WWID that hosts see of its first 25 hex digits.
    - Left out, it stays as it is; for a new LUN it is derived from the names of the target and the LUN, so that a target
      that is made anew has the same WWIDs.
  type: str
block_size:
  description:
    - The logical block size in bytes. It cannot change while the LUN is in use.
    - Left out, it stays as it is; for a new LUN it is 512.
  type: int
  choices: [512, 1024, 2048, 4096]
write_back:
  description:
    - Whether a write is acknowledged when it is in the cache of the storage host (V(true)) or on its disk (V(false)).
      With V(true) a power cut of the storage host can lose what was not flushed.
    - A block device has its own cache or none, which the kernel tells the hosts by itself; there V(true) is refused.
    - Left out, it stays as it is; for a new LUN it is V(false).
  type: bool
attributes:
  description:
    - Settings of the backstore by the names that the kernel has in configfs, like C(emulate_tpu) V(1) to let
      initiators discard blocks. Some, like V(queue_depth), V(optimal_sectors) and V(emulate_tas), cannot change while the LUN is
      in use; for these it is made anew, and where that fails the old one is put back.
    - One that this kernel does not have, or a value that it would not take, is refused before anything is done.
    - Those left out stay as they are.
  type: dict
state:
  description:
    - V(absent) takes the LUN away from everybody who has it and out of the target. Its device or file stays. So does its
      backstore where something else serves it too, or where it is of a kind that this collection does not make (a ramdisk).
  type: str
  choices: [present, absent]
  default: present
"""

IGROUP_BODY = """\
initiators:
  description:
    - The names of the initiators in the igroup. An initiator is in one igroup of a target.
    - A new initiator gets the LUNs that all others in the igroup have.
    - Left out, they stay as they are. Those that are not listed stay unless O(PURGE) is set.
  type: list
  elements: str
luns:
  description:
    - The LUNs that the igroup has, each by its name, or as a dictionary of C(name), C(number) (under which the
      initiators see it; left out it stays as it is, and for a new one is the LUN's own), C(read_only) (left out it stays
      as it is, V(false) for a new one), C(shared) (it may be in other igroups too, V(false)) and C(state) (V(present) or
      V(absent)).
    - Left out, they stay as they are. Those that are not listed stay unless O(PURGE) is set.
    - A LUN that another igroup of the target has already is refused unless it is C(shared).
  type: list
  elements: raw
chap:
  description:
    - What the initiators prove themselves with. LIO asks for it on a whole target, so all its igroups have it or none.
    - Left out, it stays as it is. An empty C(user) and C(secret) remove it.
    - A new secret counts from the next login on.
  type: dict
  suboptions:
    user:
      description: The user name that the initiator gives, at most 255 bytes.
      type: str
      required: true
    secret:
      description: The secret that goes with it, 12 to 255 bytes.
      type: str
      required: true
    mutual_user:
      description: The user name that the target gives in return. Left out, the target proves nothing.
      type: str
    mutual_secret:
      description: The secret that goes with it, another one than O(PREFIXchap.secret).
      type: str
state:
  description:
    - V(absent) removes the igroup; its initiators can no longer log in.
  type: str
  choices: [present, absent]
  default: present
"""

TARGET_BODY = """\
portals:
  description:
    - Where the target listens, C(ADDRESS), C(ADDRESS:PORT) or C([IPV6]:PORT); the port is 3260 when left out. Addresses
      are this host's own, or V(0.0.0.0) or V([::]) for all of them, which is what targetcli makes by default. Beside such a
      one no single address can be added; declare it itself.
    - Left out, they stay as they are; a new target needs one. Those that are not listed stay unless O(PURGE) is set.
  type: list
  elements: str
enabled:
  description:
    - Whether initiators can log in.
    - Left out, it stays as it is; a new target is enabled, and so is one that is disabled and was never saved (a run that made
      it was killed).
  type: bool
alias:
  description:
    - A text for people, the parameter C(TargetAlias) (RFC 7143 section 13.8).
    - Left out, it stays as it is.
  type: str
attributes:
  description:
    - Attributes of the target portal group by the names that the kernel has in configfs, like
      C(default_cmdsn_depth).
    - One that this kernel does not have, or a value that it would not take, is refused before anything is done.
    - Those left out stay as they are. What decides who may log in cannot be set, and changes only where igroups are given (and
      in a new target); then demo mode is off, and C(authentication) follows whether the igroups have CHAP.
  type: dict
parameters:
  description:
    - Negotiated parameters (RFC 7143 section 13), like C(MaxRecvDataSegmentLength). They count from the next
      login on.
    - Those left out stay as they are.
  type: dict
state:
  description:
    - V(absent) removes the target with everything in it. Devices and files behind its LUNs stay.
  type: str
  choices: [present, absent]
  default: present
"""

READ_ONLY = """\
read_only:
  description:
    - Whether igroups may only read the LUN, for each that does not say otherwise for itself.
    - Left out, it stays as it is.
  type: bool
shared:
  description:
    - Whether the LUN may be in several igroups. Two hosts that write to one LUN without knowing of each other destroy
      what is on it, so it must be said.
  type: bool
  default: false
"""

FORCE = """\
force:
  description:
    - Go on where an initiator that is logged in loses something, and where a LUN becomes another disk.
    - It is for the one task that needs it. Left V(false), such a task is refused and says who is logged in.
  type: bool
  default: false
"""

NOTES = """\
notes:
  - Needs root, and the modules C(target_core_mod), C(iscsi_target_mod), C(target_core_file) and C(target_core_iblock) of
    the running kernel; they are loaded when they are not there. The kernel's configfs is read and written directly;
    targetcli is not needed.
  - Its lock C(/run/targetcli.lock) is held from the first look to the last one, so that calls at the same time, and
    targetcli, wait for each other. A targetcli shell that was left open holds it until it is left; after two minutes the
    module fails and names it.
  - What runs and what comes back after a boot are the same. The saved file (C(/etc/rtslib-fb-target/saveconfig.json) on
    Debian, C(/etc/target/saveconfig.json) elsewhere) is merged, 0600, in the format of rtslib, so that the restore service
    of the distribution and targetcli read it. That service is also told what to wait for, in a drop-in.
  - What is saved in a target that is worked on but does not run, since a restore failed half way, is brought back as it was.
    What could not be made again just so (a ramdisk, a backstore with ALUA groups, a portal with iSER) is left as it is saved,
    with a warning.
  - What others made is read as it is there and changed only where it is named. Of a target with several portal groups the one
    with the lowest tag is worked on; sessions of all of them count.
  - Refused is a change of who may log in while somebody is logged in who would not get in again.
seealso:
  - module: lunworks.iscsi.target
  - module: lunworks.iscsi.targets
  - module: lunworks.iscsi.lun
  - module: lunworks.iscsi.igroup
  - module: lunworks.iscsi.target_info
"""


def options(*bodies: str, depth: int = 0) -> str:
    return "options:\n" + "".join(indent(body, "  " * (depth + 1)) for body in bodies)


def named(body: str, what: str, prefix: str, purge: str, defaulted: bool = False) -> str:
    """The suboptions of one thing in a list, its name first."""
    name = f"name:\n  description: The name of the {what}.\n  type: str\n  required: true\n"
    return indent(name + filled(body, prefix, purge), "    ")


def filled(body: str, prefix: str, purge: str) -> str:
    return body.replace("PREFIX", prefix).replace("PURGE", purge)


LUNS = "luns:\n  description:\n    - The LUNs of the target."
LUNS += " Left out, they stay as they are. Those that are not listed stay unless O(purge) is set.\n"
LUNS += "  type: list\n  elements: dict\n  suboptions:\n"
LUNS += named(LUN_BODY + READ_ONLY, "LUN", "targets[].luns[].", "purge")
IGROUPS = "igroups:\n  description:\n    - Named sets of initiators with the LUNs that they have."
IGROUPS += " Left out, they stay as they are. Those that are not listed stay unless O(purge) is set.\n"
IGROUPS += "  type: list\n  elements: dict\n  suboptions:\n"
IGROUPS += named(IGROUP_BODY, "igroup", "targets[].igroups[].", "purge")
TARGETS = "targets:\n  description:\n    - The targets, each with what is in it.\n"
TARGETS += "  type: list\n  elements: dict\n  required: true\n  suboptions:\n"
TARGETS += named(TARGET_BODY, "target, an iSCSI name", "targets[].", "purge")
TARGETS += indent(LUNS + IGROUPS, "    ")


class ModuleDocFragment:
    """What the storage doors have in common, and each thing that they work on."""

    # Annotated, since ansible-test's yamllint takes every plain assignment here for a text.
    DOCUMENTATION: str = options(FORCE) + NOTES
    TARGET: str = options(filled(TARGET_BODY, "", "purge"))
    LUN: str = options(filled(LUN_BODY, "", "purge"))
    IGROUP: str = options(filled(IGROUP_BODY, "", "purge"))
    TARGETS: str = options(TARGETS)
