# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What new records start with: iscsid.conf, as far as the installed open-iscsi knows the names.

One name in one record that it does not know keeps 'iscsiadm -m node' from showing any record at all
(libopeniscsiusr/idbm.c, _idbm_recs_read), while in iscsid.conf it is passed over (usr/idbm.c).
"""

from __future__ import annotations

from typing import Iterable

from ..._host import Host, Problem
from ..file import config
from .settings import Value, masked

CONF = "/etc/iscsi/iscsid.conf"
PROGRAMS = ("/usr/sbin/iscsiadm", "/sbin/iscsiadm")
YOUNG = (  # that versions in use do not know: 2.1.8 none, 2.1.11 the first
    "node.session.conn_reopen_log_freq",
    "node.session.sess_reopen_log_freq",
    "node.conn[0].tcp.congestion_control",
)


def look_defaults(host: Host) -> dict[str, Value]:
    """The settings of iscsid.conf that a record may have."""
    found = masked(config(host.read(CONF) or ""))
    unknown = unknown_here(host, found)
    return {name: value for name, value in found.items() if name not in unknown}


def unknown_here(host: Host, names: Iterable[str]) -> list[str]:
    """Those of these settings that the installed iscsiadm has no word for (usr/idbm_fields.h: its own text has each)."""
    asked = [name for name in names if name in YOUNG]
    program = next(filter(None, map(host.read, PROGRAMS)), "") if asked else ""
    return [name for name in asked if program and name.replace("[0]", "[%d]") not in program]


def refuse_unknown(host: Host, names: Iterable[str]) -> None:
    """No record gets a setting that would hide all records."""
    for name in unknown_here(host, names):
        raise Problem(
            f"The open-iscsi of this host does not know '{name}', and would not read a record that has it. Leave it out."
        )
