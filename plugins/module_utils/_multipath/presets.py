# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What multipath should know of the arrays of this collection's guides, as sections of multipath.conf(5).

multipath-tools' own table (libmultipath/hwtable.c; 'multipath -t' prints it) knows DELL MD3*, NETAPP and LIO-ORG, and
not the others: without an entry each path is a group of its own, and the loss of all of them fails I/O at once.
no_path_retry 12 is that table's choice for LIO: with the default polling_interval of 5 seconds it holds I/O for a minute.
"""

from __future__ import annotations

from typing import Any, Callable

ACCESS_LUN = {"vendor": ".*", "product": "^Universal Xport"}  # as hwtable.c blacklists it for DELL MD3*
ACTIVE_ACTIVE = {
    "path_grouping_policy": "multibus",
    "path_checker": "tur",
    "failback": "immediate",
    "no_path_retry": 12,
}


def _active_active(vendor: str, product: str) -> dict[str, Any]:
    return {"devices": [{"vendor": vendor, "product": product, **ACTIVE_ACTIVE}]}


PRESETS: dict[str, dict[str, Any]] = {
    # Linux, drivers/target/target_core_spc.c (T10 vendor LIO-ORG, ALUA); hwtable.c, entry LIO-ORG.
    "lio": {
        "devices": [
            {
                "vendor": "^LIO-ORG",
                "product": ".*",
                "path_grouping_policy": "group_by_prio",
                "prio": "alua",
                "path_checker": "tur",
                "failback": "immediate",
                "no_path_retry": 12,
            }
        ]
    },
    # hwtable.c, entry DELL ^MD3. Its two controllers own LUNs: rdac knows which one. LUN 31 is not a disk.
    "md3000i": {
        "blacklist": {"device": [ACCESS_LUN]},
        "devices": [
            {
                "vendor": "^DELL",
                "product": "^MD3",
                "product_blacklist": "^Universal Xport",
                "path_grouping_policy": "group_by_prio",
                "path_checker": "rdac",
                "prio": "rdac",
                "features": "2 pg_init_retries 50",
                "failback": "immediate",
                "no_path_retry": 30,
            }
        ],
    },
    # hwtable.c, entry NETAPP LUN. NetApp's 'queue' would hold every command forever: bounded here to five minutes.
    "ontap": {
        "devices": [
            {
                "vendor": "^NETAPP",
                "product": "^LUN",
                "path_grouping_policy": "group_by_prio",
                "prio": "ontap",
                "features": "2 pg_init_retries 50",
                "failback": "immediate",
                "no_path_retry": 60,
            }
        ]
    },
    # iSCSI Enterprise Target, kernel/target_disk.c, and tgt, usr/target.h and usr/sbc.c, call themselves the same.
    "iet": _active_active("^IET", "^VIRTUAL-DISK"),
    "tgt": _active_active("^IET", "^VIRTUAL-DISK"),
    # What a QNAP's LUNs answer to INQUIRY ('lsscsi').
    "qnap": _active_active("^QNAP", "^iSCSI Storage"),
    # NetBSD, external/bsd/iscsi/dist/include/iscsi.h. Its LUNs have no identity that stays: never under multipath.
    "netbsd": {"blacklist": {"device": [{"vendor": "^NetBSD", "product": "^NetBSD iSCSI"}]}},
}


def with_presets(
    names: list[str],
    sections: dict[str, Any],
    known: Callable[[str, str], bool] = lambda vendor, product: False,
) -> dict[str, Any]:
    """The sections with those of the presets before them: in multipath.conf what comes last wins.

    An array that another file has an entry for ('known') is left to that file.
    """
    merged = {**sections, "devices": list(sections["devices"]), "blacklist": dict(sections["blacklist"])}
    devices: list[dict[str, Any]] = []
    for name in names:
        preset = PRESETS[name]
        entries = [one for one in preset.get("devices", []) if not known(one["vendor"], one["product"])]
        devices += [one for one in entries if one not in devices]
        for keyword, values in preset.get("blacklist", {}).items():
            given = merged["blacklist"].get(keyword, [])
            merged["blacklist"][keyword] = values + (given if isinstance(given, list) else [given])
    merged["devices"] = devices + merged["devices"]
    return merged
