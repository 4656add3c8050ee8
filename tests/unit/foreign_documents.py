# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents as targetcli, rtslib and people with an editor leave them in saveconfig.json: every valid shape.

A document is made of a row of bytes, each of which decides one thing; zeros decide for the plainest. So a failing document
shrinks to what it fails with, and one draw makes a whole document.
"""

from __future__ import annotations

from hypothesis import strategies as st

W = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.0"
V = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.1"
INITIATORS = ["iqn.2026-01.com.example:i", "iqn.1991-05.com.microsoft:win-abc", "iqn.2026-01.com.example:j"]
NAMES = ["data", "data2", "ro", f"{W}:data"]
DEVICES = {
    "block": ["/dev/vg/a", "/dev/vg/b", "/dev/disk/by-id/wwn-0x5000c5001", "/dev/sdq"],
    "fileio": ["/srv/d.img", "/srv/my luns/f.img", "/dev/vg/c", "/dev/vg/d"],
    "ramdisk": [None, None, None, None],
    "pscsi": ["/dev/sg3", "/dev/st0", "/dev/sg4", "/dev/sg5"],
    "user": [None, None, None, None],
}
ALUA = {"name": "default_tg_pt_gp", "alua_access_state": 0, "preferred": 0, "tg_pt_gp_id": 0}
BITS = (
    "authentication",
    "generate_node_acls",
    "cache_dynamic_acls",
    "demo_mode_write_protect",
    "netif_timeout",
)


class Choices:
    """Decisions, one a byte; when they are used up, the plainest."""

    def __init__(self, row):
        self.row, self.at = row, 0

    def number(self):
        self.at += 1
        return self.row[self.at - 1] if self.at <= len(self.row) else 0

    def flag(self):
        return self.number() % 2 == 1

    def pick(self, options):
        return options[self.number() % len(options)]

    def some(self, options):
        """Some of them, none twice, in any order."""
        bits = self.number()
        found = [one for at, one in enumerate(options) if bits >> at & 1]
        return found[::-1] if self.flag() else found

    def unknown(self):
        """Keys that we have never heard of."""
        return {key: self.pick([None, 7, "text", {"in": ["it"]}]) for key in self.some(["x_note", "future"])}


def made(row):
    """A whole file, with the target W in it."""
    choices = Choices(row)
    stores = _stores(choices)
    found = {"storage_objects": stores, "targets": [], **choices.unknown()}
    if choices.flag():
        found["fabric_modules"] = [{"name": "iscsi", "discovery_enable_auth": True, "discovery_userid": "u"}]
    for name in [W, V][: 1 + choices.flag()]:
        tags = choices.pick([[1], [1, 2], [7, 2]])
        found["targets"].append(
            {
                "fabric": "iscsi",
                "wwn": name.replace("store", "STORE") if choices.flag() else name,
                "tpgs": [_group(choices, tag, stores) for tag in tags],
                **choices.unknown(),
            }
        )
    if choices.flag():
        group = {"tag": 1, "luns": _luns(choices, stores)}
        found["targets"].append({"fabric": "loopback", "wwn": "naa.5001405000000001", "tpgs": [group]})
    return found


def _stores(choices):
    """Storage objects: names are unique only within a plugin."""
    found = []
    for plugin, devices in DEVICES.items():
        for name, dev in zip(choices.some(NAMES), devices):
            entry = {"plugin": plugin, "name": name, **choices.unknown()}
            at = len(found)
            entry["wwn"] = f"{at % 10}000000{at // 10}-1111-2222-3333-44445555666{at % 10}"
            if dev:
                entry["dev"] = dev
            if plugin == "user":
                entry["config"] = "rbd/pool/image"
            if plugin == "fileio":
                entry.update(size=1 << 20, write_back=choices.flag(), aio=choices.flag())
            if plugin == "block":
                entry.update(readonly=choices.flag(), write_back=choices.flag())
            if choices.flag():
                keys = choices.some(["emulate_tpu", "is_nonrot", "emulate_older"])
                entry["attributes"] = {"block_size": 512, **{key: int(choices.flag()) for key in keys}}
            if choices.flag():
                extra = [{"name": "standby", "alua_access_state": 2, "tg_pt_gp_id": 3}]
                entry["alua_tpgs"] = [{**ALUA, **choices.unknown()}, *(extra if choices.flag() else [])]
            found.append(entry)
    return found


def _luns(choices, stores):
    found = []
    for number in choices.some([0, 1, 2, 7, 300]) if stores else []:
        store = choices.pick(stores)
        entry = {"index": number, "storage_object": f"/backstores/{store['plugin']}/{store['name']}"}
        if choices.flag():
            entry.update(alias="5f0e", alua_tg_pt_gp_name="default_tg_pt_gp", **choices.unknown())
        found.append(entry)
    return found


def _acl(choices, name, numbers):
    entry = {"node_wwn": name.replace("win", "WIN") if choices.flag() else name, **choices.unknown()}
    if numbers:
        entry["mapped_luns"] = [
            {
                "index": one,
                "tpg_lun": choices.pick(numbers),
                "write_protect": choices.flag(),
                **choices.unknown(),
            }
            for one in choices.some([0, 1, 7])
        ]
    if choices.flag():
        entry["attributes"] = {"dataout_timeout": 3, "authentication": -1}
    if choices.flag():
        entry["tag"] = choices.pick(["g", "h"])
    if choices.flag():
        entry.update(chap_userid="u", chap_password="a secret of 18 b.")
        if choices.flag():
            entry.update(chap_mutual_userid="m", chap_mutual_password="another of 20 bytes")
    return entry


def _group(choices, tag, stores):
    luns = _luns(choices, stores)
    acls = [_acl(choices, name, [one["index"] for one in luns]) for name in choices.some(INITIATORS)]
    portals = [
        {"ip_address": one, "port": 3260 + tag, "iser": choices.flag(), "offload": False}
        for one in choices.some(["192.0.2.1", "[fd00:0::1]", "fd00::2", "192.0.2.2"])
    ]
    entry = {"tag": tag, **choices.unknown()}
    if choices.flag():
        entry["enable"] = choices.flag()
    if choices.flag():
        entry["attributes"] = {
            "login_timeout": 20,
            **{key: int(choices.flag()) for key in choices.some(BITS)},
        }
    if choices.flag():
        entry["parameters"] = {
            "AuthMethod": choices.pick(["CHAP", "CHAP,None", "None"]),
            "TargetAlias": "LIO",
        }
    if choices.flag():
        entry.update(chap_userid="demo", chap_password="for the whole group")
    for key, value in (("portals", portals), ("luns", luns), ("node_acls", acls)):
        if value or choices.flag():
            entry[key] = value
    return entry


ROW = st.binary(min_size=200, max_size=300)
DOCUMENTS = ROW.map(made)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["storage_objects", "targets", "tpgs", "luns", "plugin", "name", "fabric", "wwn"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


def broken(row, at, value):
    """A document in which something is of another shape."""
    document = made(row)
    spots = list(_spots(document))
    where, key = spots[at % len(spots)]
    where[key] = value
    return document


BROKEN = st.builds(broken, ROW, st.integers(0, 10000), JSON)


def _spots(value):
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _spots(value[key])
