#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nic_mtu
short_description: Set the MTU of storage NICs, now and at boot
version_added: 1.0.0
description:
  - Sets the MTU of network interfaces now, and has it set at boot by what configures them. Only files of its own are written;
    what others wrote is left as it is.
  - "Under systemd-networkd that is a drop-in of the C(.network) file, C(90-lunworks-mtu.conf). It is refused where that file
    configures other NICs too, unless these get the same MTU. networkd is not reloaded, as it would configure the NIC anew."
  - "Under NetworkManager it is a default for profiles that say no MTU, C(/etc/NetworkManager/conf.d/90-lunworks-mtu.conf).
    Profiles are not changed; one that says another MTU is refused, with the command that changes it."
  - "Under ifupdown it is a script, C(/etc/network/if-up.d/lunworks-mtu). A stanza with another C(mtu) is refused, with the line
    to write."
  - Elsewhere (netplan, wicked, files of one's own) nothing is changed, and the message says the line to write. Once the NIC has
    that MTU, the module has nothing to do.
  - While iSCSI sessions go through a NIC, its MTU is left as it is, since both ends of a connection have agreed on the size of
    packets. It is then set for the next boot only, and a warning says so. The same holds for sessions of initiators with targets
    on this host (TCP port 3260), and for sessions whose NIC is not known, as in their recovery.
  - Packets of a larger MTU cannot be tried until the NIC has it. Set it in a maintenance window, with these sessions logged out,
    and ask M(lunworks.iscsi.path_info) before they are logged in again. At a boot nobody tries them.
  - Whether packets of that size reach the portals is another question, which M(lunworks.iscsi.path_info) answers.
  - Needs C(ip) of iproute2.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  mtu:
    description:
      - The NICs and their MTU.
    type: list
    elements: dict
    required: true
    suboptions:
      nic:
        description:
          - The name of the NIC. For a bond it is that of the bond, which gives its MTU to its ports.
          - The NIC that carries a VLAN needs the same MTU or more. The kernel lowers a VLAN with that NIC, which is refused
            unless the VLAN is named too.
        type: str
        required: true
      mtu:
        description: Its MTU in bytes, 1280 to 65520. Required unless O(mtu[].state=absent).
        type: int
      state:
        description:
          - Whether the NIC must have this MTU, now and at boot.
          - With V(absent), what this module wrote for the NIC is removed, and whatever configures the NIC decides at the next
            boot. The NIC keeps the MTU that it has now. It need not exist any more, unless systemd-networkd configured it.
        type: str
        choices: [present, absent]
        default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.path_info
  - module: lunworks.iscsi.iface
"""

EXAMPLES = r"""
- name: Use jumbo frames on both storage networks
  lunworks.iscsi.nic_mtu:
    mtu:
      - {nic: eth1, mtu: 9000}
      - {nic: eth2, mtu: 9000}

- name: Leave the MTU of a NIC to whatever configures it
  lunworks.iscsi.nic_mtu:
    mtu:
      - {nic: eth2, state: absent}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample:
    - Set the MTU of 'eth1' to 9000 (it is 1500)
    - Write '/etc/systemd/network/20-san.network.d/90-lunworks-mtu.conf', by which systemd-networkd sets the MTU of 'eth1' at boot
state:
  description:
    - By the name of each NIC, C(running), its MTU now (null if there is no such NIC), C(at_boot), the MTU that it is given at
      boot (null if none is, or if it is not known what configures the NIC), and C(configured_by), C(systemd-networkd),
      C(NetworkManager), C(ifupdown), C(netplan), C(ifcfg), or an empty text.
  returned: success
  type: dict
  sample: {eth1: {running: 9000, at_boot: 9000, configured_by: systemd-networkd}}
"""


from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._net.nic_mtu import OPTIONS, Mtu

SPEC = OPTIONS


def resource(options):
    return Mtu(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
