# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How multipath is configured on a host, by which files, and which maps there are."""

from __future__ import annotations

from typing import Any

from .._block.dm_multipath import running
from .._host import Host
from .conf.plan import OURS
from .files import aliases_of, look_files
from .multipathd import registered
from .name import look_running
from .said import options_of


def tell_multipath(host: Host) -> dict[str, Any]:
    """The answer of the module multipath_info. multipathd is not asked: its files and the kernel say it all."""
    files = look_files(host)
    others = {path: one for path, one in files.items() if not (host.read(path) or "").startswith(OURS)}
    return {
        "running": running(host),
        "files": [
            {"path": path, "own": path not in others, "aliases": aliases_of(files[path])} for path in files
        ],
        "settings": options_of(others.values()),
        "maps": [
            {
                "name": one.name,
                "wwid": one.wwid,
                "device": f"/dev/{one.device}",
                "vendor": one.vendor,
                "product": one.product,
                "paths": [f"/dev/{path}" for path in one.paths],
                "partitions": [name for _device, name in one.parts],
            }
            for one in look_running(host)
        ],
        "listed_wwids": sorted(registered(host)),
    }
