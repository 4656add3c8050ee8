# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of node and nodes, alone and in a list. Their types are in module_utils/_open_iscsi/node/resource.py."""

from __future__ import annotations

from textwrap import indent

from .chap import chap_of_a_host

NODE_RECORD = """\
target:
  description:
    - The iSCSI name of the target. Names are compared in lower case.
    - For a target that is recorded, logged in or offered, its existing spelling is used, since targets compare names byte by
      byte. A new one is recorded as it is given here.
  type: str
  required: true
portals:
  description:
    - The portals, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT). Exactly these are changed.
    - A host name is accepted only if a record of the target has it already, since it may resolve to another address later.
    - May be omitted with O(PREFIXstate=absent) only. Then every record and session of the target is removed.
  type: list
  elements: str
  default: []
ifaces:
  description: The ifaces to which the sessions are bound, see M(lunworks.iscsi.iface). Exactly these are changed.
  type: list
  elements: str
  default: [default]
tpg:
  description:
    - The portal group tag of the portals, 0 to 65535.
    - If omitted, a record gets the tag that the portal offers when it is to be logged in to (NetApp 1000, Dell MD3000i 1 and 2),
      or that its session has. Otherwise it is left unchanged; a new record gets 1, which is correct for LIO.
    - A record of another tag that nobody is logged in with is replaced by one with the offered tag, since a login with the
      wrong tag fails.
  type: int
startup:
  description:
    - V(automatic) logs in at boot, V(manual) does not, V(onboot) is for the root disk.
    - If omitted, it is left unchanged; a new record gets what C(iscsid.conf) says.
  type: str
  choices: [manual, automatic, onboot]
preset:
  description:
    - A set of timers for the records that suits the use of the disks, see O(lunworks.iscsi.iscsid_conf#module:preset).
      O(PREFIXsettings) take precedence. If omitted, they are left unchanged.
  type: str
  choices: [multipath, direct, root_on_iscsi, md3000i, ontap]
settings:
  description:
    - Settings of the records, any C(node.) key of C(iscsid.conf), checked before they are written.
    - A setting that is not named is left unchanged; a new record gets what C(iscsid.conf) says.
    - Sessions keep the settings that they logged in with.
  type: dict
  default: {}
reset_to_defaults:
  description:
    - Settings to set to what C(iscsid.conf) says now, so that a change of that file reaches existing records.
    - Each is the name of a setting, or the beginning of several, like V(node.session.timeo) for all below it.
    - A setting that C(iscsid.conf) does not set stays as it is; O(PREFIXsettings), O(PREFIXstartup) and O(PREFIXchap) take
      precedence.
  type: list
  elements: str
  default: []
"""

NODE_RESULT = """\
logged_in:
  description:
    - Whether each of the portals and ifaces must have a session, or as many sessions as the record's
      C(node.session.nr_sessions) says.
    - If omitted, it is left unchanged.
  type: bool
state:
  description: Whether the records must exist. V(absent) logs out first.
  type: str
  choices: [present, absent]
  default: present
"""

NODE_BODY = NODE_RECORD + chap_of_a_host("the target", "record") + NODE_RESULT

SHARED = """\
unreachable:
  description:
    - What to do when a portal that is to be logged in to does not answer.
    - V(fail) names the portal, fails, and changes nothing at all.
    - V(skip) records the portal without logging in to it, does everything else, and warns. This way a host gets its other
      paths while one storage network is down. The next run logs in once the portal is back.
  type: str
  choices: [fail, skip]
  default: fail
purge:
  description:
    - Whether to remove other records and sessions of a listed target, through portals and ifaces that are not listed.
    - Targets that are not listed are never changed.
  type: bool
  default: false
"""

LIST_ONLY = """\
by_startup:
  description:
    - Whether every record on this host that has this startup must have sessions, in addition to O(nodes). It does not apply
      to what O(nodes) lists.
    - This does what C(iscsiadm --loginall) and C(--logoutall) do, but keeps the sessions of disks that are in use.
    - Records with a startup that is omitted are left unchanged.
  type: dict
  suboptions:
    automatic:
      description: Records that are logged in at boot.
      type: bool
    manual:
      description: Records that are not logged in at boot, including those that do not set it.
      type: bool
    onboot:
      description: Records of the root disk. V(false) is refused.
      type: bool
assume_present:
  description:
    - In check mode, targets and ifaces to treat as present because an earlier task of the same check run reported that it
      would serve or create them, or that it would give this host its name. A real run still needs every one of them.
  type: list
  elements: str
  default: []
"""

LIST = """\
nodes:
  description: The nodes. A target may be listed several times, with different portals or ifaces.
  type: list
  elements: dict
  default: []
  suboptions:
"""

NOTES = """\
notes:
  - Before a login the portal is asked what it offers (SendTargets; nothing is recorded), in check mode too. This starts iscsid
    through its socket, and loads the kernel module of the transport.
"""


class ModuleDocFragment:
    """What node and nodes have in common."""

    DOCUMENTATION: str = "options: {}\n" + NOTES
    NODE: str = "options:\n" + indent(NODE_BODY.replace("PREFIX", "") + SHARED, "  ")
    NODES: str = (
        "options:\n"
        + indent(SHARED + LIST_ONLY + LIST, "  ")
        + indent(NODE_BODY.replace("PREFIX", "nodes[]."), " " * 6)
    )
