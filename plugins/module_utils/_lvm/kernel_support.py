# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel can serve: file systems and kinds of logical volumes (modules.dep(5), proc(5))."""

from __future__ import annotations

import re

from .._host import Host, lines_of

BY_NAME = re.compile(r"(dm|raid|kvdo).*")
TOOLS = ("thin_check", "cache_check")
PLACES = ("/usr/sbin", "/sbin", "/usr/bin")


def look_drivers(host: Host) -> list[str] | None:
    """File systems and device-mapper targets that this kernel has or could load; None when that cannot be told."""
    modules = f"/lib/modules/{(host.read('/proc/sys/kernel/osrelease') or '').strip()}"
    loadable = host.read(f"{modules}/modules.dep")
    if loadable is None:
        return None
    paths = [line.partition(":")[0] for line in lines_of(loadable)]
    paths += lines_of(host.read(f"{modules}/modules.builtin"))
    found = {name for path in paths for name in [_driver(path)] if name}
    found |= {line.split()[-1] for line in lines_of(host.read("/proc/filesystems")) if line.split()}
    found |= {
        line.split()[0] for line in lines_of(host.read("/proc/modules")) if BY_NAME.fullmatch(line.split()[0])
    }
    return sorted(found)


def _driver(path: str) -> str:
    """The name of a module that is a file system or belongs to the device mapper, '' for another one."""
    name = re.sub(r"\.ko(\.\w+)?$", "", path.rpartition("/")[2]).replace("-", "_")
    filesystem = re.match(r"(kernel/|extra/|updates/)?fs/(?!nls/)", path)
    return name if filesystem or BY_NAME.fullmatch(name) else ""


def look_tools(host: Host) -> list[str]:
    """The programs with which LVM checks and repairs pools when it activates them."""
    return [tool for tool in TOOLS if any(host.stat(f"{place}/{tool}") for place in PLACES)]
