#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: timers_info
short_description: Return how long I/O can stall, and which timers contradict each other
version_added: 1.0.0
description:
  - Reads the timers that are in force now - of C(iscsid.conf), of every record, of every session in the kernel, of every SCSI
    disk, of every multipath map in the running multipathd - and adds them up for each disk.
  - The worst stall is that of a path that stops responding. Without pings (C(noop_out_interval) 0) the SCSI command timer and
    C(abort_timeout) take their place.
  - A LUN that answers no commands while its target answers pings is told apart (RV(disks[].lun_stall)). That is the SCSI command
    timer of each try, which M(lunworks.iscsi.disk_timers) sets.
  - Explains the lost connections that the kernel's log still has (C(detected conn error)), with the cause and what to look at.
  - Changes nothing, and starts no daemon.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  max_stall:
    description:
      - The longest time in seconds for which the I/O of a disk may stall. A disk that can stall for longer is reported in
        RV(faults).
      - If omitted, no stall is too long by itself.
    type: int
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.disk_timers
  - module: lunworks.iscsi.iscsid_conf
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.multipath_conf
  - name: open-iscsi README
    description: Section 8 (timeouts for multipath and for root on iSCSI).
    link: https://github.com/open-iscsi/open-iscsi/blob/master/README
"""

EXAMPLES = r"""
- name: Find how long I/O can stall on this host
  lunworks.iscsi.timers_info:
    max_stall: 120
  register: timers

- name: Check that no timers contradict each other and that I/O stalls two minutes at most
  ansible.builtin.assert:
    that: timers.faults == []
    fail_msg: "{{ timers.faults | join(' ') }}"
"""

RETURN = r"""
disks:
  description: The LUNs of all sessions, each by its multipath map where it has one.
  returned: success
  type: list
  elements: dict
  contains:
    device:
      description: The map, or the disk itself.
      type: str
      returned: always
    wwid:
      description: The WWID of the disk (sysfs wwid).
      type: str
      returned: always
    map:
      description: The name of the multipath map; null without one.
      type: str
      returned: always
    paths:
      description: The SCSI disks, each with the timers of its session that are in force now, in seconds.
      type: list
      elements: dict
      returned: always
      contains:
        device:
          description: The current kernel name of the disk.
          type: str
          returned: always
        session:
          description: Target, portal and iface.
          type: str
          returned: always
        noop_out_interval:
          description: How often the target is pinged; V(0) means never.
          type: int
          returned: always
        noop_out_timeout:
          description: How long the answer to a ping may take.
          type: int
          returned: always
        replacement_timeout:
          description: How long I/O is held while the session is being restored; V(-1) means forever.
          type: int
          returned: always
        abort_timeout:
          description: How long the abort of a command may take.
          type: int
          returned: always
        command_timeout:
          description: How long a SCSI command may take.
          type: int
          returned: always
        max_retries:
          description: How often a command is tried again; V(-1) means without end.
          type: int
          returned: always
    queueing:
      description: How multipathd queues I/O for the map; null without a map, or if multipathd does not run.
      type: dict
      returned: always
      contains:
        no_path_retry:
          description: The number of polls for which I/O is queued when no path is left, or V(queue) or V(fail).
          type: raw
          returned: always
        polling_interval:
          description: The seconds from one poll to the next.
          type: int
          returned: always
        fast_io_fail_tmo:
          description: The value with which multipathd overrides C(replacement_timeout), in seconds; null if it does not.
          type: int
          returned: always
        dev_loss_tmo:
          description: As configured. It has no effect on iSCSI.
          type: str
          returned: always
    path_stall:
      description: The seconds until the I/O of a lost path is returned to multipath; null means forever.
      type: int
      returned: always
    worst_stall:
      description: The seconds until I/O fails when all paths are lost; null means forever.
      type: int
      returned: always
    lun_stall:
      description:
        - The seconds until a command fails that the LUN does not answer, while its target answers pings and aborts; null means
          never.
      type: int
      returned: always
    arithmetic:
      description: How these numbers are derived, in two sentences.
      type: str
      returned: always
    users:
      description: Who uses the disk, one sentence each.
      type: list
      elements: str
      returned: always
  sample:
    - device: /dev/mapper/db0
      wwid: naa.6001405b2e2d2b1f7a54ce2b5a6d0f3e
      map: db0
      path_stall: 15
      worst_stall: 75
      arithmetic: >-
        noop_out_interval 5 + noop_out_timeout 5 = 10 s until the silent path is noticed, fast_io_fail_tmo 5 s until its I/O is
        given back to multipath: 15 s when one path fails; no_path_retry 12 x polling_interval 5 = 60 s more when all fail: 75 s.
