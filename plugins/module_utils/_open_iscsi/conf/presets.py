# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initiator's timers for what stands above it, in seconds, as settings of iscsid.conf and of records.

What a preset does not name stays as it is; whatever else is given beside it wins.
"""

from __future__ import annotations

from typing import Any, Mapping

NOOP_INTERVAL = "node.conn[0].timeo.noop_out_interval"
NOOP_TIMEOUT = "node.conn[0].timeo.noop_out_timeout"
REPLACEMENT = "node.session.timeo.replacement_timeout"
ABORT = "node.session.err_timeo.abort_timeout"
LU_RESET = "node.session.err_timeo.lu_reset_timeout"
TARGET_RESET = "node.session.err_timeo.tgt_reset_timeout"

# What open-iscsi takes where neither record nor iscsid.conf says anything (libopeniscsiusr/default.h).
BUILT_IN = {
    NOOP_INTERVAL: "5",
    NOOP_TIMEOUT: "5",
    REPLACEMENT: "120",
    ABORT: "15",
    LU_RESET: "30",
    TARGET_RESET: "30",
}


def _timers(interval: int, timeout: int, replacement: int) -> dict[str, str]:
    return {NOOP_INTERVAL: str(interval), NOOP_TIMEOUT: str(timeout), REPLACEMENT: str(replacement)}


PRESETS: dict[str, dict[str, str]] = {
    # open-iscsi README 8.1: fail quickly, another path goes on. 5 is fast_io_fail_tmo's default too (multipath.conf(5)),
    # which multipathd sets over replacement_timeout.
    "multipath": _timers(5, 5, 5),
    # One path, nothing above that could go on: wait for it. The values of open-iscsi's own iscsid.conf.
    "direct": _timers(5, 5, 120),
    # open-iscsi README 8.2: no pings, and a day until the root file system sees an error.
    "root_on_iscsi": _timers(0, 0, 86400),
    # 'SCSI over IP' (Leeuw, 2012), its iscsid.conf for the MD3000i. Its replacement_timeout of 144 keeps I/O for minutes from
    # the other controller; under dm-multipath it is 5.
    "md3000i": {
        **_timers(10, 15, 5),
        "node.conn[0].timeo.login_timeout": "15",
        "node.conn[0].timeo.logout_timeout": "15",
        ABORT: "15",
        LU_RESET: "20",
        "node.session.initial_login_retry_max": "4",
        "node.conn[0].iscsi.MaxRecvDataSegmentLength": "65535",
    },
    # NetApp, 'iSCSI configuration for Red Hat Enterprise Linux': replacement_timeout from 120 to 5, to support multipathing.
    "ontap": _timers(5, 5, 5),
}


def with_preset(name: str | None, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a preset, with those that are given over them."""
    return {**(PRESETS[name] if name else {}), **settings}


def own_settings(node: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry of nodes sets for its records; the data may name a preset that there is not."""
    return {**PRESETS.get(str(node.get("preset")), {}), **(node.get("settings") or {})}
