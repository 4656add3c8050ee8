# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin of module_utils/_san/options.py: the same options stand alone in one module and nested in another."""

from __future__ import annotations

from textwrap import indent

from .chap import suboptions

LUN_BODY = """\
path:
  description:
    - The block device or file behind the LUN. Required when the LUN is created.
    - A block device is given by a persistent name, like a link under C(/dev/disk/by-id) or a logical volume; C(/dev/sdb),
      C(/dev/rbd0) and all other names that the kernel numbers are refused, and so is a device that is mounted, is swap, or is
      held by LVM, RAID or another target. A read-only device makes a read-only LUN.
    - A file that does not exist is created with O(PREFIXsize), mode 0600, and its directory with mode 0700.
    - If omitted, it is left unchanged. Another path under the same name is refused, since it would be another disk; another
      name of the same device or file is not a change.
  type: path
size:
  description:
    - The size of the LUN, a number with a binary unit, like V(512m), V(40g) or V(1.5t).
    - A file is created with this size, and grown online when the size is raised, without interrupting sessions. Initiators see
      the new size after a rescan. Shrinking a LUN is refused.
    - A LUN on a block device always has the size of the device and follows it when it grows. A O(PREFIXsize) that exceeds the
      device is refused.
    - If omitted, it is left unchanged; for a new LUN on a file that exists it is the file's size.
  type: str
allocation:
  description:
    - How a file is created or extended. V(sparse) allocates blocks of the file system when they are first written, V(full)
      allocates all of them at once and is refused if there is not enough space.
  type: str
  choices: [sparse, full]
  default: sparse
number:
  description:
    - The LUN number in the target, 0 to 255, with tgt 1 to 255. If other tools have created several LUNs with one name, it
      selects one of them; with O(PREFIXstate=absent) only the LUN with this number is removed.
    - If omitted, it is left unchanged; a new LUN gets the lowest free number.
  type: int
serial:
  description:
    - The unit serial, 8 to 64 letters, digits and V(-), with tgt at most 36. The WWID that hosts see is derived from its first 25
      hex digits.
    - If omitted, it is left unchanged; for a new LUN it is derived from the names of the target and the LUN, so that a target
      that is created again has the same WWIDs.
  type: str
block_size:
  description:
    - The logical block size in bytes. It cannot change while the LUN is in use.
    - If omitted, it is left unchanged; for a new LUN it is 512.
  type: int
  choices: [512, 1024, 2048, 4096]
write_back:
  description:
    - Whether a write is acknowledged when it is in the cache of the storage host (V(true)) or on its disk (V(false)). With
      V(true) a power failure of the storage host can lose data that was not flushed.
    - A block device has its own cache or none, which the kernel reports to the hosts by itself; V(true) is refused for it.
    - If omitted, it is left unchanged; for a new LUN it is V(false).
  type: bool
alua:
  description:
    - The ALUA target port group (SPC-4 section 5.15) that the LUN is in, by which multipath tells preferred paths from others.
    - The group is made on the backstore of the LUN, and changed live. The group that the LUN leaves is removed once nothing is in
      it. Groups with other settings, and those that the LUN is not in, are left as they are.
    - The other portal groups and storage hosts through which a host sees the same LUN must have groups of other numbers. Only LIO
      has this.
    - If omitted, it is left unchanged.
  type: dict
  suboptions:
    group:
      description: The name of the group. V(default_tg_pt_gp) is the one that every LUN is in by itself.
      type: str
      required: true
    number:
      description:
        - Its identifier, 1 to 65535. Another one makes the group anew.
        - If omitted, it is left unchanged; a new group must have one.
      type: int
    state:
      description:
        - The access state of its paths.
        - If omitted, it is left unchanged; for a new group it is V(active_optimized).
      type: str
      choices: [active_optimized, active_nonoptimized, standby, unavailable]
    access_type:
      description:
        - Who may change the state, the storage (V(implicit)), the hosts (V(explicit)), V(both) or V(none).
        - If omitted, it is left unchanged; for a new group it is V(both).
      type: str
      choices: [none, implicit, explicit, both]
    preferred:
      description:
        - Whether hosts are told to prefer this group.
        - If omitted, it is left unchanged; for a new group it is V(false).
      type: bool
attributes:
  description:
    - Settings of the backstore, by the kernel's names in configfs, like C(emulate_tpu) V(1) to let initiators discard blocks.
      Some, like V(queue_depth), V(optimal_sectors) and V(emulate_tas), cannot change while the LUN is in use; for these the
      backstore is recreated, and if that fails the old one is restored.
    - A setting that this kernel does not have, or a value that it would not accept, is refused before anything is done.
    - Those that are omitted are left unchanged.
  type: dict
state:
  description:
    - V(absent) removes the LUN from all igroups and from the target. Its device or file is kept. So is its backstore if
      something else serves it too, or if it is of a type that this collection does not create (a ramdisk).
  type: str
  choices: [present, absent]
  default: present
"""

