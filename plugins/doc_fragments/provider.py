# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of all modules for storage hosts: which software serves the targets."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  provider:
    description:
      - The storage software of this host. V(lio) is the target of the Linux kernel, V(tgt) the daemon tgtd (STGT), V(iet) the
        iSCSI Enterprise Target, V(netbsd) the iSCSI target of NetBSD. The options are described for V(lio); the guides to storage
        hosts and to other storage software say where the others differ.
      - V(manual) is an array that a person sets up; the module refuses it and says how to see what to do there.
      - V(eseries) is a NetApp E-Series array, which the role P(lunworks.iscsi.eseries#role) sets up from the controller; the
        module refuses it.
      - V(ontap) is an SVM of a NetApp ONTAP system, which the role P(lunworks.iscsi.ontap#role) sets up from the controller; the
        module refuses it.
      - A request that it cannot enforce is refused with the reason, in check mode too; nothing is approximated.
    type: str
    choices: [eseries, iet, lio, manual, netbsd, ontap, tgt]
    default: lio
"""
