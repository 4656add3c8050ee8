#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: path_info
short_description: Return which portals each NIC reaches, and the largest packet that gets there
version_added: 1.0.0
description:
  - For each way from a NIC to a portal, finds whether the portal accepts TCP connections through exactly that NIC, and the
    largest packet that reaches it without being fragmented.
  - A login consists of small packets. If the MTU of the NICs is larger than what switches, VLANs and tunnels forward, the login
    succeeds and data hangs. Such a way is one sentence in RV(faults).
  - Sends ICMP echo requests that must not be fragmented, of the MTU of the NIC, and if they are not answered, of other sizes
    until the largest is found. This takes less than a second where all is well, and up to 30 seconds where packets are lost.
    128 ways are looked at at once. O(seconds) bounds it where hundreds of them are bad.
  - A portal on this host itself has no way whose MTU could be too small, so RV(paths[].largest) is null there.
  - A portal that answers no echo request at all is no fault, and nothing is known of its MTU then (RV(paths[].largest) is null).
    One that answers small requests and drops large ones on purpose cannot be told from an MTU that is too large on the way.
  - A session that is logged in proves that its portal can be reached, so no connection is made there.
  - Ifaces of offload cards, which have a network of their own, are left out; see M(lunworks.iscsi.iface_ping_info).
  - Changes nothing. Needs C(ip) of iproute2.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  ways:
    description:
      - The ways to look at. If omitted, those of all sessions, and of records that are logged in at boot.
    type: list
    elements: dict
    suboptions:
      portals:
        description: The portals.
        type: list
        elements: str
        required: true
      ifaces:
        description: The ifaces through whose NICs they are reached. An iface that is bound to no NIC uses the one that the
          routes choose.
        type: list
        elements: str
        default: [default]
      nics:
        description: The NICs through which they are reached, in place of O(ways[].ifaces).
        type: list
        elements: str
        default: []
  mtu:
    description: The MTU that NICs must have, as in O(lunworks.iscsi.nic_mtu#module:mtu). A NIC that has another one is reported
      in RV(faults).
    type: list
    elements: dict
    default: []
    suboptions:
      nic:
        description: The name of the NIC.
        type: str
        required: true
      mtu:
        description: Its MTU in bytes. Required unless O(mtu[].state=absent).
        type: int
      state:
        description: With V(absent), no MTU is wanted for it.
        type: str
        choices: [present, absent]
        default: present
  seconds:
    description:
      - Begin to look at no further way after so many seconds; those that are being looked at then take up to 35 more. The others
        are one of RV(faults), and are not in RV(paths).
      - If omitted, all ways are looked at.
    type: int
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.nic_mtu
  - module: lunworks.iscsi.rp_filter
  - module: lunworks.iscsi.iface_ping_info
"""

EXAMPLES = r"""
- name: Look at the ways of all sessions and records
  lunworks.iscsi.path_info:
  register: network

- name: Check that jumbo frames reach every portal, from both storage NICs, before the first login
  lunworks.iscsi.path_info:
    ways:
      - portals: [10.77.1.11, 10.77.1.12]
        nics: [eth1, eth2]
    mtu:
      - {nic: eth1, mtu: 9000}
      - {nic: eth2, mtu: 9000}
  register: network
  failed_when: network.faults | length > 0
"""

RETURN = r"""
paths:
  description: The ways, by portal.
  returned: success
  type: list
  elements: dict
  contains:
    portal:
      description: The portal.
      type: str
      returned: always
    iface:
      description: The iface; null where a NIC was named.
      type: str
      returned: always
    nic:
      description: The NIC, or an empty text where no route leads to the portal.
      type: str
      returned: always
    source:
      description: The address of this host from which packets are sent.
      type: str
      returned: always
    reachable:
      description: Whether the portal accepts connections through that NIC, or a session is logged in there.
      type: bool
      returned: always
    why:
      description: Why not; empty if it does.
      type: str
      returned: always
    logged_in:
      description: Whether a session is logged in there, through that iface.
      type: bool
      returned: always
    mtu:
      description: The MTU of the NIC.
      type: int
      returned: always
    wanted:
      description: The MTU that O(mtu) wants for it; null if it wants none.
      type: int
      returned: always
    largest:
      description: The largest packet in bytes, up to the MTU of the NIC, that reaches the portal unfragmented; null if it answers
        no echo request.
      type: int
      returned: always
    fits:
      description: Whether packets of the MTU of the NIC reach the portal; null if that is not known.
      type: bool
      returned: always
    fits_wanted:
      description: Whether packets of the MTU that O(mtu) wants reach the portal; null if that is not known, as where the NIC
        has a smaller MTU now.
      type: bool
      returned: always
  sample:
    - {portal: "10.77.1.11:3260", iface: default, nic: eth1, source: 10.77.1.12, reachable: true, why: "", logged_in: false,
       mtu: 9000, wanted: 9000, largest: 1500, fits: false, fits_wanted: false}
faults:
  description: What is wrong, once for all portals that it holds for.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(mtu_on_the_way) (data hangs), V(mtu_of_nic) (it is not what O(mtu) wants), V(rp_filter), V(unreachable)
        or V(not_looked_at) (O(seconds) were over; the NIC is an empty text then).
      type: str
      returned: always
    text:
      description: What is wrong, in one sentence.
      type: str
      returned: always
    todo:
      description: What to do.
      type: str
      returned: always
    nic:
      description: The NIC.
      type: str
      returned: always
    portals:
      description: The portals.
      type: list
      elements: str
      returned: always
    logged_in:
      description: Whether sessions are logged in there.
      type: bool
      returned: always
    mtu:
      description: As in RV(paths[].mtu).
      type: int
      returned: always
    wanted:
      description: As in RV(paths[].wanted).
      type: int
      returned: always
    largest:
      description: As in RV(paths[].largest).
      type: int
      returned: always
    fits_wanted:
      description: As in RV(paths[].fits_wanted).
      type: bool
      returned: always
  sample:
    - kind: mtu_on_the_way
      text: "Packets of 9000 bytes, the MTU of 'eth1', do not reach 10.77.1.11:3260; the largest that do have 1500 bytes: a login
        succeeds, and then data hangs."
      todo: "Set the MTU of 'eth1' to 1500 (initiator_mtu), or that of switches, VLANs and tunnels on the way to 9000 or more."
      nic: eth1
      portals: ["10.77.1.11:3260"]
      logged_in: false
      mtu: 9000
      wanted: 9000
      largest: 1500
      fits_wanted: false
"""


from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._open_iscsi.path import OPTIONS, look_ways

SPEC = OPTIONS


def question(options, host):
    return look_ways(options, host)


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