IGROUP_BODY = """\
initiators:
  description:
    - The names of the initiators in the igroup. An initiator can be in only one igroup of a target.
    - A new initiator gets the LUNs that the others in the igroup have.
    - If omitted, they are left unchanged. Those that are not listed are kept unless O(PURGE) is set.
  type: list
  elements: str
luns:
  description:
    - The LUNs that the igroup has, each by its name, or as a dictionary of C(name), C(number) (under which the initiators see
      it; if omitted it is left unchanged, and for a new one is the LUN's own), C(read_only) (if omitted it is left unchanged,
      V(false) for a new one), C(shared) (it may be in other igroups too, V(false)) and C(state) (V(present) or V(absent)).
    - If omitted, they are left unchanged. Those that are not listed are kept unless O(PURGE) is set.
    - A LUN that another igroup of the target has already is refused unless it is C(shared).
  type: list
  elements: raw
chap:
  description:
    - The CHAP credentials of the initiators. LIO requires CHAP for a whole target, so either all its igroups have it or none.
    - If omitted, it is left unchanged. An empty C(user) and C(secret) remove it.
    - A new secret takes effect at the next login.
  type: dict
CHAP_SUBOPTIONS
state:
  description:
    - V(absent) removes the igroup; its initiators can no longer log in.
  type: str
  choices: [present, absent]
  default: present
""".replace("CHAP_SUBOPTIONS\n", suboptions("the initiators", "the target"))

TARGET_BODY = """\
portals:
  description:
    - The portals on which the target listens, C(ADDRESS), C(ADDRESS:PORT) or C([IPV6]:PORT); the default port is 3260.
      Addresses are this host's own, or V(0.0.0.0) or V([::]) for all of them, which is what targetcli creates by default. No
      single address can be added to such a wildcard portal; declare the wildcard instead.
    - An entry is such a text, or C(portal) with that text and C(iser), a boolean. With V(true) LIO speaks iSER (RFC 7145) at this
      portal beside TCP, for which the host needs an RDMA device with its address; with V(false) it no longer does, which is
      refused while somebody is logged in to the target. Without C(iser) that is left unchanged.
    - If omitted, they are left unchanged; a new target needs at least one. Those that are not listed are kept unless O(PURGE)
      is set.
  type: list
  elements: raw
enabled:
  description:
    - Whether initiators can log in.
    - If omitted, it is left unchanged; a new target is enabled, and so is one that is disabled and was never saved (the run that
      made it was killed).
  type: bool
alias:
  description:
    - A human-readable text, the parameter C(TargetAlias) (RFC 7143 section 13.8).
    - If omitted, it is left unchanged.
  type: str
attributes:
  description:
    - Attributes of the target portal group, by the kernel's names in configfs, like C(default_cmdsn_depth).
    - A setting that this kernel does not have, or a value that it would not accept, is refused before anything is done.
    - Those that are omitted are left unchanged. The attributes that decide who may log in cannot be set, and change only if
      igroups are given (and in a new target); then demo mode is turned off, and C(authentication) is set if the igroups have
      CHAP.
  type: dict
parameters:
  description:
    - Negotiated parameters (RFC 7143 section 13), like C(MaxRecvDataSegmentLength). They take effect at the next login.
    - Those that are omitted are left unchanged.
  type: dict
state:
  description:
    - V(absent) removes the target with everything in it. Devices and files behind its LUNs are kept.
  type: str
  choices: [present, absent]
  default: present
"""

