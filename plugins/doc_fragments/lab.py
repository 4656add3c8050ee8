# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The twin of uml.OPTIONS: what every module of the lab is told."""

    DOCUMENTATION = r"""
options:
  lab:
    description: The name of the lab. Labs with different names can run at the same time, even with the same addresses.
    type: str
    default: lab
  directory:
    description: The directory for the files of labs; each lab has a subdirectory with its name.
    type: path
    default: /var/tmp/lunworks-lab
requirements:
  - Debian or Ubuntu on amd64, root, C(/dev/net/tun)
  - The packages debootstrap, user-mode-linux, iproute2, openssh-client and e2fsprogs
notes:
  - Runs on the machine that hosts the lab, so usually on C(localhost). Hardware virtualisation is not needed.
  - The hosts of a lab are reached from that machine only, through the lab's C(ssh_config) and inventory.
"""
