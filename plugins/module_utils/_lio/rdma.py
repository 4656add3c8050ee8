# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a portal of LIO needs for iSER: the kernel's ib_isert, and an RDMA device with the portal's address (Linux,
drivers/infiniband/ulp/isert/ib_isert.c, isert_setup_np)."""

from __future__ import annotations

from .._host import Host

DEVICES = "/sys/class/infiniband"  # of InfiniBand, RoCE and iWARP alike (Documentation/ABI/stable/sysfs-class-infiniband)
NEEDED = (
    "iSER needs an RDMA device (InfiniBand, RoCE, iWARP; 'rdma link' lists them) that has the address of the portal, and a "
    "kernel with the module ib_isert"
)


def look_rdma(host: Host) -> bool:
    """Whether this host has an RDMA device."""
    return bool(host.list(DEVICES))


def why_lost(iser: bool) -> str:
    """Of a portal that is saved but not running: why it cannot be made here as it was."""
    if iser:
        return f"is saved with iSER but is not running, and this host has no RDMA device. {NEEDED}. Set that up and run again"
    return "is saved with offload but is not running. Recreate it with the tool that made it (targetcli)"
