# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What multipath does when the last path of a map is gone, as the running daemon has it in force (multipathd(8)).

'show maps json' tells no_path_retry of each map, 'show config local' the rest; which of its sections counts for a map is
said in multipath.conf(5). A question never starts the daemon: its socket unit would, so systemd is asked first.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .._block.dm_multipath import running
from .._host import Host
from .._timers.stall import FOR_EVER, Queue
from .multipathd import ask
from .sections import Section, parse_sections

POLLING = "5"  # multipath.conf(5), polling_interval
WORDS = {"fail": 0, "queue": FOR_EVER}


def look_queues(host: Host) -> dict[str, Queue]:
    """The maps of the running daemon by their kernel names; none when it does not run or is too busy to say."""
    if not running(host):
        return {}
    maps, config = ask(host, "show", "maps", "json"), ask(host, "show", "config", "local")
    return parse_queues(maps, config) if maps else {}


def parse_queues(maps: str, config: str) -> dict[str, Queue]:
    """From the two answers of the daemon."""
    sections = parse_sections(config)
    found = {}
    for one in json.loads(maps)["maps"]:
        fast = in_force(sections, one, "fast_io_fail_tmo", by_protocol=True)
        found[one["sysfs"]] = Queue(
            name=one["name"],
            wwid=one["uuid"],
            retries=_retries(one, in_force(sections, one, "no_path_retry")),
            polling_interval=int(in_force(sections, {}, "polling_interval") or POLLING),
            fast_io_fail=int(fast)
            if fast.isdecimal() and int(fast)
            else None,  # iSCSI knows neither 0 nor off
            dev_loss=in_force(sections, one, "dev_loss_tmo", by_protocol=True),
        )
    return found


def _retries(one: dict[str, Any], configured: str) -> int | None:
    """What the map does now ('12 chk', 'on', 'off'); while its paths are gone it tells of that instead."""
    told = str(one["queueing"])
    if told == "on":
        return FOR_EVER
    if told.endswith(" chk"):
        return int(told.split()[0])
    if configured in WORDS and told != "off":
        return WORDS[configured]
    if configured.isdecimal() and (told != "off" or not one["paths"]):
        return int(configured)
    return FOR_EVER if told == "-" and "queue_if_no_path" in str(one["features"]) else 0


def in_force(config: Section, one: dict[str, Any], keyword: str, by_protocol: bool = False) -> str:
    """The value of a keyword for a map: of its own section, the overrides, its array's last entry, the defaults."""
    protocols = config.all("overrides", "protocol") if by_protocol else []
    sources = [
        *(part for part in protocols if part.values.get("type") in ("scsi:iscsi", "scsi:unspec")),
        *(
            part
            for part in config.all("multipaths", "multipath")
            if part.values.get("wwid") == one.get("uuid")
        ),
        *config.all("overrides"),
        *(part for part in reversed(config.all("devices", "device")) if _is_of(part, one)),
        *config.all("defaults"),
    ]
    return next((part.values[keyword] for part in sources if keyword in part.values), "")


def _is_of(device: Section, one: dict[str, Any]) -> bool:
    """Whether an entry for arrays is about the array of this map."""
    try:
        return bool(one) and all(
            re.search(device.values.get(keyword, ""), str(one.get(told, "")))
            for keyword, told in (("vendor", "vend"), ("product", "prod"), ("revision", "rev"))
        )
    except re.error:  # a regular expression of the C library that Python's does not know
        return False