READ_ONLY = """\
read_only:
  description:
    - Whether igroups may only read the LUN, unless an igroup sets it differently for itself.
    - If omitted, it is left unchanged.
  type: bool
shared:
  description:
    - Whether the LUN may be in several igroups. Two hosts that write to one LUN without coordination destroy its data, so this
      must be set explicitly.
  type: bool
  default: false
"""

FORCE = """\
force:
  description:
    - Whether to proceed even if an initiator that is logged in loses something, or a LUN becomes another disk.
    - Set it only for the one task that needs it. If V(false), such a task is refused and reports who is logged in.
  type: bool
  default: false
"""

NOTES = """\
notes:
  - All of this is said of LIO. What differs with O(provider=tgt), and what is refused there, is in the guide on storage hosts.
  - Needs root, and the modules C(target_core_mod), C(iscsi_target_mod), C(target_core_file) and C(target_core_iblock) of the
    running kernel; they are loaded if needed. The kernel's configfs is read and written directly; targetcli is not needed.
  - The lock C(/run/targetcli.lock) is held from the first look to the last, so that concurrent calls, and targetcli, wait for
    each other. A targetcli shell that was left open holds it until it exits; after two minutes the module fails and names it.
  - The running configuration and the one after a boot are kept the same. The saved file
    (C(/etc/rtslib-fb-target/saveconfig.json) on Debian, C(/etc/target/saveconfig.json) elsewhere) is merged, mode 0600, in the
    format of rtslib, so that the restore service of the distribution and targetcli can read it. A drop-in also tells that
    service what to wait for.
  - Parts of a managed target that are saved but not running, because a restore failed half way, are restored as they were.
    Parts that cannot be recreated exactly (a ramdisk, a backstore with ALUA groups of others, a portal with offload) are left as
    they are saved, with a warning.
  - Objects that other tools created are read as they are and changed only where they are listed. In a target with several
    portal groups, the one with the lowest tag is managed; sessions of all of them count.
  - A change of access is refused while an initiator is logged in that could not log in again.
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
LUNS += " If omitted, they are left unchanged. Those that are not listed are kept unless O(purge) is set.\n"
LUNS += "  type: list\n  elements: dict\n  suboptions:\n"
LUNS += named(LUN_BODY + READ_ONLY, "LUN", "targets[].luns[].", "purge")
IGROUPS = "igroups:\n  description:\n    - Named sets of initiators with the LUNs that they have."
IGROUPS += (
    " If omitted, they are left unchanged. Those that are not listed are kept unless O(purge) is set.\n"
)
IGROUPS += "  type: list\n  elements: dict\n  suboptions:\n"
IGROUPS += named(IGROUP_BODY, "igroup", "targets[].igroups[].", "purge")
TARGETS = "targets:\n  description:\n    - The targets, each with what is in it.\n"
TARGETS += "  type: list\n  elements: dict\n  required: true\n  suboptions:\n"
TARGETS += named(TARGET_BODY, "target, an iSCSI name", "targets[].", "purge")
TARGETS += indent(LUNS + IGROUPS, "    ")


class ModuleDocFragment:
    """What the storage modules have in common, and each thing that they work on."""

    # Annotated, since ansible-test's yamllint takes every plain assignment here for a text.
    DOCUMENTATION: str = options(FORCE) + NOTES
    TARGET: str = options(filled(TARGET_BODY, "", "purge"))
    LUN: str = options(filled(LUN_BODY, "", "purge"))
    IGROUP: str = options(filled(IGROUP_BODY, "", "purge"))
    TARGETS: str = options(TARGETS)
