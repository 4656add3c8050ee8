# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawing of the whole: from the file or block device of a storage host to the mount of a compute host."""

from __future__ import annotations

from html import escape

# What stands in a box, an example of it, and the page that is about it.
BOXES = {
    "backstore": ("Backstore", "/srv/luns/db0.img", "docsite/guide_storage.html"),
    "lun": ("LUN", "db0", "lun_module.html"),
    "target": ("Target (TPG)", "iqn.…:store1.db", "target_module.html"),
    "igroup": ("igroup (ACL)", "who sees which LUN", "igroup_module.html"),
    "portal1": ("Portal", "10.77.1.11:3260", "targets_module.html"),
    "portal2": ("Portal", "10.77.2.11:3260", "targets_module.html"),
    "nic1": ("NIC 1", "", "iface_module.html"),
    "nic2": ("NIC 2", "", "iface_module.html"),
    "session1": ("Session", "path sdb", "node_module.html"),
    "session2": ("Session", "path sdc", "node_module.html"),
    "map": ("Multipath map", "2 paths, 1 WWID", "docsite/guide_multipath.html"),
    "pv": ("PV", "physical volume", "docsite/guide_volumes.html"),
    "vg": ("VG", "vg_db", "volume_group_module.html"),
    "lv": ("LV", "data, 800 MiB", "logical_volume_module.html"),
    "fs": ("File system", "xfs", "logical_volumes_module.html"),
    "mount": ("Mount", "/srv/db", "mounts_module.html"),
}
FRAMES = {
    "storage": ("Storage host store1", "target_role.html"),
    "compute": ("Compute host db-a", "host_storage_role.html"),
}
SAID = (
    "On a storage host, a backstore becomes a LUN of a target; an igroup says which initiators see it, and two portals serve it. "
    "Over two storage networks, two NICs of a compute host have a session each. The two paths are one multipath map, "
    "and on it stand a physical volume, a volume group, a logical volume, a file system and a mount."
)


def wide() -> str:
    """From left to right; x, y of each box."""
    left, mid, right = (24, 192), 508, (676, 844)
    rows = (56, 166, 276)
    places = {
        "backstore": (left[0], rows[0]), "lun": (left[0], rows[1]), "target": (left[0], rows[2]),
        "portal1": (left[1], rows[0]), "igroup": (left[1], rows[1]), "portal2": (left[1], rows[2]),
        "session1": (mid, rows[0]), "map": (mid, rows[1]), "session2": (mid, rows[2]),
        "pv": (right[0], rows[0]), "vg": (right[0], rows[1]), "lv": (right[0], rows[2]),
        "fs": (right[1], rows[2]), "mount": (right[1], rows[1]),
    }  # fmt: skip
    arrows = [
        "M94 110V166", "M94 220V276", "M164 303H178V193H192", "M262 166V110", "M262 220V276",
        "M332 83H508", "M332 303H508", "M578 110V166", "M578 276V220",
        "M648 193H662V83H676", "M746 110V166", "M746 220V276", "M816 303H844", "M914 276V220",
    ]  # fmt: skip
    return "".join([
        opened("wide", 1008, 352),
        frame("storage", 8, 8, 340, 336), frame("compute", 452, 8, 548, 336),
        *(f'<path class="arrow" d="{line}"/>' for line in arrows),
        said(384, 74, "network 1"), said(384, 294, "network 2"),
        box("nic1", 424, 68, 56, 30), box("nic2", 424, 288, 56, 30),
        *(box(name, x, y, 140, 54) for name, (x, y) in places.items()),
        "</svg>",
    ])  # fmt: skip


def narrow() -> str:
    """From top to bottom."""
    alone = {
        "backstore": 40,
        "lun": 112,
        "target": 184,
        "igroup": 256,
        "map": 586,
        "pv": 658,
        "vg": 730,
        "lv": 802,
        "fs": 874,
        "mount": 946,
    }
    pairs = {"portal": 328, "session": 514}
    down = ("backstore", "lun", "target", "map", "pv", "vg", "lv", "fs")
    arrows = [f"M170 {alone[name] + 48}V{alone[name] + 72}" for name in down]
    arrows += ["M110 304V328", "M230 304V328", "M60 376V514", "M280 376V514", "M110 562V586", "M230 562V586"]
    return "".join([
        opened("narrow", 340, 1012),
        frame("storage", 6, 6, 328, 382), frame("compute", 6, 452, 328, 554, 94),
        *(f'<path class="arrow" d="{line}"/>' for line in arrows),
        said(96, 420, "network 1"), said(244, 420, "network 2"),
        *(box(f"nic{one}", x, 437, 52, 30) for one, x in ((1, 34), (2, 254))),
        *(box(name, 66, y, 208, 48) for name, y in alone.items()),
        *(box(f"{name}{one}", x, y, 150, 48) for name, y in pairs.items() for one, x in ((1, 15), (2, 175))),
        "</svg>",
    ])  # fmt: skip


def opened(name: str, width: int, height: int) -> str:
    return (
        f'<svg class="san san-{name}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="group" '
        f'aria-labelledby="san-{name}-title" aria-describedby="san-{name}-said">'
        f'<title id="san-{name}-title">From backstore to mount</title>'
        f'<desc id="san-{name}-said">{escape(SAID)}</desc>'
        f'<defs><marker id="san-{name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
        f"<style>.san-{name} .arrow {{marker-end: url(#san-{name}-head)}}</style>"
    )


def frame(name: str, x: int, y: int, width: int, height: int, indent: int = 16) -> str:
    title, page = FRAMES[name]
    return (
        f'<rect class="frame" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>'
        f'<a href="{page}"><text class="host" x="{x + indent}" y="{y + 25}">{escape(title)}</text></a>'
    )


def box(name: str, x: int, y: int, width: int, height: int) -> str:
    title, example, page = BOXES[name]
    middle = x + width // 2
    rows = [
        f'<text class="name" x="{middle}" y="{y + height // 2 + (-3 if example else 5)}">{escape(title)}</text>'
    ]
    if example:
        rows.append(f'<text class="example" x="{middle}" y="{y + height // 2 + 15}">{escape(example)}</text>')
    shape = f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
    return f'<a href="{page}">{shape}{"".join(rows)}</a>'


def said(x: int, y: int, text: str) -> str:
    return f'<text class="example" x="{x}" y="{y}">{escape(text)}</text>'