timers:
  description:
    - Each timer of each record and session, with its value in the three places, in seconds.
    - C(node.session.reopen_max) is among them, which counts tries, and which the kernel does not know.
  returned: success
  type: list
  elements: dict
  contains:
    node:
      description: Target, portal and iface.
      type: str
      returned: always
    setting:
      description: The name of the timer.
      type: str
      returned: always
    iscsid_conf:
      description: What C(iscsid.conf) says, or the built-in default of open-iscsi.
      type: int
      returned: always
    record:
      description: What the record says; null if there is none.
      type: int
      returned: always
    session:
      description: What the session uses; null if there is none.
      type: int
      returned: always
faults:
  description: Timers that contradict each other or the use of the disks, one sentence each, with what to set.
  returned: success
  type: list
  elements: str
  sample:
    - "The session of 'iqn.2026-01.com.example:db' at 10.77.1.11:3260 has noop_out_timeout 5, its record says 10: that takes
      effect at the next login."
connection_errors:
  description:
    - The lost connections that the kernel's log (C(dmesg)) still has, those of one session and one code together, the latest
      first; null if it cannot be read.
    - They are what happened since the host has booted, and no faults by themselves.
  returned: success
  type: list
  elements: dict
  contains:
    session_number:
      description: The kernel's number of the session.
      type: int
      returned: always
    session:
      description: The session that has this number now; null if none has.
      type: str
      returned: always
    code:
      description: The code of the kernel, like V(1022). Null if the session was not back within C(replacement_timeout).
      type: int
      returned: always
    name:
      description: The kernel's name of the code; null without a code.
      type: str
      returned: always
    count:
      description: How often.
      type: int
      returned: always
    last:
      description: When it was last; null if the log has no times.
      type: str
      returned: always
    text:
      description: What it means, and what to look at.
      type: str
      returned: always
  sample:
    - session_number: 3
      session: "the session of 'iqn.2026-01.com.example:db' at 10.77.1.11:3260"
      code: 1020
      name: ISCSI_ERR_TCP_CONN_CLOSE
      count: 2
      last: "2026-11-30 03:12:44 UTC"
      text: "the session of 'iqn.2026-01.com.example:db' at 10.77.1.11:3260: conn error 1020 (ISCSI_ERR_TCP_CONN_CLOSE) 2 times,
        last at 2026-11-30 03:12:44 UTC: the target closed the connection. ..."
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._host import Problem
from ..module_utils._multipath.queueing import look_queues
from ..module_utils._open_iscsi.kernel_log import look_losses
from ..module_utils._open_iscsi.timers import look_disks, look_timers
from ..module_utils._timers.conflicts import faults
from ..module_utils._timers.stall import longer, show_disk

SPEC = {"max_stall": {"type": "int"}}


def question(options, host):
    max_stall = options["max_stall"]
    if max_stall is not None and max_stall < 1:
        raise Problem(f"max_stall is {max_stall}, but it must be a number of seconds, 1 or more.")
    disks, timers = look_disks(host, look_queues(host)), look_timers(host)
    return {
        "disks": [show_disk(disk) for disk in disks],
        "timers": timers,
        "connection_errors": look_losses(host),
        "faults": faults(disks, timers) + (longer(disks, max_stall) if max_stall is not None else []),
    }


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
